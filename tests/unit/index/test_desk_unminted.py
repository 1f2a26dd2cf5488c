"""What becomes of what is held for an index when the tokens that it was bought for will not be, or are no more."""

from __future__ import annotations

from decimal import Decimal

from msgspec import structs

from core.execution.records import AssetOrder
from core.index.chain import ChainDeclined
from core.index.facts import CashForgone, CashLeft, CashSettled, LotForgone, OrderRepaid
from core.index.records import IndexOrderEnded
from core.kernel.record import Reply
from core.units import SECOND
from tests.helpers.index_desk import ALICE, BOB, DeskRig, golden_settings, levels, ready_rig

D = Decimal
AW_ONLY = (("AW", D(1)),)


def with_a_payment_that_is_not_minted_yet(window: int = 20) -> DeskRig:
    """Bob holds tokens; Alice has paid for twice as many (order I-2), and the chain does not answer."""
    settings = structs.replace(golden_settings(), rebalance_interval_ns=0, rebalance_window_ns=window * SECOND)
    rig = ready_rig(settings)
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.order("B-1", "1000", user=BOB)
    rig.run(60)
    rig.chain_refuses = 10**6
    rig.order("A-1", "2000")
    rig.run(40)
    return rig


def decline_the_mint(rig: DeskRig) -> None:
    rig.chain_refuses = 0
    rig.deliver(Reply("chain:1:mint:I-2", ChainDeclined("barred")))


def sales_alone(_nth: int, order: AssetOrder) -> list[tuple[Decimal, Decimal]]:
    return [(order.quantity, order.price)] if order.side == "sell" else []


def with_little_bought(rig: DeskRig) -> None:
    """The index is traded into AW, of which little is to be had: it owes most of it to its tokens."""
    bought = []

    def once(nth: int, order: AssetOrder) -> list[tuple[Decimal, Decimal]]:
        if order.side == "sell":
            return sales_alone(nth, order)
        bought.append(order)
        return [(order.quantity / 3, order.price)] if len(bought) == 1 else []

    rig.exchange.script = once
    rig.set_book("AW", levels((9, 1000)), levels((10, 60)))
    rig.weigh("IX", AW_ONLY)
    rig.run(21)
    rig.exchange.script = sales_alone
    rig.set_book("AW", levels((9, 1000)), ())
    rig.run(30)


def test_an_order_whose_mint_is_declined_ends_at_once_though_the_house_trades_for_its_index() -> None:
    rig = with_a_payment_that_is_not_minted_yet(window=3600)
    rig.exchange.stays, rig.exchange.script = True, lambda _nth, _order: []
    rig.weigh("IX", AW_ONLY)
    rig.run(2)
    assert rig.desk.state.indexes.house_batch
    decline_the_mint(rig)
    assert [fact.order_id for fact in rig.facts(OrderRepaid)] == ["I-2"]
    assert [fact.order_id for fact in rig.facts(IndexOrderEnded)] == ["I-1", "I-2"]
    assert rig.facts(LotForgone) == []
    rig.run(3700)
    index = rig.desk.state.indexes.live["IX"]
    assert {fact.order_id for fact in rig.facts(LotForgone)} == {"I-2"}
    assert index.backed == index.supply == rig.chain.balance("IX", BOB)
    assert rig.desk.state.indexes.unminted == []


def test_a_share_that_waits_for_the_house_outlives_a_restart() -> None:
    rig = with_a_payment_that_is_not_minted_yet()
    rig.restarts = True
    rig.exchange.stays, rig.exchange.script = True, lambda _nth, _order: []
    rig.weigh("IX", AW_ONLY)
    rig.run(2)
    decline_the_mint(rig)
    rig.run(60)
    assert {fact.order_id for fact in rig.facts(LotForgone)} == {"I-2"}


def test_the_share_of_tokens_that_will_not_be_leaves_what_a_running_sell_was_promised() -> None:
    rig = with_a_payment_that_is_not_minted_yet()
    with_little_bought(rig)
    index = rig.desk.state.indexes.live["IX"]
    there = index.held["AW"] / index.basket.quantities()["AW"]
    amount = there.quantize(D("0.0001"), rounding="ROUND_DOWN")
    rig.exchange.paused, rig.chain_refuses = True, 0
    rig.give_tokens(amount, BOB)
    rig.chain_refuses = 10**6
    rig.order("B-2", str(amount), "sell", user=BOB)
    rig.run(12)
    held, cash, backed = index.held["AW"], index.cash, index.backed
    decline_the_mint(rig)
    needed = amount * index.basket.quantities()["AW"]
    assert rig.desk.state.orders.live["I-3"].state == "engaged"
    assert held > index.held["AW"] >= needed - D("1e-15")
    (left,) = rig.facts(CashForgone)
    forgone = cash * (backed - index.backed) / backed
    assert (left.amount, index.cash) == (forgone, cash - forgone)
    rig.resume_exchange()
    rig.run(60)
    assert rig.facts(IndexOrderEnded)[-1].outcome == "redeemed"


def test_the_cash_of_an_index_is_the_houses_when_its_last_token_is_sold() -> None:
    rig = ready_rig()
    rig.order("C-1", "2000")
    rig.run(60)
    index = rig.desk.state.indexes.live["IX"]
    rig.weigh("IX", (("AX", D("0.4")), ("AZ", D("0.6"))))
    rig.run(30)
    cash, tokens = index.cash, rig.chain.balance("IX", ALICE)
    assert cash
    rig.give_tokens(tokens)
    rig.order("S-1", str(tokens), "sell")
    rig.run(60)
    assert (index.supply, index.backed, index.cash) == (D(0), D(0), D(0))
    assert sum(fact.amount for fact in rig.facts(CashSettled)) == cash


def test_what_is_sold_for_an_index_of_no_tokens_is_the_houses_and_not_its_next_buyers() -> None:
    rig = with_a_payment_that_is_not_minted_yet()
    rig.chain_refuses = 0
    rig.run(60)
    rig.exchange.script = lambda _nth, order: [(order.quantity, order.price)] if order.symbol == "AW" else []
    rig.weigh("IX", AW_ONLY)
    rig.run(30)
    index = rig.desk.state.indexes.live["IX"]
    assert index.cash < 0
    for user in (ALICE, BOB):
        rig.give_tokens(rig.chain.balance("IX", user), user)
        rig.order(f"S-{user}", str(rig.desk.state.custody.balance(user, "IX")), "sell", user=user)
    rig.run(60)
    assert (index.supply, index.backed, index.cash) == (D(0), D(0), D(0))
    assert index.held["AX"] > 0
    before = len(rig.facts(CashLeft))
    rig.exchange.script = lambda _nth, order: [(order.quantity, order.price)]
    rig.run(120)
    left = rig.facts(CashLeft)[before:]
    assert (index.cash, {fact.symbol for fact in left}) == (D(0), {"IX"})
    assert all(fact.amount > 0 for fact in left)
