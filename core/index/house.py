"""The house's tasks in batches: what they hold aside, what their fills do, and what is left when a batch is over."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec import structs

from core.index import cash
from core.index.allocation import BatchState, OrderFill, Slice
from core.index.base import HOUSE, DeskBase
from core.index.blocked import hear
from core.index.counting import spoiled_of, worst_sale
from core.index.forgoing import leave_cash
from core.index.planning import Plan, key
from core.index.rebalance import HouseTask, record
from core.index.rebalance_states import TaskStep
from core.index.stock import Lot, add_house, offer, take, take_back, total_of
from core.market.books import doubled
from core.market.orders import Side
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)


def sellable(desk: DeskBase, now: Nanos, task: HouseTask) -> HouseTask:
    """A task as far as it can be done now: what is held and was sold already, for nobody, is not sold once more."""
    if task.side == "buy" or not task.symbol:
        return task
    there = desk.state.indexes.live[task.symbol].held.get(task.asset, _ZERO) - spoiled_of(desk, now, task.asset)
    return structs.replace(task, quantity=min(task.quantity, max(there, _ZERO)))


def engage_tasks(desk: DeskBase, now: Nanos, planned: Plan) -> None:
    """A batch takes tasks. What the house trades away of its own is put aside, so that nobody else uses it."""
    for one in planned.engagements:
        task = desk.state.indexes.tasks[one.order_id]
        task.step(TaskStep.ENGAGED)
        if not task.symbol:
            worst = worst_sale(desk, now, task.asset)
            offer(desk.state.stock, task.asset, _other(task.side), one.quantity, worst)


def fill_task(desk: DeskBase, task: HouseTask, fill: OrderFill) -> None:
    """A part of a task was traded, for its index or for the house."""
    record(task, fill, desk.settings.limits.nothing)
    if not task.symbol:
        for piece in fill.slices:
            _settle(desk, task, piece)
        return
    index, bought = desk.state.indexes.live[task.symbol], task.side == "buy"
    index.steps += 1
    for piece in fill.slices:
        index.hold(piece.asset, piece.quantity if bought else piece.quantity.copy_negate())
    index.cash += -fill.cost if bought else fill.cost
    cash.pay(desk, fill)
    leaving = desk.state.indexes.leaving.get(task.symbol)
    if leaving is not None and not bought:
        leaving.sell(task.asset, fill.quantity, fill.cost)
    leave_cash(desk, index)


def release_tasks(desk: DeskBase, now: Nanos, batch: BatchState) -> bool:
    """A batch is over: whether it was one of tasks. What it did not do of them is open again.

    One of which nothing was traded rests, longer each time: the exchange may refuse whatever the book promises.
    """
    tasks, settings = desk.state.indexes.tasks, desk.settings
    released = [tasks[task_id] for task_id in batch.engaged if task_id in tasks]
    for task in released:
        task.step(TaskStep.RELEASED)
        for order in batch.orders.values():
            if (order.asset, order.side) == (task.asset, task.side):
                hear(desk, task, order)
        task.misses = 0 if batch.engaged[task.task_id].filled else task.misses + 1
        if task.misses:
            pause = doubled(settings.house_retry_ns, task.misses, settings.house_retry_ns_max)
            task.rests_until = now + pause
    if released:
        take_back(desk.state.stock)
        watch_rests(desk, now)
    return bool(released)


def watch_rests(desk: DeskBase, now: Nanos) -> None:
    """Be woken when the next of the tasks that rest is to be tried again."""
    rests = [task.rests_until for task in desk.state.indexes.tasks.values() if task.rests_until > now]
    if rests:
        desk.wake(HOUSE, min(rests))


def _settle(desk: DeskBase, task: HouseTask, piece: Slice) -> None:
    """A trade of the house's own meets the lots that were put aside for it."""
    stock = desk.state.stock
    met = total_of(take(stock.offered, key(task.asset, _other(task.side)), piece.quantity))
    if left := EXACT.subtract(piece.quantity, met):
        add_house(stock, _lot(piece, left))


def _lot(piece: Slice, quantity: Decimal) -> Lot:
    return Lot(
        lot_id=piece.lot_id,
        asset=piece.asset,
        side=piece.side,
        price=piece.price,
        original=piece.original_quantity,
        remaining=quantity,
        fee=piece.original_fee,
        batch_id="",
        created_at=piece.created_at,
    )


def _other(side: Side) -> Side:
    return "sell" if side == "buy" else "buy"
