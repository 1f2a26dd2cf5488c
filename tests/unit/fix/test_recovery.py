"""Large gaps: asked for in chunks, repeated in batches, without new messages in between."""

from __future__ import annotations

import pytest

from tests.helpers.fix import ORDER, Hand, Pair, acceptor_config, initiator_config, order, report

DUPLICATE = {"extra": "43=Y|122=20231114-22:13:20"}
TIMES = "122=20231114-22:13:20.000"


def numbers(messages: list[str]) -> list[int]:
    return [int(message.split("|")[1][3:]) for message in messages]


def test_a_gap_is_asked_for_in_chunks_each_when_the_one_before_has_arrived() -> None:
    hand = Hand.logged_on(resend_request_chunk_size=3)
    assert hand.say("D", ORDER, n=9) == ["35=2|34=2|7=2|16=4"]
    assert [hand.say("D", ORDER, n=number, **DUPLICATE) for number in (2, 3)] == [[], []]
    assert hand.say("D", ORDER, n=4, **DUPLICATE) == ["35=2|34=3|7=5|16=7"]
    assert hand.say("4", "36=8|123=Y", n=5, extra="43=Y") == ["35=2|34=4|7=8|16=8"]
    assert hand.changes[-1][1] == "resync_required"
    assert hand.say("D", ORDER, n=8, **DUPLICATE) == []
    assert hand.changes[-1] == ("resync_required", "active", "gap_filled")
    assert len(hand.received) == 5


@pytest.mark.parametrize("room", [0, 1])
def test_a_request_beyond_a_gap_was_answered_and_is_never_asked_for_itself(room: int) -> None:
    hand = Hand.logged_on(early_messages_max=room, closed_resend_interval=True)
    assert hand.say("0", n=4) == [f"35=2|34=2|7=2|16={3 if room else 4}"]
    for number in (5, 6):
        assert hand.say("2", "7=1|16=0", n=number) == [f"35=4|34=1|43=Y|{TIMES}|36=3|123=Y"]
    for number in (2, 3, 4) if not room else (2, 3):
        hand.say("D", ORDER, n=number, **DUPLICATE)
    assert hand.say("1", "112=A", n=7) == ["35=0|34=3|112=A"]


def test_a_gap_fill_over_several_chunks_makes_them_unnecessary() -> None:
    hand = Hand.logged_on(resend_request_chunk_size=2)
    hand.say("D", ORDER, n=9)
    assert hand.say("4", "36=9|123=Y", n=2, extra="43=Y") == []
    assert hand.changes[-1] == ("resync_required", "active", "gap_filled")


def test_what_waits_already_is_not_asked_for_again() -> None:
    hand = Hand.logged_on(resend_request_chunk_size=2)
    assert hand.say("D", ORDER, n=6) == ["35=2|34=2|7=2|16=3"]
    hand.say("D", ORDER, n=4, **DUPLICATE)
    hand.say("D", ORDER, n=5, **DUPLICATE)
    hand.say("D", ORDER, n=2, **DUPLICATE)
    assert hand.say("D", ORDER, n=3, **DUPLICATE) == []
    assert len(hand.received) == 5


def test_a_closed_interval_ends_with_the_last_missing_message() -> None:
    hand = Hand.logged_on(closed_resend_interval=True)
    assert hand.say("D", ORDER, n=9) == ["35=2|34=2|7=2|16=8"]


def test_a_chunk_that_does_not_arrive_ends_the_session() -> None:
    hand = Hand.logged_on("98=0|108=0", resend_request_chunk_size=3)
    hand.say("D", ORDER, n=9)
    for number in (2, 3, 4):
        hand.wait(15)
        hand.say("D", ORDER, n=number, **DUPLICATE)
    assert hand.waited(59) == []
    assert hand.waited(1) == ["35=5|34=4|58=Resend request was not answered"]


def test_what_waits_for_a_gap_is_bounded_and_comes_with_the_next_resend() -> None:
    hand = Hand.logged_on(early_messages_max=2)
    for number in range(4, 9):
        hand.say("D", ORDER, n=number)
    assert len(hand.engine.state.sessions["MM1"].early) == 2
    hand.say("D", ORDER, n=2, **DUPLICATE)
    hand.say("D", ORDER, n=3, **DUPLICATE)
    assert len(hand.received) == 4
    assert hand.say("0", n=9) == ["35=2|34=3|7=6|16=0"]


