"""Tasks of the house that the exchange refuses, for one, because the account cannot pay.

They are tried for as long as they stand, less and less often, so somebody has to hear of it: once when a task is
*blocked*, and once when that is over, because the exchange has taken an order for it or nothing of it is left.
"""

from __future__ import annotations

from typing import Final

from core.execution.records import EndReason
from core.index.allocation import ExchangeOrder
from core.index.base import DeskBase
from core.index.facts import HouseTaskBlocked, HouseTaskUnblocked
from core.index.rebalance import HouseTask

_SAYS_NOTHING: Final = frozenset({EndReason.UNSENDABLE, EndReason.RATE_LIMITED, EndReason.NO_SESSION, EndReason.LOST})
"""How orders end that the exchange has not judged."""


def hear(desk: DeskBase, task: HouseTask, order: ExchangeOrder) -> None:
    """An exchange order for a task has ended."""
    how = order.reason.partition(":")[0]
    if order.filled or (how != EndReason.REFUSED and how not in _SAYS_NOTHING):
        unblock(desk, task)
    elif how == EndReason.REFUSED and not task.blocked:
        task.blocked = True
        needed = (task.quantity, order.price * task.quantity)
        desk.note(HouseTaskBlocked(task.task_id, task.symbol, task.asset, task.side, *needed, order.reason))


def unblock(desk: DeskBase, task: HouseTask) -> None:
    """The exchange has taken an order for a task, or nothing is left of it."""
    if task.blocked:
        task.blocked = False
        desk.note(HouseTaskUnblocked(task.task_id, task.symbol, task.asset))
