"""Sessions that keep to a schedule: they end, start over and come back with its windows."""

from __future__ import annotations

from core.fix.records import SessionClosed
from core.fix.schedule import Schedule
from core.kernel.record import Connected, Disconnected
from tests.helpers.fix import LOGON, Hand, Pair, acceptor_config, initiator_config, order

HOUR = 3600
TEN_PM = 22 * HOUR
"""Tests begin at 22:13:20."""
NIGHTLY = Schedule(start_time=TEN_PM, end_time=TEN_PM + 1800)
LATER = Schedule(start_time=23 * HOUR, end_time=23 * HOUR + 1800)
ROUND_THE_CLOCK = Schedule(start_time=TEN_PM, end_time=TEN_PM)


def reasons(hand: Hand) -> list[str]:
    return [reason for _, _, reason in hand.changes]


def test_a_session_logs_out_when_its_window_closes() -> None:
    hand = Hand.logged_on("98=0|108=0", schedule=NIGHTLY)
    assert hand.waited(999) == []
    assert hand.waited(1001 - 999) == ["35=5|34=2"]
    hand.say("5", n=2)
    assert hand.told[-1] == SessionClosed("MM1", "schedule_closed")


def test_a_logon_outside_the_window_is_turned_away_in_silence() -> None:
    hand = Hand(acceptor_config(schedule=LATER))
    hand.connect()
    assert hand.say("A", LOGON) == []
    assert hand.closed == [("c1", "session_down")]
    hand.wait(46 * 60 + 40)
    hand.connect("c2")
    assert hand.say("A", LOGON, n=1) == ["35=A|34=1|98=0|108=30"]


def test_numbers_start_over_in_each_window_and_only_there() -> None:
    hand = Hand.logged_on("98=0|108=0", schedule=NIGHTLY)
    hand.reconnect("c2")
    assert hand.say("A", LOGON) == ["35=A|34=2|98=0|108=30"]
    hand.handle(Disconnected("c2", "gone"))
    hand.wait(24 * HOUR - 800)
    assert reasons(hand).count("reset_by_schedule") == 1
    hand.connect("c3")
    assert hand.say("A", LOGON, n=1) == ["35=A|34=1|98=0|108=30"]


def test_a_window_that_follows_at_once_ends_the_connection_all_the_same() -> None:
    hand = Hand.logged_on("98=0|108=0", schedule=ROUND_THE_CLOCK)
    hand.wait(24 * HOUR - 801)
    assert not hand.is_closed
    assert hand.waited(2) == ["35=5|34=2"]
    hand.say("5", n=2)
    assert reasons(hand)[-3:] == ["schedule_closed", "logged_out", "reset_by_schedule"]
    hand.connect("c2")
    assert hand.say("A", LOGON, n=1) == ["35=A|34=1|98=0|108=30"]


def test_a_restart_within_a_window_goes_on_and_one_after_it_starts_over() -> None:
    hand = Hand.logged_on("98=0|108=0", schedule=NIGHTLY)
    hand.restart()
    hand.reconnect("c2")
    assert hand.say("A", LOGON, n=2) == ["35=A|34=2|98=0|108=30"]
    hand.now += 24 * HOUR * 10**9
    hand.restart()
    hand.reconnect("c3")
    assert hand.say("A", LOGON, n=1) == ["35=A|34=1|98=0|108=30"]


def test_an_initiator_connects_when_the_window_opens_and_not_before() -> None:
    hand = Hand(initiator_config(schedule=LATER), peer="ROMER")
    hand.wait(46 * 60 + 39)
    assert hand.connects == []
    hand.wait(1)
    assert len(hand.connects) == 1


def test_an_initiator_whose_window_closes_gives_up_and_tries_in_the_next() -> None:
    hand = Hand(initiator_config(schedule=NIGHTLY), peer="ROMER")
    hand.handle(Connected(hand.connects[-1], "venue"))
    hand.handle(Disconnected(hand.connects[-1], "gone"))
    hand.wait(HOUR)
    attempts = len(hand.connects)
    hand.wait(22 * HOUR)
    assert len(hand.connects) == attempts
    hand.wait(HOUR)
    assert len(hand.connects) > attempts


def test_two_engines_with_one_schedule_meet_in_every_window() -> None:
    pair = Pair(initiator_config(schedule=ROUND_THE_CLOCK), acceptor_config(schedule=ROUND_THE_CLOCK))
    for day in range(3):
        pair.maker.tell("ROMER", order(f"a{day}"))
        pair.settle()
        pair.wait(24 * HOUR)
    assert pair.venue.received == [order("a0"), order("a1"), order("a2")]
    assert next(body.msg_seq_num for body in pair.venue.told if hasattr(body, "msg_seq_num")) == 2
    states = [bench.engine.state.sessions for bench in (pair.maker, pair.venue)]
    assert states[0]["ROMER"].next_out == states[1]["MM1"].next_in
