"""A venue whose Logons are signed, with real processes, sockets and keys: who gets in, and keys that change."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from core.units import MILLISECOND, SECOND
from live.cli import main
from sim.cli import main as romer_sim
from tests.helpers.identity import logon, plain_logon, proof, public
from tests.helpers.venue import PATIENCE, Running, changed, romer_live, served, solving

KEY = f'key = {{ public = "{public("MM1").hex()}", proof = "{proof("MM1").hex()}" }}'
END = f'{proof("MM1").hex()[-8:]}" }}'
MEMBER = '[[venue.members]]\nid = "MM1"\nbalance = { ETH = "100" }\n'
IDENTITY = "[venue.identity]\nrequired = true\n\n"


def venue_text(key: str = KEY, *more: str) -> str:
    """The small venue with a key for MM1 and further members."""
    members = "".join(f'\n[[venue.members]]\nid = "{name}"\nbalance = {{ ETH = "100" }}\n' for name in more)
    return changed((MEMBER, f"{IDENTITY}{MEMBER}{key}\n{members}"))


def command(folder: Path, listening: Any, *arguments: str | Path) -> Result:
    where = ("--venue", str(folder / "venue.toml"), "--connect", listening["http"])
    return CliRunner().invoke(main, ["registry", *map(str, arguments), *where])


def done(folder: Path, listening: Any, *arguments: str | Path) -> Any:
    """What a command that was obeyed prints as JSON."""
    result = command(folder, listening, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def statuses(folder: Path, listening: Any) -> dict[str, tuple[str, list[str]]]:
    return {it["maker"]: (it["status"], [key["status"] for key in it["keys"]]) for it in _listed(folder, listening)}


def _listed(folder: Path, listening: Any) -> Any:
    return done(folder, listening, "list")


def denied(listening: Any) -> dict[str, int]:
    """How often each reason was counted."""
    host, _, port = listening["http"].rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=PATIENCE)
    connection.request("GET", "/metrics")
    page = connection.getresponse().read().decode()
    connection.close()
    prefix = 'romer_reasons_total{fact="logon_denied",reason="'
    lines = [line.removeprefix(prefix) for line in page.splitlines() if line.startswith(prefix)]
    return {reason: round(float(count)) for reason, _, count in (line.partition('"} ') for line in lines)}


def told(listening: Any, raw: bytes) -> str:
    """MsgType, number and text of the answer to a Logon, and whether the connection ends with it."""
    host, _, port = listening["places"]["fix"].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as peer:
        peer.sendall(raw)
        data = b""
        while b"\x0110=" not in data and (more := peer.recv(1 << 12)):
            data += more
        fields = dict(field.split("=", 1) for field in data.decode().split("\x01") if field)
        ended = fields["35"] == "5" and peer.recv(1) == b""
    return f"{fields['35']} {fields['34']} {fields.get('58', '')}{' end' * ended}"


def test_every_logon_that_proves_nothing_is_refused_for_its_reason_and_strangers_learn_nothing(tmp_path: Path) -> None:
    with served(tmp_path, venue_text(KEY, "MM2")) as (_, listening):
        (tmp_path / "new.json").write_text(_public("new"))
        done(tmp_path, listening, "stage", "MM1", "--key", tmp_path / "new.json", "--why", "yearly")
        done(tmp_path, listening, "activate", "MM1", "--why", "yearly")
        now = time.time_ns()
        good = logon("new", at=now)
        said = {
            "bad_signature": told(listening, logon("rogue", at=now)),
            "revoked_key": told(listening, logon("MM1", at=now)),
            "wrong_comp_ids": told(listening, logon("new", sender="ROMER", target="MM1", at=now)),
            "unknown_comp_id": told(listening, logon("new", sender="MM9", at=now)),
            "registered to nobody": told(listening, logon("MM2", sender="MM2", at=now)),
        }
        assert set(said.values()) == {"5 0 Logon refused end"}
        assert told(listening, good).startswith("A 1")
        assert told(listening, good) == "5 0 Logon refused end"
        assert told(listening, plain_logon(at=now)) == "5 0 RawData is not a signature end"
        assert told(listening, _truncated(logon("new", at=now))) == "5 0 RawData is not a signature end"
        assert told(listening, logon("new", at=now - 10 * SECOND)) == "5 0 SendingTime is too old end"
        assert told(listening, logon("new", at=now + 20 * SECOND)) == "5 0 SendingTime is in the future end"
        assert denied(listening) == {
            "bad_signature": 1,
            "revoked_key": 1,
            "wrong_comp_ids": 1,
            "unknown_comp_id": 2,
            "replayed": 1,
            "malformed_signature": 2,
            "stale": 1,
            "early": 1,
        }


def _truncated(raw: bytes) -> bytes:
    """The same Logon with a signature that is a byte short."""
    from core.fix.codec import WireMessage, decode, encode, join  # noqa: PLC0415

    message = decode(raw, 100)
    assert isinstance(message, WireMessage)
    begin, _, *fields, _ = message.fields()
    short = {95: b"95", 96: message.values[96][:-1]}
    return encode(join((tag, short.get(tag, value)) for tag, value in fields), begin[1])


def _public(name: str) -> str:
    """What `keys show --json` prints of a test's key."""
    return json.dumps({"public_key": public(name).hex(), "key_id": "", "proof": proof(name).hex()})


