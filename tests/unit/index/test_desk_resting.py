"""Orders that a batch got nothing: they rest, longer each time, are tried again, and keep nothing from anybody."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from msgspec import structs

from core.execution.records import AssetOrder
from core.index.facts import IndexBatchCompleted, IndexBatchOpened, IndexOrderDeferred
from core.index.planning import PlanReason
from core.index.records import IndexOrderEnded, Outcome
from core.index.states import IndexBatchState
from core.units import SECOND, Nanos
from tests.helpers.effort import calls_of
from tests.helpers.index_desk import BOB, DeskRig, golden_settings, levels, ready_rig

D = Decimal


@pytest.fixture
def rig() -> DeskRig:
    """A desk whose exchange trades nothing."""
    one = ready_rig()
    one.exchange.script = nothing
    return one


def nothing(_nth: int, _order: AssetOrder) -> list[tuple[Decimal, Decimal]]:
    """No trades."""
    return []


def everything(_nth: int, order: AssetOrder) -> list[tuple[Decimal, Decimal]]:
    """All of an order at its limit."""
    return [(order.quantity, order.price)]


def opened(rig: DeskRig, seconds: float, *, moving: bool = False) -> list[tuple[Nanos, tuple[str, ...]]]:
    """What batches begin while so much time passes, when, and for whom; markets may be moving all the time."""
    found: list[tuple[Nanos, tuple[str, ...]]] = []
    for step in range(int(seconds * 10)):
        before = len(rig.facts(IndexBatchOpened))
        rig.run(0.1)
        found += [(rig.now, fact.order_ids) for fact in rig.facts(IndexBatchOpened)[before:]]
        if moving:
            rig.set_book("AX", levels((90, 10)), levels((100, 20), (110, 30 + step % 2)))
    return found


def test_an_order_alone_is_tried_again_though_no_market_moves(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.run(11.5)
    assert len(rig.facts(IndexBatchOpened)) == 2
    rig.exchange.script = everything
    rig.run(30)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.MINTED]


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_never_traded_is_tried_at_growing_pauses_whatever_moves(
    rig: DeskRig, count: int, *, moving: bool
) -> None:
    for number in range(count):
        rig.order("C-1", "1000", user=f"1:0x{number}")
        rig.run(1.3)
    batches = opened(rig, 100, moving=moving)
    for number in range(count):
        times = [at for at, order_ids in batches if f"I-{number + 1}" in order_ids]
        pauses = [later - earlier for earlier, later in pairwise(times)]
        assert pauses == sorted(pauses)
        assert pauses[0] <= SECOND
        assert {pause // SECOND for pause in pauses[4:]} == {8}


def test_rests_of_several_orders_end_together(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.run(0.3)
    rig.order("C-1", "1000", user=BOB)
    batches = opened(rig, 60)
    assert [order_ids for _, order_ids in batches] == [("I-1",), ("I-2",), *[("I-1", "I-2")] * 8]


def test_a_batch_that_gets_an_order_something_ends_the_series(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.run(15)
    assert rig.desk.state.orders.live["I-1"].misses == 3
    rig.exchange.script = lambda nth, order: [(order.quantity / 2, order.price)] if nth <= 8 else []
    times = [at for at, _ in opened(rig, 10)]
    assert [round((later - earlier) / SECOND) for earlier, later in pairwise(times)] == [0, 1, 1, 2, 4]
    assert rig.desk.state.orders.live["I-1"].misses == 5


def test_a_batch_that_got_lots_for_an_order_is_followed_by_the_next_at_once(rig: DeskRig) -> None:
    """One asset of two was refused: the other is there, and what is missing is tried at the next tick."""
    rig.exchange.script = lambda nth, order: everything(nth, order) if order.symbol == "AX" or nth > 2 else []
    rig.order("C-1", "1000")
    batches = opened(rig, 12)
    assert [later - earlier for (earlier, _), (later, _) in pairwise(batches)] == [rig.settings.tick_ns]


def test_who_rests_says_so_and_why(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.run(15)
    assert set(rig.facts(IndexOrderDeferred)) == {IndexOrderDeferred("I-1", PlanReason.NOT_TRADED)}
    assert rig.desk.state.orders.live["I-1"].deferral == PlanReason.NOT_TRADED


def test_who_rests_keeps_nothing_from_others() -> None:
    settings = golden_settings()
    rig = ready_rig(structs.replace(settings, order_retry_ns=60 * SECOND, order_retry_ns_max=60 * SECOND))
    rig.exchange.script = nothing
    rig.order("C-1", "1900")
    rig.run(11)
    rig.exchange.script = everything
    rig.order("C-1", "1900", user=BOB)
    rig.run(10.2)
    assert [fact.user for fact in rig.facts(IndexOrderEnded)] == [BOB]


def test_an_order_that_was_refused_once_is_not_passed_by_a_younger_one() -> None:
    rig = ready_rig()
    rig.exchange.script = lambda nth, order: [] if nth <= 2 else everything(nth, order)
    rig.order("C-1", "1900")
    rig.run(1.2)
    rig.order("C-1", "1900", user=BOB)
    batches = opened(rig, 12)
    assert [order_ids for _, order_ids in batches][:2] == [("I-1",), ("I-1",)]


def test_who_rests_may_leave_and_is_minted_when_it_is_due(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.order("C-1", "1000", user=BOB)
    rig.run(15)
    rig.cancel("C-1")
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.CANCELLED]
    rig.exchange.script = lambda nth, order: [] if nth > 100 else [(order.quantity * D("0.995"), order.price)]
    rig.run(4)
    rig.exchange.script = nothing
    rig.run(15)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.CANCELLED, Outcome.MINTED]


def test_a_market_that_moves_costs_the_same_however_many_orders_rest() -> None:
    assert calls_of_a_move(300) == calls_of_a_move(30)


def calls_of_a_move(count: int) -> int:
    """What a change of a book takes while so many orders rest."""
    rig = ready_rig(structs.replace(golden_settings(), max_batch_size=1000))
    rig.after = lambda: None
    rig.exchange.script = nothing
    for number in range(count):
        rig.order("C-1", "100", user=f"1:0x{number:04x}")
    rig.run(60)
    assert len(rig.desk.state.orders.ready.resting) == count
    rig.set_book("AX", levels((90, 10)), levels((100, 20)))
    return calls_of(lambda: rig.set_book("AX", levels((90, 10)), levels((100, 21))))


def test_a_batch_that_stays_in_the_book_is_cancelled_and_its_orders_go_on_at_new_prices(rig: DeskRig) -> None:
    rig.exchange.stays = True
    rig.order("C-1", "1000")
    rig.run(11)
    rig.set_book("AX", levels((90, 10)), levels((104, 20)))
    rig.exchange.script = everything
    rig.run(8)
    assert (rig.exchange.cancelled, len(rig.facts(IndexBatchOpened))) == ([], 1)
    rig.run(6)
    assert rig.exchange.cancelled == ["B-1"]
    assert rig.exchange.orders[2].price > D(104)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.MINTED]


def test_a_batch_that_ends_in_time_is_not_cancelled() -> None:
    rig = ready_rig()
    rig.order("C-1", "1000")
    rig.run(60)
    assert [fact.batch_id for fact in rig.facts(IndexBatchCompleted)] == ["B-1"]
    assert rig.exchange.cancelled == []
    assert not any(key.startswith("batch:") for key in rig.timers)


def test_a_batch_has_its_time_from_when_its_last_exchange_order_could_leave(rig: DeskRig) -> None:
    rig.exchange.stays = True
    rig.desk.state.batches.room.limiter.windows[0].limit = 1
    rig.order("C-1", "1000")
    rig.run(29)
    assert rig.exchange.cancelled == []
    assert rig.desk.state.batches.running["B-1"].state is IndexBatchState.TRADING
    rig.run(2)
    assert rig.exchange.cancelled == ["B-1"]
