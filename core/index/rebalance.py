"""From one basket to another: what the tokens that exist need sold and bought, as tasks with priority and deadline.

New weights make a new basket of which a token is worth what one of the old basket is worth at that moment. What is held
for the tokens that exist, and what they need by the new basket, differ: each asset's difference is a task. Tasks are
worked off in house batches (`house_batch`), through the same planning types and the same batches as users' orders,
until none is left. A delisting is a rebalance to the same weights without the asset, due before the date and ahead of
all others. What the house holds too much of, or has sold and not owned, is a task too, and the last to be served.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from enum import IntEnum
from typing import Final

import msgspec

from core.errors import DefectError, InputError
from core.index.allocation import OrderFill
from core.index.basket import Basket, basket_from_weights, index_price
from core.index.rebalance_states import TASKS, TaskState, TaskStep
from core.index.rounding import cut
from core.market.orders import Side
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)


class Priority(IntEnum):
    """Which tasks go first; the least is the first."""

    DELISTING = 0
    REBALANCE = 1
    SURPLUS = 2


class HouseTask(msgspec.Struct, kw_only=True):
    """`quantity` of an asset that is still to be bought or sold for the tokens of index `symbol`, or for the house."""

    task_id: str
    symbol: str
    """Empty for the house."""
    asset: str
    side: Side
    quantity: Decimal
    priority: Priority
    created_at: Nanos
    deadline: Nanos
    state: TaskState = TaskState.OPEN
    misses: int = 0
    """How many batches in a row have traded nothing of it."""
    blocked: bool = False
    """Whether the exchange has refused an order for it, and taken none since (`blocked`)."""
    rests_until: Nanos = 0
    """It is put into no batch before."""

    def step(self, step: TaskStep) -> None:
        """Move along the table of tasks."""
        self.state = TASKS.after(self.state, step, self.task_id)

    @property
    def change(self) -> Decimal:
        """What its holder will have more of the asset; less, if below zero."""
        return self.quantity if self.side == "buy" else self.quantity.copy_negate()

    def is_overdue(self, now: Nanos) -> bool:
        """Whether its deadline has passed with something left to do."""
        return now >= self.deadline and self.quantity > 0

    def is_ahead_of_delisting(self, now: Nanos) -> bool:
        """Whether its asset is delisted, at a date that is still to come."""
        return self.priority is Priority.DELISTING and now < self.deadline


def rebalanced(old: Basket, weights: Iterable[tuple[str, Decimal]], prices: Mapping[str, Decimal]) -> Basket:
    """A basket of these weights, a unit of which is worth at `prices` what a unit of the old one is.

    Raises Unpriced naming assets of either that have no price, and InputError for unusable weights.
    """
    return basket_from_weights(old.symbol, weights, prices, index_price(old, prices))


def owed(held: Mapping[str, Decimal], aim: Basket, tokens: Decimal) -> dict[str, Decimal]:
    """What has to be bought of each asset, or sold if below zero, so that what is held makes `tokens` of `aim`."""
    wanted = {asset: cut(each * tokens) for asset, each in aim.quantities().items()}
    assets = dict.fromkeys((*held, *wanted))
    found = {asset: EXACT.subtract(wanted.get(asset, _ZERO), held.get(asset, _ZERO)) for asset in assets}
    return {asset: change for asset, change in found.items() if change}


def weights_without(
    basket: Basket, gone: Collection[str], prices: Mapping[str, Decimal]
) -> tuple[tuple[str, Decimal], ...]:
    """The weights that the other assets have at `prices`, scaled to sum to 1. What is `gone` needs no price.

    Raises InputError when no other asset is left, and Unpriced naming those that have no price.
    """
    rest = Basket(basket.symbol, tuple(part for part in basket.assets if part.asset not in gone))
    if not rest.assets:
        names = ", ".join(basket.quantities())
        raise InputError(f"{basket.symbol} is made of {names} alone", "give it new weights before the delisting")
    total = index_price(rest, prices)
    return tuple((part.asset, prices[part.asset] * part.quantity / total) for part in rest.assets)


def queue(tasks: Iterable[HouseTask], now: Nanos) -> list[HouseTask]:
    """Tasks with something left to do, the most urgent first.

    Delistings whose date is still to come, then what is overdue; among equals by priority, deadline, sells and age.
    """
    waiting = (task for task in tasks if task.quantity > 0)
    return sorted(
        waiting,
        key=lambda task: (
            task.priority is not Priority.DELISTING or task.is_overdue(now),
            not task.is_overdue(now),
            task.priority,
            task.deadline,
            task.side == "buy",
            task.created_at,
            task.task_id,
        ),
    )


def record(task: HouseTask, fill: OrderFill, tolerance: Decimal) -> None:
    """A house batch filled a part of the task; what is left of it within `tolerance` is nothing.

    Raises DefectError for another task's fill.
    """
    if fill.order_id != task.task_id:
        raise DefectError(f"task {task.task_id} was given a fill of {fill.order_id}")
    left = EXACT.subtract(task.quantity, fill.quantity)
    task.quantity = left if left > tolerance else _ZERO
