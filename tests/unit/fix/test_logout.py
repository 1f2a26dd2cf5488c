"""The end of a session: by either side, by the node, in order or not."""

from __future__ import annotations

from core.fix.records import InputIgnored, SessionClosed
from core.kernel.record import Bytes, Connected, Disconnected
from tests.helpers.fix import LOGON, ORDER, Hand, acceptor_config, initiator_config, report, stop


def test_a_logout_is_answered_and_the_connection_closed() -> None:
    hand = Hand.logged_on()
    assert hand.say("5") == ["35=5|34=2"]
    assert hand.closed == [("c1", "peer_logout")]
    assert hand.told[-1] == SessionClosed("MM1", "peer_logout")


def test_a_logout_is_answered_whatever_its_number() -> None:
    for number in (1, 9):
        hand = Hand.logged_on()
        assert hand.say("5", n=number) == ["35=5|34=2"]
        hand.connect("c2")
        answers = hand.say("A", LOGON, n=10)
        assert answers[1] == "35=2|34=4|7=2|16=0"


def test_after_a_logout_the_numbers_go_on() -> None:
    hand = Hand.logged_on()
    hand.say("5")
    hand.connect("c2")
    assert hand.say("A", LOGON) == ["35=A|34=3|98=0|108=30"]


def test_a_stopping_node_logs_out_and_waits_for_the_answer() -> None:
    hand = Hand.logged_on()
    stop(hand)
    assert hand.sent()[-1] == "35=5|34=2"
    assert not hand.is_closed
    assert hand.say("D", ORDER) == []
    assert len(hand.received) == 1
    assert hand.say("5") == []
    assert hand.closed == [("c1", "logged_out")]
    assert hand.changes[-2:] == [
        ("active", "logout_sent", "stopping"),
        ("logout_sent", "terminated", "logged_out"),
    ]
    assert hand.told[-1] == SessionClosed("MM1", "stopping")


def test_a_logout_without_an_answer_ends_after_a_while() -> None:
    hand = Hand.logged_on()
    stop(hand)
    assert hand.waited(1.9) == []
    assert not hand.is_closed
    hand.wait(0.1)
    assert hand.closed == [("c1", "logout_timeout")]


def test_a_stopped_acceptor_takes_no_connection() -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    stop(hand)
    assert hand.closed == [("c1", "stopping")]
    hand.connect("c2")
    assert hand.closed[1:] == [("c2", "stopping")]
    assert hand.notes[-1] == InputIgnored("c2", "stopping", "peer")


def test_a_stopped_initiator_does_not_connect_again() -> None:
    for connected in (False, True):
        hand = Hand(initiator_config(), peer="ROMER")
        if connected:
            hand.handle(Connected(hand.connects[-1], "venue"))
        stop(hand)
        assert hand.closed == [(hand.connects[-1], "stopping")]
        hand.wait(100)
        assert len(hand.connects) == 1


def test_an_initiator_stopped_between_two_attempts_does_not_connect_again() -> None:
    hand = Hand(initiator_config(), peer="ROMER")
    hand.handle(Disconnected(hand.connects[-1], "refused"))
    stop(hand)
    assert hand.changes[-1] == ("connecting", "terminated", "stopping")
    hand.wait(100)
    assert len(hand.connects) == 1


def test_stopping_twice_is_stopping_once() -> None:
    hand = Hand.logged_on()
    stop(hand)
    sent = hand.sent()
    stop(hand)
    assert hand.sent() == sent
    hand.handle(Disconnected("c1", "gone"))
    stop(hand)
    assert hand.changes[-1] == ("logout_sent", "terminated", "connection_lost")


def test_what_the_application_says_after_our_logout_waits_for_the_next_logon() -> None:
    hand = Hand.logged_on()
    hand.say("0", sender="OTHER")
    done = len(hand.transmitted)
    hand.tell("MM1", report("E-1"))
    assert hand.sent(done) == []
    hand.say("5")
    hand.connect("c2")
    assert [answer[:10] for answer in hand.say("A", LOGON)] == ["35=A|34=4|", "35=8|34=5|"]


def test_a_logon_in_answer_to_our_logout_ends_the_connection() -> None:
    hand = Hand.logged_on()
    stop(hand)
    assert hand.say("A", LOGON + "|141=Y", n=1) == []
    assert hand.closed == [("c1", "unexpected_logon")]


def test_bytes_after_the_end_of_a_connection_are_nobodys() -> None:
    hand = Hand.logged_on()
    hand.say("5")
    notes = len(hand.notes)
    assert hand.say("D", ORDER) == []
    hand.handle(Bytes("never seen", b"8=FIX"))
    hand.handle(Disconnected("c1", "late"))
    assert hand.received == []
    assert len(hand.notes) == notes


def test_nothing_after_a_logout_in_the_same_write_is_read() -> None:
    hand = Hand.logged_on()
    assert hand.say_raw(hand.compose("5") + hand.compose("D", ORDER)) == ["35=5|34=2"]
    assert hand.closed == [("c1", "peer_logout")]
    assert hand.received == []
