"""Sequence numbers: in order, too high, too low, duplicates, and the peer's SequenceReset."""

from __future__ import annotations

from typing import Any

import pytest

from core.fix.records import MessageRejected
from tests.helpers.fix import NOW, ORDER, Hand, order, wire

DUP = "43=Y|122=20231114-22:13:20"


def low(expected: int, received: int, number: int) -> str:
    return f"35=5|34={number}|58=MsgSeqNum too low, expecting {expected} but received {received}"


def test_messages_in_order_are_taken_in_silence() -> None:
    hand = Hand.logged_on()
    assert [hand.say("0") for _ in range(4)] == [[]] * 4
    assert hand.say("D", ORDER) == []
    assert hand.received == [order("a")]
    assert hand.told[-1].msg_seq_num == 6


def test_a_gap_is_asked_for_once_and_what_came_early_waits_its_turn() -> None:
    hand = Hand.logged_on()
    assert hand.say("D", ORDER, n=10) == ["35=2|34=2|7=2|16=0"]
    assert hand.say("1", "112=EARLY", n=11) == []
    assert hand.received == []
    for number in range(2, 9):
        assert hand.say("0", n=number, extra=DUP) == []
    assert hand.say("0", n=9, extra=DUP) == ["35=0|34=3|112=EARLY"]
    assert hand.received == [order("a")]
    assert hand.changes[-2:] == [
        ("active", "resync_required", "sequence_gap"),
        ("resync_required", "active", "gap_filled"),
    ]
    assert hand.say("1", "112=NEXT", n=12) == ["35=0|34=4|112=NEXT"]


def test_messages_that_wait_are_bounded_and_come_again_with_the_next_request() -> None:
    hand = Hand.logged_on(early_messages_max=3)
    for number in range(4, 100):
        hand.say("0", n=number)
    assert len(hand.engine.state.sessions["MM1"].early) == 3
    assert hand.say("0", n=2) == []
    assert hand.say("0", n=3) == []
    assert hand.say("0", n=100) == ["35=2|34=3|7=7|16=0"]


def test_a_new_gap_after_the_old_one_is_asked_for_again() -> None:
    hand = Hand.logged_on()
    assert hand.say("0", n=4) == ["35=2|34=2|7=2|16=0"]
    hand.say("4", "36=4|123=Y", n=2, extra=DUP)
    assert hand.say("0", n=8) == ["35=2|34=3|7=5|16=0"]


def test_a_gap_that_is_not_filled_ends_in_a_logout() -> None:
    hand = Hand.logged_on("98=0|108=0")
    hand.say("0", n=5)
    assert hand.waited(50) == []
    hand.say("0", n=2)
    assert hand.waited(59.9) == []
    assert hand.waited(0.1) == ["35=5|34=3|58=Resend request was not answered"]
    assert hand.changes[-1] == ("resync_required", "logout_sent", "resend_timeout")


def test_a_low_number_ends_the_session_at_once() -> None:
    hand = Hand.logged_on()
    for _ in range(3):
        hand.say("0")
    assert hand.say("0", n=2) == [low(5, 2, 2)]
    assert hand.closed == [("c1", "sequence_too_low")]


def test_a_declared_duplicate_is_ignored() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER)
    assert hand.say("D", ORDER, n=2, extra=DUP) == []
    assert len(hand.received) == 1
    assert hand.say("1", "112=A", n=3) == ["35=0|34=2|112=A"]


def test_a_declared_duplicate_that_is_new_is_taken() -> None:
    hand = Hand.logged_on()
    assert hand.say("D", ORDER, n=2, extra=DUP) == []
    assert hand.received == [order("a")]


def test_a_duplicate_without_its_original_time_is_refused_and_does_not_count() -> None:
    hand = Hand.logged_on()
    hand.say("0")
    assert hand.say("D", ORDER, n=2, extra="43=Y") == ["35=3|34=2|45=2|58=Required tag missing|371=122|372=D|373=1"]
    assert hand.say("1", "112=A", n=3) == ["35=0|34=3|112=A"]


