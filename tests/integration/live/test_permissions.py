"""What a market maker may do changes while a venue runs and it is logged on, and stays changed over a kill."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from live.admin.token import admin_token
from live.cli import main
from sim.cli import main as romer_sim
from tests.helpers.fix_client import FixClient
from tests.helpers.identity import logon
from tests.helpers.venue import PATIENCE, served
from tests.integration.live.test_identity import command, done, venue_text


@contextmanager
def logged_on(listening: Any, number: int = 1) -> Iterator[FixClient]:
    """MM1, by its key."""
    client = FixClient(listening["places"]["fix"], number=number + 1)
    with client.socket:
        client.socket.sendall(logon("MM1", number=number, at=time.time_ns()))
        assert client.next("A")
        yield client


def answer(client: FixClient, cl_ord_id: str, quantity: str = "0.5") -> str:
    """What becomes of an order: `new`, or the reason code."""
    client.order(cl_ord_id, quantity)
    while (report := client.next("8")).get(11) != cl_ord_id or report.get(150) not in ("0", "8"):
        pass
    return report[58].partition(":")[0] if report[150] == "8" else "new"


def permissions(folder: Path, listening: Any) -> dict[str, Any]:
    """Those of MM1 that restrict it."""
    return _restrictions(done(folder, listening, "list"))


def _restrictions(makers: list[Any]) -> dict[str, Any]:
    (maker,) = makers
    return {name: value for name, value in maker["permissions"].items() if name != "type"}


def test_permissions_bind_the_next_message_and_outlive_the_process(tmp_path: Path) -> None:
    why = ("--why", "a test")
    with served(tmp_path, venue_text()) as (venue, listening), logged_on(listening) as client:
        assert answer(client, "c1") == "new"
        done(tmp_path, listening, "permit", "MM1", "--order-max", "0.4", "--msg-type", "D", *why)
        assert answer(client, "c2") == "quantity_not_permitted"
        assert answer(client, "c3", "0.4") == "new"
        client.send("F", (41, "c3"), (11, "x3"), (55, "ETHUSDC"), (54, 2), (60, "20261121-10:00:00"))
        assert client.next("9")[58].startswith("msg_type_not_permitted: ")
        done(tmp_path, listening, "permit", "MM1", "--rate-max", "1000", "--lift", "msg-type", *why)
        assert permissions(tmp_path, listening) == {"order_quantity_max": "0.4", "messages_per_second_max": 1000}
        number = client.number
        venue.signal(signal.SIGKILL)
        venue.ended()
    with served(tmp_path, venue_text()) as (venue, listening), logged_on(listening, number) as client:
        assert permissions(tmp_path, listening) == {"order_quantity_max": "0.4", "messages_per_second_max": 1000}
        assert answer(client, "c4") == "quantity_not_permitted"
        done(tmp_path, listening, "permit", "MM1", "--lift", "order-max", "--lift", "rate-max", *why)
        assert permissions(tmp_path, listening) == {}
        assert answer(client, "c5") == "new"
        said = command(tmp_path, listening, "audit").stdout
        assert "ChangePermissions MM1  only D, at most 0.4 by " in said
        assert "ChangePermissions MM1  any message, per second 1000 by " in said
        assert "ChangePermissions MM1  any quantity, any rate by " in said
        venue.signal(signal.SIGTERM)
        digest = json.loads(venue.ended()[1][-1])["ended"]["digest"]
    replayed = CliRunner().invoke(romer_sim, ["replay", str(tmp_path / "journal"), "--json"])
    assert [one["digest"] for one in json.loads(replayed.stdout)["journals"]] == [digest]
    offline = CliRunner().invoke(main, ["registry", "list", "--journal", str(tmp_path / "journal"), "--json"])
    assert _restrictions(json.loads(offline.stdout)) == {}


def test_permissions_that_cannot_be_are_refused_in_a_line(tmp_path: Path) -> None:
    why = ("--why", "a test")
    with served(tmp_path, venue_text()) as (_, listening):
        for arguments, words in (
            (("permit", "MM1"), "error: nothing to change\n"),
            (
                ("permit", "MM1", "--rate-max", "5", "--why", " "),
                "error: Invalid value for '--why': expected a text, got an empty one\n",
            ),
            (("permit", "MM1", "--rate-max", "0"), "error: Invalid value for '--rate-max'"),
            (("permit", "MM1", "--rate-max", "5", "--lift", "rate-max"), "error: --lift rate-max: takes away what"),
            (("permit", "MM1", "--rate-max", "5", "--who", ""), "error: Invalid value for '--who': expected a text"),
            (("permit", "MM1", "--symbol", ""), "error: Invalid value for '--symbol': expected a text"),
            (("permit", "", "--rate-max", "5"), "error: Invalid value for 'MAKER': expected a text"),
            (
                ("permit", "MM1", "--rate-max", "5", "--why", "\udcff"),
                "error: not UTF-8, in which everything is written",
            ),
            (("permit", "MM1", "--rate-max", "9" * 20), "error: Invalid value for '--rate-max'"),
            (("permit", "MM1", "--order-max", "1e999999"), "error: order_quantity_max must have at most 28 digits"),
            (("permit", "MM1", "--order-max", "NaN"), "error: --order-max: expected an amount above zero"),
            (("permit", "MM1", "--symbol", "ETHUSD"), 'error: the venue has no pair "ETHUSD"\nhint: did you mean'),
            (("permit", "MM1", "--msg-type", "Z"), 'error: the venue has no MsgType "Z"\n'),
            (("permit", "MM9", "--rate-max", "5"), "error: MM9: nobody of that name is registered (unknown_maker)\n"),
        ):
            kind, *rest = arguments
            result = command(tmp_path, listening, kind, *why, *rest)
            assert (result.exit_code, result.stderr[: len(words)]) == (2, words), result.stderr
        forged = "fine\n   9  2026-01-01 00:00:00  ResumeMaker MM1 by ops"
        done(tmp_path, listening, "permit", "MM1", "--rate-max", "7", "--why", forged)
        assert len(command(tmp_path, listening, "audit").stdout.splitlines()) == 4
        done(tmp_path, listening, "revoke", "MM1", *why)
        result = command(tmp_path, listening, "permit", "MM1", "--rate-max", "5", *why)
        assert (result.exit_code, "wrong_status" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"permissions": {"messages_per_second_max": 10**20}}, "messages_per_second_max must have at most 62 bits"),
        ({"permissions": {"messages_per_second_max": 0}}, "messages_per_second_max must be above zero"),
        ({"permissions": {"order_quantity_max": "1e999999"}}, "order_quantity_max must have at most 28 digits"),
        ({"permissions": {"symbols": []}}, "symbols permit nothing"),
        ({"permissions": {"symbols": ["ETHUSDC"]}, "only": ["msg_types"]}, "symbols is given, and is not in `only`"),
        ({"only": ["sym"]}, "at `$.only[0]`"),
        ({"who": ""}, "at `$.who`"),
        ({"why": " "}, "at `$.why`"),
    ],
    ids=str,
)
def test_a_command_that_nobody_can_be_held_to_is_no_command_and_the_venue_goes_on(
    permitting: Any, changes: dict[str, Any], words: str
) -> None:
    status, said = posted(permitting, "/registry", COMMAND | changes)
    assert (status, words in said["error"]) == (400, True), said
    assert posted(permitting, "/registry", COMMAND)[0] == 200


def test_a_number_that_no_journal_can_hold_is_refused_and_the_venue_goes_on(permitting: Any) -> None:
    numbers = {"type": "SetNumbers", "session": "MM1", "next_in": 10**20, "next_out": None}
    status, said = posted(permitting, "/sessions", numbers)
    assert (status // 100, "error" in said) == (4, True), said
    assert posted(permitting, "/registry", COMMAND)[0] == 200


COMMAND: dict[str, Any] = {"type": "ChangePermissions", "maker": "MM1", "permissions": {}, "who": "ops", "why": "test"}


@pytest.fixture(scope="module")
def permitting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A venue: the address of its admin door, and the token."""
    folder = tmp_path_factory.mktemp("permitting")
    with served(folder, venue_text()) as (_, listening):
        yield listening["http"], admin_token(None, folder, folder / "journal")


def posted(venue: tuple[str, str], path: str, record: dict[str, Any]) -> tuple[int, Any]:
    """Status and answer of a record that is posted."""
    address, token = venue
    host, _, port = address.rpartition(":")
    with closing(HTTPConnection(host, int(port), timeout=PATIENCE)) as connection:
        connection.request("POST", path, json.dumps(record), {"authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_somebody_without_a_name_on_this_machine_is_asked_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("live.commands.registry.getuser", nobody)
    result = CliRunner().invoke(main, ["registry", "permit", "MM1", "--rate-max", "5", "--why", "a test"])
    assert (result.exit_code, result.stderr) == (
        2,
        "error: this machine has no name for who you are\nhint: --who says it\n",
    )
