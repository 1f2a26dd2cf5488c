"""Buys and sells meet before the market: in one batch, for which a ready order waits if one of the other side comes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index.facts import (
    AssetOrderPlanned,
    CrossingAwaited,
    IndexOrderDeferred,
    LotAssigned,
    OrderEngaged,
    OrdersCrossed,
)
from core.index.records import IndexOrderEnded, Outcome
from core.units import SECOND
from tests.helpers.index_desk import BOB, DeskRig, golden_settings, levels, ready_rig

D = Decimal
WAIT = 5


def rig_of(wait: int = WAIT) -> DeskRig:
    """Alice has bought for 2000, and holds her tokens. Orders are served after a second."""
    settings = structs.replace(golden_settings(), crossing_wait_ns=wait * SECOND, client_order_wait_ns=SECOND)
    rig = ready_rig(settings)
    rig.order("C-0", "2000")
    rig.run(60)
    return rig


@pytest.fixture
def rig() -> DeskRig:
    return rig_of()


def slow_buy(rig: DeskRig, amount: str = "1000") -> None:
    """Bob buys, and his money takes until the collateral is resumed."""
    rig.collateral.paused = True
    rig.order("B-1", amount, user=BOB)


def sell(rig: DeskRig, amount: str = "1.5") -> None:
    rig.give_tokens(D(amount))
    rig.order("S-1", amount, "sell")


def test_a_sell_waits_for_a_buy_whose_money_is_on_its_way_and_both_go_at_once(rig: DeskRig) -> None:
    slow_buy(rig)
    sell(rig)
    rig.run(3)
    assert [fact.order_id for fact in rig.facts(CrossingAwaited)] == ["I-3"]
    assert [fact.order_id for fact in rig.facts(OrderEngaged) if fact.order_id != "I-1"] == []
    rig.resume_collateral()
    rig.run(0.2)
    engaged = [fact for fact in rig.facts(OrderEngaged) if fact.order_id != "I-1"]
    assert {fact.order_id for fact in engaged[:2]} == {"I-2", "I-3"}
    assert engaged[0].batch_id == engaged[1].batch_id
    crossed = rig.facts(OrdersCrossed)
    assert {fact.symbol for fact in crossed} == {"AX", "AZ"}
    assert {fact.price for fact in crossed} == {D(95), D("297.5")}


def test_without_a_crossing_wait_they_trade_one_after_the_other() -> None:
    rig = rig_of(0)
    slow_buy(rig)
    sell(rig)
    rig.run(3)
    rig.resume_collateral()
    rig.run(60)
    assert not rig.facts(OrdersCrossed)
    assert not rig.facts(CrossingAwaited)
    assert [end.outcome for end in rig.facts(IndexOrderEnded)[1:]] == [Outcome.REDEEMED, Outcome.MINTED]


def test_nobody_waits_longer_than_the_crossing_wait(rig: DeskRig) -> None:
    slow_buy(rig)
    sell(rig)
    rig.run(WAIT + 0.9)
    assert "I-3" not in [fact.order_id for fact in rig.facts(OrderEngaged)]
    rig.run(0.3)
    assert "I-3" in [fact.order_id for fact in rig.facts(OrderEngaged)]


def test_nobody_waits_where_nobody_comes(rig: DeskRig) -> None:
    sell(rig)
    rig.run(1.3)
    assert rig.facts(CrossingAwaited) == []
    assert "I-2" in [fact.order_id for fact in rig.facts(OrderEngaged)]


def test_a_buy_does_not_wait_for_a_sell_whose_tokens_are_not_there(rig: DeskRig) -> None:
    rig.order("S-1", "1.5", "sell", user=BOB)
    rig.order("C-2", "1000")
    rig.run(1.3)
    assert rig.facts(CrossingAwaited) == []


def test_an_order_that_waits_can_be_cancelled(rig: DeskRig) -> None:
    slow_buy(rig)
    sell(rig)
    rig.run(2)
    rig.cancel("S-1")
    assert rig.facts(IndexOrderEnded)[-1].refund == D("1.5")
    assert rig.desk.state.orders.ready.gathering == {}


def test_a_buy_that_goes_on_from_a_batch_takes_a_sell_along_that_waits_for_another(rig: DeskRig) -> None:
    rig.exchange.script = lambda _nth, order: [(order.quantity / 2, order.price)]
    rig.exchange.paused = True
    rig.order("C-2", "1000", user=BOB)
    rig.run(1.3)
    slow_buy(rig)
    sell(rig)
    rig.run(1.3)
    assert list(rig.desk.state.orders.ready.gathering) == ["I-4"]
    rig.resume_exchange()
    rig.run(0.2)
    batches = [{fact.batch_id for fact in rig.facts(OrderEngaged) if fact.order_id == name} for name in ("I-2", "I-4")]
    assert batches[0] & batches[1]


def test_what_is_crossed_and_what_the_house_takes_over_are_told_apart() -> None:
    rig = rig_of()
    slow_buy(rig, "996")
    sell(rig, "1")
    rig.run(3)
    rig.resume_collateral()
    rig.run(30)
    sells = [fact for fact in rig.facts(AssetOrderPlanned) if fact.side == "sell" and fact.demand > 0]
    buys = {fact.symbol: fact for fact in rig.facts(AssetOrderPlanned) if fact.side == "buy" and fact.crossed > 0}
    for fact in sells:
        assert abs(fact.demand - fact.stock - fact.crossed - fact.house - fact.quantity) <= D("1e-4")
    first = [fact for fact in sells if fact.batch_id == next(iter(buys.values())).batch_id]
    assert {fact.symbol: fact.crossed for fact in first} == {name: fact.crossed for name, fact in buys.items()}
    assert all(fact.house > 0 for fact in first if not fact.quantity)


def test_slices_of_a_sell_say_that_they_were_sold(rig: DeskRig) -> None:
    slow_buy(rig)
    sell(rig)
    rig.run(3)
    rig.resume_collateral()
    rig.run(60)
    sides = {
        fact.order_id: {one.side for one in rig.facts(LotAssigned) if one.order_id == fact.order_id}
        for fact in rig.facts(LotAssigned)
    }
    assert sides == {"I-1": {"buy"}, "I-2": {"buy"}, "I-3": {"sell"}}


def test_a_desk_that_is_killed_before_every_event_lets_the_same_orders_meet() -> None:
    rigs = [rig_of(), rig_of()]
    rigs[1].restarts = True
    for rig in rigs:
        slow_buy(rig)
        sell(rig)
        rig.run(3)
        rig.resume_collateral()
        rig.run(60)
    assert rigs[0].effects == rigs[1].effects
    assert rigs[0].facts(OrdersCrossed)


def test_a_sell_that_no_market_takes_goes_with_the_next_buy_that_comes() -> None:
    rig = rig_of(0)
    for asset, bid, ask in (("AX", "90", "100"), ("AZ", "295", "300")):
        rig.set_book(asset, levels((bid, "0.0001")), levels((ask, "0.0001")))
    sell(rig, "1")
    rig.run(3)
    assert rig.facts(IndexOrderDeferred)[-1].reason == "no_liquidity"
    rig.order("B-1", "2000", user=BOB)
    rig.run(3)
    assert {fact.symbol for fact in rig.facts(OrdersCrossed)} == {"AX", "AZ"}
    assert rig.facts(IndexOrderEnded)[-1].outcome is Outcome.REDEEMED