def test_a_duplicate_sent_before_its_original_ends_the_session() -> None:
    hand = Hand.logged_on()
    hand.say("0")
    assert hand.say("D", ORDER, n=2, extra="43=Y|122=20231114-22:13:30") == [
        "35=3|34=2|45=2|58=SendingTime accuracy problem|372=D|373=10",
        "35=5|34=3",
    ]
    assert not hand.is_closed
    assert hand.say("5", n=3) == []
    assert hand.closed == [("c1", "logged_out")]


def test_a_possible_resend_is_left_to_the_application() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER)
    hand.say("D", ORDER, extra="97=Y")
    assert [body.poss_resend for body in hand.told[1:]] == [False, True]


def test_the_application_gets_the_hash_of_the_exact_bytes() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER)
    hand.say("D", ORDER + "|58=")
    assert len(hand.told[1].raw_hash) == 32
    assert len(hand.received) == 1


@pytest.mark.parametrize("extra", ["", "43=Y", DUP])
def test_a_gap_fill_moves_the_expected_number_on(extra: str) -> None:
    hand = Hand.logged_on()
    header = {"extra": extra} if extra else {}
    assert hand.say("4", "36=20|123=Y", **header) == []
    assert hand.say("1", "112=A", n=20) == ["35=0|34=2|112=A"]


def test_a_gap_fill_with_a_gap_before_it_waits() -> None:
    hand = Hand.logged_on()
    assert hand.say("4", "36=20|123=Y", n=10) == ["35=2|34=2|7=2|16=0"]
    assert hand.say("1", "112=A", n=20) == []
    assert hand.say("4", "36=10|123=Y", n=2, extra=DUP) == ["35=0|34=3|112=A"]


def test_a_gap_fill_with_a_low_number_is_a_duplicate_or_the_end() -> None:
    hand = Hand.logged_on()
    assert hand.say("4", "36=20|123=Y", n=1, extra="43=Y") == []
    assert hand.say("1", "112=A", n=2) == ["35=0|34=2|112=A"]
    assert hand.say("4", "36=20|123=Y", n=1) == [low(3, 1, 3)]
    assert hand.is_closed


def test_a_gap_fill_over_messages_that_wait_drops_them() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER, n=4)
    hand.say("4", "36=6|123=Y", n=2, extra=DUP)
    assert hand.received == []
    assert hand.engine.state.sessions["MM1"].early == {}


def test_a_gap_fill_to_the_expected_number_is_no_progress() -> None:
    hand = Hand.logged_on("98=0|108=0")
    hand.say("0", n=5)
    hand.wait(59)
    hand.say("4", "36=2|123=Y", n=2, extra=DUP)
    assert hand.waited(1) == ["35=5|34=3|58=Resend request was not answered"]


@pytest.mark.parametrize("flag", ["", "|123=N"])
def test_a_forced_reset_sets_the_expected_number_whatever_its_own(flag: str) -> None:
    hand = Hand.logged_on()
    assert hand.say("4", "36=25" + flag, n=0) == []
    assert hand.changes[-1] == ("active", "active", "reset_by_sequence_reset")
    assert hand.say("1", "112=A", n=25) == ["35=0|34=2|112=A"]
    assert hand.say("4", "36=26" + flag, n=0) == []
    assert hand.say("1", "112=B", n=26) == ["35=0|34=3|112=B"]


def test_a_forced_reset_makes_a_gap_and_what_waits_void() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER, n=5)
    hand.say("4", "36=4", n=0)
    assert hand.changes[-1] == ("resync_required", "active", "reset_by_sequence_reset")
    assert hand.say("1", "112=A", n=4) == ["35=0|34=3|112=A"]
    assert hand.say("1", "112=B", n=5) == ["35=0|34=4|112=B"]
    assert hand.received == []


