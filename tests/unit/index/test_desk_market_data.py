"""Market data that is interrupted: nothing is traded, crossed, quoted or valued by it until there are new books."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index import matrix
from core.index.facts import (
    HouseValued,
    IndexBatchOpened,
    IndexOrderDeferred,
    MarketDataLost,
    MarketDataReached,
    OrdersCrossed,
)
from core.index.nav import NavPoint
from core.index.records import IndexOrderEnded, IndexQuoteReady, Outcome
from core.index.settings import PlannerName
from core.kernel.record import Call, Computed, Resume
from core.market.exchange import EXCHANGE, MarketDataDown, MarketDataUp
from core.units import SECOND
from tests.helpers.index_desk import BOB, DeskRig, golden_settings, levels, ready_rig

D = Decimal
MOVED = (levels((180, 40)), levels((200, 40)))
"""Where AX is when the stream is back."""


def rig_of(planner: PlannerName = PlannerName.SIMPLE) -> DeskRig:
    """A desk that values every five seconds and serves orders after a second."""
    changes = {"nav_interval_ns": 5 * SECOND, "client_order_wait_ns": SECOND, "planner": planner}
    return ready_rig(structs.replace(golden_settings(), **changes))


@pytest.fixture
def rig() -> DeskRig:
    return rig_of()


def lose(rig: DeskRig) -> None:
    """Interrupt the stream, and let the market move meanwhile."""
    rig.tell(MarketDataDown("gone"), EXCHANGE)
    rig.books["AX"] = MOVED


@pytest.mark.parametrize("planner", list(PlannerName))
def test_nothing_is_traded_nor_quoted_while_market_data_is_interrupted_and_then_at_new_prices(
    planner: PlannerName,
) -> None:
    rig = rig_of(planner)
    lose(rig)
    rig.order("C-1", "800")
    rig.quote("Q-1", "800")
    rig.run(30)
    assert (rig.exchange.orders, rig.facts(IndexBatchOpened), rig.facts(IndexQuoteReady)) == ([], [], [])
    assert {fact.reason for fact in rig.facts(IndexOrderDeferred)} == {"no_price"}
    rig.tell(MarketDataUp(), EXCHANGE)
    rig.quote("Q-2", "800")
    rig.run(30)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.MINTED]
    assert {order.price for order in rig.exchange.orders if order.symbol == "AX"} == {D(202)}
    assert [fact.client_quote_id for fact in rig.facts(IndexQuoteReady)] == ["Q-2"]
    assert (rig.facts(MarketDataLost), rig.facts(MarketDataReached)) == (
        [MarketDataLost("gone")],
        [MarketDataReached()],
    )


def test_a_plan_that_was_asked_for_before_is_not_carried_out_while_market_data_is_interrupted() -> None:
    rig = rig_of(PlannerName.MATRIX)
    rig.solve = False
    rig.order("C-1", "800")
    rig.run(2)
    job = rig.jobs[-1]
    rig.solve = True
    lose(rig)
    rig.deliver(Computed(job.job_id, matrix.plan(job.problem)))
    rig.run(5)
    assert rig.facts(IndexBatchOpened) == []
    rig.tell(MarketDataUp(), EXCHANGE)
    rig.run(30)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.MINTED]


def test_buys_and_sells_do_not_meet_at_prices_from_before_an_interruption(rig: DeskRig) -> None:
    rig.order("C-0", "2000")
    rig.run(30)
    lose(rig)
    rig.give_tokens(D(1))
    rig.order("S-1", "1", "sell")
    rig.order("B-1", "1000", user=BOB)
    rig.run(30)
    assert rig.facts(OrdersCrossed) == []
    rig.tell(MarketDataUp(), EXCHANGE)
    rig.run(30)
    assert {fact.price for fact in rig.facts(OrdersCrossed) if fact.symbol == "AX"} == {D(190)}


def test_no_nav_is_stated_while_market_data_is_interrupted_and_then_of_the_new_prices(rig: DeskRig) -> None:
    rig.order("C-1", "2000")
    rig.run(30)
    before, lost = len(rig.facts(NavPoint)), len(rig.facts(HouseValued))
    lose(rig)
    rig.run(30)
    assert (len(rig.facts(NavPoint)), len(rig.facts(HouseValued))) == (before, lost)
    rig.tell(MarketDataUp(), EXCHANGE)
    rig.run(30)
    points = rig.facts(NavPoint)
    assert len(points) - before == 6
    assert points[-1].nav > D("1.5") * points[before - 1].nav


def test_a_desk_that_comes_back_asks_for_every_book_before_it_uses_one(rig: DeskRig) -> None:
    """What was said while it was away, nobody says again."""
    rig.run(1)
    rig.books["AX"] = MOVED
    rig.lost_snapshots = 2
    rig.restart()
    rig.deliver(Resume())
    assert [effect.body.symbol for effect in rig.effects[-1] if isinstance(effect, Call)] == ["AX", "AZ"]
    rig.order("C-1", "800")
    rig.run(3)
    assert rig.facts(IndexBatchOpened) == []
    rig.run(60)
    assert {order.price for order in rig.exchange.orders if order.symbol == "AX"} == {D(202)}


def test_a_desk_that_comes_back_within_an_interruption_waits_for_its_end(rig: DeskRig) -> None:
    lose(rig)
    rig.restart()
    rig.deliver(Resume())
    rig.order("C-1", "800")
    rig.run(100)
    assert rig.facts(IndexBatchOpened) == []
    rig.tell(MarketDataUp(), EXCHANGE)
    rig.run(30)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.MINTED]


def test_why_market_data_is_interrupted_may_be_any_text(rig: DeskRig) -> None:
    rig.tell(MarketDataDown("\udc80"), EXCHANGE)
    (lost,) = rig.facts(MarketDataLost)
    assert lost.reason.encode()
