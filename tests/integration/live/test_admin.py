"""The sessions of a running venue, listed and operated from the command line and over HTTP; and replayed."""

from __future__ import annotations

import json
import signal
import socket
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from live.cli import main
from sim.cli import main as romer_sim
from tests.helpers.fix_client import FixClient, fix_client
from tests.helpers.venue import VENUE, Running, served


def romer_live(folder: Path, listening: Any, *arguments: str) -> Result:
    where = ("--venue", str(folder / "venue.toml"), "--connect", listening["http"])
    return CliRunner().invoke(main, [*arguments, *where])


def operated(folder: Path, listening: Any, *operation: str) -> Any:
    """How the session stands after an operation that was carried out."""
    result = romer_live(folder, listening, "session", "MM1", *operation, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def listed(folder: Path, listening: Any) -> Any:
    (view,) = json.loads(romer_live(folder, listening, "sessions", "--json").stdout)
    return view


def posted(listening: Any, body: bytes, token: str = "") -> tuple[int, Any]:
    """Status and body of a POST to /sessions."""
    host, _, port = listening["http"].rpartition(":")
    with closing(HTTPConnection(host, int(port), timeout=10)) as connection:
        connection.request("POST", "/sessions", body, {"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def stopped(running: Running) -> str:
    """The digest of a venue that was stopped in order."""
    running.signal(signal.SIGTERM)
    code, lines = running.ended()
    assert code == 0, running.log.read_text()
    return str(json.loads(lines[-1])["ended"]["digest"])


def test_an_operator_sees_sessions_and_does_to_them_what_the_journal_replays(tmp_path: Path) -> None:
    with served(tmp_path) as (venue, listening):
        with fix_client(listening["places"]["fix"]) as client:
            view = listed(tmp_path, listening)
            assert (view["state"], view["reason"], view["next_in"]) == ("active", "logon_accepted", 2)
            operated(tmp_path, listening, "test-request")
            assert client.next("1")[112] == "TEST"
            operated(tmp_path, listening, "set-next-out", "41")
            operated(tmp_path, listening, "test-request")
            assert client.next("1")[34] == "41"
            assert operated(tmp_path, listening, "set-next-in", "7")["next_in"] == 7
            operated(tmp_path, listening, "disconnect")
            assert client.socket.recv(100) == b""
        view = operated(tmp_path, listening, "logout", "--text", "closed")
        assert (view["state"], view["kept_down"], view["next_in"], view["next_out"]) == ("connecting", True, 7, 42)
        turned_away = FixClient(listening["places"]["fix"], number=7)
        turned_away.send("A", (98, 0), (108, 30))
        assert turned_away.socket.recv(100) == b""
        turned_away.socket.close()
        operated(tmp_path, listening, "reset")
        operated(tmp_path, listening, "logon")
        with fix_client(listening["places"]["fix"]) as client:
            client.close()
        digest = stopped(venue)
    result = CliRunner().invoke(romer_sim, ["replay", str(tmp_path / "journal"), "--json"])
    assert [one["digest"] for one in json.loads(result.stdout)["journals"]] == [digest]


def test_what_cannot_be_done_is_one_line_and_a_hint(tmp_path: Path) -> None:
    with served(tmp_path) as (_, listening):
        for arguments, words in (
            (("session", "MM2", "disconnect"), 'error: there is no session "MM2"\nhint: did you mean `MM1`?\n'),
            (("session", "MM1", "disconnect"), "error: the session has no connection\n"),
            (("session", "MM1", "test-request"), "error: the session is not logged on\n"),
        ):
            result = romer_live(tmp_path, listening, *arguments)
            assert (result.exit_code, result.stderr) == (2, words)
        table = romer_live(tmp_path, listening, "sessions").stdout.splitlines()
        assert [line.split()[:2] for line in table] == [["session", "state"], ["MM1", "connecting"]]


def test_nobody_operates_without_the_token_and_no_body_hurts(tmp_path: Path) -> None:
    with served(tmp_path) as (venue, listening):
        token_file = tmp_path / "journal" / "admin.token"
        assert token_file.stat().st_mode & 0o777 == 0o600
        token, operation = token_file.read_text().strip(), b'{"type":"LogOut","session":"MM1"}'
        assert [posted(listening, operation, shown)[0] for shown in ("", "x", token[:-1], f"{token}x")] == [401] * 4
        assert not listed(tmp_path, listening)["kept_down"]
        for body in (
            b"",
            b"{",
            b"[]",
            b'{"type":"RemoveSession","session":"MM1"}',
            b'{"type":"LogOut"}',
            b'{"type":"LogOut","session":"MM1","text":"\\ud800"}',
            b'{"type":"SetNumbers","session":"MM1","next_in":%d}' % (1 << 60),
            b"[" * 4_000,
        ):
            assert posted(listening, body, token)[0] == 400, body
        status, said = posted(listening, b'{"type":"LogOut","session":"MM1","x":%s}' % (b"[" * 4_000), token)
        assert (status, said["error"]) == (400, "no operation: it is nested too deeply")
        assert posted(listening, b'{"type":"SetNumbers","session":"MM1","next_in":0}', token)[0] == 409
        assert posted(listening, operation, token)[0] == 200
        (tmp_path / "wrong").write_text("wrong")
        (tmp_path / "wrong").chmod(0o600)
        result = romer_live(tmp_path, listening, "session", "MM1", "logon", "--token-file", str(tmp_path / "wrong"))
        assert (result.exit_code, result.stderr.splitlines()[0]) == (
            2,
            "error: the admin token is missing or another one",
        )
        log = venue.log.read_text()
        stopped(venue)
    assert token not in log
    assert token.encode() not in b"".join(path.read_bytes() for path in (tmp_path / "journal").glob("*.romer"))


def test_a_key_that_an_operation_has_not_is_named_with_those_that_it_has(tmp_path: Path) -> None:
    with served(tmp_path) as (_, listening):
        token = (tmp_path / "journal" / "admin.token").read_text().strip()
        body = b'{"type":"LogOut","session":"MM1","keep_dwon":false}'
        assert posted(listening, body, token) == (
            400,
            {"error": "no operation: LogOut has no `keep_dwon`", "hint": "known: session, text, keep_down"},
        )
        assert not listed(tmp_path, listening)["kept_down"]


@pytest.mark.parametrize("length", ["content-length: 200000000", "transfer-encoding: chunked"])
def test_a_body_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path, length: str) -> None:
    with served(tmp_path) as (venue, listening):
        token = (tmp_path / "journal" / "admin.token").read_text().strip()
        host, _, port = listening["http"].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            head = f"POST /sessions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n{length}\r\n\r\n"
            connection.sendall(head.encode() + b"1388\r\n" + b"x" * 5_000)
            answer = b"".join(iter(lambda: connection.recv(1 << 12), b""))
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"the body has more than 4096 bytes" in answer
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(head.encode())
        assert listed(tmp_path, listening)["session"] == "MM1"
        stopped(venue)
        assert "Traceback" not in venue.log.read_text()


def test_the_token_may_be_the_operators_own(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("open sesame of mine")
    (tmp_path / "mine").chmod(0o600)
    with served(tmp_path, VENUE + '\n[admin]\ntoken = { file = "mine" }\n') as (_, listening):
        assert operated(tmp_path, listening, "logout")["kept_down"]
        assert not (tmp_path / "journal" / "admin.token").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--venue", "nowhere.toml"), "cannot read nowhere.toml"),
        (("--connect", "here"), "--connect: expected an address"),
        ((), "observe.http is any free port"),
    ],
)
def test_a_venue_that_cannot_be_found_is_said(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "venue.toml").write_text(VENUE)
    result = CliRunner().invoke(main, ["sessions", "--venue", str(tmp_path / "venue.toml"), *arguments])
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_port_without_a_venue_is_said(tmp_path: Path) -> None:
    (tmp_path / "venue.toml").write_text(VENUE)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
    result = romer_live(tmp_path, {"http": address}, "sessions")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: no venue answers on {address}: ")
