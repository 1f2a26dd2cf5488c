"""Many sessions on one engine: connections found their session, limits hold, snapshots go on."""

from __future__ import annotations

import pytest

from core.errors import DefectError
from core.fix.engine import FixEngine
from core.fix.hosting import EngineState
from core.fix.records import InputIgnored, ToPeer
from core.kernel.record import Bytes, Connected, Disconnected, Message
from tests.helpers.fix import LOGON, NOW, ORDER, Hand, acceptor_config, initiator_config, order, report


def other(hand: Hand, peer: str, conn: str) -> Hand:
    """A second peer of the same engine."""
    second = Hand(acceptor_config(), peer, conn)
    second.engine = hand.engine
    second.connect()
    return second


def test_each_session_has_its_own_numbers_and_its_own_connection() -> None:
    first = Hand(acceptor_config("MM1", "MM2"))
    first.connect()
    first.say("A", LOGON)
    second = other(first, "MM2", "c2")
    assert second.say("A", LOGON) == ["35=A|34=1|98=0|108=30"]
    assert first.say("1", "112=A") == ["35=0|34=2|112=A"]
    assert second.say("1", "112=B") == ["35=0|34=2|112=B"]
    second.say("D", ORDER)
    assert second.told[-1].session == "MM2"
    first.tell("MM2", report("E-1"))
    assert first.transmitted[-1][0] == "c2"


def test_the_number_of_connections_is_bounded() -> None:
    hand = Hand(acceptor_config(connections_max=2))
    for conn in ("c1", "c2", "c3"):
        hand.handle(Connected(conn, f"peer of {conn}"))
    assert hand.closed == [("c1", "too_many_connections")]
    assert hand.notes == [InputIgnored("c1", "too_many_connections", "peer of c1")]
    hand.handle(Disconnected("c2", "gone"))
    hand.handle(Connected("c4", "peer"))
    assert len(hand.closed) == 1


def test_connections_that_are_logged_on_do_not_yield() -> None:
    hand = Hand(acceptor_config(connections_max=1))
    hand.connect()
    assert hand.say("A", LOGON)
    hand.handle(Connected("c2", "peer"))
    assert hand.closed == [("c2", "too_many_connections")]


def test_silent_connections_of_one_address_crowd_out_each_other_and_nobody_else() -> None:
    hand = Hand(acceptor_config(waiting_per_address_max=1))
    for conn, peer in (("c1", "10.0.0.1:1"), ("c2", "10.0.0.2:1"), ("c3", "10.0.0.2:2")):
        hand.handle(Connected(conn, peer))
    assert hand.closed == [("c2", "too_many_connections")]


def test_a_lost_connection_leaves_no_timer_behind() -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    hand.handle(Disconnected("c1", "gone"))
    assert hand.timers == {}
    assert hand.engine.state == EngineState({"MM1": hand.engine.state.sessions["MM1"]})


def test_several_messages_in_one_write_are_handled_in_order() -> None:
    hand = Hand.logged_on()
    hand.say_raw(b"".join(hand.compose("D", ORDER.replace("11=a", f"11={name}")) for name in "abc"))
    assert hand.received == [order("a"), order("b"), order("c")]


def test_sending_to_a_session_that_does_not_exist_is_a_defect() -> None:
    engine = FixEngine("fix", acceptor_config())
    with pytest.raises(DefectError, match="unknown session 'MM9'"):
        engine.handle(NOW, Message("app", ToPeer("MM9", report("E-1"))))


def test_a_message_of_many_writes_is_put_together() -> None:
    hand = Hand.logged_on()
    for byte in hand.compose("D", ORDER):
        hand.say_raw(bytes([byte]))
    assert hand.received == [order("a")]


def test_a_garbled_logon_in_a_session_ends_it_and_other_noise_does_not() -> None:
    hand = Hand.logged_on()
    hand.say_raw(b"noise")
    assert not hand.is_closed
    hand.say_raw(b"8=FIX.4.2\x019=20\x0135=A\x0134=2\x0198=0\x01108=30\x0110=000\x01")
    assert hand.closed == [("c1", "garbled_logon")]


def test_garbled_bytes_instead_of_the_answer_to_a_logon_end_the_connection() -> None:
    hand = Hand(initiator_config(), peer="ROMER")
    hand.conn = hand.connects[-1]
    hand.handle(Connected(hand.conn, "venue"))
    hand.say_raw(b"HTTP/1.1 400 Bad Request\r\n")
    assert hand.closed == [(hand.conn, "garbled_logon")]
    hand.wait(1)
    assert len(hand.connects) == 2


def test_too_large_and_malformed_a_message_is_dropped_and_asked_for_again() -> None:
    hand = Hand.logged_on(message_bytes_max=300)
    assert hand.say_raw(hand.compose("D", ORDER + "|58=" + "x" * 300)[:-4] + b"256\x01") == []
    assert hand.say("0") == ["35=2|34=2|7=2|16=0"]
    assert [note.reason for note in hand.notes if isinstance(note, InputIgnored)] == ["check_sum"]


def test_a_restored_engine_goes_on_as_if_it_had_never_stopped() -> None:
    stayed, restored = Hand.logged_on(), Hand.logged_on()
    for step in range(6):
        for hand in (stayed, restored):
            script(hand, step)
        restored.restart()
        assert restored.engine.state == stayed.engine.state
    assert restored.transmitted == stayed.transmitted
    assert restored.notes == stayed.notes
    assert restored.told == stayed.told


def script(hand: Hand, step: int) -> None:
    """A conversation with a gap, a half message, a resend and something that waits for a logon."""
    if step == 0:
        hand.tell("MM1", report("E-1"))
        hand.say("D", ORDER)
    elif step == 1:
        hand.say("D", ORDER.replace("11=a", "11=c"), n=5)
        hand.handle(Bytes("c1", b"8=FIX.4.2\x019="))
    elif step == 2:
        hand.handle(Bytes("c1", b"x\x0135=0\x01"))
        hand.say("4", "36=5|123=Y", n=3, extra="43=Y")
    elif step == 3:
        hand.wait(31)
        hand.say("2", "7=1|16=0", n=6)
    elif step == 4:
        hand.handle(Disconnected("c1", "gone"))
        hand.tell("MM1", report("E-2"))
        hand.connect("c2")
    else:
        hand.say("A", LOGON, n=7)
