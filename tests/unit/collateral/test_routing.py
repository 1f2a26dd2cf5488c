"""From a deposit and a request to the one answer: routed, awaited, refused, and what is used of what is there."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.collateral.facts import (
    CollateralDepositRefused,
    CollateralDepositRepeated,
    CollateralMoved,
    CollateralNotRouted,
    PayoutArrived,
)
from core.collateral.hops import FundsMoved, FundsRefused, HopTrouble
from core.collateral.records import CollateralAwaited, CollateralRefused, CollateralRouted, PaidOut
from core.kernel.record import Resume, Stop
from core.units import SECOND
from tests.helpers.collateral import ALICE, BOB, SETTINGS, T1, T2, T3, T4, WALLET, Rig, hop, with_settings

FREE = with_settings(hops=(hop(T1, T2), hop(T2, T3), hop(T3, T2), hop(T2, T1), hop(T1, WALLET)))
DEADLINE = SETTINGS.route_deadline // SECOND


def refused(rig: Rig) -> list[tuple[str, str, str]]:
    return [(said.order_id, said.stage, said.reason) for said in rig.told() if isinstance(said, CollateralRefused)]


def test_a_deposit_is_unconfirmed_where_it_lies() -> None:
    rig = Rig()
    effects = rig.deposit("1000", seq_num=7)
    [moved] = rig.facts(CollateralMoved, effects)
    assert (moved.what, moved.amount, moved.state, moved.destination) == ("deposited", Decimal(1000), "unconfirmed", T1)
    assert rig.position().unconfirmed == rig.balance(T1, "unconfirmed") == 1000
    assert [(lot.payment_id, lot.seq_num) for lot in rig.position().lots] == [("P-1", 7)]


def test_a_deposit_that_is_seen_again_is_not_booked_again() -> None:
    rig = Rig()
    rig.deposit("1000", seq_num=7)
    effects = rig.deposit("1000", seq_num=7)
    assert rig.facts(CollateralDepositRepeated, effects) == [CollateralDepositRepeated(ALICE, 7)]
    assert rig.position().unconfirmed == 1000


@pytest.mark.parametrize("seq_num", [-1, 2**63, 2**64])
def test_a_deposit_whose_number_cannot_be_kept_is_refused(seq_num: int) -> None:
    rig = Rig()
    rig.deposit("1000", seq_num=seq_num)
    [refusal] = rig.facts(CollateralDepositRefused)
    assert (refusal.seq_num, refusal.reason) == (-1, "invalid_number")
    rig.collateral.snapshot()
    rig.deposit("1000", seq_num=2**63 - 1)
    assert rig.position().unconfirmed == 1000


def test_a_deposit_at_a_destination_counts_for_orders_there() -> None:
    rig = Rig()
    rig.deposit("1000", at=T3)
    rig.route("1000")
    assert rig.told() == [CollateralRouted("O-1", Decimal(1000), Decimal(0))]


def test_a_deposit_at_a_destination_that_orders_draw_on_is_a_deposit() -> None:
    rig = Rig(with_settings(destinations={"IX": (T3,), "IY": (T1,)}))
    rig.deposit("1000")
    assert rig.position().unconfirmed == 1000


def test_numbers_of_deposits_count_for_each_chain_alone() -> None:
    rig = Rig(with_settings(chains={**SETTINGS.chains, "2": SETTINGS.chains["1"]}))
    rig.deposit("1000", seq_num=0, user=ALICE)
    rig.deposit("500", seq_num=0, user=BOB)
    assert [rig.position(user).unconfirmed for user in (ALICE, BOB)] == [1000, 500]


@pytest.mark.parametrize(
    ("amount", "user", "at", "reason"),
    [
        ("0", ALICE, "", "invalid_amount"),
        ("-5", ALICE, "", "invalid_amount"),
        ("NaN", ALICE, "", "invalid_amount"),
        ("sNaN", ALICE, "", "invalid_amount"),
        ("Infinity", ALICE, "", "invalid_amount"),
        ("1e-40", ALICE, "", "invalid_amount"),
        ("5", BOB, "", "unknown_chain"),
        ("5", ALICE, "NO:WHERE:X", "no_route"),
    ],
)
def test_a_deposit_that_cannot_be_booked_is_stated(amount: str, user: str, at: str, reason: str) -> None:
    rig = Rig()
    [fact] = rig.facts(CollateralDepositRefused, rig.deposit(amount, user=user, at=at))
    assert fact.reason == reason
    assert fact.amount == (Decimal(amount) if Decimal(amount).is_finite() else 0)
    assert rig.collateral.state.books.positions == {}


def test_an_order_waits_for_its_deposit_and_is_told_so_once() -> None:
    rig = Rig(FREE)
    rig.route("1000")
    rig.deposit("400", seq_num=0)
    rig.deposit("600", seq_num=1)
    rig.serve()
    assert rig.told() == [CollateralAwaited("O-1"), CollateralRouted("O-1", Decimal(1000), Decimal(0))]
    assert rig.timers == {}


def test_an_order_whose_deposit_never_comes_is_refused_at_its_deadline() -> None:
    rig = Rig()
    rig.deposit("999")
    rig.route("1000")
    rig.pass_seconds(DEADLINE)
    assert refused(rig) == [("O-1", "route", "no_deposit")]
    assert rig.position().unconfirmed == 999
    assert rig.collateral.state.waiting == {}


def test_an_order_that_lacks_no_more_than_the_tolerance_gets_what_is_there() -> None:
    rig = Rig(FREE)
    rig.deposit("999.9999991")
    rig.route("1000")
    rig.serve()
    assert rig.routed() == [CollateralRouted("O-1", Decimal("999.9999991"), Decimal(0))]


def test_orders_of_one_user_do_not_get_each_others_money() -> None:
    rig = Rig(FREE)
    rig.deposit("1000")
    rig.route("600", "O-1")
    rig.route("600", "O-2")
    rig.serve()
    assert [said.order_id for said in rig.routed()] == ["O-1"]
    rig.preauthorise("600", "O-2")
    assert refused(rig) == [("O-2", "preauthorise", "not_enough_funds")]
    rig.deposit("200", seq_num=1)
    rig.serve()
    assert [said.order_id for said in rig.routed()] == ["O-1", "O-2"]


def test_a_smaller_order_does_not_wait_behind_one_that_cannot_be_served() -> None:
    rig = Rig(FREE)
    rig.route("5000", "O-1")
    rig.route("100", "O-2")
    rig.deposit("200")
    rig.serve()
    assert [said.order_id for said in rig.routed()] == ["O-2"]


def test_what_was_released_is_used_by_the_users_next_order_before_anything_is_moved() -> None:
    rig = Rig()
    rig.deposit("2000")
    rig.route("1000", "O-1")
    rig.serve()
    rig.release("", "O-1")
    free = rig.position().ready
    rig.route("1000", "O-2")
    rig.serve()
    routed = rig.routed()[-1]
    assert free == Decimal("980.1")
    assert routed.amount + routed.fee == 1000
    assert routed.fee == Decimal("19.9") - Decimal("19.9") * Decimal("0.99") ** 2


def test_an_order_that_is_covered_by_what_is_there_is_answered_at_once() -> None:
    rig = Rig()
    rig.deposit("2000")
    rig.route("1000", "O-1")
    rig.serve()
    rig.release("", "O-1")
    mark = len(rig.calls())
    assert rig.told(rig.route("500", "O-2")) == [CollateralRouted("O-2", Decimal(500), Decimal(0))]
    assert len(rig.calls()) == mark


@pytest.mark.parametrize(
    ("amount", "user", "symbol", "reason"),
    [
        ("0", ALICE, "IX", "invalid_amount"),
        ("-1", ALICE, "IX", "invalid_amount"),
        ("Infinity", ALICE, "IX", "invalid_amount"),
        ("1", BOB, "IX", "unknown_chain"),
        ("1", ALICE, "IQ", "unknown_symbol"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_at_once(amount: str, user: str, symbol: str, reason: str) -> None:
    rig = Rig()
    rig.route(amount, "O-1", user, symbol)
    assert refused(rig) == [("O-1", "route", reason)]
    assert rig.timers == {}


def test_an_order_that_what_is_free_at_a_destination_covers_needs_no_chain() -> None:
    rig = Rig()
    rig.pay_out("100", "S-1", BOB)
    rig.route("100.01", "O-1", BOB)
    rig.route("60", "O-2", BOB)
    assert refused(rig) == [("O-1", "route", "unknown_chain")]
    assert rig.routed() == [CollateralRouted("O-2", Decimal(60), Decimal(0))]
    rig.preauthorise("60", "O-2", BOB)
    rig.spend("50", "P-2", "O-2", BOB)
    assert rig.told(rig.refund("P-2", "O-2", BOB)) == [PaidOut("O-2", Decimal(0), Decimal(0), credited=Decimal(10))]


def test_an_order_is_not_routed_twice_at_once() -> None:
    rig = Rig()
    rig.deposit("2000")
    rig.route("500", "O-1")
    rig.route("500", "O-1")
    assert refused(rig) == [("O-1", "route", "duplicate")]


def test_an_amount_that_no_way_takes_is_refused_without_waiting() -> None:
    rig = Rig(with_settings(hops=(hop(T1, T3, amount_max=Decimal(100)), hop(T3, WALLET))))
    rig.route("101")
    assert refused(rig) == [("O-1", "route", "no_route")]
    why = "at most 100.000000 goes there at once, by the limits of hops; it is not split"
    assert rig.facts(CollateralNotRouted) == [CollateralNotRouted("O-1", ALICE, Decimal(101), T1, T3, why)]


def test_an_order_whose_money_cannot_be_there_in_time_is_refused() -> None:
    hops = (hop(T1, T3, latency=30 * SECOND), hop(T3, WALLET))
    rig = Rig(with_settings(hops=hops, route_deadline=60 * SECOND))
    rig.route("100")
    assert rig.told() == [CollateralAwaited("O-1")]
    rig.pass_seconds(31)
    rig.deposit("100")
    assert refused(rig) == [("O-1", "route", "no_route")]
    assert [fact.why for fact in rig.facts(CollateralNotRouted)] == ["no way is expected to take 29 s or less"]
    assert (rig.calls(), rig.timers) == ([], {})


def test_a_way_that_takes_longer_than_an_order_has_is_no_way_from_the_start() -> None:
    rig = Rig(with_settings(hops=(hop(T1, T3, latency=61 * SECOND), hop(T3, WALLET)), route_deadline=60 * SECOND))
    rig.route("100")
    assert refused(rig) == [("O-1", "route", "no_route")]


def test_money_takes_the_way_that_is_in_time_though_it_is_dearer() -> None:
    slow, fast = hop(T1, T3, "slow", latency=61 * SECOND), hop(T1, T3, "fast", fee_flat=Decimal(5))
    rig = Rig(with_settings(hops=(slow, fast, hop(T3, WALLET)), route_deadline=60 * SECOND))
    rig.deposit("100")
    rig.route("100")
    assert [call.service for call in rig.calls()] == ["hop:fast"]


def test_an_index_draws_on_its_own_source() -> None:
    hops = (hop(T1, T3), hop(T4, T3), hop(T3, WALLET))
    rig = Rig(with_settings(hops=hops, sources={"1:IX": T4}))
    rig.deposit("1000", seq_num=0)
    rig.route("500")
    assert rig.told() == [CollateralAwaited("O-1")]
    rig.deposit("1000", seq_num=1, at=T4)
    rig.serve()
    assert rig.routed() == [CollateralRouted("O-1", Decimal(500), Decimal(0))]
    assert [rig.balance(place, "unconfirmed") for place in (T1, T4)] == [1000, 500]


def test_the_cheapest_of_several_destinations_is_used_and_then_the_one_where_money_is_free() -> None:
    hops = (hop(T1, T2, fee_flat=Decimal(1)), hop(T1, T3), hop(T3, WALLET))
    rig = Rig(with_settings(hops=hops, destinations={"IX": (T2, T3), "IY": (T2,)}))
    rig.deposit("1000")
    rig.route("100", "O-1", symbol="IX")
    rig.route("101", "O-2", symbol="IY")
    rig.serve()
    assert [rig.balance(place, "ready") for place in (T3, T2)] == [100, 100]
    rig.release("", "O-2")
    rig.route("100", "O-3", symbol="IX")
    assert rig.routed()[-1] == CollateralRouted("O-3", Decimal(100), Decimal(0))


def test_after_stop_no_orders_money_sets_out_and_what_waits_goes_on_after_resume() -> None:
    rig = Rig(FREE)
    rig.route("500", "O-1")
    rig.deliver(Stop())
    rig.route("500", "O-2")
    assert refused(rig) == [("O-2", "route", "stopped")]
    rig.deposit("500")
    assert rig.calls() == []
    rig.deliver(Resume())
    rig.serve()
    assert rig.routed() == [CollateralRouted("O-1", Decimal(500), Decimal(0))]


def test_an_order_that_takes_too_long_is_answered_and_its_late_money_is_free_for_the_next() -> None:
    rig = Rig(FREE)
    rig.deposit("500")
    rig.route("500", "O-1")
    rig.reply(FundsMoved(Decimal(500), Decimal(0)))
    rig.pass_seconds(DEADLINE)
    assert refused(rig) == [("O-1", "route", "timeout")]
    rig.reply(FundsMoved(Decimal(500), Decimal(0)))
    assert rig.position().ready == 500
    assert rig.told(rig.route("500", "O-2")) == [CollateralRouted("O-2", Decimal(500), Decimal(0))]


def test_money_that_is_half_way_when_its_order_times_out_turns_back() -> None:
    rig = Rig(FREE)
    rig.deposit("500")
    rig.route("500", "O-1")
    rig.pass_seconds(DEADLINE)
    assert refused(rig) == [("O-1", "route", "timeout")]
    rig.reply(FundsMoved(Decimal(500), Decimal(0)))
    rig.serve()
    assert rig.position().unconfirmed == rig.balance(T1, "unconfirmed") == 500


def test_an_order_that_times_out_between_two_attempts_has_its_money_back_at_once() -> None:
    retries = {HopTrouble.UNAVAILABLE: (2 * SETTINGS.route_deadline,)}
    rig = Rig(with_settings(FREE, retries=retries))
    rig.deposit("500")
    rig.route("500", "O-1")
    rig.reply(FundsRefused(HopTrouble.UNAVAILABLE, "closed"))
    rig.pass_seconds(DEADLINE)
    assert refused(rig) == [("O-1", "route", "timeout")]
    assert rig.position().unconfirmed == 500
    assert rig.collateral.state.transfers == {}


def test_an_order_whose_deposit_never_came_can_be_stopped_long_before_its_deadline() -> None:
    rig = Rig()
    rig.route("1000")
    rig.stop_route()
    assert rig.told() == [CollateralAwaited("O-1"), CollateralRefused("O-1", "route", "cancelled")]
    assert (rig.timers, rig.collateral.state.routes, rig.collateral.state.waiting) == ({}, {}, {})
    rig.deposit("1000")
    assert rig.calls() == []


def test_what_a_stopped_order_had_not_claimed_yet_serves_the_next_in_line() -> None:
    rig = Rig(FREE)
    rig.route("5000", "O-1")
    rig.route("700", "O-2")
    rig.deposit("500")
    rig.stop_route("O-1")
    rig.deposit("200", seq_num=1)
    rig.serve()
    assert [said.order_id for said in rig.routed()] == ["O-2"]


def test_money_on_its_way_for_a_stopped_order_turns_back_at_the_next_stop() -> None:
    rig = Rig()
    rig.deposit("1000")
    rig.route("1000")
    refused = CollateralRefused("O-1", "route", "cancelled", under_way=Decimal(1000))
    assert rig.told(rig.stop_route()) == [refused]
    rig.serve()
    assert rig.told() == [refused]
    assert rig.facts(PayoutArrived) == [PayoutArrived("O-1", ALICE, Decimal(0), Decimal(10), Decimal(990))]
    assert (rig.balance(T1, "unconfirmed"), rig.position().spent) == (Decimal(990), Decimal(10))
    assert (rig.timers, rig.collateral.state.transfers) == ({}, {})


def test_money_that_is_on_its_last_hop_for_a_stopped_order_arrives_and_is_free() -> None:
    rig = Rig(FREE)
    rig.deposit("1000")
    rig.route("1000")
    rig.reply_at_price()
    rig.stop_route()
    rig.serve()
    assert rig.balance(T3, "ready") == 1000
    assert rig.told(rig.route("400", "O-2")) == [CollateralRouted("O-2", Decimal(400), Decimal(0))]


def test_a_leg_that_has_sent_nothing_is_given_up_when_its_order_is_stopped() -> None:
    rig = Rig(FREE)
    rig.deposit("1000")
    rig.route("1000")
    rig.reply(FundsRefused(HopTrouble.UNAVAILABLE, "maintenance"))
    rig.stop_route()
    assert rig.balance(T1, "unconfirmed") == 1000
    assert (rig.timers, rig.collateral.state.transfers) == ({}, {})


def test_stopping_what_has_its_answer_or_was_never_asked_for_changes_nothing() -> None:
    rig = Rig(FREE)
    rig.deposit("1000")
    rig.route("600")
    rig.serve()
    before = rig.position()
    assert rig.stop_route("O-1") == rig.stop_route("O-9") == []
    assert rig.position() == before
