"""Weights at the desk: the first make an index, later ones are traded for by the house, then published."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index.chain import SetSolverWeights
from core.index.facts import (
    BasketSet,
    IndexBatchOpened,
    RebalanceEnded,
    RebalanceSettled,
    RebalanceStarted,
    WeightsRefused,
)
from core.index.reasons import WeightsRefusal
from core.index.records import CuratorWeightsSet, DelistAsset, IndexOrderEnded, Outcome
from core.index.settings import IndexSettings
from core.units import SECOND
from tests.helpers.index_desk import DeskRig, golden_settings, levels, ready_rig

D = Decimal
HALVES = (("AX", D("0.5")), ("AZ", D("0.5")))
WITH_AW = (("AX", D("0.5")), ("AW", D("0.5")))


@pytest.fixture
def rig() -> DeskRig:
    """A desk that has minted tokens for 2000, and may be given new weights at once."""
    one = ready_rig(structs.replace(golden_settings(), rebalance_interval_ns=0))
    one.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    one.order("C-1", "2000")
    one.run(60)
    assert one.facts(IndexOrderEnded)[0].outcome is Outcome.MINTED
    return one


def refusals(rig: DeskRig) -> list[str]:
    """Why weights were not taken."""
    return [fact.reason for fact in rig.facts(WeightsRefused)]


def on_chain(rig: DeskRig) -> list[SetSolverWeights]:
    """The compositions of IX that were published, the newest last."""
    events = (event.did for block in rig.chain.events for event in block)
    return [did for did in events if isinstance(did, SetSolverWeights) and did.symbol == "IX"]


def held(rig: DeskRig) -> dict[str, Decimal]:
    """What is held for the tokens of IX, to twelve decimals."""
    return {asset: round(quantity, 12) for asset, quantity in rig.desk.state.indexes.live["IX"].held.items()}


def needed(rig: DeskRig) -> dict[str, Decimal]:
    """What its tokens are made of."""
    index = rig.desk.state.indexes.live["IX"]
    return {asset: round(each * index.backed, 12) for asset, each in index.basket.quantities().items()}


def close(one: dict[str, Decimal], other: dict[str, Decimal]) -> bool:
    """Equal, where nothing counts as little."""
    return all(abs(one.get(asset, D(0)) - other.get(asset, D(0))) < D("1e-3") for asset in {**one, **other})


def test_first_weights_make_a_basket_at_volume_weighted_prices_and_reach_the_chain() -> None:
    rig = ready_rig()
    (basket,) = rig.facts(BasketSet)
    assert dict(basket.quantities) == {
        "AX": pytest.approx(D("8.2758620690")),
        "AZ": pytest.approx(D("0.6735751295")),
    }
    (weights,) = on_chain(rig)
    assert (weights.version, weights.quantities) == (1, basket.quantities)


def test_quantities_of_the_settings_are_used_as_they_are() -> None:
    index = IndexSettings(symbol="IQ", quantities=(("AX", D(2)), ("AZ", D(1))))
    rig = DeskRig(structs.replace(golden_settings(), indexes=(index,)))
    assert rig.facts(BasketSet)[0].quantities == (("AX", D(2)), ("AZ", D(1)))


def test_weights_without_prices_wait_for_them() -> None:
    rig = ready_rig()
    rig.weigh("IY", WITH_AW)
    assert rig.desk.state.indexes.basket("IY") is None
    rig.set_book("AW", levels((9, 10)), levels((10, 10)))
    assert rig.desk.state.indexes.basket("IY") is not None


def test_books_of_new_assets_that_do_not_come_are_asked_for_again() -> None:
    rig = DeskRig(golden_settings())
    rig.lost_snapshots = 2
    rig.weigh()
    assert rig.desk.state.indexes.basket("IX") is None
    rig.run(10)
    assert rig.desk.state.indexes.basket("IX") is not None


def test_later_weights_are_traded_for_then_published(rig: DeskRig) -> None:
    rig.weigh("IX", HALVES)
    rig.run(30)
    (started,), (over,) = rig.facts(RebalanceStarted), rig.facts(RebalanceEnded)
    assert (started.version, over.version, over.missing) == (2, 2, ())
    assert [fact.symbol for fact in rig.facts(IndexBatchOpened) if fact.symbol] == ["IX"] * len(
        [fact for fact in rig.facts(IndexBatchOpened) if not fact.order_ids or fact.symbol]
    )
    assert close(held(rig), needed(rig))
    assert [weights.version for weights in on_chain(rig)] == [1, 2]


def test_orders_wait_for_the_new_basket(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.weigh("IX", HALVES)
    rig.run(1)
    rig.order("C-2", "500")
    rig.run(15)
    assert len(rig.facts(IndexOrderEnded)) == 1
    rig.resume_exchange()
    rig.run(30)
    assert rig.facts(IndexOrderEnded)[1].outcome is Outcome.MINTED
    assert close(held(rig), needed(rig))


def test_a_rebalance_waits_for_batches_of_the_old_basket(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.order("C-2", "500")
    rig.run(11)
    rig.weigh("IX", HALVES)
    rig.run(1)
    assert rig.facts(RebalanceStarted) == []
    rig.resume_exchange()
    rig.run(30)
    assert len(rig.facts(RebalanceEnded)) == 1
    assert close(held(rig), needed(rig))


def test_a_delisted_asset_is_sold_before_its_deadline(rig: DeskRig) -> None:
    rig.tell(DelistAsset("AZ", rig.now + 60 * SECOND))
    rig.run(30)
    assert list(rig.desk.state.indexes.live["IX"].basket.quantities()) == ["AX"]
    assert abs(held(rig)["AZ"]) < D("1e-3")
    assert close(held(rig), needed(rig))


def test_what_cannot_be_sold_before_the_deadline_stays_and_is_said(rig: DeskRig) -> None:
    rig.set_book("AZ", levels((295, "0.1")), levels((300, 1)))
    rig.tell(DelistAsset("AZ", rig.now + 20 * SECOND))
    rig.exchange.script = lambda _, order: []
    rig.run(30)
    (over,) = rig.facts(RebalanceEnded)
    assert dict(over.missing)["AZ"] > 1
    assert {task.asset: task.side for task in rig.desk.state.indexes.tasks.values()} == {"AZ": "sell", "AX": "buy"}


def test_what_a_rebalance_left_undone_is_made_up_for(rig: DeskRig) -> None:
    trading = rig.exchange.script
    rig.exchange.script = lambda _, order: []
    rig.weigh("IX", HALVES)
    rig.run(3700)
    assert rig.facts(RebalanceEnded)[0].missing
    rig.exchange.script = trading
    rig.set_book("AX", levels((90, 11)), levels((100, 21)))
    rig.run(10)
    assert rig.desk.state.indexes.tasks == {}
    assert rig.facts(RebalanceSettled) == [RebalanceSettled("IX", 2)]
    assert close(held(rig), needed(rig))


def test_what_is_less_than_a_unit_of_a_coarse_token_is_rebalanced_once_and_not_bought_again_and_again() -> None:
    limits = structs.replace(golden_settings().limits, index_decimals=2)
    rig = ready_rig(structs.replace(golden_settings(), rebalance_interval_ns=0, limits=limits))
    rig.order("C-1", "2000")
    rig.run(60)
    before = len(rig.facts(IndexBatchOpened))
    rig.weigh("IX", (("AX", D("0.7999")), ("AZ", D("0.2001"))))
    rig.run(60)
    (ended,) = rig.facts(RebalanceEnded)
    assert ended.missing == ()
    assert len(rig.facts(IndexBatchOpened)) - before <= 3


def test_weights_that_come_too_soon_are_refused() -> None:
    rig = ready_rig()
    rig.weigh("IX", HALVES)
    rig.run(60)
    rig.weigh("IX", WITH_AW)
    assert refusals(rig)[-1] == WeightsRefusal.TOO_SOON


def test_weights_during_a_rebalance_come_after_it(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.weigh("IX", HALVES)
    rig.run(1)
    rig.weigh("IX", WITH_AW)
    assert refusals(rig)[-1] == WeightsRefusal.REBALANCING
    rig.resume_exchange()
    rig.run(30)
    assert [fact.version for fact in rig.facts(RebalanceEnded)] == [2, 3]
    assert list(rig.desk.state.indexes.live["IX"].basket.quantities()) == ["AX", "AW"]
    assert close(held(rig), needed(rig))


@pytest.mark.parametrize(
    "weights",
    [(), (("AX", D(0)),), (("AX", D(-1)), ("AZ", D(2))), (("AX", D(1)), ("AX", D(1))), (("AX", D("NaN")),)],
)
def test_malformed_weights_are_refused(rig: DeskRig, weights: tuple[tuple[str, Decimal], ...]) -> None:
    rig.weigh("IX", weights)
    assert refusals(rig)[-1] == WeightsRefusal.MALFORMED


@pytest.mark.parametrize("name", ["", "A X", "-AX", "A" * 33, "AX\n"])
def test_what_no_index_or_asset_can_be_called_is_refused_and_the_desk_comes_back(rig: DeskRig, name: str) -> None:
    rig.books[name] = rig.books["AX"]
    rig.said.clear()
    rig.weigh(name, HALVES)
    rig.weigh("IY", ((name, D(1)), ("AZ", D(1))))
    rig.tell(DelistAsset(name, rig.now + SECOND))
    assert refusals(rig) == [WeightsRefusal.MALFORMED] * 3
    assert all(repr(name) in fact.text for fact in rig.facts(WeightsRefused))
    indexes = rig.desk.state.indexes
    assert (list(indexes.live), indexes.weighing, indexes.delisted) == (["IX"], {}, {})
    rig.restart()


def test_a_target_price_is_positive(rig: DeskRig) -> None:
    rig.tell(CuratorWeightsSet("IY", HALVES, D(0)))
    assert refusals(rig)[-1] == WeightsRefusal.MALFORMED


def test_a_target_price_that_comes_with_later_weights_does_not_change_what_tokens_are_worth(rig: DeskRig) -> None:
    rig.tell(CuratorWeightsSet("IX", HALVES, D(500)))
    rig.run(30)
    assert [round(fact.price, 6) for fact in rig.facts(BasketSet)] == [D(1000), D(1000)]


def test_delistings_that_make_no_sense_are_refused(rig: DeskRig) -> None:
    rig.tell(DelistAsset("AX", rig.now))
    rig.tell(DelistAsset("ZZ", rig.now + SECOND))
    rig.weigh("IO", (("AZ", D(1)),))
    rig.tell(DelistAsset("AZ", rig.now + 60 * SECOND))
    assert refusals(rig)[-3:] == [
        WeightsRefusal.DEADLINE_PASSED,
        WeightsRefusal.UNKNOWN_ASSET,
        WeightsRefusal.LAST_ASSET,
    ]


def test_a_house_batch_whose_exchange_orders_stay_in_the_book_ends_with_the_rebalance(rig: DeskRig) -> None:
    rig.exchange.stays = True
    rig.exchange.script = lambda _, order: []
    rig.weigh(weights=HALVES)
    rig.run(10)
    house = rig.desk.state.indexes.house_batch
    assert house in rig.exchange.standing
    rig.run(rig.settings.rebalance_window_ns // SECOND)
    assert rig.exchange.cancelled == [house]
    assert len(rig.facts(RebalanceEnded)) == 1


def test_a_desk_that_winds_down_cancels_what_the_house_has_in_the_book(rig: DeskRig) -> None:
    rig.exchange.stays = True
    rig.exchange.script = lambda _, order: []
    rig.weigh(weights=HALVES)
    rig.run(10)
    house = rig.desk.state.indexes.house_batch
    rig.stop()
    assert rig.exchange.cancelled == [house]
    assert rig.desk.state.batches.running == {}
