"""Whoever is to be paid has a last word in time, whatever hops do, and hears later what came of what was under way."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.collateral.facts import CollateralMoved, HopDisputed, PayoutArrived, TransferStepped, WithdrawalEnded
from core.collateral.graph import PARTS_MAX
from core.collateral.hops import FundsMoved, FundsPending, FundsRefused, FundsReturned, HopTrouble, MoveFunds
from core.collateral.records import CollateralRefused, CollateralRouted, PaidOut
from core.collateral.settings import CollateralSettings
from core.kernel.record import Record
from core.units import SECOND, Nanos
from tests.helpers.collateral import ALICE, SETTINGS, T1, T2, T3, WALLET, Rig, hop, with_settings

D, NONE = Decimal, Decimal(0)
CLOSED = FundsRefused(HopTrouble.REJECTED, "closed")
WAIT = SETTINGS.payout_wait
COSTLY = with_settings(
    hops=(hop(T1, T2), hop(T2, T3), hop(T3, T2, fee_flat=D(1)), hop(T2, T1, fee_flat=D(1)), hop(T1, WALLET))
)
SILENT_AT = {"T3-T2": T3, "T2-T1": T2, "T1-EVM": T1}


def refunding(settings: CollateralSettings = COSTLY) -> Rig:
    """A refund of 500 sets out from T3."""
    rig = Rig(settings)
    rig.deposit("500")
    rig.route("500")
    rig.serve()
    rig.refund()
    return rig


def paying_out(settings: CollateralSettings = COSTLY) -> Rig:
    """The cash of a sale, 500, sets out from T3."""
    rig = Rig(settings)
    rig.pay_out("500")
    return rig


def withdrawing(settings: CollateralSettings = COSTLY) -> Rig:
    """A withdrawal of 500 sets out from T3."""
    rig = Rig(settings)
    rig.deposit("500", at=T3)
    rig.withdraw("500")
    return rig


def close(rig: Rig, name: str, span: Nanos = WAIT) -> None:
    """Let hops before that one move, and that one refuse, until the wait is over."""
    until = rig.now + span
    while rig.now < until:
        while open_calls := [n for n, call in enumerate(rig.calls()) if call.call_id not in rig.answered]:
            call = rig.calls()[open_calls[0]]
            assert isinstance(call.body, MoveFunds)
            fee = rig.collateral.graph.hops[call.service.removeprefix("hop:")].fee_flat
            closed = call.service == f"hop:{name}"
            rig.reply(CLOSED if closed else FundsMoved(call.body.amount - fee, fee), open_calls[0])
        rig.advance(min(until, *rig.timers.values()) if rig.timers else until)


def be_silent(rig: Rig, name: str) -> None:
    """Let hops before that one move, and that one say nothing until the wait is over."""
    while rig.calls()[-1].service != f"hop:{name}":
        rig.reply_at_price()
    rig.advance(WAIT)


def paid(rig: Rig) -> list[PaidOut]:
    return [said for said in rig.told() if isinstance(said, PaidOut)]


def arrivals(rig: Rig) -> list[PayoutArrived]:
    return rig.facts(PayoutArrived)


def is_at_rest(rig: Rig) -> bool:
    state = rig.collateral.state
    return not (state.transfers or state.payouts or state.withdrawals or state.waiting or rig.timers)


@pytest.mark.parametrize(("name", "place", "fee"), [("T3-T2", T3, 0), ("T2-T1", T2, 1), ("T1-EVM", T1, 2)])
@pytest.mark.parametrize("begin", [refunding, paying_out], ids=["refund", "cash"])
def test_what_no_hop_takes_in_time_is_its_users_where_it_is(begin: object, name: str, place: str, fee: int) -> None:
    assert callable(begin)
    rig = begin()
    close(rig, name)
    assert paid(rig) == [PaidOut("O-1", NONE, D(fee), credited=D(500 - fee))]
    assert rig.facts(TransferStepped)[-1].what == "left"
    held = "unconfirmed" if place == T1 else "ready"
    assert rig.balance(place, held) == 500 - fee
    assert rig.now == WAIT
    assert is_at_rest(rig)


@pytest.mark.parametrize("begin", [refunding, paying_out], ids=["refund", "cash"])
def test_before_its_wait_is_over_nobody_is_told_anything(begin: object) -> None:
    assert callable(begin)
    rig = begin()
    rig.reply(CLOSED)
    rig.advance(WAIT - 1)
    assert paid(rig) == []


def test_cash_that_was_left_is_no_cash_any_more_and_the_facts_say_so() -> None:
    rig = paying_out()
    close(rig, "T2-T1")
    assert rig.collateral.state.books.positions[ALICE].debits.lots == {}
    moved = [(f.side, f.amount, f.was, f.state) for f in rig.facts(CollateralMoved) if f.what == "credited"]
    assert moved == [("debit", D(499), "routing", "spent"), ("credit", D(499), "", "ready")]


def test_what_was_left_is_withdrawn_when_the_hop_is_open_again() -> None:
    rig = paying_out()
    close(rig, "T2-T1")
    rig.withdraw("499")
    rig.serve()
    [ended] = rig.facts(WithdrawalEnded)
    assert (ended.paid, ended.fee) == (D(498), D(1))
    assert is_at_rest(rig)


@pytest.mark.parametrize("name", ["T3-T2", "T1-EVM"], ids=["at a destination", "where deposits lie"])
def test_what_was_left_counts_for_the_next_order_that_waits_for_it(name: str) -> None:
    rig = paying_out(with_settings(COSTLY, route_deadline=2 * WAIT))
    rig.route("400", "O-2")
    close(rig, name)
    rig.serve()
    assert [said.order_id for said in rig.told() if isinstance(said, CollateralRouted)] == ["O-2"]


@pytest.mark.parametrize("name", SILENT_AT)
@pytest.mark.parametrize("begin", [refunding, paying_out], ids=["refund", "cash"])
def test_what_a_hop_has_is_told_to_be_under_way_and_told_of_when_it_arrives(begin: object, name: str) -> None:
    assert callable(begin)
    rig = begin()
    be_silent(rig, name)
    fee = list(SILENT_AT).index(name)
    assert paid(rig) == [PaidOut("O-1", NONE, D(fee), under_way=D(500 - fee))]
    rig.advance(2 * WAIT)
    rig.reply_moved()
    rig.serve()
    assert arrivals(rig) == [PayoutArrived("O-1", ALICE, D(498), D(2 - fee), NONE)]
    assert len(paid(rig)) == 1
    assert is_at_rest(rig)


@pytest.mark.parametrize(
    "said", [FundsPending(), FundsMoved(D(501), NONE), FundsMoved(D("NaN"), NONE)], ids=["pending", "more", "no number"]
)
def test_a_hop_that_has_no_end_to_tell_of_puts_nothing_off(said: Record) -> None:
    rig = paying_out()
    while rig.now < WAIT:
        rig.reply(said)
        rig.advance(min(rig.timers.values()))
    assert rig.now == WAIT
    assert paid(rig) == [PaidOut("O-1", NONE, NONE, under_way=D(500))]
    assert len(rig.facts(HopDisputed)) <= 1


def test_what_was_under_way_is_left_at_the_next_stop_without_a_way_on() -> None:
    rig = paying_out()
    be_silent(rig, "T3-T2")
    rig.reply_moved()
    rig.reply(CLOSED)
    assert arrivals(rig) == [PayoutArrived("O-1", ALICE, NONE, D(1), D(499))]
    assert rig.balance(T2, "ready") == 499
    assert is_at_rest(rig)


def test_what_was_under_way_and_comes_back_is_sent_again_as_often_as_ever_and_then_left() -> None:
    rig = paying_out()
    be_silent(rig, "T3-T2")
    rig.reply(FundsReturned(D(499), HopTrouble.UNAVAILABLE, ""))
    rig.pass_seconds(1)
    assert isinstance(rig.calls()[-1].body, MoveFunds)
    rig.reply(CLOSED)
    assert arrivals(rig) == [PayoutArrived("O-1", ALICE, NONE, D(1), D(499))]


def test_one_that_waits_for_room_is_left_and_the_room_is_anothers() -> None:
    tight = (hop(T3, T2, capacity=D(500)), *(each for each in COSTLY.hops if each.name != "T3-T2"))
    rig = paying_out(with_settings(COSTLY, hops=tight, capacity_wait=2 * WAIT))
    rig.pass_seconds(10)
    rig.pay_out("400", "O-2")
    rig.advance(WAIT + 10 * SECOND)
    assert paid(rig)[1] == PaidOut("O-2", NONE, NONE, credited=D(400))
    assert list(rig.collateral.state.transfers) == ["T-1"]


def test_an_answer_at_the_last_moment_moves_the_money_no_further_than_it_says() -> None:
    rig = paying_out()
    rig.advance(WAIT - 1)
    rig.now = WAIT
    rig.reply_moved()
    assert paid(rig) == [PaidOut("O-1", NONE, D(1), credited=D(499))]


def test_a_withdrawal_that_no_hop_takes_is_refused_and_its_money_is_free() -> None:
    rig = withdrawing()
    close(rig, "T2-T1", WAIT + SETTINGS.withdrawal_wait)
    assert rig.facts(WithdrawalEnded) == [
        WithdrawalEnded(ALICE, 0, paid=NONE, fee=D(1), refused=D(499), reason="route_failed", payment_id="P-2")
    ]
    assert rig.balance(T2, "ready") == 499
    assert is_at_rest(rig)


def test_a_withdrawal_ends_with_what_a_hop_has_under_way() -> None:
    rig = withdrawing()
    be_silent(rig, "T2-T1")
    assert rig.facts(WithdrawalEnded) == []
    rig.pass_seconds(SETTINGS.withdrawal_wait // SECOND)
    [ended] = rig.facts(WithdrawalEnded)
    assert (ended.paid, ended.fee, ended.refused, ended.under_way, ended.reason) == (NONE, D(1), NONE, D(499), "")
    rig.reply_moved()
    rig.serve()
    assert arrivals(rig) == [PayoutArrived(ended.payment_id, ALICE, D(498), D(1), NONE)]
    assert is_at_rest(rig)


def test_an_order_whose_money_is_under_way_is_not_paid_out_again() -> None:
    rig = paying_out()
    be_silent(rig, "T3-T2")
    rig.pay_out("500")
    refused = [said.reason for said in rig.told() if isinstance(said, CollateralRefused)]
    assert refused == ["duplicate"]


def test_what_an_order_has_when_its_refund_is_under_way_already_is_its_users_where_it_is() -> None:
    rig = Rig(COSTLY)
    rig.deposit("500")
    rig.route("500")
    rig.serve()
    rig.preauthorise("100")
    rig.refund()
    assert rig.told(rig.refund("P-2")) == [PaidOut("O-1", NONE, NONE, credited=D(100))]
    rig.serve()
    assert paid(rig)[1:] == [PaidOut("O-1", D(398), D(2))]


def test_money_for_an_order_is_held_until_the_order_waits_no_more_and_then_left_where_it_is() -> None:
    rig = Rig(with_settings(COSTLY, hops=(hop(T1, T2), hop(T2, T3), *COSTLY.hops[2:3], hop(T1, WALLET))))
    rig.deposit("500")
    rig.route("500")
    close(rig, "T2-T3", SETTINGS.route_deadline - 1)
    assert rig.facts(TransferStepped)[-1].what == "held"
    close(rig, "T2-T3", 1)
    assert rig.facts(TransferStepped)[-1].what == "left"
    assert rig.told()[-1] == CollateralRefused("O-1", "route", "timeout", credited=D(500))
    assert rig.balance(T2, "ready") == 500
    assert is_at_rest(rig)


@pytest.mark.parametrize("again", [1, 5])
def test_a_hop_that_says_the_same_again_is_disputed_once_and_for_something_else_anew(again: int) -> None:
    rig = paying_out()
    for _ in range(again):
        rig.reply(FundsMoved(D(501), NONE))
        rig.pass_seconds(13)
    rig.reply(FundsMoved(D(502), NONE))
    assert [fact.what for fact in rig.facts(HopDisputed)] == [
        f"speaks of {amount}, and was given 500" for amount in (501, 502)
    ]


def test_a_withdrawal_of_more_than_goes_at_once_goes_in_parts() -> None:
    rig = Rig(with_settings(COSTLY, hops=(*COSTLY.hops[:4], hop(T1, WALLET, fee_flat=D(1), amount_max=D(100)))))
    rig.deposit("700", at=T1)
    rig.withdraw("240")
    rig.serve()
    assert [call.body.amount for call in rig.calls()] == [80, 80, 80]
    assert [(ended.paid, ended.fee, ended.refused) for ended in rig.facts(WithdrawalEnded)] == [(D(237), D(3), NONE)]
    assert is_at_rest(rig)


def test_a_withdrawal_has_no_more_than_so_many_parts_under_way_and_goes_on_when_one_has_arrived() -> None:
    rig = Rig(with_settings(COSTLY, hops=(*COSTLY.hops[:4], hop(T1, WALLET, amount_max=D(10)))))
    rig.deposit("700", at=T1)
    rig.withdraw("500")
    assert len(rig.calls()) == PARTS_MAX == 16
    rig.reply_at_price()
    assert len(rig.calls()) == PARTS_MAX + 1
    rig.serve()
    [ended] = rig.facts(WithdrawalEnded)
    assert (ended.paid, ended.refused, ended.reason) == (D(500), NONE, "")
    assert is_at_rest(rig)


def test_a_withdrawal_whose_parts_do_not_arrive_in_time_is_refused_the_rest_for_that() -> None:
    rig = Rig(with_settings(COSTLY, hops=(*COSTLY.hops[:4], hop(T1, WALLET, amount_max=D(10)))))
    rig.deposit("700", at=T1)
    rig.withdraw("500")
    rig.pass_seconds((SETTINGS.withdrawal_wait + WAIT) // SECOND)
    [ended] = rig.facts(WithdrawalEnded)
    assert (ended.under_way, ended.refused, ended.reason) == (D(160), D(340), "timeout")
    rig.serve()
    assert is_at_rest(rig)
