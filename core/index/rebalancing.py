"""Later weights and delistings: the house trades from one basket to the next, then the new one is published.

A rebalance waits until no batch trades by the old basket any more; while it lasts, orders of its index are not engaged,
so that every token that assets were bought for is rebalanced, and each just once. Its tasks run as house batches, one
at a time, ahead of users' orders and through the same machinery. It ends when nothing is left to do, or at its
deadline. Then the new basket is in force, here and on the chain. What was left undone by then is overdue and goes on,
except that an asset that is no longer listed can be sold no more.
"""

from __future__ import annotations

from itertools import repeat
from typing import Final

from core.execution.records import EXECUTION, CancelAssetOrders
from core.index.base import DeskBase
from core.index.basket import Basket
from core.index.composition import publish
from core.index.facts import RebalanceEnded, RebalanceStarted
from core.index.house_batch import house_plan
from core.index.indexes import LiveIndex, Rebalance
from core.index.planning import NoRoom
from core.index.rebalance import HouseTask, Priority, deltas, tasks_of
from core.index.rounds import begin, problem_of
from core.index.settings import PlannerName
from core.units import Nanos

REBALANCE: Final = "rebalance:"


def start_rebalance(desk: DeskBase, now: Nanos, index: LiveIndex, basket: Basket, deadline: Nanos | None) -> None:
    """Let a rebalance begin as soon as it can. One with a deadline of its own is a delisting, and goes first."""
    priority = Priority.REBALANCE if deadline is None else Priority.DELISTING
    until = now + desk.settings.rebalance_window_ns if deadline is None else deadline
    desk.state.indexes.rebalances[index.symbol] = Rebalance(basket, until, priority)
    desk.state.indexes.attend = True
    index.weighed_at, index.rebalanced = now, True
    desk.wake(REBALANCE + index.symbol, until)


def attend(desk: DeskBase, now: Nanos) -> None:
    """Begin, end and carry on whatever rebalances can."""
    indexes = desk.state.indexes
    for symbol, rebalance in list(indexes.rebalances.items()):
        if rebalance.tasks is None and not _is_traded(desk, symbol):
            _set_tasks(desk, now, indexes.live[symbol], rebalance)
        if not indexes.house_batch and _is_over(desk, now, rebalance):
            _end(desk, now, indexes.live[symbol], rebalance)
    if indexes.house_batch:
        return
    for task_id in [task_id for task_id, task in indexes.overdue.items() if not _is_open(desk, task)]:
        del indexes.overdue[task_id]
    _trade(desk, now)


def cut_short(desk: DeskBase) -> None:
    """End the house batch that runs, if one does: exchange orders may stay in the book for as long as nobody cares."""
    if desk.state.indexes.house_batch:
        desk.send(EXECUTION, CancelAssetOrders(desk.state.indexes.house_batch))


def _is_traded(desk: DeskBase, symbol: str) -> bool:
    return any(one.symbol == symbol for batch in desk.state.batches.running.values() for one in batch.engaged.values())


def _set_tasks(desk: DeskBase, now: Nanos, index: LiveIndex, rebalance: Rebalance) -> None:
    tolerance = desk.settings.limits.quantity_tolerance
    changes = deltas(index.basket, rebalance.basket, index.backed, tolerance)
    rebalance.tasks = {}
    if now < rebalance.deadline:
        ids = (desk.state.ids.next("R") for _ in repeat(None))
        tasks = tasks_of(
            index.symbol, changes, ids=ids, priority=rebalance.priority, now=now, deadline=rebalance.deadline
        )
        rebalance.tasks = {task.task_id: task for task in tasks}
    desk.note(RebalanceStarted(index.symbol, index.version + 1, index.backed, rebalance.deadline))


def _is_over(desk: DeskBase, now: Nanos, rebalance: Rebalance) -> bool:
    if rebalance.tasks is None:
        return False
    return now >= rebalance.deadline or not any(_is_open(desk, task) for task in rebalance.tasks.values())


def _is_open(desk: DeskBase, task: HouseTask) -> bool:
    return task.quantity > desk.settings.limits.quantity_tolerance


def _end(desk: DeskBase, now: Nanos, index: LiveIndex, rebalance: Rebalance) -> None:
    assert rebalance.tasks is not None
    undone = {task.task_id: task for task in rebalance.tasks.values() if _is_open(desk, task)}
    missing = tuple((task.asset, task.quantity) for task in undone.values())
    kept = rebalance.basket.quantities()
    desk.state.indexes.overdue |= {
        task_id: task
        for task_id, task in undone.items()
        if rebalance.priority is not Priority.DELISTING or task.asset in kept
    }
    del desk.state.indexes.rebalances[index.symbol]
    index.basket, index.version = rebalance.basket, index.version + 1
    desk.note(RebalanceEnded(index.symbol, index.version, missing))
    publish(desk, now, index.basket, index.version)
    desk.state.orders.tried.clear()


def _trade(desk: DeskBase, now: Nanos) -> None:
    """One house batch of all open tasks. Without room, or with nothing to trade at, it waits for a change."""
    indexes = desk.state.indexes
    under_way = (task for rebalance in indexes.rebalances.values() for task in (rebalance.tasks or {}).values())
    tasks = [task for task in (*indexes.overdue.values(), *under_way) if _is_open(desk, task)]
    if not tasks:
        return
    problem = problem_of(desk, now, (), (task.asset for task in tasks))
    planned = house_plan(problem, tasks, now)
    if isinstance(planned, NoRoom) or not planned.engagements:
        return
    symbols = ",".join(dict.fromkeys(task.symbol for task in tasks))
    batch_id = begin(desk, now, planned, PlannerName.SIMPLE, symbols)
    if batch_id in desk.state.batches.running:
        indexes.house_batch = batch_id