def resending(count: int, **changes: object) -> Hand:
    """A venue that has sent so many reports, to a peer that never sends anything back by itself."""
    hand = Hand.logged_on("98=0|108=0", **changes)
    for number in range(count):
        hand.tell("MM1", report(f"E-{number}"))
    return hand


def test_a_large_resend_is_sent_in_batches_with_pauses() -> None:
    hand = resending(25, resend_batch=10, resend_pause=10**9)
    assert numbers(hand.say("2", "7=1|16=0")) == [1, *range(2, 12)]
    assert hand.waited(0.999) == []
    assert numbers(hand.waited(0.001)) == [*range(12, 22)]
    assert numbers(hand.waited(1)) == [*range(22, 27)]
    assert hand.waited(100) == []


def test_new_messages_wait_for_the_end_of_a_resend_and_keep_their_order() -> None:
    hand = resending(25, resend_batch=10, resend_pause=10**9)
    hand.say("2", "7=1|16=0")
    done = len(hand.transmitted)
    hand.tell("MM1", report("new 1"))
    hand.tell("MM1", report("new 2"))
    assert hand.sent(done) == []
    hand.wait(2)
    assert numbers(hand.sent(done)) == [*range(12, 29)]
    assert "17=new 2" in hand.sent(done)[-1]


def test_the_sessions_own_messages_go_out_during_a_resend() -> None:
    hand = resending(25, resend_batch=10, resend_pause=10**9)
    hand.say("2", "7=1|16=0")
    assert hand.say("1", "112=A") == ["35=0|34=27|112=A"]


@pytest.mark.parametrize(
    ("second", "expected"),
    [("7=3|16=4", [*range(3, 26)]), ("7=15|16=16", [*range(12, 26)]), ("7=12|16=0", [*range(12, 26)])],
)
def test_a_request_during_a_resend_forgets_nothing_that_was_asked_for(second: str, expected: list[int]) -> None:
    hand = resending(24, resend_batch=10, resend_pause=10**9)
    hand.say("2", "7=2|16=0")
    assert numbers(hand.say("2", second) + hand.waited(5)) == expected


def test_a_resend_ends_with_its_connection() -> None:
    hand = resending(25, resend_batch=10, resend_pause=10**9)
    hand.say("2", "7=1|16=0")
    hand.tell("MM1", report("new"))
    hand.reconnect("c2")
    assert numbers(hand.say("A", "98=0|108=0")) == [27, 28]
    assert hand.waited(10) == []


def test_a_session_that_keeps_nothing_fills_everything() -> None:
    hand = resending(3, kept_messages_max=0)
    assert hand.engine.state.sessions["MM1"].sent == {}
    assert hand.say("2", "7=1|16=0") == ["35=4|34=1|43=Y|122=20231114-22:13:20.000|36=5|123=Y"]


def test_ten_thousand_messages_come_back_in_chunks_and_batches() -> None:
    pair = Pair(initiator_config(resend_request_chunk_size=700), acceptor_config(resend_batch=64))
    for number in range(10_000):
        pair.venue.tell("MM1", report(f"E-{number}"))
    pair.cut()
    pair.maker.tell("ROMER", order("a"))
    pair.wait(20)
    assert pair.maker.received == [report(f"E-{number}") for number in range(10_000)]
    assert pair.venue.received == [order("a")]
    assert pair.maker.changes[-1] == ("resync_required", "active", "gap_filled")


def test_a_message_sent_as_perhaps_known_says_so_and_says_so_again() -> None:
    hand = Hand.logged_on()
    done = len(hand.transmitted)
    hand.tell("MM1", report("E-1"), poss_resend=True)
    (first,) = hand.sent(done)
    assert first.startswith("35=8|34=2|97=Y|")
    (again,) = hand.say("2", "7=2|16=0")
    assert again.startswith("35=8|34=2|43=Y|97=Y|122=20231114-22:13:20.000|")
