"""Quotes at the desk: answered after their wait, by prices, or refused with the reason."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index.reasons import QuoteRefusal
from core.index.records import CancelQuoteRequest, IndexQuoteCancelled, IndexQuoteReady, IndexQuoteRejected
from core.kernel.record import TimerFired
from core.market.exchange import BookDelta
from tests.helpers.effort import calls_of
from tests.helpers.index_desk import ALICE, DeskRig, golden_settings, levels, ready_rig

D = Decimal


@pytest.fixture
def rig() -> DeskRig:
    return ready_rig()


def refusals(rig: DeskRig) -> list[str]:
    """Why quotes were refused."""
    return [fact.reason for fact in rig.facts(IndexQuoteRejected)]


def test_a_quote_comes_after_its_wait(rig: DeskRig) -> None:
    rig.quote("Q-1", "1000")
    rig.run(0.9)
    assert rig.facts(IndexQuoteReady) == []
    rig.run(0.1)
    (ready,) = rig.facts(IndexQuoteReady)
    assert ready.quantity_possible == pytest.approx(1000 / D("1.001") / D("1039.9553332142219"))


def test_a_sell_is_quoted_in_money(rig: DeskRig) -> None:
    rig.quote("Q-1", "2", "sell")
    rig.run(2)
    (ready,) = rig.facts(IndexQuoteReady)
    assert ready.quantity_possible == pytest.approx(2 * ready.price / D("1.001"))


def test_a_user_may_wait_for_several(rig: DeskRig) -> None:
    rig.quote("Q-1", "1000")
    rig.quote("Q-2", "2000")
    rig.run(2)
    assert [fact.client_quote_id for fact in rig.facts(IndexQuoteReady)] == ["Q-1", "Q-2"]
    rig.quote("Q-1", "3000")
    rig.run(2)
    assert len(rig.facts(IndexQuoteReady)) == 3


def test_what_cannot_be_quoted_is_refused(rig: DeskRig) -> None:
    rig.quote("Q-1", "1000")
    rig.quote("Q-1", "1000")
    rig.quote("Q-2", "0")
    rig.quote("Q-3", "5", symbol="IY")
    rig.quote("", "5")
    assert refusals(rig) == [
        QuoteRefusal.DUPLICATE_ID,
        QuoteRefusal.INVALID_AMOUNT,
        QuoteRefusal.INVALID_SYMBOL,
        QuoteRefusal.INVALID_ID,
    ]


def test_a_user_asks_for_no_more_at_a_time_than_he_may(rig: DeskRig) -> None:
    for number in range(17):
        rig.quote(f"Q-{number}", "5")
    assert refusals(rig) == [QuoteRefusal.TOO_MANY_QUOTES]


def test_without_a_fresh_price_there_is_no_quote(rig: DeskRig) -> None:
    rig.set_book("AZ", (), ())
    rig.quote("Q-1", "1000")
    rig.run(2)
    assert refusals(rig) == [QuoteRefusal.SERVICE_UNAVAILABLE]


def test_a_request_is_cancelled_by_its_own_id_only(rig: DeskRig) -> None:
    rig.quote("Q-1", "1000")
    rig.tell(CancelQuoteRequest(ALICE, "Q-2"))
    rig.tell(CancelQuoteRequest(ALICE, "Q-1"))
    rig.run(2)
    assert refusals(rig) == [QuoteRefusal.UNKNOWN_QUOTE]
    assert len(rig.facts(IndexQuoteCancelled)) == 1
    assert rig.facts(IndexQuoteReady) == []


def test_a_desk_that_stops_leaves_no_request_unanswered(rig: DeskRig) -> None:
    rig.quote("Q-1", "1000")
    rig.stop()
    rig.quote("Q-2", "1000")
    assert refusals(rig) == [QuoteRefusal.STOPPING] * 2


def steps_of_a_quote(*, orders: int = 5, depth: int = 1) -> int:
    """How many functions are called for a change of a book and a quote, while orders wait for the next batch."""
    settings = golden_settings()
    limits = structs.replace(settings.limits, max_total_volley_size=D(2000), min_total_volley_available=D(1900))
    rig = DeskRig(structs.replace(settings, limits=limits, nav_interval_ns=0))
    rig.set_book("AX", levels(*((90 - at, 10) for at in range(depth))), levels((100, 20)))
    rig.weigh()
    rig.exchange.paused = True
    for number in range(orders):
        rig.order("C-1", "400", user=f"1:0x{number:02x}")
    rig.run(11)
    assert len(rig.desk.state.orders.ready.due) == orders - rig.settings.max_batch_size

    def quote() -> None:
        rig.tell(BookDelta("AX", 0, 1000, levels((90, 7)), ()), "exchange")
        rig.quote("Q-1", "1000")
        rig.now = rig.timers.pop("tick")
        rig.deliver(TimerFired("tick", rig.now))

    calls = calls_of(quote)
    assert len(rig.facts(IndexQuoteReady)) == 1
    return calls


def test_a_quote_costs_the_same_whatever_number_of_orders_is_open() -> None:
    assert steps_of_a_quote(orders=200) == pytest.approx(steps_of_a_quote(), rel=0.02)


def test_a_quote_costs_the_same_whatever_number_of_levels_is_in_the_books() -> None:
    assert steps_of_a_quote(depth=80) == pytest.approx(steps_of_a_quote(), rel=0.02)
