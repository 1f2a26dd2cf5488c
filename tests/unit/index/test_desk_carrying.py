"""Lots between two batches: for orders that go on, and otherwise the house's, under its limit like all that it has."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.execution.records import AssetOrder
from core.index.facts import HouseValued, IndexOrderDeferred, StockReleased
from core.index.records import CuratorWeightsSet, IndexOrderEnded, Outcome
from core.index.rounds import problem_of
from core.index.sizing import house_value
from core.index.stock import Lot, house_quantities, total_of
from core.units import SECOND
from tests.helpers.index_desk import BOB, DeskRig, golden_settings, levels, ready_rig

D = Decimal
DUST = D("0.01")


def without_az(_nth: int, order: AssetOrder) -> list[tuple[Decimal, Decimal]]:
    """An exchange that has everything but AZ."""
    return [] if order.symbol == "AZ" else [(order.quantity, order.price)]


def desk(house_exposure_max: str = "10000") -> DeskRig:
    """A desk at such an exchange."""
    settings = golden_settings()
    limits = structs.replace(settings.limits, house_exposure_max=D(house_exposure_max))
    rig = ready_rig(structs.replace(settings, limits=limits, nav_interval_ns=SECOND, house_surplus_max=D(10_000)))
    rig.exchange.script = without_az
    return rig


def carried(rig: DeskRig, at: str = "buy:AX") -> Decimal:
    """What is between two batches of an asset."""
    return total_of(rig.desk.state.stock.carried.get(at, ()))


def in_house(rig: DeskRig, asset: str = "AX") -> Decimal:
    """What the house has of an asset."""
    return house_quantities(rig.desk.state.stock).get(asset, D(0))


def test_lots_of_an_order_that_leaves_between_two_batches_are_the_houses() -> None:
    rig = desk()
    rig.order("C-1", "1500")
    rig.run(15)
    bought, padded = carried(rig), in_house(rig)
    assert bought > 11
    rig.cancel("C-1")
    assert (carried(rig), in_house(rig)) == (D(0), bought + padded)
    assert [(fact.symbol, fact.side, fact.quantity) for fact in rig.facts(StockReleased)] == [("AX", "buy", bought)]
    rig.order("C-2", "100", user=BOB)
    rig.run(3)
    assert [fact.quantity for fact in rig.facts(HouseValued) if fact.symbol == "AX"][-1] == bought + padded


def test_lots_of_an_order_that_leaves_a_running_batch_are_the_houses() -> None:
    rig = desk()
    rig.exchange.stays = True
    rig.order("C-1", "1500")
    rig.run(11)
    rig.cancel("C-1")
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.CANCELLED]
    assert (carried(rig), in_house(rig) > 11) == (D(0), True)


def test_what_the_house_got_of_orders_that_left_counts_against_what_padding_may_add() -> None:
    rig = desk(house_exposure_max="100")
    rig.order("C-1", "1500")
    rig.run(15)
    rig.cancel("C-1")
    rig.exchange.script = lambda _, order: [] if order.side == "sell" else [(order.quantity, order.price)]
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.tell(CuratorWeightsSet("IW", (("AW", D(1)),)))
    rig.order("C-2", "3", user=BOB, symbol="IW")
    rig.run(15)
    deferred = [fact for fact in rig.facts(IndexOrderDeferred) if fact.order_id == "I-2"]
    assert [(fact.reason, fact.asset) for fact in deferred] == [("house_exposure", "AW")]


def test_orders_that_stay_keep_as_much_as_they_could_use() -> None:
    rig = desk()
    rig.order("C-1", "1200")
    rig.order("C-2", "300", user=BOB)
    rig.run(15)
    before = carried(rig)
    rig.cancel("C-1")
    assert abs(carried(rig) - before / 5) < DUST
    rig.cancel("C-2", BOB)
    assert carried(rig) == 0


def test_an_order_that_is_for_less_keeps_no_more_than_that_takes() -> None:
    rig = desk()
    rig.order("C-1", "1500")
    rig.run(15)
    before = carried(rig)
    rig.amend("C-1", "500")
    assert abs(carried(rig) - before / 3) < DUST


@pytest.mark.parametrize("minted", ["at once", "when it has waited"])
def test_an_order_that_is_done_keeps_nothing(minted: str) -> None:
    rig = ready_rig(structs.replace(golden_settings(), fill_threshold=D("0.9" if minted == "at once" else "0.9999")))
    rig.exchange.script = lambda nth, order: (
        [(order.quantity * D("0.995"), order.price)]
        if nth < 3 and order.symbol == "AX"
        else [(order.quantity, order.price)]
        if nth < 3
        else []
    )
    rig.order("C-1", "1500")
    rig.run(40)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.MINTED]
    assert rig.desk.state.stock.carried == {}
    assert in_house(rig, "AZ") > 0


def test_oldest_lots_are_kept() -> None:
    rig = desk()
    rig.order("C-1", "1200")
    rig.order("C-2", "300", user=BOB)
    rig.exchange.script = lambda _, order: (
        [] if order.symbol == "AZ" else [(order.quantity / 2, order.price), (order.quantity / 2, order.price - 1)]
    )
    rig.run(15)
    first: Lot = rig.desk.state.stock.carried["buy:AX"][0]
    rig.cancel("C-1")
    assert [lot.lot_id for lot in rig.desk.state.stock.carried["buy:AX"]] == [first.lot_id]


def test_what_the_house_holds_is_valued_at_the_limits_of_now_whatever_is_planned() -> None:
    rig = desk()
    rig.order("C-1", "1500")
    rig.run(15)
    rig.cancel("C-1")
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.tell(CuratorWeightsSet("IW", (("AW", D(1)),)))
    rig.set_book("AX", levels((499, 20)), levels((500, 20)))
    rig.order("C-2", "3", user=BOB, symbol="IW")
    problem = problem_of(rig.desk, rig.now, [rig.desk.state.orders.live["I-2"]])
    assert house_value(problem) == in_house(rig) * 500 * (1 + rig.settings.limits.price_threshold)


def test_what_a_fall_makes_too_dear_for_orders_is_the_houses_and_sold_if_it_is_too_much() -> None:
    rig = desk(house_exposure_max="100")
    rig.order("C-1", "1500")
    rig.run(15)
    assert carried(rig) * 96 > 1000
    rig.exchange.script = lambda _, order: [] if order.side == "buy" else [(order.quantity, order.price)]
    rig.set_book("AX", levels((95, 100)), levels((96, 100)))
    rig.run(15)
    assert {(fact.symbol, fact.side) for fact in rig.facts(StockReleased)} == {("AX", "buy")}
    assert carried(rig) == 0
    assert in_house(rig) < DUST


def test_fees_beyond_the_factor_do_not_make_an_order_buy_twice() -> None:
    rig = desk()
    rig.exchange.fee_rate = D("0.02")
    rig.order("C-1", "1500")
    rig.run(15)
    once = carried(rig)
    assert once > 11
    rig.run(30)
    assert carried(rig) == once
    assert in_house(rig) < D("0.1")
