"""From ready orders to a running batch: pose the problem, have it planned, engage what the plan engages.

The simple planner runs inline. The matrix planner is asked by `Compute`, and the world goes on meanwhile: its answer is
held to the rules as of now, by the books, lots, running batches and orders that there are when it comes. One that does
not keep them is asked for anew, and where that is no better, or too late, a simple plan stands in. Orders that a plan
leaves out keep their places and wait until something changes; nothing of a plan can be lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Final

from core.execution.records import EXECUTION, AssetOrder, PlaceOrders
from core.index import meeting, stock, validate
from core.index.admission import Admission
from core.index.allocation import BatchRules
from core.index.base import BATCH, DeskBase
from core.index.batch import Opened, Placement, crossing_id, is_over, left_over, open_batch, outstanding, reserved
from core.index.batches import PlanJob
from core.index.commissions import tell_rates
from core.index.counting import spoiled_of
from core.index.facts import (
    AssetOrderPlanned,
    HouseTraded,
    IndexBatchOpened,
    IndexPlanPutOff,
    OrderEngaged,
    OrdersCrossed,
)
from core.index.filling import book_fills, close_batch
from core.index.fitting import plan
from core.index.order import ENGAGEABLE, IndexOrder
from core.index.planning import Demand, Engagement, Mode, NoRoom, NotPlanned, Plan, PlanProblem, PlanReason
from core.index.ready import of_asset, of_index
from core.index.reasons import PutOff
from core.index.records import Outcome
from core.index.room import Turn
from core.index.rounding import FINEST
from core.index.settings import PlannerName
from core.index.settling import leave
from core.index.states import IndexOrderStep
from core.kernel.record import CancelTimer, Compute
from core.units import EXACT, Nanos

COMPUTING: Final = "compute"
_ZERO: Final = Decimal(0)
_BY_ONE_ASSET: Final = frozenset({PlanReason.NO_PRICE, PlanReason.NO_LIQUIDITY})
"""Why one asset is enough to keep an order out, whatever the others do."""


def is_due(desk: DeskBase) -> bool:
    """Whether `plan_round` has something to do: to plan, or to say once that there is no room."""
    state = desk.state
    if state.stopping or state.batches.job is not None or not state.orders.ready.due:
        return False
    return not state.batches.put_off or _has_room(desk)


def plan_round(desk: DeskBase, now: Nanos) -> None:
    """Begin a batch of the orders that are due, if there are any, there is room, and no plan is being made."""
    state = desk.state
    meeting.go_together(state.orders, state.indexes, now)
    if not is_due(desk) or state.batches.room.is_held(now):
        return
    if not _has_room(desk):
        _put_off(desk)
        return
    due = _due(desk, now)
    if not due:
        return
    problem = problem_of(desk, now, due)
    if desk.settings.planner is PlannerName.MATRIX:
        _ask(desk, problem, 1)
        desk.wake(COMPUTING, now + desk.settings.compute_timeout_ns)
    else:
        carry_out(desk, now, problem, plan(problem), PlannerName.SIMPLE)


def on_computed(desk: DeskBase, now: Nanos, job_id: str, planned: Plan | NoRoom) -> None:
    """The matrix planner has answered. What it says of another job came too late."""
    job = desk.state.batches.job
    if job is None or job.job_id != job_id:
        return
    problem = _as_of_now(desk, now, job.problem)
    if problem is not None and _holds(desk, problem, planned):
        _stop_waiting(desk)
        carry_out(desk, now, problem, planned, PlannerName.MATRIX)
        if problem != job.problem:
            desk.state.orders.ready.wake_all()
    elif job.attempt < desk.settings.compute_attempts_max and (due := _due(desk, now)):
        _ask(desk, problem_of(desk, now, due), job.attempt + 1)
    else:
        plan_simply(desk, now)


def plan_simply(desk: DeskBase, now: Nanos) -> None:
    """The matrix planner is late, or its plans cannot be used: plan inline, at prices as they are now."""
    _stop_waiting(desk)
    due = [] if desk.state.stopping else _due(desk, now)
    if due:
        problem = problem_of(desk, now, due)
        carry_out(desk, now, problem, plan(problem), PlannerName.SIMPLE)


def _ask(desk: DeskBase, problem: PlanProblem, attempt: int) -> None:
    job = desk.state.batches.job = PlanJob(desk.state.ids.next("J"), problem, attempt)
    desk.emit(Compute(job.job_id, problem))


def _stop_waiting(desk: DeskBase) -> None:
    desk.state.batches.job = None
    desk.emit(CancelTimer(COMPUTING))


def carry_out(desk: DeskBase, now: Nanos, problem: PlanProblem, planned: Plan | NoRoom, planner: PlannerName) -> None:
    """Engage what the plan engages and send its exchange orders; let the others wait, or end what has no future."""
    orders = desk.state.orders
    if isinstance(planned, NoRoom):
        _put_off(desk)
        return
    if not desk.state.batches.room.admits(now, planned, desk.settings.limits, Turn.USERS):
        desk.note(IndexPlanPutOff(tuple(orders.ready.due), PutOff.RATE_LIMITED))
        return
    for one in planned.deferred:
        _defer(desk, one)
    for one in planned.failed:
        leave(desk, now, orders.live[one.order_id], Outcome.REJECTED, one.reason)
    batch_id = begin(desk, now, planned, planner) if planned.engagements else ""
    if desk.on_planned is not None:
        desk.on_planned(now, problem, batch_id)


def problem_of(desk: DeskBase, now: Nanos, due: Iterable[IndexOrder], assets: Iterable[str] = ()) -> PlanProblem:
    """What a batch of these orders has to be planned from, with the markets of `assets` besides theirs, and of what the
    house has and will get, which is valued by them."""
    state, limits = desk.state, desk.settings.limits
    due = tuple(due)
    baskets = state.indexes.baskets(order.symbol for order in due)
    running = state.batches.running.values()
    is_limited = limits.mode is not Mode.REFERENCE
    tied = (*stock.on_offer(state.stock), *left_over(running)) if is_limited else ()
    there = stock.held_assets(state.stock) if is_limited else ()
    parts = (part.asset for basket in baskets for part in basket.assets)
    assets = dict.fromkeys((*assets, *parts, *there, *(lot.asset for lot in tied)))
    return PlanProblem(
        demands=tuple(
            Demand(order.order_id, order.symbol, order.side, order.remaining, order.carried) for order in due
        ),
        baskets=baskets,
        views=tuple(desk.views(now, assets).values()),
        limits=limits,
        outstanding_volley=outstanding(running),
        reserved_asks=reserved(running, "buy"),
        reserved_bids=reserved(running, "sell"),
        held=stock.held(state.stock),
        tied=tied,
        instruments=state.batches.room.of(assets),
    )


def _due(desk: DeskBase, now: Nanos) -> list[IndexOrder]:
    """What is due for a batch. Orders of an index that is rebalanced wait for its new basket, and sells of what is not
    there for the house to buy it, which they are told."""
    admission = _admission(desk, now)
    due = desk.state.orders.due(desk.settings.max_batch_size, admission.admits)
    desk.state.indexes.attend |= bool(admission.lacking)
    for order_id, asset in admission.lacking.items():
        desk.defer(desk.state.orders.live[order_id], PlanReason.NOT_HELD, asset)
    return due


def _has_room(desk: DeskBase) -> bool:
    """Whether running batches leave room for another: no market has a say in that."""
    limits = desk.settings.limits
    room = limits.max_total_volley_size - outstanding(desk.state.batches.running.values())
    return room >= limits.min_total_volley_available


def _admission(desk: DeskBase, now: Nanos) -> Admission:
    state, tolerance = desk.state, desk.settings.limits.nothing
    return Admission(state.indexes, state.batches.running.values(), tolerance, partial(spoiled_of, desk, now))


def _as_of_now(desk: DeskBase, now: Nanos, posed: PlanProblem) -> PlanProblem | None:
    """The problem as it would be posed now, of the same orders; None if not all of them may be engaged any more."""
    admission = _admission(desk, now)
    orders = (desk.state.orders.live.get(demand.order_id) for demand in posed.demands)
    due = [one for one in orders if one is not None and one.state in ENGAGEABLE and admission.admits(one)]
    return problem_of(desk, now, due) if len(due) == len(posed.demands) else None


def _holds(desk: DeskBase, problem: PlanProblem, planned: Plan | NoRoom) -> bool:
    if isinstance(planned, NoRoom):
        return not _has_room(desk)
    return not validate.violations(problem, planned)


def _put_off(desk: DeskBase) -> None:
    """Say once, until another batch begins, that there is no room."""
    if not desk.state.batches.put_off:
        desk.state.batches.put_off = True
        desk.note(IndexPlanPutOff(tuple(desk.state.orders.ready.due), PutOff.NO_ROOM))


def _defer(desk: DeskBase, one: NotPlanned) -> None:
    order, indexes = desk.state.orders.live[one.order_id], desk.state.indexes
    desk.state.orders.ready.park(one.order_id, _cause(desk, order, one))
    if one.reason is PlanReason.HOUSE_EXPOSURE:
        indexes.attend = indexes.crowded = True
    desk.defer(order, one.reason, one.asset)


def _cause(desk: DeskBase, order: IndexOrder, one: NotPlanned) -> str:
    """What has to move before another plan could engage an order: the one market that keeps it out, or any."""
    basket = desk.state.indexes.basket(order.symbol)
    needed = basket is not None and basket.has(one.asset)
    return of_asset(one.asset) if needed and one.reason in _BY_ONE_ASSET else of_index(order.symbol)


def begin(desk: DeskBase, now: Nanos, planned: Plan, planner: PlannerName, house: str = "") -> str:
    """Let a batch run; return its id. One for the house says for which indexes, and engages no order.

    Its tasks are in units of assets, which are finer than those of the index tokens.
    """
    state, limits = desk.state, desk.settings.limits
    batch_id = state.ids.next("B")
    rules = BatchRules(
        mode=limits.mode,
        quantity_tolerance=limits.quantity_tolerance,
        collateral_tolerance=limits.collateral_tolerance,
        index_decimals=FINEST if house else desk.settings.token_decimals,
    )
    opened = open_batch(
        planned, state.stock, rules, batch_id=batch_id, now=now, next_order_id=partial(state.ids.next, "A")
    )
    state.batches.add(opened.batch)
    state.batches.put_off = False
    order_ids = tuple(one.order_id for one in planned.engagements)
    desk.note(IndexBatchOpened(batch_id, order_ids, opened.batch.volley, len(opened.placements), planner, house))
    for one in planned.engagements:
        _engage(desk, now, one, batch_id)
    _note_plan(desk, planned, opened)
    book_fills(desk, now, opened.batch, opened.fills)
    if opened.placements:
        tell_rates(desk, now)
        state.batches.room.sent(now, len(opened.placements))
        if not house:
            desk.wake(BATCH + batch_id, state.batches.room.queued_until + desk.settings.batch_window_ns)
        desk.send(EXECUTION, PlaceOrders(batch_id, tuple(_asset_order(one, limits.mode) for one in opened.placements)))
    if is_over(opened.batch):
        close_batch(desk, now, opened.batch)
    return batch_id


def _engage(desk: DeskBase, now: Nanos, one: Engagement, batch_id: str) -> None:
    order = desk.state.orders.live.get(one.order_id)
    if order is None:
        return
    carried = order.carried
    order.engage(batch_id, one.collateral, one.new_collateral, one.quantity)
    order.deferral = ""
    version = desk.state.indexes.live[order.symbol].version
    order.version = version if not order.filled or order.version == version else 0
    desk.move(now, order, IndexOrderStep.ENGAGED)
    desk.note(OrderEngaged(one.order_id, batch_id, one.quantity, one.price, one.collateral, carried))


def _note_plan(desk: DeskBase, planned: Plan, opened: Opened) -> None:
    batch_id = opened.batch.batch_id
    ids = {(one.asset, one.side): one.order_id for one in opened.placements}
    to_house = {("sell", one.asset): one.quantity for one in planned.crossings if one.to_house}
    for row in planned.assets:
        order_id, house = ids.get((row.asset, row.side), ""), to_house.get((row.side, row.asset), _ZERO)
        amounts = (row.limit, row.quantity, row.demand, row.stock, EXACT.subtract(row.crossed, house))
        over = (house,) if house else ()
        desk.note(AssetOrderPlanned(batch_id, order_id, row.asset, row.side, *amounts, *over))
    for one in planned.crossings:
        if not one.to_house:
            desk.note(OrdersCrossed(batch_id, crossing_id(batch_id, one), one.asset, one.price, one.quantity))
    for trade in opened.house:
        desk.note(HouseTraded(batch_id, trade.lot_id, trade.asset, trade.price, trade.quantity, trade.closed))


def _asset_order(one: Placement, mode: Mode) -> AssetOrder:
    """Plans keep to the filters that they know of, so no other may raise what the house will have to bear."""
    most = None if mode is Mode.REFERENCE else one.quantity
    return AssetOrder(one.order_id, one.asset, one.side, one.price, one.quantity, most)
