"""A venue file is read whole, and refused with a line for everything that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.units import SECOND
from live.credentials import proof_of
from live.keys import new_key
from live.venue_file import APP_MESSAGES_PER_SECOND_MAX, Address, load, parse_address, read
from live.zones import compile_zone
from tests.helpers.identity import proof, public
from tests.helpers.venue import TOKEN, VENUE, changed

SESSIONS = """
[venue.fix.session.schedule]
start_time = "08:00:00"
end_time = 17:30:00
time_zone = "Europe/Berlin"

[venue.dictionaries]
own = "own.xml"
"""
MESSAGES = {
    "NewOrderSingle": "D",
    "OrderCancelRequest": "F",
    "OrderCancelReplaceRequest": "G",
    "OrderStatusRequest": "H",
    "ExecutionReport": "8",
    "OrderCancelReject": "9",
}
DICTIONARY = f"""
<fix major="4" minor="2">
<header><field name="MsgType" required="Y"/></header><trailer/><components/>
<messages>{
    "".join(
        f'<message name="{name}" msgtype="{kind}" msgcat="app"><field name="Own" required="N"/></message>'
        for name, kind in {**MESSAGES, "BusinessMessageReject": "j"}.items()
    )
}</messages>
<fields><field number="35" name="MsgType" type="STRING"/><field number="5001" name="Own" type="STRING"/></fields>
</fix>"""
DURATION = 'expected a duration such as "250ms" (units ns, us, ms, s, m, h, d), got'
HOW = 'say where it is: { env = "NAME" } or { file = "path" }'


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S1_TOKEN", TOKEN)


def problems(folder: Path, *edits: tuple[str, str]) -> list[str]:
    """What is wrong with the small venue after some edits."""
    path = folder / "venue.toml"
    path.write_text(changed(*edits))
    return read(path)[1]


def test_a_good_file_holds_the_hash_of_each_token(tmp_path: Path) -> None:
    (tmp_path / "venue.toml").write_text(VENUE)
    file = load(tmp_path / "venue.toml")
    assert [solver.token for solver in file.venue.solvers] == [proof_of(TOKEN)]
    assert file.drain.deadline == 10 * SECOND
    assert (file.journal.dir, file.journal.sync) == ("journal", "always")
    assert TOKEN not in repr(file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_the_file_of_the_signers_passphrase_is_its_owners_alone(tmp_path: Path, mode: int) -> None:
    new_key(tmp_path / "venue.key", "hush")
    hush, path = tmp_path / "hush", tmp_path / "venue.toml"
    hush.write_text("hush\n")
    hush.chmod(mode)
    path.write_text(VENUE + '\n[signer]\nkey = "venue.key"\npassphrase = { file = "hush" }\n')
    (problem,) = read(path)[1]
    assert problem == f"signer.passphrase: others may read {hush} (mode {mode:03o}) (chmod 600 {hush})"
    hush.chmod(0o600)
    assert read(path)[1] == []


def test_a_file_names_dictionaries_and_zones_and_the_configuration_holds_them(tmp_path: Path) -> None:
    (tmp_path / "own.xml").write_text(DICTIONARY)
    path = tmp_path / "venue.toml"
    path.write_text(changed(('id = "MM1"', 'id = "MM1"\nsession = { dictionary = "own" }')) + SESSIONS)
    venue = load(path).venue
    assert venue.zones == {"Europe/Berlin": compile_zone("Europe/Berlin")}
    assert "5001:Own:STRING" in venue.dictionaries["own"].fields
    schedule = venue.fix.session.schedule
    assert schedule is not None
    assert (int(schedule.start_time), int(schedule.end_time)) == (8 * 3600, 17 * 3600 + 1800)


def test_what_is_wrong_with_sessions_is_found_with_all_the_rest(tmp_path: Path) -> None:
    (tmp_path / "own.xml").write_text("<fix>")
    path = tmp_path / "venue.toml"
    wrong = SESSIONS.replace("Berlin", "Berln").replace('"08:00:00"', '"8"') + "zones = 1\n[venue.zones]\n"
    path.write_text(changed(('id = "MM1"', 'id = "MM1"\nsession = { reset_on_login = true }')) + wrong)
    found = read(path)[1]
    assert [problem.split(": ")[0] for problem in found] == [
        "venue.dictionaries.own",
        "venue.dictionaries.zones",
        "venue.zones",
        "venue.fix.session.schedule.start_time",
        "venue.members[0].session",
        "venue.fix.session.schedule.time_zone",
    ]
    assert found[4].endswith("unknown key `reset_on_login` (did you mean `reset_on_logon`?)")


def test_an_admin_token_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "admin").write_text("hush")
    (tmp_path / "admin").chmod(0o640)
    edit = ("[venue]\n", '[admin]\ntoken = { file = "admin" }\n[venue]\n')
    path = tmp_path / "admin"
    assert problems(tmp_path, edit) == [f"admin.token: others may read {path} (mode 640) (chmod 600 {path})"]
    path.chmod(0o600)
    assert problems(tmp_path, edit) == []


def test_a_token_may_be_in_a_file_beside(tmp_path: Path) -> None:
    (tmp_path / "s1.token").write_text("from a file\n")
    assert problems(tmp_path, ('{ env = "S1_TOKEN" }', '{ file = "s1.token" }')) == []
    assert load(tmp_path / "venue.toml").venue.solvers[0].token == proof_of("from a file")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[drain]", "[drian]", "unknown section `drian` (did you mean `drain`?)"),
        ('deadline = "10s"', 'deadlin = "10s"', "drain: unknown key `deadlin` (did you mean `deadline`?)"),
        ('deadline = "10s"', 'deadline = "10"', f'drain.deadline: {DURATION} "10"'),
        ('batch_window = "50ms"', 'batch_window = "0s"', "venue.sequencer.batch_window: must be above zero, got 0s"),
        ('lot = "0.0001"', 'lot = "0"', "venue.pairs[0].lot: must be above zero, got 0"),
        (
            'fix = "127.0.0.1:0"',
            'fix = "9876"',
            'listen.fix: expected an address such as "127.0.0.1:9876" or "[::1]:9876", got "9876"',
        ),
        (
            'fix = "127.0.0.1:0"\norders = "127.0.0.1:0"',
            'fix = "[::1]:9000"\norders = "[::1]:9000"',
            "listen.orders: [::1]:9000 is listen.fix too",
        ),
        (
            "[venue]\n",
            '[journal]\nsync = "often"\n[venue]\n',
            "journal.sync: sync 'often' is none (`always`, `off`, or a duration such as `50ms`)",
        ),
        (
            "[listen]",
            '[listen]\nallow = ["10.0.0.0/8", "10.0.0.1/8"]',
            "listen.allow[1]: expected a network such as 10.0.0.0/8: 10.0.0.1/8 has host bits set",
        ),
        ("[listen]", '[listen]\nhandshake_timeout = "0s"', "listen.handshake_timeout: must be above zero, got 0s"),
        ('{ env = "S1_TOKEN" }', '"hush"', f"venue.solvers[0].token: a secret may not stand in the file ({HOW})"),
        ('{ env = "S1_TOKEN" }', "{ }", f"venue.solvers[0].token: a secret is in one place ({HOW})"),
        (
            '{ env = "S1_TOKEN" }',
            '{ env = "NO_TOKEN" }',
            "venue.solvers[0].token: environment variable NO_TOKEN is not set (export NO_TOKEN=...)",
        ),
        (
            '{ env = "S1_TOKEN" }',
            '{ en = "S1_TOKEN" }',
            "venue.solvers[0].token: unknown key `en` (did you mean `env`?)",
        ),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert problems(tmp_path, (old, new)) == [problem]


def test_everything_is_found_at_once(tmp_path: Path) -> None:
    edits = [
        ("[observe]", "[observed]"),
        ('batch_window = "50ms"', 'batch_window = "soon", batch_messages = 0'),
        ('default_penalty = "100"', 'default_penalty = "NaN"'),
        ('lot = "0.0001"', 'lot = "0"'),
        ('{ env = "S1_TOKEN" }', '{ file = "nowhere" }'),
        ('fix = "127.0.0.1:0"', 'fix = "127.0.0.1:99999"'),
    ]
    assert sorted(problems(tmp_path, *edits)) == [
        'listen.fix: expected an address such as "127.0.0.1:9876" or "[::1]:9876", got "127.0.0.1:99999"',
        "unknown section `observed` (did you mean `observe`?)",
        'venue.auction.default_penalty: expected an amount such as "100.25", zero or more, got "NaN"',
        "venue.pairs[0].lot: must be above zero, got 0",
        "venue.sequencer.batch_messages: expected a whole number >= 1, got 0",
        f'venue.sequencer.batch_window: {DURATION} "soon"',
        f"venue.solvers[0].token: cannot read the secret in {tmp_path}/nowhere: No such file or directory",
    ]


def test_all_that_is_wrong_with_permissions_is_found_at_once(tmp_path: Path) -> None:
    wrong = 'symbols = ["NO"], msg_types = ["Q"], order_quantity_max = "0", messages_per_second_max = 0'
    key = f'key = {{ public = "{public("MM1").hex()}", proof = "{proof("MM1").hex()}", permissions = {{ {wrong} }} }}'
    member = 'id = "MM1"\n'
    found = problems(tmp_path, ("[venue]\n", "[venue]\nidentity = {}\n"), (member, f"{member}{key}\n"))
    assert [line.partition(": ")[0].rpartition("permissions.")[2] for line in found] == [
        "messages_per_second_max",
        "symbols[0]",
        "msg_types[0]",
        "order_quantity_max",
    ]


def test_two_solvers_with_one_token_are_found_and_it_is_not_shown(tmp_path: Path) -> None:
    second = VENUE[VENUE.index("[[venue.solvers]]") :].replace('"s1"', '"s2"')
    (tmp_path / "venue.toml").write_text(f"{VENUE}\n{second}")
    (problem,) = read(tmp_path / "venue.toml")[1]
    assert problem.startswith('venue.solvers[1].token: it is the token of "s1" too')
    assert TOKEN not in problem
    assert proof_of(TOKEN) not in problem


def test_loading_raises_with_a_line_for_each_problem(tmp_path: Path) -> None:
    path = tmp_path / "venue.toml"
    path.write_text(changed(('lot = "0.0001"', 'lot = "0"'), ('bond = "10000"', 'bond = "much"')))
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(caught.value).splitlines() == [
        f'{path}: venue.solvers[0].bond: expected an amount such as "100.25", got "much"',
        f"{path}: venue.pairs[0].lot: must be above zero, got 0",
    ]


@pytest.mark.parametrize("text", ["venue = ", "\x00", "a = " + "[" * 5000])
def test_what_is_not_toml_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "venue.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"venue\.toml: not TOML: "):
        read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*venue\.toml: No such file"):
        read(tmp_path / "venue.toml")


def test_addresses_have_a_host_and_a_port() -> None:
    assert parse_address("localhost:0") == ("localhost", 0)
    assert str(Address("::1", 80)) == "[::1]:80"
    assert parse_address(str(Address("::1", 80))) == ("::1", 80)


@pytest.mark.parametrize("text", ["", ":1", "a", "a:", "a:b", "::1", "a:65536", "a b:1", "a:-1", "a:\u0661"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected an address"):
        parse_address(text)


def test_everything_that_is_wrong_with_tls_is_found_at_once(tmp_path: Path) -> None:
    tls = """[listen.tls]
