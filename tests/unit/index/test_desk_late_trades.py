"""A trade that is heard of after its exchange order has ended: its batch has it if it runs, and the house if not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.execution.records import AssetOrder, AssetOrderEnded, AssetOrderPlaced, PlaceOrders
from core.index.records import IndexOrderEnded, Outcome
from core.index.stock import house_quantities
from tests.helpers.index_desk import DeskRig, golden_settings

D = Decimal


@pytest.fixture
def rig() -> DeskRig:
    """One whose first batch is at the exchange, which says nothing yet."""
    rig = DeskRig(golden_settings())
    rig.weigh()
    rig.exchange.paused = True
    rig.order("C-1", "1000")
    rig.run(11)
    return rig


def batch(rig: DeskRig) -> tuple[PlaceOrders, AssetOrder, AssetOrder]:
    """What was asked for."""
    (asked,) = rig.exchange.waiting
    for order in asked.orders:
        rig.tell(AssetOrderPlaced(order.order_id, order.price, order.quantity), "execution")
    first, second = asked.orders
    return asked, first, second


def end(rig: DeskRig, asked: PlaceOrders, order: AssetOrder, traded: Decimal) -> None:
    left = order.quantity - traded
    rig.tell(AssetOrderEnded(asked.batch_id, order.order_id, order.symbol, "expired", left), "execution")


def test_while_the_batch_runs_its_orders_get_it(rig: DeskRig) -> None:
    asked, first, second = batch(rig)
    end(rig, asked, first, D(0))
    rig.tell(rig.exchange.trade(asked.batch_id, first, first.quantity, first.price), "execution")
    rig.tell(rig.exchange.trade(asked.batch_id, second, second.quantity, second.price), "execution")
    end(rig, asked, second, second.quantity)
    rig.exchange.paused = False
    rig.run(30)
    assert [each.outcome for each in rig.facts(IndexOrderEnded)] == [Outcome.MINTED]
    assert len(rig.exchange.orders) == 0, "nothing was bought twice"


def test_when_the_batch_is_over_the_house_holds_it_and_later_orders_use_it(rig: DeskRig) -> None:
    asked, first, second = batch(rig)
    end(rig, asked, first, D(0))
    end(rig, asked, second, D(0))
    rig.tell(rig.exchange.trade(asked.batch_id, first, D("0.7"), first.price), "execution")
    assert house_quantities(rig.desk.state.stock) == {first.symbol: D("0.7")}
    assert rig.desk.state.inventory.holdings[first.symbol].balance == D("0.7")
    rig.exchange.paused = False
    rig.run(60)
    assert [each.outcome for each in rig.facts(IndexOrderEnded)] == [Outcome.MINTED]
    bought = [each.quantity for each in rig.exchange.orders if each.symbol == first.symbol]
    assert bought[0] < first.quantity