def _new_key(folder: Path, name: str) -> Path:
    """A new key in a file, and what everybody may know of it in another, which is returned."""
    made = CliRunner().invoke(main, ["keys", "new", str(folder / f"{name}.key"), "--json"])
    assert made.exit_code == 0, made.output
    (folder / f"{name}.json").write_text(made.stdout)
    return folder / f"{name}.json"


@contextmanager
def trading(folder: Path, address: str, key: str) -> Iterator[Running]:
    """MM1, ordering twenty times a second, with the key of that name; its journal goes on from process to process."""
    options = ("--id", "MM1", "--connect", address, "--key", folder / f"{key}.key", "--quiet", "--json")
    want = ("--want", "sell 0.01 ETHUSDC at 1995 every 50ms", "--journal", folder / "MM1")
    with romer_live(folder, "market-maker", *options, *want, name=f"MM1-{key}") as running:
        running.told()
        yield running


def _until(what: Any, seconds: float = PATIENCE) -> Any:
    """What it says once it says something."""
    deadline = time.monotonic() + seconds
    while not (said := what()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return said


def _session(listening: Any) -> Any:
    host, _, port = listening["http"].rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=PATIENCE)
    connection.request("GET", "/sessions")
    (view,) = json.loads(connection.getresponse().read())
    connection.close()
    return view


def _is_trading(listening: Any, above: int = 0) -> int:
    view = _session(listening)
    return view["next_in"] if view["state"] == "active" and view["next_in"] > above else 0


