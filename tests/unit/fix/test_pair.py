"""An initiator and an acceptor, with lists for wires."""

from __future__ import annotations

from tests.helpers.fix import Pair, acceptor_config, initiator_config, order, report, stop


def test_two_engines_log_on_trade_and_log_out() -> None:
    pair = Pair()
    pair.maker.tell("ROMER", order("a"))
    pair.settle()
    pair.venue.tell("MM1", report("E-1"))
    pair.settle()
    assert pair.venue.received == [order("a")]
    assert pair.maker.received == [report("E-1")]
    stop(pair.maker)
    pair.settle()
    assert pair.maker.changes[-1] == ("logout_sent", "terminated", "logged_out")
    assert pair.venue.changes[-1] == ("active", "connecting", "peer_logout")


def test_two_idle_engines_keep_each_other_alive() -> None:
    pair = Pair(initiator_config(heartbeat_interval=2 * 10**9))
    pair.wait(60)
    assert [status for _, status, _ in pair.maker.changes] == ["logon_sent", "active"]
    assert [status for _, status, _ in pair.venue.changes] == ["logon_received", "active"]


def test_what_was_lost_with_a_connection_arrives_with_the_next() -> None:
    pair = Pair()
    for name in ("a", "b"):
        pair.maker.tell("ROMER", order(name))
        pair.venue.tell("MM1", report(name))
    pair.cut()
    pair.maker.tell("ROMER", order("c"))
    pair.venue.tell("MM1", report("c"))
    pair.wait(2)
    assert pair.venue.received == [order("a"), order("b"), order("c")]
    assert pair.maker.received == [report("a"), report("b"), report("c")]


def test_engines_that_start_over_at_each_logon_agree_again() -> None:
    pair = Pair(
        initiator_config(reset_on_logon=True),
        acceptor_config(reset_on_logon=True),
    )
    pair.maker.tell("ROMER", order("a"))
    pair.settle()
    pair.cut()
    pair.wait(2)
    pair.maker.tell("ROMER", order("b"))
    pair.settle()
    assert pair.venue.received == [order("a"), order("b")]
    assert pair.venue.told[-1].msg_seq_num == 2


def test_both_sides_may_stop_at_once() -> None:
    pair = Pair()
    stop(pair.maker)
    stop(pair.venue)
    pair.settle()
    for bench in (pair.maker, pair.venue):
        assert bench.changes[-1][1] == "terminated"


def test_an_initiator_comes_back_after_the_acceptor_was_restored_from_a_snapshot() -> None:
    pair = Pair()
    pair.maker.tell("ROMER", order("a"))
    pair.settle()
    pair.venue.restart()
    pair.maker.restart()
    pair.maker.tell("ROMER", order("b"))
    pair.settle()
    assert pair.venue.received == [order("a"), order("b")]
