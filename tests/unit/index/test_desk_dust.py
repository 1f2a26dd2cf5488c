"""What is too little to trade is told by its worth, however coarse the tolerance of quantities is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index.admission import Admission
from core.index.facts import RebalanceEnded
from core.units import SECOND
from tests.helpers.index_desk import TOLERANCE, DeskRig, golden_settings, levels, ready_rig

D = Decimal
LITTLE = TOLERANCE / 2
DEAR = (levels((59_900, 10)), levels((60_000, 10)))


@pytest.fixture
def rig() -> DeskRig:
    """A desk that has minted tokens for 2000, which Alice has in custody. AW is dear."""
    one = ready_rig(structs.replace(golden_settings(), rebalance_interval_ns=0, rebalance_window_ns=30 * SECOND))
    one.books["AW"] = DEAR
    one.set_book("AW", *DEAR)
    one.order("C-1", "2000")
    one.run(60)
    one.give_tokens(one.desk.state.indexes.live["IX"].supply)
    return one


def test_a_little_of_a_dear_asset_is_bought_for_the_tokens_that_need_it(rig: DeskRig) -> None:
    rig.exchange.script = lambda _, order: [(order.quantity * D("0.999"), order.price)]
    rig.weigh("IX", (("AW", D(1)),))
    rig.run(10)
    index = rig.desk.state.indexes.live["IX"]
    assert [fact.missing for fact in rig.facts(RebalanceEnded)] == [()]
    lacking = index.basket.quantities()["AW"] * index.backed - index.held["AW"]
    assert lacking * 60_000 <= rig.settings.limits.collateral_tolerance


def test_nobody_is_sold_a_little_that_is_not_there_unless_it_was_nothing_worth_buying(rig: DeskRig) -> None:
    indexes, limits = rig.desk.state.indexes, rig.settings.limits
    index = indexes.live["IX"]
    rig.order("S-1", str(index.supply), "sell")
    (order,) = rig.desk.state.orders.live.values()
    admitted = [Admission(indexes, (), limits.nothing).admits(order)]
    index.hold("AX", -LITTLE)
    admitted.append(Admission(indexes, (), limits.nothing).admits(order))
    index.rest["AX"] = LITTLE
    admitted.append(Admission(indexes, (), limits.nothing).admits(order))
    assert admitted == [True, False, True]
