"""NextExpectedMsgSeqNum: both sides say in their Logons what they expect, and nobody needs to ask."""

from __future__ import annotations

import pytest

from tests.helpers.fix import Hand, Pair, acceptor_config, initiator_config, order, report

SAYS = {"next_expected_msg_seq_num": True}


def venue() -> Hand:
    """A venue that has sent reports 2 and 3 on a connection that is gone."""
    hand = Hand(acceptor_config(**SAYS))
    hand.connect()
    assert hand.say("A", "98=0|108=30|789=1") == ["35=A|34=1|98=0|108=30|789=2"]
    hand.tell("MM1", report("E-1"))
    hand.tell("MM1", report("E-2"))
    hand.reconnect("c2")
    return hand


def test_a_peer_gets_what_it_expects_without_asking() -> None:
    answers = venue().say("A", "98=0|108=30|789=2")
    assert answers[0] == "35=A|34=4|98=0|108=30|789=3"
    assert [answer.split("|")[:3] for answer in answers[1:]] == [["35=8", f"34={n}", "43=Y"] for n in (2, 3)]


def test_a_peer_that_misses_nothing_gets_nothing() -> None:
    assert venue().say("A", "98=0|108=30|789=4") == ["35=A|34=4|98=0|108=30|789=3"]


def test_what_a_logon_shows_to_be_missing_is_waited_for_and_not_asked_for() -> None:
    hand = venue()
    assert hand.say("A", "98=0|108=30|789=4", n=5) == ["35=A|34=4|98=0|108=30|789=2"]
    assert hand.changes[-1] == ("active", "resync_required", "sequence_gap")
    assert hand.say("4", "36=5|123=Y", n=2, extra="43=Y") == []
    assert hand.changes[-1] == ("resync_required", "active", "gap_filled")
    assert hand.say("1", "112=A", n=6) == ["35=0|34=5|112=A"]


def test_a_peer_that_does_not_say_what_it_expects_is_asked() -> None:
    assert venue().say("A", "98=0|108=30", n=5)[1] == "35=2|34=5|7=2|16=0"


def test_a_peer_that_expects_what_was_not_sent_yet_is_told_so_and_the_connection_ends() -> None:
    hand = venue()
    text = "NextExpectedMsgSeqNum too high, next is 4 but received 9"
    assert hand.say("A", "98=0|108=30|789=9") == [f"35=5|34=4|58={text}"]
    assert hand.closed == [("c2", "next_expected_too_high")]


def test_a_session_that_does_not_use_it_neither_says_nor_hears_it() -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    assert hand.say("A", "98=0|108=30|789=7", n=3) == ["35=A|34=1|98=0|108=30", "35=2|34=2|7=1|16=0"]


def test_two_engines_make_up_for_both_directions_without_a_question() -> None:
    pair = Pair(initiator_config(**SAYS), acceptor_config(**SAYS))
    for name in "ab":
        pair.maker.tell("ROMER", order(name))
        pair.venue.tell("MM1", report(name))
    pair.cut()
    seen = []
    pair.maker.wait(1)
    for _ in range(4):
        pair._connect()
        seen += [data for bench in (pair.maker, pair.venue) for _, data in bench.transmitted]
        pair._carry()
    pair.settle()
    assert seen
    assert not any(b"\x0135=2\x01" in data for data in seen)
    assert pair.venue.received == [order("a"), order("b")]
    assert pair.maker.received == [report("a"), report("b")]


@pytest.mark.parametrize("expected", ["0", "-5"])
def test_a_number_that_there_is_not_is_no_logon(expected: str) -> None:
    hand = venue()
    assert hand.say("A", f"98=0|108=30|789={expected}") == []
    assert hand.closed == [("c2", "invalid_logon")]


def test_a_number_that_nobody_asks_for_may_be_anything() -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    assert hand.say("A", "98=0|108=30|789=0") == ["35=A|34=1|98=0|108=30"]
