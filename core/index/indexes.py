"""The indexes that the desk trades: what a token of each is made of, and how many tokens its assets stand behind."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from core.index.allocation import OrderFill
from core.index.basket import Basket
from core.index.rebalance import HouseTask
from core.index.rebalance_states import REBALANCES, RebalanceState, RebalanceStep, TaskState
from core.index.records import Weights
from core.index.rounding import ROUNDING
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)


class Weighing(msgspec.Struct):
    """Weights that a curator has set and that are not in force yet."""

    symbol: str
    weights: Weights
    target_price: Decimal | None


class Rebalance(msgspec.Struct):
    """A rebalance under way: its states and their theory are in `core.index.rebalance_states`."""

    symbol: str
    aim: Basket
    """What is traded for; in force already when it is owing."""
    state: RebalanceState = RebalanceState.WAITING
    deadline: Nanos | None = None
    """When its aim is in force, done or not; None before it trades."""

    def step(self, step: RebalanceStep) -> None:
        """Move along the table of rebalances."""
        self.state = REBALANCES.after(self.state, step, self.symbol)

    @property
    def is_closed(self) -> bool:
        """Whether orders of the index wait for it."""
        return self.state is not RebalanceState.OWING


class Sold(msgspec.Struct):
    """What was sold of an asset, and what that brought, fees deducted."""

    quantity: Decimal = _ZERO
    brought: Decimal = _ZERO


class Leaving(msgspec.Struct):
    """What an index aimed at before assets of that were delisted, and what was sold of these since."""

    aim: Basket
    sold: dict[str, Sold] = {}
    """By asset."""

    def sell(self, asset: str, quantity: Decimal, brought: Decimal) -> None:
        """So much was sold of an asset. What the aim has nothing of does not count."""
        if self.aim.has(asset):
            sold = self.sold.setdefault(asset, Sold())
            sold.quantity = EXACT.add(sold.quantity, quantity)
            sold.brought = EXACT.add(sold.brought, brought)


class Unminted(msgspec.Struct):
    """Tokens whose assets were bought and that will not be minted. Their share of what is held for their index is the
    house's, and is still among it."""

    order_id: str
    symbol: str
    tokens: Decimal
    prices: dict[str, Decimal]
    """What a unit of each asset has cost their order."""


class LiveIndex(msgspec.Struct):
    """One index."""

    symbol: str
    basket: Basket
    version: int = 1
    weighed_at: Nanos = 0
    supply: Decimal = _ZERO
    """Tokens minted and not burned."""
    backed: Decimal = _ZERO
    """Tokens whose assets were bought and not sold: the supply, what orders in progress have, and unminted ones."""
    held: dict[str, Decimal] = {}
    """What is held of each asset for the backed tokens."""
    cash: Decimal = _ZERO
    """What rebalances brought, less what they cost, of the backed tokens."""
    rebalanced: bool = False
    """Whether its weights were ever changed."""
    last_price: Decimal | None = None
    """What the newest tokens cost, or brought."""
    steps: int = 0
    """How often what is held, or backed, has changed: each time by amounts that are rounded."""
    rest: dict[str, Decimal] = {}
    """What its last rebalance would still have had to buy, or to sell if below zero, and was nothing worth trading."""

    def hold(self, asset: str, change: Decimal) -> None:
        """So much more is held of an asset."""
        self.held[asset] = EXACT.add(self.held.get(asset, _ZERO), change)

    def back(self, tokens: Decimal) -> None:
        """So many tokens more have assets behind them; below zero, less."""
        self.backed = EXACT.add(self.backed, tokens)
        self.steps += 1

    def lacks(self, asset: str) -> Decimal:
        """What is not held of an asset and was nothing worth buying."""
        return max(self.rest.get(asset, _ZERO), _ZERO)

    def slack(self, each: Decimal, tolerance: Decimal) -> Decimal:
        """By how much what is held of an asset may be off by rounding, if a token needs `each` of it.

        Each step is off by the tolerance where a lot was taken whole, and by the smallest unit of a token.
        """
        return tolerance * (1 + each) * 2 * (self.steps + 1) + abs(each * self.backed) * ROUNDING


class Indexes(msgspec.Struct):
    """Indexes by their symbols, the weights that wait for prices, for their day or for a rebalance, and its tasks."""

    live: dict[str, LiveIndex] = {}
    weighing: dict[str, Weighing] = {}
    rebalances: dict[str, Rebalance] = {}
    """Under way, by index."""
    delisted: dict[str, Nanos] = {}
    """Assets that have left their venue, or will, and when. They are remembered for ever."""
    leaving: dict[str, Leaving] = {}
    """By index that assets leave, until there are prices to do without them."""
    tasks: dict[str, HouseTask] = {}
    """What the house has to trade, by task."""
    unminted: list[Unminted] = []
    """Those that wait for the house batch that trades for their index."""
    house_batch: str = ""
    """The running batch of such tasks, if there is one."""
    unseen: dict[str, None] = {}
    """Assets of the house, of which there was no price to tell how much it has to trade when tasks were counted."""
    crowded: bool = False
    """Whether an order was left out for want of room in the house, and it has sold nothing since."""
    attend: bool = False
    """Whether something has changed for the house: its tasks have to be counted again."""

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

    def aim(self, symbol: str) -> Basket:
        """What tokens of an index are to be made of in the end."""
        rebalance = self.rebalances.get(symbol)
        return self.live[symbol].basket if rebalance is None else rebalance.aim

    def has_tasks(self) -> bool:
        """Whether the house has anything to trade, or may have."""
        return bool(self.rebalances or self.tasks)

    def tasks_of(self, symbol: str) -> list[HouseTask]:
        """What is to be traded for an index; of no symbol, for the house."""
        return [task for task in self.tasks.values() if task.symbol == symbol]

    def is_trading(self, symbol: str) -> bool:
        """Whether a running house batch trades for an index."""
        return any(task.state is TaskState.ENGAGED for task in self.tasks_of(symbol))

    def selling(self, symbol: str, asset: str) -> Decimal:
        """What a running house batch may still sell of what is held of an asset for an index."""
        engaged = (task for task in self.tasks_of(symbol) if task.state is TaskState.ENGAGED)
        return sum((task.quantity for task in engaged if (task.asset, task.side) == (asset, "sell")), _ZERO)

    def fill(self, fill: OrderFill) -> None:
        """Assets of an order's tokens were bought, or sold."""
        index = self.live[fill.symbol]
        bought = fill.side == "buy"
        index.back(fill.quantity if bought else fill.quantity.copy_negate())
        for piece in fill.slices:
            index.hold(piece.asset, piece.quantity if bought else piece.quantity.copy_negate())

    def owe(self, now: Nanos, symbol: str) -> None:
        """What is held for an index may be less than its basket asks for: have that counted, and traded."""
        if symbol not in self.rebalances:
            aim = self.live[symbol].basket
            self.rebalances[symbol] = Rebalance(symbol, aim, RebalanceState.OWING, now)
        self.attend = True

    def mint(self, symbol: str, quantity: Decimal, price: Decimal) -> None:
        """So many tokens exist more; below zero, less. Each cost or brought `price`."""
        index = self.live[symbol]
        index.supply = EXACT.add(index.supply, quantity)
        index.last_price = price
