"""A task of the house that the exchange refuses is told of once, and so is its end."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.execution.records import AssetOrderEnded, PlaceOrders
from core.index.facts import HouseTaskBlocked, HouseTaskDone, HouseTaskSet, HouseTaskUnblocked
from core.kernel.record import Record
from core.units import SECOND
from tests.helpers.index_desk import DeskRig, ScriptedExchange, golden_settings, levels, ready_rig

D = Decimal
WITH_AW = (("AX", D("0.5")), ("AW", D("0.5")))
WITHOUT_AW = (("AX", D("0.5")), ("AZ", D("0.5")))
NO_MONEY = "refused:-2010"


class Refusing(ScriptedExchange):
    """Ends orders for these symbols at once, as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: dict[str, str] = {}

    def place(self, asked: PlaceOrders) -> list[Record]:
        taken = tuple(one for one in asked.orders if one.symbol not in self.ends)
        refused = (one for one in asked.orders if one.symbol in self.ends)
        return [
            *super().place(structs.replace(asked, orders=taken)),
            *(
                AssetOrderEnded(asked.batch_id, one.order_id, one.symbol, self.ends[one.symbol], one.quantity)
                for one in refused
            ),
        ]


@pytest.fixture
def exchange() -> Refusing:
    return Refusing()


@pytest.fixture
def rig(exchange: Refusing) -> DeskRig:
    """A desk that has minted tokens, and whose house may not buy AW, of which their new basket is made."""
    one = ready_rig(structs.replace(golden_settings(), rebalance_interval_ns=0, rebalance_window_ns=30 * SECOND))
    one.exchange = exchange
    one.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    one.order("C-1", "2000")
    one.run(60)
    exchange.ends["AW"] = NO_MONEY
    return one


def test_what_the_house_cannot_pay_is_told_once_with_what_it_needs(rig: DeskRig) -> None:
    rig.weigh("IX", WITH_AW)
    rig.run(600)
    (task,) = (one for one in rig.facts(HouseTaskSet) if one.asset == "AW")
    (blocked,) = rig.facts(HouseTaskBlocked)
    assert (blocked.task_id, blocked.symbol, blocked.asset, blocked.side) == (task.task_id, "IX", "AW", "buy")
    assert (blocked.quantity, blocked.reason) == (task.quantity, NO_MONEY)
    assert blocked.value == blocked.quantity * D("10.1")
    assert rig.facts(HouseTaskUnblocked) == []


def test_that_it_is_over_is_told_once_when_the_exchange_takes_an_order(rig: DeskRig, exchange: Refusing) -> None:
    rig.weigh("IX", WITH_AW)
    rig.run(600)
    exchange.ends.clear()
    rig.run(600)
    (over,) = rig.facts(HouseTaskUnblocked)
    assert over == HouseTaskUnblocked(rig.facts(HouseTaskBlocked)[0].task_id, "IX", "AW")


def test_it_is_over_too_when_nothing_is_to_be_traded_any_more(rig: DeskRig) -> None:
    rig.weigh("IX", WITH_AW)
    rig.run(600)
    rig.weigh("IX", WITHOUT_AW)
    rig.run(60)
    (blocked,) = rig.facts(HouseTaskBlocked)
    assert [one.task_id for one in rig.facts(HouseTaskUnblocked)] == [blocked.task_id]
    assert blocked.task_id in {one.task_id for one in rig.facts(HouseTaskDone)}


@pytest.mark.parametrize("reason", ["unsendable:circuit_open", "rate_limited", "no_session", "lost", "expired"])
def test_what_the_exchange_has_not_refused_blocks_nothing(rig: DeskRig, exchange: Refusing, reason: str) -> None:
    exchange.ends["AW"] = reason
    rig.weigh("IX", WITH_AW)
    rig.run(600)
    assert rig.facts(HouseTaskBlocked) == []


def test_what_the_exchange_was_not_asked_neither_blocks_nor_ends_it(rig: DeskRig, exchange: Refusing) -> None:
    rig.weigh("IX", WITH_AW)
    rig.run(600)
    exchange.ends["AW"] = "unsendable:circuit_open"
    rig.run(600)
    exchange.ends["AW"] = NO_MONEY
    rig.run(600)
    assert len(rig.facts(HouseTaskBlocked)) == 1
    assert rig.facts(HouseTaskUnblocked) == []


def test_a_desk_that_is_killed_remembers_what_it_has_told(rig: DeskRig, exchange: Refusing) -> None:
    rig.restarts = True
    rig.weigh("IX", WITH_AW)
    rig.run(600)
    exchange.ends.clear()
    rig.run(60)
    assert [len(rig.facts(kind)) for kind in (HouseTaskBlocked, HouseTaskUnblocked)] == [1, 1]
