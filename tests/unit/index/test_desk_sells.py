"""The way back: tokens into custody, assets sold, cash to the user, tokens burned."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.collateral.records import HoldProceeds, PaidOut, PayOut
from core.index.chain import BurnIndex
from core.index.facts import LotClosed, TokensHeld
from core.index.inventory import find
from core.index.invoices import MintInvoice, RedemptionInvoice
from core.index.records import IndexOrderEnded, IndexOrderFill, IndexTokensDeposited, Outcome
from core.kernel.record import Call, Send, SetTimer
from core.units import MONEY
from tests.helpers.index_desk import ALICE, BOB, DeskRig, golden_settings, ready_rig

D = Decimal


@pytest.fixture
def rig() -> DeskRig:
    """Alice has bought for 2000, and holds her tokens."""
    one = ready_rig()
    one.order("C-1", "2000")
    one.run(60)
    assert one.chain.balance("IX", ALICE) > D("1.5")
    return one


def last(rig: DeskRig) -> IndexOrderEnded:
    """The newest last word."""
    return rig.facts(IndexOrderEnded)[-1]


def test_a_sell_brings_cash_and_burns_what_was_sold(rig: DeskRig) -> None:
    supply = rig.chain.supply("IX")
    rig.give_tokens(D("1.5"))
    rig.order("C-2", "1.5", "sell")
    rig.run(60)
    (invoice,) = rig.facts(RedemptionInvoice)
    assert (last(rig).outcome, last(rig).filled_quantity, last(rig).refund) == (Outcome.REDEEMED, D("1.5"), D(0))
    assert invoice.burned_quantity == D("1.5")
    assert invoice.amount_paid == rig.collateral.paid["I-2"]
    assert 0 <= invoice.proceeds - invoice.amount_paid < D("1e-6")
    assert rig.chain.supply("IX") == supply - D("1.5") == rig.desk.state.indexes.live["IX"].supply
    # sold at the limits, 90 * 0.99 and 295 * 0.99, less a fee of 0.1 %
    price = (D("8.275862068965517241379310344") * 90 + D("0.6735751295336787564766839378") * 295) * D("0.99")
    assert invoice.proceeds == pytest.approx(price * D("1.5") * D("0.999"))


def test_what_is_sold_closes_lots_first_in_first_out(rig: DeskRig) -> None:
    rig.give_tokens(D(1))
    rig.order("C-2", "1", "sell")
    rig.run(60)
    closes = rig.facts(LotClosed)
    assert next(close.lot_id for close in closes if close.symbol == "AX") == "L-01"
    assert all(close.profit < 0 for close in closes)
    assert sum(close.quantity for close in closes if close.symbol == "AX") == pytest.approx(D("8.275862068965517"))


def test_lots_that_were_sold_are_assigned_to_who_sold_them(rig: DeskRig) -> None:
    rig.give_tokens(D(1))
    rig.order("C-2", "1", "sell")
    rig.run(60)
    order = rig.desk.state.orders.ended["I-2"]
    for sold in order.lots.values():
        lot = find(rig.desk.state.inventory, sold.asset, "sell", sold.lot_id)
        assert lot is not None
        (mine,) = lot.assignments
        assert (mine.order_id, mine.user, mine.side, mine.quantity) == ("I-2", ALICE, "sell", sold.quantity)


def test_a_sell_waits_for_its_tokens(rig: DeskRig) -> None:
    rig.order("C-2", "1", "sell")
    rig.run(60)
    assert len(rig.facts(IndexOrderEnded)) == 1
    rig.give_tokens(D(1))
    rig.run(60)
    assert last(rig).outcome is Outcome.REDEEMED


def test_a_sell_without_tokens_expires(rig: DeskRig) -> None:
    rig.order("C-2", "1", "sell", user=BOB)
    rig.run(700)
    assert (last(rig).outcome, last(rig).refund) == (Outcome.EXPIRED, D(0))


def test_a_deposit_of_tokens_counts_once(rig: DeskRig) -> None:
    rig.give_tokens(D(1))
    rig.tell(IndexTokensDeposited(ALICE, "IX", 0, D(1)), "chain")
    assert [(fact.seq_num, fact.free) for fact in rig.facts(TokensHeld)] == [(0, D(1))]


def test_a_cancelled_sell_burns_what_was_sold_and_returns_the_rest(rig: DeskRig) -> None:
    held = rig.chain.balance("IX", ALICE)
    rig.give_tokens(D(1))
    rig.exchange.paused = True
    rig.exchange.script = lambda _, order: [(order.quantity / 4, order.price)]
    rig.order("C-2", "1", "sell")
    rig.run(11)
    rig.cancel("C-2")
    rig.resume_exchange()
    rig.run(5)
    sold = last(rig).filled_quantity
    assert (last(rig).outcome, round(sold, 17)) == (Outcome.CANCELLED, D("0.25"))
    assert last(rig).refund == 1 - sold
    assert rig.chain.balance("IX", ALICE) == held - sold
    assert rig.desk.state.custody.locked == {}


def test_cash_that_no_way_home_takes_is_credited_and_the_order_ends(rig: DeskRig) -> None:
    rig.collateral.sends_home = False
    rig.give_tokens(D(1))
    rig.order("C-2", "1", "sell")
    rig.run(60)
    (invoice,) = rig.facts(RedemptionInvoice)
    assert invoice.amount_paid == invoice.amount_credited > 0
    assert 0 <= invoice.proceeds - invoice.amount_paid < D("1e-6")
    assert (last(rig).outcome, last(rig).filled_quantity) == (Outcome.REDEEMED, D(1))
    assert rig.collateral.paid == {}


def test_a_redemptions_invoice_adds_up_from_what_was_sold_to_what_was_paid(rig: DeskRig) -> None:
    rig.collateral.payout_fee = D(2)
    rig.give_tokens(D("1.5"))
    rig.order("C-2", "1.5", "sell")
    rig.run(60)
    (invoice,) = rig.facts(RedemptionInvoice)
    sold = sum(lot.price * lot.quantity for lot in rig.desk.state.orders.ended["I-2"].lots.values())
    assert invoice.assets_value == pytest.approx(sold)
    assert (invoice.payout_fee, invoice.amount_credited) == (D(2), D(0))
    assert invoice.exchange_fee > 0
    net = invoice.assets_value - invoice.exchange_fee - invoice.payout_fee
    assert invoice.amount_paid == pytest.approx(net, abs=D("1e-6"))


def test_a_redemption_says_what_its_order_was_for_in_the_end(rig: DeskRig) -> None:
    rig.give_tokens(D("1.5"))
    rig.order("C-2", "1.5", "sell")
    rig.amend("C-2", "1")
    rig.run(60)
    (invoice,) = rig.facts(RedemptionInvoice)
    assert (invoice.total_quantity, invoice.burned_quantity, invoice.quantity_remaining) == (D(1), D(1), D(0))


def test_a_sell_without_tokens_is_looked_at_once_a_tick_when_nobody_has_to_wait() -> None:
    one = ready_rig(structs.replace(golden_settings(), client_order_wait_ns=0))
    one.order("C-1", "1", "sell")
    one.run(1)
    timers = (effect for effects in one.effects for effect in effects if isinstance(effect, SetTimer))
    ticks = [timer for timer in timers if timer.key == "tick"]
    assert 9 <= len(ticks) <= 11


def test_cash_that_is_refused_for_good_ends_the_order_and_its_tokens_go_back_to_be_sold_again(rig: DeskRig) -> None:
    rig.collateral.refuse = {"hold": "unknown_symbol"}
    held = rig.chain.balance("IX", ALICE)
    rig.give_tokens(D(1))
    rig.order("C-2", "1", "sell")
    rig.run(60)
    assert (last(rig).outcome, last(rig).reason) == (Outcome.REJECTED, "unpayable: unknown_symbol")
    assert (last(rig).filled_quantity, last(rig).refund) == (D(0), D(1))
    assert rig.facts(RedemptionInvoice) == []
    assert rig.chain.balance("IX", ALICE) == held
    assert rig.desk.state.custody.locked == {}
    rig.run(3600)
    assert len(rig.facts(IndexOrderEnded)) == 2
    rig.collateral.refuse = {}
    rig.give_tokens(D(1))
    rig.order("C-3", "1", "sell")
    rig.run(60)
    assert list(rig.collateral.paid) == ["I-3"]
    assert (last(rig).outcome, last(rig).filled_quantity) == (Outcome.REDEEMED, D(1))


def test_a_pay_out_that_is_on_its_way_already_is_waited_for(rig: DeskRig) -> None:
    rig.collateral.refuse = {"pay_out": "duplicate"}
    rig.give_tokens(D(1))
    rig.order("C-2", "1", "sell")
    rig.run(60)
    assert len(rig.facts(IndexOrderEnded)) == 1
    rig.tell(PaidOut("I-2", rig.collateral.proceeds["I-2"] - 1, D(1)), "collateral")
    rig.run(5)
    assert last(rig).outcome is Outcome.REDEEMED


def test_tokens_are_burned_once_their_cash_is_held_and_the_cash_is_paid_out_once_they_are_burned(rig: DeskRig) -> None:
    supply, began = rig.chain.supply("IX"), len(rig.effects)
    rig.give_tokens(D("1.5"))
    rig.order("C-2", "1", "sell")
    rig.chain_refuses = 1
    rig.run(10.5)
    assert rig.collateral.proceeds.keys() == {"I-2"}
    assert (rig.collateral.paid, rig.chain.supply("IX")) == ({}, supply)
    rig.run(60)
    asked = [effect for effects in rig.effects[began:] for effect in effects if isinstance(effect, Send | Call)]
    order = [type(effect.body) for effect in asked if isinstance(effect.body, HoldProceeds | BurnIndex | PayOut)]
    assert order == [HoldProceeds, BurnIndex, BurnIndex, PayOut]
    assert rig.collateral.paid == rig.collateral.proceeds
    assert rig.chain.supply("IX") == supply - 1


def test_a_pay_out_that_is_stuck_keeps_no_burned_tokens_in_the_supply_and_none_that_were_not_sold(rig: DeskRig) -> None:
    supply, held = rig.chain.supply("IX"), rig.chain.balance("IX", ALICE)
    rig.give_tokens(D("1.5"))
    rig.order("C-2", "1.5", "sell")
    rig.amend("C-2", "1")
    rig.collateral.stuck = True
    rig.run(60)
    assert rig.chain.supply("IX") == rig.desk.state.indexes.live["IX"].supply == supply - 1
    assert rig.chain.balance("IX", ALICE) == held - 1
    assert len(rig.facts(IndexOrderEnded)) == 1
    rig.tell(PaidOut("I-2", rig.collateral.proceeds["I-2"] - 1, D(1)), "collateral")
    assert (last(rig).outcome, last(rig).filled_quantity, last(rig).refund) == (Outcome.REDEEMED, D(1), D("0.5"))


def test_cash_that_is_refused_after_the_burn_stays_its_users_with_the_collateral(rig: DeskRig) -> None:
    rig.collateral.refuse = {"pay_out": "not_enough_funds"}
    rig.give_tokens(D(1))
    rig.order("C-2", "1", "sell")
    rig.run(60)
    (invoice,) = rig.facts(RedemptionInvoice)
    assert invoice.amount_paid == invoice.amount_credited == rig.collateral.proceeds["I-2"]
    assert last(rig).outcome is Outcome.REDEEMED


def test_buys_and_sells_of_different_users_meet_before_the_exchange(rig: DeskRig) -> None:
    sent = len(rig.exchange.orders)
    rig.give_tokens(D("1.5"))
    rig.order("C-1", "1000", user=BOB)
    rig.run(0.1)
    rig.order("C-2", "1.5", "sell")
    rig.run(60)
    ends = {(fact.user, fact.client_order_id): fact for fact in rig.facts(IndexOrderEnded)}
    bought, sold = ends[BOB, "C-1"], ends[ALICE, "C-2"]
    assert (bought.outcome, sold.outcome) == (Outcome.MINTED, Outcome.REDEEMED)
    traded = [order for order in rig.exchange.orders[sent:] if order.symbol == "AX"]
    assert sum(order.quantity for order in traded if order.side == "sell") < D("8.3") * (D("1.5") - D("0.9"))
    assert sum(order.quantity for order in traded if order.side == "buy") < 1


def test_a_sell_is_engaged_by_quantity_within_the_cap_of_one_order() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, max_order_volley_size=D(500))
    one = ready_rig(structs.replace(settings, limits=limits))
    one.order("C-1", "2000")
    one.run(60)
    one.give_tokens(D(1))
    one.order("C-2", "1", "sell")
    one.run(60)
    fills = [fact for fact in one.facts(IndexOrderFill) if fact.order_id == "I-2" and fact.batch_id]
    assert len({fact.batch_id for fact in fills}) == 2
    assert last(one).filled_quantity == 1
    assert len(one.facts(MintInvoice)) == 1


@pytest.mark.parametrize("target", ["8.93E-10", "2.3E-11", "9.4E-12"])
def test_tokens_of_more_digits_than_money_are_bought_and_burned_to_the_last_digit(target: str) -> None:
    rig = ready_rig(structs.replace(golden_settings(), order_amount_max=D(10) ** 18, target_price=D(target)))
    rig.exchange.script = lambda _, order: [(order.quantity * D(part), order.price) for part in ("0.3", "0.2")]
    rig.order("C-1", "3521.0175")
    rig.order("C-2", "9.7")
    rig.order("C-1", "900.123456", user=BOB)
    rig.run(300)
    for user in (ALICE, BOB):
        held = rig.chain.balance("IX", user)
        rig.give_tokens(held, user)
        rig.order("C-3", str(held), "sell", user=user)
        rig.run(1000)
    calls = [effect for effects in rig.effects for effect in effects if isinstance(effect, Call)]
    burned = [call.body.quantity for call in calls if isinstance(call.body, BurnIndex)]
    assert len(burned) == 2, "none of them is more than what there is, which would be asked for again and again"
    assert max(len(quantity.as_tuple().digits) for quantity in burned) > MONEY.prec
    assert rig.desk.state.indexes.live["IX"].supply == rig.chain.supply("IX")
