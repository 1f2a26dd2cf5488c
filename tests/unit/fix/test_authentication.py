"""A Logon that another component judges: until it has spoken, nothing has happened."""

from __future__ import annotations

from typing import Any

import pytest

from core.fix.records import (
    LogonAttempted,
    LogonConcluded,
    LogonJudged,
    LogonRefused,
    LogonWithdrawn,
    LogOut,
    OperationDone,
    RemoveSession,
    SessionOpened,
)
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
    assert hand.told == [LogonAttempted("MM1", "c1", raw, "peer")]
    assert hand.changes == []


def test_a_logon_that_is_accepted_goes_on_as_if_nobody_had_been_asked() -> None:
    hand = waiting()
    assert judge(hand, accepted=True) == ["35=A|34=1|98=0|108=30"]
    assert hand.told[1:] == [SessionOpened("MM1", "c1"), LogonConcluded("MM1", "c1", logged_on=True)]
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


def test_whoever_names_a_member_keeps_the_member_out_for_no_moment() -> None:
    hand = waiting()
    for number in range(2, 6):
        hand.connect(f"c{number}")
        assert hand.say("A", LOGON, n=1) == []
    assert judge(hand, accepted=False, conn="c1") == []
    assert judge(hand, accepted=True, conn="c4") == ["35=A|34=1|98=0|108=30"]
    assert hand.closed == [("c1", "authentication_failed")]
    assert judge(hand, accepted=True, conn="c2") == []
    assert hand.closed[-1] == ("c2", "duplicate_identity")
    hand.wait(5)
    assert set(hand.closed[2:]) == {("c3", "authentication_timeout"), ("c5", "authentication_timeout")}
    assert hand.engine.state.sessions["MM1"].status == "active"


def test_an_operator_may_have_closed_the_session_while_a_logon_was_judged() -> None:
    hand = waiting()
    hand.handle(Message("admin", LogOut("MM1")))
    assert judge(hand, accepted=True) == []
    assert hand.closed == [("c1", "session_down")]


def test_a_session_that_was_removed_while_a_logon_was_judged_lets_nobody_in() -> None:
    hand = waiting()
    hand.handle(Message("admin", RemoveSession("MM1")))
    assert judge(hand, accepted=True) == []
    assert hand.closed == [("c1", "unknown_comp_id")]


def test_who_is_believed_no_more_is_logged_out_for_that_and_may_come_back() -> None:
    hand = waiting()
    judge(hand, accepted=True)
    done = len(hand.transmitted)
    hand.handle(Message("app", LogonWithdrawn("MM1", "MM1 is suspended")))
    assert hand.sent(done) == ["35=5|34=2|58=MM1 is suspended"]
    assert hand.changes[-1] == ("active", "logout_sent", "logon_withdrawn")
    assert not any(isinstance(note, OperationDone) for note in hand.notes)
    hand.say("5", "")
    hand.connect("c2")
    hand.say("A", LOGON)
    assert judge(hand, accepted=True, conn="c2") == ["35=A|34=3|98=0|108=30"]


@pytest.mark.parametrize("session", ["MM1", "MM9"])
def test_where_nobody_is_logged_on_nobody_is_logged_out(session: str) -> None:
    hand = Hand(acceptor_config(authenticator="app"))
    hand.handle(Message("app", LogonWithdrawn(session, "")))
    assert (hand.changes, hand.transmitted) == ([], [])


def test_an_answer_for_another_session_than_was_claimed_lets_nobody_in() -> None:
    hand = waiting()
    hand.handle(Message("app", LogonJudged("MM2", "c1", accepted=True)))
    assert hand.changes == []


@pytest.mark.parametrize("body", ["98=1|108=30", "98=0|108=-1", "98=0"])
def test_a_logon_that_cannot_be_accepted_is_turned_away_once_it_is_proven(body: str) -> None:
    hand = waiting(body)
    assert hand.closed == []
    assert judge(hand, accepted=True) == []
    assert hand.told[-1] == LogonConcluded("MM1", "c1", logged_on=False)
    assert hand.closed == [("c1", "invalid_logon")]


def test_a_logon_that_breaks_a_rule_is_turned_away_once_it_is_proven() -> None:
    hand = waiting(at=500)
    assert judge(hand, accepted=True) == []
    assert hand.closed == [("c1", "sending_time_accuracy")]


def refused(**compose: Any) -> tuple[list[str], list[tuple[str, str]]]:
    """What somebody is told and how it ends, whose Logon is refused with a text."""
    hand = Hand(acceptor_config(authenticator="app"))
    hand.connect("c0")
    hand.say("A", LOGON, n=1)
    session = hand.told[-1].session
    hand.handle(Message("app", LogonJudged(session, "c0", accepted=True)))
    hand.connect("c1")
    hand.say_raw(hand.compose("A", LOGON, **compose))
    attempt = hand.told[-1]
    assert isinstance(attempt, LogonAttempted)
    done = len(hand.transmitted)
    hand.handle(Message("app", LogonJudged(attempt.session, "c1", False, "bad_signature", "Logon refused")))
    return hand.sent(done), hand.closed


def test_a_refusal_says_the_same_to_who_names_a_session_one_that_is_taken_or_none() -> None:
    told = {str(refused(**header)) for header in ({"n": 1}, {"n": 7}, {"n": 1, "sender": "MM9"})}
    assert told == {str((["35=5|34=0|58=Logon refused"], [("c1", "authentication_failed")]))}


def test_an_initiator_that_was_refused_logs_on_later_with_the_same_numbers() -> None:
    venue = waiting()
    venue.handle(Message("app", LogonJudged("MM1", "c1", False, "pending", "Logon refused")))
    venue.connect("c2")
    venue.say("A", LOGON, n=1)
    assert judge(venue, accepted=True, conn="c2") == ["35=A|34=1|98=0|108=30"]


def test_a_wait_for_the_authenticator_survives_a_restart() -> None:
    hand = waiting()
    hand.restart()
    assert judge(hand, accepted=True) == ["35=A|34=1|98=0|108=30"]
