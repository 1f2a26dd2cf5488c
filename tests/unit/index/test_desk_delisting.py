"""Delistings: nothing keeps the desk from selling what leaves, and nothing makes it buy or hold it again."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index.facts import BasketSet, HouseTaskSet, RebalanceEnded, RebalanceStarted, WeightsRefused
from core.index.reasons import WeightsRefusal
from core.index.records import DelistAsset, IndexOrderEnded, Outcome
from core.index.stock import Lot, add_house, house_quantities, put
from core.market.exchange import EXCHANGE, MarketDataDown, MarketDataUp
from core.units import SECOND
from tests.helpers.index_desk import DeskRig, golden_settings, levels, ready_rig

D = Decimal
HALVES = (("AX", D("0.5")), ("AZ", D("0.5")))
WITH_AW = (("AX", D("0.5")), ("AW", D("0.5")))
THIRDS = (("AX", D(1)), ("AZ", D(1)), ("AW", D(1)))


@pytest.fixture
def rig() -> DeskRig:
    """A desk that has minted tokens for 2000, and may be given new weights at once."""
    one = ready_rig(structs.replace(golden_settings(), rebalance_interval_ns=0))
    one.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    one.order("C-1", "2000")
    one.run(60)
    assert one.facts(IndexOrderEnded)[0].outcome is Outcome.MINTED
    return one


def delist(rig: DeskRig, asset: str, seconds: int) -> None:
    """Let an asset leave so many seconds from now."""
    rig.tell(DelistAsset(asset, rig.now + seconds * SECOND))


def assets(rig: DeskRig) -> list[str]:
    """What the basket in force is made of."""
    return list(rig.desk.state.indexes.live["IX"].basket.quantities())


def held(rig: DeskRig, asset: str) -> Decimal:
    """What is held of an asset for the tokens of IX."""
    return rig.desk.state.indexes.live["IX"].held.get(asset, D(0))


def refusals(rig: DeskRig) -> list[str]:
    """Why weights and delistings were not taken, or not at once."""
    return [fact.reason for fact in rig.facts(WeightsRefused)]


def is_backed(rig: DeskRig) -> bool:
    """Whether what is held is what the basket in force asks for, where nothing counts as little."""
    index = rig.desk.state.indexes.live["IX"]
    wanted = {asset: each * index.backed for asset, each in index.basket.quantities().items()}
    return all(abs(wanted.get(asset, D(0)) - held(rig, asset)) < D("1e-3") for asset in {**wanted, **index.held})


def test_a_delisting_while_a_house_batch_is_cut_short_is_seen_to_when_that_has_ended_with_nothing() -> None:
    settings = structs.replace(golden_settings(), assets=("AQ",), house_surplus_max=D(10), nav_interval_ns=0)
    settings = structs.replace(settings, books=structs.replace(settings.books, stale_after_ns=10**6 * SECOND))
    rig = DeskRig(settings, books={"AQ": (levels((90, 1000)), levels((100, 1000)))})
    rig.weigh()
    rig.exchange.script, rig.exchange.stays = lambda _nth, _order: [], True
    rig.exchange.stalls = True
    add_house(rig.desk.state.stock, lot("AX", "5"))
    rig.desk.state.indexes.attend = True
    rig.quote("Q-1", "100")
    rig.run(3)
    assert [fact.asset for fact in rig.facts(HouseTaskSet)] == ["AX"]
    add_house(rig.desk.state.stock, lot("AQ", "1"))
    delist(rig, "AQ", 500)
    rig.run(10)
    assert rig.desk.state.tick_at is None, "there is nothing to do before the exchange answers"
    for ended in rig.exchange.standing.pop(rig.desk.state.indexes.house_batch):
        rig.tell(ended)
    rig.run(1)
    assert "AQ" in [order.symbol for order in rig.exchange.orders]


def lot(asset: str, quantity: str, *, bought: bool = True) -> Lot:
    """A lot that was bought, or sold."""
    return Lot(
        lot_id="L-x",
        asset=asset,
        side="buy" if bought else "sell",
        price=D(100),
        original=D(quantity),
        remaining=D(quantity),
        fee=D(0),
        batch_id="",
        created_at=0,
    )


def test_a_delisting_during_a_rebalance_keeps_what_the_curator_wants_of_the_others(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.weigh("IX", THIRDS)
    rig.run(1)
    delist(rig, "AZ", 60)
    rig.resume_exchange()
    rig.run(30)
    assert assets(rig) == ["AX", "AW"]
    worth = {part.asset: part.weight for part in rig.desk.state.indexes.live["IX"].basket.assets}
    assert abs(worth["AX"] - worth["AW"]) < D("0.001")
    assert is_backed(rig)


def test_an_asset_that_is_only_aimed_at_is_not_bought_when_it_is_delisted(rig: DeskRig) -> None:
    rig.exchange.script = lambda _, order: [] if order.symbol == "AW" else [(order.quantity, order.price)]
    rig.weigh("IX", WITH_AW)
    rig.run(1)
    delist(rig, "AW", 60)
    rig.run(30)
    assert assets(rig) == ["AX"]
    assert "AW" not in rig.desk.state.inventory.holdings
    assert WeightsRefusal.UNKNOWN_ASSET not in refusals(rig)
    assert is_backed(rig)


def test_a_delisting_without_prices_of_the_others_sells_at_once_and_is_made_good_when_they_come(rig: DeskRig) -> None:
    rig.set_book("AX", (), ())
    delist(rig, "AZ", 60)
    rig.run(5)
    assert refusals(rig)[-1] == WeightsRefusal.UNPRICED
    assert held(rig, "AZ") < D("1e-3")
    assert rig.facts(RebalanceEnded) == []
    rig.set_book("AX", levels((95, 100)), levels((100, 100)))
    rig.run(5)
    assert [fact.missing for fact in rig.facts(RebalanceEnded)] == [()]
    assert assets(rig) == ["AX"]
    assert is_backed(rig)


@pytest.mark.parametrize("waits", [5, 70])
def test_what_was_sold_before_the_others_had_prices_counts_at_what_it_brought(rig: DeskRig, waits: int) -> None:
    index = rig.desk.state.indexes.live["IX"]
    before, cash = index.basket.quantities()["AX"], index.cash
    rig.set_book("AX", (), ())
    delist(rig, "AZ", 60)
    rig.run(5)
    brought = index.cash - cash
    assert held(rig, "AZ") == 0 < brought
    rig.set_book("AZ", (), ())
    rig.run(waits)
    rig.set_book("AX", levels((90, 100)), levels((100, 100)))
    rig.run(20)
    bought = index.basket.quantities()["AX"] - before
    assert bought * 95 * index.backed == pytest.approx(brought)
    assert abs(index.cash) < brought / 10
    assert is_backed(rig)


def test_what_was_sold_in_part_counts_at_what_that_brought_and_the_rest_at_its_price(rig: DeskRig) -> None:
    index, had = rig.desk.state.indexes.live["IX"], held(rig, "AZ")
    rig.exchange.script = lambda _, order: [(order.quantity / 4, order.price)] if len(rig.exchange.orders) < 4 else []
    rig.set_book("AX", (), ())
    delist(rig, "AZ", 600)
    rig.run(5)
    sold = rig.desk.state.indexes.leaving["IX"].sold["AZ"]
    assert 0 < held(rig, "AZ") < had
    assert sold.quantity == had - held(rig, "AZ")
    rig.set_book("AX", levels((90, 100)), levels((100, 100)))
    rig.run(1)
    aim, basket = rig.desk.state.indexes.aim("IX").quantities(), index.basket.quantities()
    middle = (295 * 80 + 300 * 50) / D(130)
    assert (aim["AX"] - basket["AX"]) * 95 == pytest.approx(
        basket["AZ"] * (sold.brought + held(rig, "AZ") * middle) / had, rel=D("0.02")
    )


def test_of_what_has_left_and_has_no_price_any_more_a_token_is_worth_nothing(rig: DeskRig) -> None:
    before = rig.desk.state.indexes.live["IX"].basket.quantities()["AX"]
    rig.set_book("AZ", (), ())
    delist(rig, "AZ", 60)
    rig.run(30)
    assert assets(rig) == ["AX", "AZ"]
    rig.run(40)
    rig.set_book("AX", levels((90, 100)), levels((100, 100)))
    rig.run(1)
    aim = rig.desk.state.indexes.aim("IX").quantities()
    assert list(aim) == ["AX"]
    assert abs(aim["AX"] - before) < D("1e-18")


def test_what_leaves_is_sold_at_once_though_a_rebalance_stands_in_the_book(rig: DeskRig) -> None:
    rig.exchange.stays = True
    rig.exchange.script = lambda _, order: [] if order.side == "buy" else [(order.quantity, order.price)]
    rig.weigh("IX", WITH_AW)
    rig.run(1)
    assert rig.desk.state.indexes.house_batch
    rig.exchange.script = lambda _, order: [(order.quantity, order.price)]
    delist(rig, "AX", 20)
    rig.run(2)
    assert held(rig, "AX") < D("1e-3")
    rig.run(20)
    assert assets(rig) == ["AW"]
    assert is_backed(rig)


def test_the_basket_without_what_leaves_is_in_force_when_it_does_though_the_rest_takes_longer(rig: DeskRig) -> None:
    rig.exchange.script = lambda _, order: [(order.quantity, order.price)] if order.symbol == "AX" else []
    rig.weigh("IX", WITH_AW)
    rig.run(5)
    delist(rig, "AX", 20)
    rig.run(19)
    assert (assets(rig), held(rig, "AX") < D("1e-3")) == (["AX", "AZ"], True)
    rig.run(2)
    assert assets(rig) == ["AW"]
    assert {task.asset for task in rig.desk.state.indexes.tasks.values()} == {"AW", "AZ"}


def test_what_leaves_is_sold_though_a_batch_of_users_has_no_end_yet(rig: DeskRig) -> None:
    rig.exchange.stays = True
    rig.exchange.script = lambda _, order: []
    rig.order("C-2", "500")
    rig.run(11)
    (standing,) = rig.desk.state.batches.running
    rig.exchange.script = lambda _, order: [(order.quantity, order.price)]
    rig.exchange.standing, kept = {}, rig.exchange.standing
    delist(rig, "AZ", 20)
    assert rig.exchange.cancelled == [standing]
    rig.run(5)
    assert held(rig, "AZ") < D("1e-3")
    assert rig.facts(RebalanceStarted) == []
    for said in kept[standing]:
        rig.tell(said, "execution")
    rig.run(60)
    assert assets(rig) == ["AX"]
    assert is_backed(rig)


def test_later_weights_do_not_replace_a_delisting_and_may_not_name_what_leaves(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.weigh("IX", THIRDS)
    rig.run(1)
    delist(rig, "AZ", 60)
    rig.weigh("IX", HALVES)
    assert refusals(rig)[-1] == WeightsRefusal.DELISTED
    rig.weigh("IX", WITH_AW)
    assert refusals(rig)[-1] == WeightsRefusal.REBALANCING
    rig.resume_exchange()
    rig.run(30)
    assert assets(rig) == ["AX", "AW"]
    rig.weigh("IX", HALVES)
    assert refusals(rig)[-1] == WeightsRefusal.DELISTED
    rig.restart()
    rig.weigh("IX", HALVES)
    assert refusals(rig)[-1] == WeightsRefusal.DELISTED
    assert all("AZ" not in dict(fact.quantities) for fact in rig.facts(BasketSet)[1:])


def test_weights_that_wait_are_used_without_what_is_delisted_meanwhile(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.weigh("IX", THIRDS)
    rig.run(1)
    rig.weigh("IX", WITH_AW)
    delist(rig, "AW", 60)
    rig.resume_exchange()
    rig.run(30)
    assert assets(rig) == ["AX"]
    assert is_backed(rig)


def test_weights_of_which_nothing_is_left_are_dropped_and_that_is_said(rig: DeskRig) -> None:
    rig.weigh("IY", (("AQ", D(1)),))
    delist(rig, "AQ", 60)
    rig.set_book("AQ", levels((9, 1)), levels((10, 1)))
    assert refusals(rig)[-1] == WeightsRefusal.LAST_ASSET
    assert rig.desk.state.indexes.weighing == {}


def test_an_index_of_one_asset_that_leaves_waits_for_its_curator_and_then_sells_first(rig: DeskRig) -> None:
    rig.weigh("IX", (("AX", D(1)),))
    rig.run(10)
    delist(rig, "AX", 600)
    assert refusals(rig)[-1] == WeightsRefusal.LAST_ASSET
    rig.weigh("IX", (("AW", D(1)),))
    rig.run(30)
    assert assets(rig) == ["AW"]
    assert [fact.priority for fact in rig.facts(HouseTaskSet) if fact.asset == "AX"][-1] == "delisting"
    assert is_backed(rig)


def test_a_delisting_of_what_nobody_has_is_said_to_be_unknown_and_remembered(rig: DeskRig) -> None:
    delist(rig, "AW", 60)
    assert refusals(rig)[-1] == WeightsRefusal.UNKNOWN_ASSET
    rig.weigh("IX", WITH_AW)
    assert refusals(rig)[-1] == WeightsRefusal.DELISTED


def test_the_house_sells_what_it_has_of_a_delisted_asset_and_what_orders_would_have_used(rig: DeskRig) -> None:
    stock, before = rig.desk.state.stock, held(rig, "AZ")
    rig.after = lambda: None  # what is planted was never bought
    add_house(stock, lot("AZ", "3"))
    put(stock.carried, lot("AZ", "2"))
    delist(rig, "AZ", 60)
    rig.run(10)
    assert house_quantities(stock).get("AZ", D(0)) < D("1e-3")
    assert (stock.carried, stock.offered) == ({}, {})
    sold = sum((order.quantity for order in rig.exchange.orders if (order.symbol, order.side) == ("AZ", "sell")), D(0))
    assert abs(sold - before - 5) < D("0.05")
    assert is_backed(rig)


def test_what_is_past_its_date_and_somebody_bids_for_counts_at_the_bid(rig: DeskRig) -> None:
    index = rig.desk.state.indexes.live["IX"]
    before = index.basket.quantities()
    rig.exchange.script = lambda _, order: [] if order.symbol == "AZ" else [(order.quantity, order.price)]
    rig.set_book("AX", levels((90, 100)), levels((100, 100)))
    rig.set_book("AZ", levels((90, 100)), ())
    delist(rig, "AZ", 1)
    rig.run(5)
    after = index.basket.quantities() | rig.desk.state.indexes.aim("IX").quantities()
    assert (after["AX"] - before["AX"]) * 95 == pytest.approx(before["AZ"] * 90)


def test_nothing_is_worth_nothing_while_market_data_is_interrupted(rig: DeskRig) -> None:
    rig.exchange.script = lambda _, order: [] if order.symbol == "AZ" else [(order.quantity, order.price)]
    before = rig.desk.state.indexes.live["IX"].basket.quantities()["AX"]
    rig.tell(MarketDataDown("gone"), EXCHANGE)
    delist(rig, "AZ", 1)
    rig.run(5)
    rig.tell(MarketDataUp(), EXCHANGE)
    rig.run(5)
    assert rig.desk.state.indexes.aim("IX").quantities()["AX"] > before
