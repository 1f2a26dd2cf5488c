"""A Logon that another component judges: until it has spoken, nothing has happened."""

from __future__ import annotations

from core.fix.records import LogonAttempted, LogonJudged, LogonRefused, SessionOpened
from core.kernel.record import Disconnected, Message
from tests.helpers.fix import LOGON, ORDER, Hand, acceptor_config


def waiting(body: str = LOGON, **header: object) -> Hand:
    """A venue whose authenticator has a Logon before it."""
    hand = Hand(acceptor_config(authenticator="app"))
    hand.connect()
    assert hand.say("A", body, **header) == []
    return hand


def judge(hand: Hand, *, accepted: bool, conn: str = "c1", detail: str = "") -> list[str]:
    done = len(hand.transmitted)
    hand.handle(Message("app", LogonJudged("MM1", conn, accepted, detail)))
    return hand.sent(done)


def test_the_authenticator_sees_the_logon_as_it_arrived() -> None:
    hand = Hand(acceptor_config(authenticator="app"))
    hand.connect()
    raw = hand.compose("A", LOGON)
    hand.say_raw(raw)
    assert hand.told == [LogonAttempted("MM1", "c1", raw)]
    assert hand.changes == [("connecting", "logon_received", "logon_received")]


def test_a_logon_that_is_accepted_goes_on_as_if_nobody_had_been_asked() -> None:
    hand = waiting()
    assert judge(hand, accepted=True) == ["35=A|34=1|98=0|108=30"]
    assert hand.told[-1] == SessionOpened("MM1")
    assert hand.say("1", "112=A") == ["35=0|34=2|112=A"]
    hand.wait(6)
    assert not hand.is_closed


def test_a_logon_with_a_gap_is_answered_and_the_gap_asked_for() -> None:
    assert judge(waiting(n=4), accepted=True) == ["35=A|34=1|98=0|108=30", "35=2|34=2|7=1|16=0"]


def test_a_logon_that_is_refused_ends_the_connection_in_silence_and_changes_nothing() -> None:
    hand = waiting(LOGON + "|141=Y")
    before = hand.engine.state.sessions["MM1"]
    assert judge(hand, accepted=False, detail="no such key") == []
    assert hand.closed == [("c1", "authentication_failed")]
    assert LogonRefused("MM1", "c1", "no such key") in hand.notes
    assert (before.next_in, before.next_out) == (1, 1)
    assert "reset_by_logon" not in [reason for _, _, reason in hand.changes]


def test_a_logon_that_nobody_judges_in_time_ends_the_connection() -> None:
    hand = waiting()
    hand.wait(4.9)
    assert hand.closed == []
    hand.wait(0.1)
    assert hand.closed == [("c1", "authentication_timeout")]
    assert judge(hand, accepted=True) == []


def test_a_peer_that_does_not_wait_for_the_answer_is_turned_away() -> None:
    for msg_type, body in (("D", ORDER), ("A", LOGON)):
        hand = waiting()
        assert hand.say(msg_type, body) == []
        assert hand.closed == [("c1", "not_logon")]


def test_an_answer_about_a_connection_that_is_gone_lets_nobody_in() -> None:
    hand = waiting()
    hand.handle(Disconnected("c1", "gone"))
    hand.connect("c2")
    hand.say("A", LOGON, n=1)
    assert judge(hand, accepted=True, conn="c1") == []
    assert judge(hand, accepted=True, conn="c2") == ["35=A|34=1|98=0|108=30"]


def test_a_logon_that_breaks_a_rule_is_not_worth_asking_about() -> None:
    hand = waiting(at=500)
    assert hand.told == []
    assert hand.closed == [("c1", "sending_time_accuracy")]


def test_a_wait_for_the_authenticator_survives_a_restart() -> None:
    hand = waiting()
    hand.restart()
    assert judge(hand, accepted=True) == ["35=A|34=1|98=0|108=30"]
