"""One set of scripts, two drivers: what holds under SimPy holds on sockets.

Every run also replays each journal to its digest, and checks that no timer was early and that nothing
was told about a connection after its end (tests.helpers.drivers).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ComponentFailed
from core.kernel.record import Bytes, Close, Connected, Disconnected, Stop, TimerFired
from core.units import MILLISECOND
from tests.helpers.actors import (
    Chatterbox,
    Fragile,
    Leaver,
    Polite,
    Redialler,
    Relay,
    Rude,
    Teller,
    Timekeeper,
)
from tests.helpers.drivers import NOWHERE, Drive, Plan, StopNode, Until, Vanish, in_sim, live
from tests.helpers.toys import CODEC, Answerer, Asker, Client, Server


@pytest.fixture(params=["sim", "live"])
def drive(request: pytest.FixtureRequest, tmp_path: Path) -> Drive:
    return in_sim if request.param == "sim" else live(tmp_path)


SERVER = Plan("server", lambda _at: [Server()], door="server")


def talker(*lines: bytes, name: str = "client") -> Plan:
    """A client that says these lines to the server, each when the last was answered."""
    return Plan(name, lambda at: [Client(lines, at["server"])])


def test_lines_are_answered_in_order(drive: Drive) -> None:
    lines = [f"line {n}" for n in range(100)]
    ran = drive([SERVER, talker(*(line.encode() for line in lines))], [Until("client", "LINE 99")])
    assert ran.notes == {"server": ["connected"], "client": [line.upper() for line in lines]}


def test_a_large_line_arrives_whole_however_it_was_cut(drive: Drive) -> None:
    ran = drive([SERVER, talker(b"x" * 300_000, b"end")], [Until("client", "END")])
    assert ran.notes["client"] == ["X" * 300_000, "END"]


def test_several_answers_at_once_leave_in_order(drive: Drive) -> None:
    ran = drive([SERVER, talker(b"one\ntwo\nthree", b"x", b"y", b"end")], [Until("client", "END")])
    assert ran.notes["client"] == ["ONE", "TWO", "THREE", "X", "Y", "END"]


def test_two_clients_are_told_apart(drive: Drive) -> None:
    said = {name: [f"{name} {n}" for n in range(25)] for name in ("one", "two")}
    clients = [talker(*(line.encode() for line in lines), name=name) for name, lines in said.items()]
    ran = drive([SERVER, *clients], [Until("one", "ONE 24"), Until("two", "TWO 24")])
    assert {name: ran.notes[name] for name in said} == {
        name: [line.upper() for line in lines] for name, lines in said.items()
    }
    opened = [event.conn for _, _, event, _ in ran.deliveries("server") if isinstance(event, Connected)]
    assert opened == ["server-1", "server-2"]


def test_timers_fire_once_in_the_order_of_deadline_then_of_asking(drive: Drive) -> None:
    ran = drive([Plan("node", lambda _at: [Timekeeper("keeper")])], [Until("node", "end")])
    assert ran.notes["node"] == ["sooner", "c", "a", "b", "later", "end"]
    start, *fired = [(now, event) for now, _, event, _ in ran.deliveries("node") if not isinstance(event, Stop)]
    due = {event.key: event.at - start[0] for _, event in fired if isinstance(event, TimerFired)}
    assert due["later"] == 20 * MILLISECOND
    assert due["sooner"] == 5 * MILLISECOND


def test_components_that_only_talk_to_each_other_run_by_their_timers(drive: Drive) -> None:
    ran = drive([Plan("node", lambda _at: [Asker(), Answerer()])], [Until("node", "pong 20")])
    assert ran.notes["node"][:20] == [f"pong {n}" for n in range(1, 21)]


def test_local_sends_are_delivered_in_order_before_later_arrivals(drive: Drive) -> None:
    relay = Plan("server", lambda _at: [Relay("relay"), Teller("teller")], door="relay")
    ran = drive([relay, talker(b"a", b"b", b"c")], [Until("client", "c")])
    told = ["told 0", "told 1", "told 2"]
    assert ran.notes["server"] == ["line a", *told, "line b", *told, "line c", *told]


def test_answers_of_computations_arrive(drive: Drive) -> None:
    ran = drive([SERVER, talker(b"7", b"12", b"1000000")], [Until("client", "1000000000000")])
    assert ran.notes["client"] == ["49", "144", "1000000000000"]


def test_a_close_arrives_after_the_data_even_while_the_peer_talks(drive: Drive) -> None:
    answer = b"".join(b"line %d\n" % n for n in range(20_000))
    rude = Plan("server", lambda _at: [Rude("server", answer)], door="server")
    peer = Plan("client", lambda at: [Chatterbox("client", at["server"])])
    ran = drive([rude, peer], [Until("client", "gone"), Until("server", "later")])
    assert ran.notes == {"server": ["later"], "client": [*answer.decode().splitlines(), "gone"]}


def test_a_close_that_was_asked_for_arrives_after_the_answer(drive: Drive) -> None:
    ran = drive([SERVER, talker(b"hello", b"bye")], [Until("client", "gone")])
    assert ran.notes == {"server": ["connected"], "client": ["HELLO", "BYE", "gone"]}


def test_when_both_ends_close_at_once_neither_is_told_of_a_disconnection(drive: Drive) -> None:
    plans = [
        Plan("server", lambda _at: [Leaver("server")], door="server"),
        Plan("client", lambda at: [Leaver("client", at["server"])]),
    ]
    ran = drive(plans, [Until("server", "end"), Until("client", "end")])
    for node in ("server", "client"):
        ends = [
            thing
            for _, _, event, effects in ran.deliveries(node)
            for thing in (event, *effects)
            if isinstance(thing, Close | Disconnected)
        ]
        assert len(ends) == 1


def test_a_name_can_be_dialled_again_as_soon_as_it_was_closed(drive: Drive) -> None:
    ran = drive([SERVER, Plan("client", lambda at: [Redialler("client", at["server"])])], [Until("client", "AGAIN 3")])
    assert ran.notes["client"] == ["AGAIN 1", "AGAIN 2", "AGAIN 3"]


@pytest.mark.parametrize("address", [NOWHERE, "no address", "127.0.0.1:notaport", "127.0.0.1:99999"])
def test_dialling_where_nothing_listens_is_answered(drive: Drive, address: str) -> None:
    ran = drive([Plan("client", lambda _at: [Client((b"hello",), address)])], [Until("client", "gone")])
    assert ran.notes["client"] == ["gone"]
    assert not any(isinstance(event, Connected) for _, _, event, _ in ran.deliveries("client"))


@pytest.mark.parametrize("vanishing", ["server", "client"])
def test_a_peer_that_vanishes_is_noticed(drive: Drive, vanishing: str) -> None:
    staying, sign = ("client", "gone") if vanishing == "server" else ("server", "disconnected")
    ran = drive([SERVER, talker(b"hello")], [Until("client", "HELLO"), Vanish(vanishing), Until(staying, sign)])
    assert ran.notes[staying][-1] == sign


def test_stop_reaches_every_component_and_last_words_leave(drive: Drive) -> None:
    polite = Plan("server", lambda _at: [Polite("door"), Polite("one"), Polite("two")], door="door")
    peer = Plan("client", lambda at: [Chatterbox("client", at["server"])])
    ran = drive([polite, peer], [Until("server", "met"), StopNode("server"), Until("client", "gone")])
    assert ran.notes["server"] == ["met", "door stops", "one stops", "two stops"]
    assert ran.notes["client"] == ["goodbye", "gone"]


def test_a_component_that_raises_stops_its_node_and_is_the_last_of_its_journal(drive: Drive) -> None:
    fragile = Plan("server", lambda _at: [Fragile("fragile"), Teller("teller")], door="fragile")
    ran = drive([fragile, talker(b"hello")], [Until("client", "never")])
    assert isinstance(ran.failure, ComponentFailed)
    assert "server/fragile failed on Bytes" in str(ran.failure)
    assert isinstance(ran.failure.__cause__, ZeroDivisionError)
    reader = ran.reader("server")
    assert not any(isinstance(CODEC.delivered(it)[2], Bytes) for it in reader.deliveries())
    assert reader.crash is not None
    assert reader.crash.dst == "fragile"
    assert CODEC.events.decode(reader.crash.event) == Bytes("fragile-1", b"hello\n")