cert = "a.pem"
key = "b.key"
min_version = "1.1"
ciphers = "ROT13"
client_ca = "c.pem"
logons = { desk = ["MM1", "MM7"] }
names = { other = { cert = "d.pem", key = "e.key" } }

[observe]"""
    found = [line.split(": ")[0] for line in problems(tmp_path, ("[observe]", tls))]
    keys = ("min_version", "cert", "key", "names.other.cert", "names.other.key", "ciphers", "client_ca")
    assert found == [*(f"listen.tls.{key}" for key in keys), "listen.tls.logons.desk[1]"]


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("", (APP_MESSAGES_PER_SECOND_MAX, None)),
        ("[venue.fix.session]\napp_messages_per_second_max = 0\n\n", (0, None)),
        ("[venue.fix.session]\nreset_on_logon = true\n\n", (APP_MESSAGES_PER_SECOND_MAX, None)),
        ("[venue.fix]\ncomp_id = 'V'\n\n", (APP_MESSAGES_PER_SECOND_MAX, None)),
    ],
)
def test_members_have_a_limit_of_messages_unless_the_file_says_otherwise(
    tmp_path: Path, text: str, limits: tuple[int, None]
) -> None:
    (tmp_path / "venue.toml").write_text(changed(("[[venue.pairs]]", f"{text}[[venue.pairs]]")))
    venue = load(tmp_path / "venue.toml").venue
    assert (
        venue.fix.session.app_messages_per_second_max,
        venue.members[0].session.app_messages_per_second_max,
    ) == limits