def test_a_key_is_rotated_under_trading_over_a_killed_venue_and_no_order_is_lost(tmp_path: Path) -> None:
    first, second = _new_key(tmp_path, "first"), _new_key(tmp_path, "second")
    key = json.loads(first.read_text())
    text = venue_text(f'key = {{ public = "{key["public_key"]}", proof = "{key["proof"]}" }}')
    with served(tmp_path, text) as (venue, listening):
        fix_port = listening["places"]["fix"]
        with solving(tmp_path, listening["places"]), trading(tmp_path, fix_port, "first") as old:
            _until(lambda: _is_trading(listening, above=10))
            done(tmp_path, listening, "stage", "MM1", "--key", second, "--why", "yearly")
            assert statuses(tmp_path, listening) == {"MM1": ("active", ["active", "staged"])}
            audit = done(tmp_path, listening, "audit")
            venue.signal(signal.SIGKILL)
            venue.ended()
            for door, place in (*listening["places"].items(), ("http", listening["http"])):
                text = text.replace(f'{door} = "127.0.0.1:0"', f'{door} = "{place}"')
            offline = CliRunner().invoke(main, ["registry", "audit", "--journal", str(tmp_path / "journal"), "--json"])
            assert json.loads(offline.stdout) == audit
            with served(tmp_path, text) as (again, up):
                assert done(tmp_path, up, "audit", "--head", audit["head"]) == audit | {"since": 0}
                seen = _until(lambda: _is_trading(up))
                _until(lambda: _is_trading(up, above=seen + 10))
                done(tmp_path, up, "activate", "MM1", "--why", "yearly")
                _until(lambda: denied(up).get("revoked_key"))
                assert not _is_trading(up)
                assert "This key was revoked" in old.log.read_text()
                _until(lambda: "Logon refused" in old.log.read_text())
                old.signal(signal.SIGTERM)
                old.signal(signal.SIGTERM)
                old.ended()
                with trading(tmp_path, fix_port, "second") as new:
                    seen = _until(lambda: _is_trading(up))
                    _until(lambda: _is_trading(up, above=seen + 10))
                    new.signal(signal.SIGTERM)
                    code, lines = new.ended()
                assert code == 0
                orders = json.loads(lines[-1])["orders"]
                assert statuses(tmp_path, up) == {"MM1": ("active", ["revoked", "active"])}
                again.signal(signal.SIGTERM)
                code, lines = again.ended()
                traded = json.loads(lines[-1])
    ends = orders["filled"] + orders["rejected"] + orders["cancelled"] + orders["expired"]
    assert orders["sent"] == ends > 40
    assert orders["rejected"] == 0
    replayed = CliRunner().invoke(romer_sim, ["replay", str(tmp_path / "journal"), "--json"])
    assert [one["digest"] for one in json.loads(replayed.stdout)["journals"]] == [traded["ended"]["digest"]]


def test_commands_say_what_they_did_and_why_they_did_not(tmp_path: Path) -> None:
    with served(tmp_path, venue_text(KEY, "MM2")) as (_, listening):
        (tmp_path / "two.json").write_text(_public("two"))
        (tmp_path / "stolen.json").write_text(_public("two").replace(proof("two").hex(), proof("other").hex()))
        why = ("--why", "a test")
        for arguments, words in (
            (("suspend", "MM2", *why), "error: MM2: nobody of that name is registered (unknown_maker)\n"),
            (("resume", "MM1", *why), "error: MM1: its status does not allow that (wrong_status)\n"),
            (("activate", "MM1", *why), "error: MM1: no new key waits to be activated (no_staged_key)\n"),
            (("add", "MM3", "--key", tmp_path / "two.json", *why), 'error: the venue has no member "MM3"\nhint: did '),
            (
                ("add", "MM2", "--key", tmp_path / "stolen.json", *why),
                "error: MM2: the proof of possession is not that",
            ),
            (("add", "MM2", "--key", tmp_path / "venue.toml", *why), f"error: {tmp_path / 'venue.toml'}: not what"),
        ):
            result = command(tmp_path, listening, *arguments)
            assert (result.exit_code, result.stderr[: len(words)]) == (2, words)
        limits = ("--symbol", "ETHUSDC", "--order-max", "0.5", "--rate-max", "10", "--msg-type", "D")
        entry = done(tmp_path, listening, "add", "MM2", "--key", tmp_path / "two.json", *limits, "--who", "ops", *why)
        assert (entry["command"]["type"], entry["command"]["who"]) == ("RegisterMaker", "ops")
        assert statuses(tmp_path, listening)["MM2"] == ("pending", ["active"])
        assert told(listening, logon("two", sender="MM2", at=time.time_ns())) == "5 0 Logon refused end"
        assert command(tmp_path, listening, "activate", "MM2", *why).stdout == "ActivateMaker MM2: entry 4\n"
        assert told(listening, logon("two", sender="MM2", at=time.time_ns())).startswith("A 1")
        assert command(tmp_path, listening, "revoke", "MM2", *why).stdout == "RevokeMaker MM2: entry 5\n"
        lines = command(tmp_path, listening, "list").stdout.splitlines()
        assert [line.split()[:3] for line in lines] == [["MM1", "active", "active"], ["MM2", "revoked", "revoked"]]
        assert "5 entries are one chain" in command(tmp_path, listening, "audit").stdout
        wrong = command(tmp_path, listening, "audit", "--head", "00" * 32)
        broken = "entry 5 is broken: neither its hash nor one before is the head's"
        assert (wrong.exit_code, broken in wrong.stdout) == (4, True)
        log = done(tmp_path, listening, "audit")
        assert log["entries"][2]["command"] == entry["command"]
        assert entry["command"]["public_key"] == public("two").hex()
        assert [one["previous_hash"] for one in log["entries"][1:]] == [one["hash"] for one in log["entries"][:-1]]
        assert log["entries"][-1]["hash"] == log["head"]
        older = log["entries"][2]["hash"]
        grown = command(tmp_path, listening, "audit", "--head", older)
        assert (grown.exit_code, grown.stdout.endswith("; 2 of them follow the one that you know\n")) == (0, True)
        offline = CliRunner().invoke(main, ["registry", "list", "--journal", str(tmp_path / "journal")])
        assert offline.stdout.splitlines() == lines


