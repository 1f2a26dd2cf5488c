"""A venue file is read whole, and refused with a line for everything that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.units import SECOND
from live.credentials import proof_of
from live.venue_file import Address, load, parse_address, read
from tests.helpers.venue import TOKEN, VENUE, changed

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