@pytest.mark.parametrize("flag", ["", "|123=N"])
def test_a_forced_reset_to_a_lower_number_is_refused_and_changes_nothing(flag: str) -> None:
    hand = Hand.logged_on()
    text = "Value is incorrect (out of range) for this tag"
    assert hand.say("4", "36=1" + flag, n=0) == [f"35=3|34=2|45=0|58={text}|372=4|373=5"]
    assert hand.say("1", "112=A", n=2) == ["35=0|34=3|112=A"]


@pytest.mark.parametrize("body", ["36=1|123=Y", "123=Y", "36=x|123=Y"])
def test_a_gap_fill_that_is_refused_takes_no_number(body: str) -> None:
    hand = Hand.logged_on()
    assert hand.say("4", body)[0].startswith("35=3|34=2|45=2")
    assert hand.say("1", "112=A", n=2) == ["35=0|34=3|112=A"]


def test_a_refused_message_that_was_missing_fills_its_place() -> None:
    hand = Hand.logged_on()
    assert hand.say("1", "112=HELLO", n=3) == ["35=2|34=2|7=2|16=0"]
    assert hand.say("D", ORDER + "|126=20040415", n=2, extra=DUP) == [
        "35=3|34=3|45=2|58=Incorrect data format for value|371=126|372=D|373=6",
        "35=0|34=4|112=HELLO",
    ]


def test_garbled_messages_take_no_number_and_are_asked_for_again() -> None:
    hand = Hand.logged_on()
    assert hand.say_raw(wire("8=FIX.4.2|9=22|35=0|34=2|4garbled9=TW|52=x|10=000")) == []
    assert hand.say("0", n=3) == ["35=2|34=2|7=2|16=0"]
    assert [note.reason for note in hand.notes if hasattr(note, "detail")] == ["body_length"]


def test_the_swallowing_of_a_wrong_body_length_costs_two_messages_that_both_come_again() -> None:
    hand = Hand.logged_on()
    long = wire("8=FIX.4.2|9=80|35=D|34=2|49=MM1|56=ROMER|10=000")
    assert (
        hand.say_raw(long + wire("8=FIX.4.2|9=60|35=0|34=3|49=MM1|52=20231114-22:13:20|56=ROMER|112=abc|10=000")) == []
    )
    assert hand.say("0", n=4) == ["35=2|34=2|7=2|16=0"]


def test_every_refusal_is_a_fact_with_its_reason() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER.replace("54=1", "54=x"))
    hand.say("B", "148=h|33=1|58=l")
    rejected = [note for note in hand.notes if isinstance(note, MessageRejected)]
    assert rejected == [
        MessageRejected("MM1", 2, "D", "incorrect_value", "Value is incorrect (out of range) for this tag"),
        MessageRejected("MM1", 3, "B", "unsupported_message_type", "Unsupported Message Type"),
    ]


def test_a_number_that_does_not_fit_is_refused_like_any_other_wrong_format() -> None:
    hand = Hand.logged_on()
    text = "58=Incorrect data format for value|371=34|372=0|373=6"
    assert hand.say("0", n="9" * 19) == [f"35=3|34=2|45=0|{text}"]
    assert hand.say("0", n="two") == [f"35=3|34=3|45=0|{text}"]
    assert hand.now == NOW


@pytest.mark.parametrize("asking", [{"closed_resend_interval": True}, {"resend_request_chunk_size": 2}])
def test_what_finds_no_room_beyond_a_gap_is_asked_for_with_it(asking: dict[str, Any]) -> None:
    hand = Hand.logged_on(early_messages_max=0, **asking)
    assert hand.say("D", ORDER, n=3) == ["35=2|34=2|7=2|16=3"]
    assert hand.say("D", ORDER, n=4) == []
    assert hand.say("D", ORDER, n=2, extra=DUP) == []
    assert hand.say("D", ORDER, n=3, extra=DUP) == ["35=2|34=3|7=4|16=4"]
    assert hand.say("D", ORDER, n=4, extra=DUP) == []
    assert hand.changes[-1] == ("resync_required", "active", "gap_filled")
    assert hand.say("D", ORDER, n=5) == []
    assert len(hand.received) == 4
