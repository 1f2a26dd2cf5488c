"""Where the exchange takes few orders, users and the house trade in turns: neither keeps the other out for ever."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from msgspec import structs

from core.execution.records import ExchangeRulesReported
from core.index.facts import IndexBatchOpened
from core.index.records import DelistAsset
from core.index.room import Turn
from core.index.settings import PlannerName
from core.market.exchange import RateLimit
from core.units import SECOND
from tests.helpers.index_desk import BOB, DeskRig, golden_settings, levels, ready_rig

D = Decimal
FIVE = ("AP", "AQ", "AR", "AS", "AT")
"""What the index IV is made of."""


def busy(planner: PlannerName) -> DeskRig:
    """A desk with tokens of IX, whose exchange takes five orders in ten seconds and trades little of what IX has."""
    settings = structs.replace(golden_settings(), client_order_wait_ns=SECOND, rebalance_interval_ns=0, planner=planner)
    rig = ready_rig(settings)
    for _ in range(2):
        for asset in (*FIVE, "AW"):
            rig.set_book(asset, levels((9, 1000)), levels((10, 1000)))
        rig.weigh("IV", tuple((asset, D("0.2")) for asset in FIVE))
    rig.order("C-0", "1000")
    rig.run(20)
    rig.tell(ExchangeRulesReported((), (RateLimit(5, 10 * SECOND),)), "execution")
    rig.exchange.script = lambda _, order: [
        (order.quantity if order.symbol in FIVE else min(order.quantity, D("0.05")), order.price)
    ]
    return rig


@pytest.fixture(params=list(PlannerName))
def rig(request: pytest.FixtureRequest) -> DeskRig:
    return busy(request.param)


def turn(rig: DeskRig) -> Turn:
    """Whose it is."""
    return rig.desk.state.batches.room.turn


def begun(rig: DeskRig, seconds: int) -> tuple[list[int], list[int]]:
    """After how many seconds batches of users and of the house begin, while an order for IV comes every ten."""
    users: list[int] = []
    house: list[int] = []
    for second in range(seconds):
        if second % 10 == 5:
            rig.order(f"C-{second}", "100", symbol="IV", user=BOB)
        before = len(rig.facts(IndexBatchOpened))
        rig.run(1)
        for fact in rig.facts(IndexBatchOpened)[before:]:
            (house if fact.symbol else users).append(second)
    return users, house


def test_users_and_the_house_trade_in_turns(rig: DeskRig) -> None:
    rig.weigh("IX", (("AW", D(1)),))
    users, house = begun(rig, 120)
    assert len(users) >= 4
    assert len(house) >= 4
    for mine, theirs in ((users, house), (house, users)):
        assert all(sum(one < at < other for at in theirs) <= 3 for one, other in pairwise(mine))


def test_a_delisting_ahead_of_its_date_waits_for_no_turn(rig: DeskRig) -> None:
    rig.order("C-1", "100", symbol="IV", user=BOB)
    rig.run(2)
    rig.order("C-2", "100", symbol="IV", user=BOB)
    rig.run(2)
    assert turn(rig) is Turn.USERS
    rig.desk.state.batches.room.limiter.windows[0].limit = 6
    rig.tell(DelistAsset("AX", rig.now + 3000 * SECOND))
    rig.run(0.2)
    assert [fact.symbol for fact in rig.facts(IndexBatchOpened)][-1] == "IX"


def test_whose_turn_it_is_and_who_has_gone_keeps_nobody_waiting(rig: DeskRig) -> None:
    rig.order("C-1", "100", symbol="IV", user=BOB)
    rig.run(2)
    rig.order("C-2", "100", symbol="IV", user=BOB)
    rig.run(2)
    assert turn(rig) is Turn.USERS
    rig.cancel("C-2", BOB)
    rig.weigh("IX", (("AW", D(1)),))
    rig.run(0.2)
    assert turn(rig) is Turn.HOUSE