def test_a_venue_without_identity_has_no_registry_and_nobody_reads_one_without_the_token(tmp_path: Path) -> None:
    with served(tmp_path) as (_, listening):
        result = command(tmp_path, listening, "list")
        assert (result.exit_code, result.stderr.splitlines()[0]) == (2, "error: this venue has no registry")
        host, _, port = listening["http"].rpartition(":")
        for method, path in (("GET", "/registry"), ("GET", "/registry/audit"), ("POST", "/registry")):
            connection = HTTPConnection(host, int(port), timeout=PATIENCE)
            connection.request(method, path, b"{}" if method == "POST" else None)
            assert connection.getresponse().status == 401
            connection.close()


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ((proof("MM1").hex(), proof("MM2").hex()), "venue.members[0].key.proof: it does not show"),
        ((public("MM1").hex(), "xyz"), "venue.members[0].key.public: expected hexadecimal digits"),
        ((public("MM1").hex(), "c0" + "00" * 47), "venue.members[0].key: public key: identity"),
        ((IDENTITY, ""), "venue.members[0].key: no Logon is signed here"),
        ((END, f'{END[:-3]}", permissions = {{ symbols = ["X"] }} }}'), 'permissions.symbols[0]: there is no pair "X"'),
        (
            (END, f'{END[:-3]}", permissions = {{ msg_types = ["Z"] }} }}'),
            "permissions.msg_types[0]: there is no MsgType",
        ),
    ],
)
def test_a_key_that_cannot_be_used_is_a_fault_of_the_venue_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: tuple[str, str], problem: str
) -> None:
    text = venue_text()
    assert edit[0] in text
    (tmp_path / "venue.toml").write_text(text.replace(edit[0], edit[1], 1))
    monkeypatch.setenv("S1_TOKEN", "open sesame")
    result = CliRunner().invoke(main, ["check", str(tmp_path / "venue.toml")])
    assert (result.exit_code, problem in result.stdout) == (2, True), result.output


def test_a_receive_window_may_be_narrower(tmp_path: Path) -> None:
    text = venue_text().replace("required = true", 'required = true\nreceive_window = "50ms"')
    with served(tmp_path, text) as (_, listening):
        at = time.time_ns() - 500 * MILLISECOND
        assert told(listening, logon("MM1", at=at)) == "5 0 SendingTime is too old end"
