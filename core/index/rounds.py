"""From ready orders to a running batch: pose the problem, have it planned, engage what the plan engages.

The simple planner runs inline. The matrix planner is asked by `Compute` and held to a time: an answer that is late, or
that breaks the rules, or that counts on an order that has gone meanwhile, is replaced by a simple plan. Orders that a
plan leaves out keep their places and wait until something changes; nothing of a plan can be lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from core.execution.records import EXECUTION, AssetOrder, PlaceOrders
from core.index import stock, validate
from core.index.allocation import BatchRules
from core.index.base import DeskBase
from core.index.batch import Opened, Placement, is_over, open_batch, outstanding, reserved
from core.index.batches import PlanJob
from core.index.commissions import tell_rates
from core.index.facts import (
    AssetOrderPlanned,
    HouseTraded,
    IndexBatchOpened,
    IndexOrderDeferred,
    IndexPlanPutOff,
    OrderEngaged,
)
from core.index.filling import book_fills, close_batch
from core.index.fitting import plan
from core.index.order import ENGAGEABLE, IndexOrder
from core.index.planning import Demand, Engagement, NoRoom, NotPlanned, Plan, PlanProblem
from core.index.reasons import PutOff
from core.index.records import Outcome
from core.index.settings import PlannerName
from core.index.settling import leave
from core.index.states import IndexOrderStep
from core.kernel.record import CancelTimer, Compute
from core.units import Nanos

COMPUTING: Final = "compute"


def plan_round(desk: DeskBase, now: Nanos) -> None:
    """Begin a batch of the orders that are due, if there are any and no plan is being made."""
    state = desk.state
    if state.stopping or state.batches.job is not None or not state.orders.has_due():
        return
    due = _due(desk)
    if not due:
        return
    problem = problem_of(desk, now, due)
    if desk.settings.planner is PlannerName.MATRIX:
        job = state.batches.job = PlanJob(state.ids.next("J"), problem)
        desk.emit(Compute(job.job_id, problem))
        desk.wake(COMPUTING, now + desk.settings.compute_timeout_ns)
    else:
        carry_out(desk, now, plan(problem), PlannerName.SIMPLE)


def on_computed(desk: DeskBase, now: Nanos, job_id: str, planned: Plan | NoRoom) -> None:
    """The matrix planner has answered. What it says of another job came too late."""
    job = desk.state.batches.job
    if job is None or job.job_id != job_id:
        return
    desk.state.batches.job = None
    desk.emit(CancelTimer(COMPUTING))
    if isinstance(planned, NoRoom) or _still_holds(desk, job.problem, planned):
        carry_out(desk, now, planned, PlannerName.MATRIX)
    else:
        plan_simply(desk, now)


def plan_simply(desk: DeskBase, now: Nanos) -> None:
    """The matrix planner is late, or its plan cannot be used: plan inline, at prices as they are now."""
    desk.state.batches.job = None
    due = [] if desk.state.stopping else _due(desk)
    if due:
        carry_out(desk, now, plan(problem_of(desk, now, due)), PlannerName.SIMPLE)


def carry_out(desk: DeskBase, now: Nanos, planned: Plan | NoRoom, planner: PlannerName) -> None:
    """Engage what the plan engages and send its exchange orders; let the others wait, or end what has no future."""
    orders = desk.state.orders
    if isinstance(planned, NoRoom):
        _put_off(desk)
        orders.tried = dict.fromkeys(orders.ready)
        return
    for one in planned.deferred:
        _defer(desk, one)
    for one in planned.failed:
        leave(desk, now, orders.live[one.order_id], Outcome.REJECTED, one.reason)
    if planned.engagements:
        begin(desk, now, planned, planner)


def problem_of(desk: DeskBase, now: Nanos, due: Iterable[IndexOrder], assets: Iterable[str] = ()) -> PlanProblem:
    """What a batch of these orders has to be planned from, with the markets of `assets` besides theirs."""
    state = desk.state
    due = tuple(due)
    baskets = state.indexes.baskets(order.symbol for order in due)
    assets = dict.fromkeys((*assets, *(part.asset for basket in baskets for part in basket.assets)))
    running = state.batches.running.values()
    return PlanProblem(
        demands=tuple(
            Demand(order.order_id, order.symbol, order.side, order.remaining, order.carried) for order in due
        ),
        baskets=baskets,
        views=tuple(desk.views(now, assets).values()),
        limits=desk.settings.limits,
        outstanding_volley=outstanding(running),
        reserved_asks=reserved(running, "buy"),
        reserved_bids=reserved(running, "sell"),
        held=stock.held(state.stock),
    )


def _due(desk: DeskBase) -> list[IndexOrder]:
    """What is due for a batch. Orders of an index that is rebalanced wait for its new basket."""
    orders, barred = desk.state.orders, desk.state.indexes.rebalances
    due = orders.due(desk.settings.max_batch_size, barred)
    if not due:
        orders.tried = dict.fromkeys(orders.ready)
    return due


def _still_holds(desk: DeskBase, problem: PlanProblem, planned: Plan) -> bool:
    """Whether a plan keeps the rules, and every order that it names is as it was when the problem was posed."""
    orders = desk.state.orders
    demands = {demand.order_id: demand for demand in problem.demands}
    named = [one.order_id for one in planned.engagements]
    named += [one.order_id for one in (*planned.deferred, *planned.failed)]
    for order_id in named:
        order, demand = orders.live.get(order_id), demands.get(order_id)
        if order is None or demand is None or order.state not in ENGAGEABLE:
            return False
        if (order.remaining, order.carried) != (demand.remaining, demand.carried):
            return False
    unchanged = stock.held(desk.state.stock) == problem.held
    room = desk.settings.limits.max_total_volley_size - outstanding(desk.state.batches.running.values())
    return unchanged and planned.volley <= room and not validate.violations(problem, planned)


def _put_off(desk: DeskBase) -> None:
    """Say once, until another batch begins, that there is no room."""
    if not desk.state.batches.put_off:
        desk.state.batches.put_off = True
        desk.note(IndexPlanPutOff(tuple(desk.state.orders.ready), PutOff.NO_ROOM))


def _defer(desk: DeskBase, one: NotPlanned) -> None:
    orders = desk.state.orders
    order = orders.live[one.order_id]
    orders.tried[one.order_id] = None
    orders.ready[one.order_id] = orders.ready.pop(one.order_id)
    if order.deferral != one.reason:
        order.deferral = one.reason
        desk.note(IndexOrderDeferred(one.order_id, one.reason, one.asset))


def begin(desk: DeskBase, now: Nanos, planned: Plan, planner: PlannerName, house: str = "") -> str:
    """Let a batch run; return its id. One for the house says for which indexes, and engages no order."""
    state, limits = desk.state, desk.settings.limits
    batch_id = state.ids.next("B")
    rules = BatchRules(
        mode=limits.mode,
        fee_factor=limits.fee_factor,
        quantity_tolerance=limits.quantity_tolerance,
        fill_step=limits.quantity_tolerance,
        index_decimals=desk.settings.token_decimals,
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
        desk.send(EXECUTION, PlaceOrders(batch_id, tuple(_asset_order(one) for one in opened.placements)))
    if is_over(opened.batch):
        close_batch(desk, now, opened.batch)
    return batch_id


def _engage(desk: DeskBase, now: Nanos, one: Engagement, batch_id: str) -> None:
    order = desk.state.orders.live.get(one.order_id)
    if order is None:
        return
    carried = order.carried
    order.engage(batch_id, one.collateral, one.new_collateral)
    order.deferral = ""
    version = desk.state.indexes.live[order.symbol].version
    order.version = version if not order.filled or order.version == version else 0
    desk.move(now, order, IndexOrderStep.ENGAGED)
    desk.note(OrderEngaged(one.order_id, batch_id, one.quantity, one.price, one.collateral, carried))


def _note_plan(desk: DeskBase, planned: Plan, opened: Opened) -> None:
    batch_id = opened.batch.batch_id
    ids = {(one.asset, one.side): one.order_id for one in opened.placements}
    for row in planned.assets:
        order_id = ids.get((row.asset, row.side), "")
        amounts = (row.limit, row.quantity, row.demand, row.stock, row.crossed)
        desk.note(AssetOrderPlanned(batch_id, order_id, row.asset, row.side, *amounts))
    for trade in opened.house:
        desk.note(HouseTraded(batch_id, trade.lot_id, trade.asset, trade.price, trade.quantity, trade.closed))


def _asset_order(one: Placement) -> AssetOrder:
    return AssetOrder(one.order_id, one.asset, one.side, one.price, one.quantity)
