"""From one basket to another: what the tokens that exist need sold and bought, as tasks with priority and deadline.

New weights make a new basket of which a token is worth what one of the old basket is worth at that moment. For the
tokens that exist, each asset's difference is a task. Tasks are worked off in house batches (`house_batch`), through the
same planning types and the same batches as users' orders, until none is left. A delisting is a rebalance to the same
weights without the asset, due before the date and ahead of all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import IntEnum
from typing import Final

import msgspec

from core.errors import DefectError, InputError
from core.index.allocation import OrderFill
from core.index.basket import Basket, basket_from_weights, index_price
from core.index.stock import Stock, house_quantities
from core.market.orders import Side
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)


class Priority(IntEnum):
    """Which tasks go first; the least is the first."""

    DELISTING = 0
    REBALANCE = 1
    SURPLUS = 2
    """House inventory above what is tolerated."""


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
    done: Decimal = _ZERO
    money: Decimal = _ZERO
    """Paid so far, fees included; of a sell, received."""

    def is_overdue(self, now: Nanos) -> bool:
        """Whether its deadline has passed with something left to do."""
        return now >= self.deadline and self.quantity > 0


def rebalanced(old: Basket, weights: Iterable[tuple[str, Decimal]], prices: Mapping[str, Decimal]) -> Basket:
    """A basket of these weights, a unit of which is worth at `prices` what a unit of the old one is.

    Raises Unpriced naming assets of either that have no price, and InputError for unusable weights.
    """
    return basket_from_weights(old.symbol, weights, prices, index_price(old, prices))


def deltas(old: Basket, new: Basket, tokens: Decimal, tolerance: Decimal = _ZERO) -> dict[str, Decimal]:
    """What `tokens` of an index need of each asset to be made of `new` instead of `old`: to sell, if below zero.

    Assets that change by no more than `tolerance` are left out.
    """
    before, after = old.quantities(), new.quantities()
    assets = dict.fromkeys((*before, *after))
    found = {asset: (after.get(asset, _ZERO) - before.get(asset, _ZERO)) * tokens for asset in assets}
    return {asset: change for asset, change in found.items() if abs(change) > tolerance}


def weights_without(basket: Basket, asset: str, prices: Mapping[str, Decimal]) -> tuple[tuple[str, Decimal], ...]:
    """The weights that the other assets have at `prices`, scaled to sum to 1.

    Raises InputError when the basket has no other asset, or does not have this one; Unpriced if prices are missing.
    """
    quantities = basket.quantities()
    if asset not in quantities:
        raise InputError(f"{basket.symbol} has no {asset}", "name an asset of the index")
    if len(quantities) == 1:
        raise InputError(f"{basket.symbol} is made of {asset} alone", "give it new weights before the delisting")
    total = index_price(basket, prices)
    shares = [(name, prices[name] * quantity / total) for name, quantity in quantities.items() if name != asset]
    rest = sum((share for _, share in shares), _ZERO)
    return tuple((name, share / rest) for name, share in shares)


def tasks_of(
    symbol: str, changes: Mapping[str, Decimal], *, ids: Iterable[str], priority: Priority, now: Nanos, deadline: Nanos
) -> tuple[HouseTask, ...]:
    """A task for each change, sells first: they bring the money that buys need. Takes an id for each from `ids`.

    Raises InputError for a deadline that is not in the future.
    """
    if deadline <= now:
        raise InputError(f"{symbol}: a rebalance that was due {now - deadline} ns ago", "set a deadline in the future")
    names = iter(ids)
    ordered = sorted(changes.items(), key=lambda change: change[1] > 0)
    return tuple(
        HouseTask(
            task_id=next(names),
            symbol=symbol,
            asset=asset,
            side="buy" if change > 0 else "sell",
            quantity=abs(change),
            priority=priority,
            created_at=now,
            deadline=deadline,
        )
        for asset, change in ordered
        if change
    )


def surplus(stock: Stock, prices: Mapping[str, Decimal], tolerated: Decimal) -> dict[str, Decimal]:
    """What the house should trade to be rid of, below zero to sell: whole holdings that are worth more than tolerated.

    Assets without a price stay.
    """
    held, worth = house_quantities(stock), prices.get
    return {asset: -owned for asset, owned in held.items() if abs(owned) * worth(asset, _ZERO) > tolerated}


def queue(tasks: Iterable[HouseTask], now: Nanos) -> list[HouseTask]:
    """Tasks with something left to do, the most urgent first: overdue, then by priority, deadline, sells and age."""
    waiting = (task for task in tasks if task.quantity > 0)
    return sorted(
        waiting,
        key=lambda task: (
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
    task.done, task.money = EXACT.add(task.done, fill.quantity), EXACT.add(task.money, fill.cost)


def net_cost(tasks: Iterable[HouseTask]) -> Decimal:
    """What tasks have cost together so far, fees included: paid for buys less received for sells."""
    total = _ZERO
    for task in tasks:
        total = EXACT.add(total, task.money if task.side == "buy" else -task.money)
    return total
