"""Later weights and delistings: the house trades what is held into what is aimed at, and the new basket is published.

The states of a rebalance and their theory are in `core.index.rebalance_states`. Its tasks run as house batches, one at
a time, ahead of users' orders and through the same machinery; the house's own go with them, last. What is left to do is
counted before each house batch (`counting`), so a rebalance ends when nothing is, whatever has happened meanwhile, and
what it has left undone at its deadline is traded as soon as it can be. The new basket is in force, here and on the
chain, at its end or at its deadline.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from core.index.allocation import BatchState
from core.index.base import REBALANCE, DeskBase
from core.index.basket import Basket
from core.index.carrying import release
from core.index.composition import publish
from core.index.counting import count_tasks
from core.index.facts import RebalanceEnded, RebalanceSettled, RebalanceStarted
from core.index.house import engage_tasks, sellable
from core.index.house_batch import house_plan
from core.index.indexes import LiveIndex, Rebalance
from core.index.planning import NoRoom, Plan
from core.index.rebalance import HouseTask
from core.index.rebalance_states import RebalanceState, RebalanceStep
from core.index.room import Turn
from core.index.rounds import begin, problem_of
from core.index.settings import PlannerName
from core.units import Nanos

_ZERO: Final = Decimal(0)
HOUSE: Final = "house"
"""What stands for the index of a batch in which the house trades for itself alone."""


def aim_at(desk: DeskBase, now: Nanos, index: LiveIndex, basket: Basket, *, at_once: bool = False) -> None:
    """Let an index be traded into another basket as soon as it can be. `at_once` cuts short what stands in the way."""
    indexes = desk.state.indexes
    rebalance = indexes.rebalances.get(index.symbol)
    if rebalance is None:
        indexes.rebalances[index.symbol] = Rebalance(index.symbol, basket)
    else:
        rebalance.step(RebalanceStep.AIMED)
        rebalance.aim, rebalance.deadline = basket, None
    indexes.attend = True
    desk.wake(REBALANCE + index.symbol, now + desk.settings.rebalance_window_ns)
    cut_short(desk)
    if at_once:
        _cancel(desk, _batches_of(desk, index.symbol))


def attend(desk: DeskBase, now: Nanos) -> None:
    """Begin, end and carry on whatever rebalances can. Call it while no house batch runs."""
    indexes = desk.state.indexes
    for symbol, rebalance in indexes.rebalances.items():
        if rebalance.state is RebalanceState.WAITING and not _batches_of(desk, symbol):
            _begin(desk, now, rebalance)
    count_tasks(desk, now)
    for rebalance in list(indexes.rebalances.values()):
        _conclude(desk, now, rebalance)
    _trade(desk, now, [task for task in indexes.tasks.values() if task.rests_until <= now])


def fall_due(desk: DeskBase, symbol: str) -> None:
    """The time of a rebalance is up, or of a house batch if there is no symbol: what stays in the book ends."""
    if not symbol:
        cut_short(desk)
        return
    rebalance = desk.state.indexes.rebalances.get(symbol)
    if rebalance is None or rebalance.state is RebalanceState.OWING:
        return
    desk.state.indexes.attend = True
    cut_short(desk)
    if rebalance.state is RebalanceState.WAITING:
        _cancel(desk, _batches_of(desk, symbol))


def cut_short(desk: DeskBase) -> None:
    """End the house batch that runs, if one does: exchange orders may stay in the book for as long as nobody cares."""
    if desk.state.indexes.house_batch:
        desk.cut_short(desk.state.indexes.house_batch)


def _cancel(desk: DeskBase, batches: Iterable[BatchState]) -> None:
    for batch in batches:
        desk.cut_short(batch.batch_id)


def _batches_of(desk: DeskBase, symbol: str) -> list[BatchState]:
    """Those in which users trade an index."""
    running, live = desk.state.batches.running.values(), desk.state.orders.live
    return [
        batch
        for batch in running
        if any(one.symbol == symbol and order_id in live for order_id, one in batch.engaged.items())
    ]


def _begin(desk: DeskBase, now: Nanos, rebalance: Rebalance) -> None:
    """Its window begins now. A delisting of what is held, or in the basket in force, may be due before that is over."""
    indexes = desk.state.indexes
    rebalance.step(RebalanceStep.CLEARED)
    index = indexes.live[rebalance.symbol]
    dates = indexes.delisted.items()
    ahead = (at for asset, at in dates if at > now and (index.basket.has(asset) or index.held.get(asset, _ZERO) > 0))
    rebalance.deadline = min((now + desk.settings.rebalance_window_ns, *ahead))
    desk.wake(REBALANCE + index.symbol, rebalance.deadline)
    desk.note(RebalanceStarted(index.symbol, index.version + 1, index.backed, rebalance.deadline))


def _conclude(desk: DeskBase, now: Nanos, rebalance: Rebalance) -> None:
    """See whether a rebalance is done, or late. One whose aim is not known yet is neither."""
    indexes, index = desk.state.indexes, desk.state.indexes.live[rebalance.symbol]
    undone = indexes.tasks_of(index.symbol)
    if rebalance.state is RebalanceState.TRADING:
        assert rebalance.deadline is not None
        if (undone and now < rebalance.deadline) or index.symbol in indexes.leaving:
            return
        rebalance.step(RebalanceStep.LATE if undone else RebalanceStep.DONE)
        _put_in_force(desk, now, index, rebalance.aim, undone)
    elif rebalance.state is RebalanceState.OWING and not undone:
        rebalance.step(RebalanceStep.DONE)
        desk.note(RebalanceSettled(index.symbol, index.version))
    if rebalance.state is RebalanceState.DONE:
        del indexes.rebalances[index.symbol]
        desk.state.orders.ready.wake_all()


def _put_in_force(desk: DeskBase, now: Nanos, index: LiveIndex, basket: Basket, undone: list[HouseTask]) -> None:
    index.basket, index.version = basket, index.version + 1
    missing = tuple((task.asset, task.quantity) for task in undone)
    desk.note(RebalanceEnded(index.symbol, index.version, missing))
    publish(desk, now, index.basket, index.version)
    release(desk, now)
    desk.state.orders.ready.wake_all()


def _trade(desk: DeskBase, now: Nanos, tasks: list[HouseTask]) -> None:
    """One house batch of these tasks. Without room, or with nothing to trade at, it waits for a change; where the
    exchange takes no more orders for a moment, for its turn, but for delistings ahead of their date."""
    room = desk.state.batches.room
    planned = _plan(desk, now, tasks)
    if planned is None:
        room.pass_on(Turn.HOUSE)
        return
    if not room.admits(now, planned, desk.settings.limits, Turn.HOUSE):
        desk.state.indexes.attend = True
        planned = _plan(desk, now, [task for task in tasks if task.is_ahead_of_delisting(now)])
        if planned is None or not room.admits(now, planned, desk.settings.limits, Turn.HOUSE, is_urgent=True):
            return
    _carry_out(desk, now, planned)


def _plan(desk: DeskBase, now: Nanos, tasks: list[HouseTask]) -> Plan | None:
    """A batch of these tasks; None if there is none to be made."""
    if not tasks:
        return None
    problem = problem_of(desk, now, (), (task.asset for task in tasks))
    planned = house_plan(problem, [sellable(desk, now, task) for task in tasks], now)
    return None if isinstance(planned, NoRoom) or not planned.engagements else planned


def _carry_out(desk: DeskBase, now: Nanos, planned: Plan) -> None:
    engaged = [desk.state.indexes.tasks[one.order_id].symbol for one in planned.engagements]
    symbols = ",".join(dict.fromkeys(symbol for symbol in engaged if symbol)) or HOUSE
    engage_tasks(desk, now, planned)
    desk.state.indexes.crowded = False
    batch_id = begin(desk, now, planned, PlannerName.SIMPLE, symbols)
    if batch_id in desk.state.batches.running:
        desk.state.indexes.house_batch = batch_id
        desk.wake(REBALANCE, now + desk.settings.rebalance_window_ns)
