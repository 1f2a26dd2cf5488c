"""The indexes that the desk trades: what a token of each is made of, and how many tokens its assets stand behind."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from core.index.allocation import OrderFill
from core.index.basket import Basket
from core.index.order import IndexOrder
from core.index.rebalance import HouseTask, Priority, record
from core.index.records import Weights
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)


class Weighing(msgspec.Struct):
    """Weights that a curator has set and that are not in force yet."""

    symbol: str
    weights: Weights
    target_price: Decimal | None
    deadline: Nanos | None = None
    """Of a delisting: what leaves has to be sold by then."""


class Rebalance(msgspec.Struct):
    """A rebalance under way: the basket that is traded for, and until when."""

    basket: Basket
    deadline: Nanos
    priority: Priority
    tasks: dict[str, HouseTask] | None = None
    """None while batches still run that buy or sell by the old basket."""


class LiveIndex(msgspec.Struct):
    """One index."""

    symbol: str
    basket: Basket
    version: int = 1
    weighed_at: Nanos = 0
    supply: Decimal = _ZERO
    """Tokens minted and not burned."""
    backed: Decimal = _ZERO
    """Tokens whose assets were bought and not sold: the supply, and what orders in progress have."""
    held: dict[str, Decimal] = {}
    """What is held of each asset for the backed tokens."""
    cash: Decimal = _ZERO
    """What rebalances brought, less what they cost."""
    rebalanced: bool = False
    """Whether its weights were ever changed."""
    last_price: Decimal | None = None
    """What the newest tokens cost, or brought."""

    def hold(self, asset: str, change: Decimal) -> None:
        """So much more is held of an asset."""
        self.held[asset] = EXACT.add(self.held.get(asset, _ZERO), change)


class Indexes(msgspec.Struct):
    """Indexes by their symbols, and the weights that wait for prices, for their day or for a rebalance to end."""

    live: dict[str, LiveIndex] = {}
    weighing: dict[str, Weighing] = {}
    rebalances: dict[str, Rebalance] = {}
    """Under way, by index."""
    overdue: dict[str, HouseTask] = {}
    """What rebalances that have ended left undone: it is owed to the tokens, and traded as soon as it can be."""
    house_batch: str = ""
    """The running batch of rebalances, if there is one."""
    attend: bool = False
    """Whether something has changed for a rebalance."""

    def basket(self, symbol: str) -> Basket | None:
        """What a token of an index is made of; None if there is no such index."""
        index = self.live.get(symbol)
        return None if index is None else index.basket

    def baskets(self, symbols: Iterable[str]) -> tuple[Basket, ...]:
        """The baskets of those of the indexes that exist, once each."""
        return tuple(self.live[symbol].basket for symbol in dict.fromkeys(symbols) if symbol in self.live)

    def assets(self) -> dict[str, None]:
        """Every asset of every index."""
        return dict.fromkeys(part.asset for index in self.live.values() for part in index.basket.assets)

    def has_tasks(self) -> bool:
        """Whether anything is left to do for rebalances."""
        return bool(self.rebalances or self.overdue)

    def task(self, task_id: str) -> HouseTask | None:
        """A task of a rebalance under way, or of one that left it undone."""
        if task_id in self.overdue:
            return self.overdue[task_id]
        for rebalance in self.rebalances.values():
            if rebalance.tasks is not None and task_id in rebalance.tasks:
                return rebalance.tasks[task_id]
        return None

    def fill(self, fill: OrderFill) -> None:
        """Assets of an order's tokens were bought, or sold."""
        index = self.live[fill.symbol]
        bought = fill.side == "buy"
        index.backed = EXACT.add(index.backed, fill.quantity if bought else -fill.quantity)
        for piece in fill.slices:
            index.hold(piece.asset, piece.quantity if bought else piece.quantity.copy_negate())

    def give_up(self, order: IndexOrder) -> None:
        """An order's lots are no longer held for its tokens, which will never be."""
        index = self.live[order.symbol]
        index.backed = EXACT.subtract(index.backed, order.filled)
        for lot in order.lots.values():
            index.hold(lot.asset, lot.quantity.copy_negate())

    def fill_task(self, task: HouseTask, fill: OrderFill, tolerance: Decimal) -> None:
        """A part of a task was traded for its index."""
        record(task, fill, tolerance)
        index, bought = self.live[task.symbol], task.side == "buy"
        for piece in fill.slices:
            index.hold(piece.asset, piece.quantity if bought else piece.quantity.copy_negate())
        index.cash += -fill.cost if bought else fill.cost

    def mint(self, symbol: str, quantity: Decimal, price: Decimal) -> None:
        """So many tokens exist more; below zero, less. Each cost or brought `price`."""
        index = self.live[symbol]
        index.supply = EXACT.add(index.supply, quantity)
        index.last_price = price
