"""One order book as price levels: what could be traded, and to which price.

Prices that differ by no more than the tolerance are one price, and a quantity no larger than it is none. The
tolerance is a number of the instrument's own units; zero compares exactly.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from decimal import Decimal
from functools import reduce
from itertools import islice
from typing import Final

import msgspec

from core.market.exchange import Levels
from core.market.orders import Side
from core.market.prices import Top
from core.units import EXACT

_ZERO: Final = Decimal(0)


class BookSide(msgspec.Struct):
    """The levels of one side, kept in ascending order of price."""

    side: Side
    """`buy` for bids, whose best price is the highest; `sell` for asks, whose best is the lowest."""
    tolerance: Decimal = _ZERO
    prices: list[Decimal] = []
    quantities: list[Decimal] = []

    def set(self, price: Decimal, quantity: Decimal) -> None:
        """Make `quantity` all that stands at `price`; none removes the level."""
        at, stands = self._find(price)
        if quantity <= self.tolerance:
            if stands:
                del self.prices[at], self.quantities[at]
        elif stands:
            self.prices[at], self.quantities[at] = price, quantity
        else:
            self.prices.insert(at, price)
            self.quantities.insert(at, quantity)

    def fill(self, levels: Levels) -> None:
        """Replace everything by `levels`."""
        self.prices.clear()
        self.quantities.clear()
        for price, quantity in levels:
            self.set(price, quantity)

    def top(self) -> Top | None:
        """The best (price, quantity), or None."""
        if not self.prices:
            return None
        best = -1 if self.side == "buy" else 0
        return self.prices[best], self.quantities[best]

    def at(self, price: Decimal) -> Decimal:
        """What stands at `price`."""
        at, stands = self._find(price)
        return self.quantities[at] if stands else _ZERO

    def levels(self, count: int | None = None) -> Levels:
        """The best `count` levels, or all, best first."""
        return tuple(islice(self._best_first(), count))

    def liquidity_to(self, limit: Decimal) -> Decimal:
        """What stands at `limit` or better."""
        if self.side == "buy":
            good = self.quantities[bisect_left(self.prices, EXACT.subtract(limit, self.tolerance)) :]
        else:
            good = self.quantities[: bisect_right(self.prices, EXACT.add(limit, self.tolerance))]
        return reduce(EXACT.add, good, _ZERO)

    def _find(self, price: Decimal) -> tuple[int, bool]:
        """Where `price` is, or would be, and whether a level stands there."""
        at = bisect_left(self.prices, EXACT.subtract(price, self.tolerance))
        return at, at < len(self.prices) and self.prices[at] <= EXACT.add(price, self.tolerance)

    def _best_first(self) -> Iterator[tuple[Decimal, Decimal]]:
        if self.side == "buy":
            return zip(reversed(self.prices), reversed(self.quantities), strict=True)
        return zip(self.prices, self.quantities, strict=True)


def _bids() -> BookSide:
    return BookSide("buy")


def _asks() -> BookSide:
    return BookSide("sell")


class OrderBook(msgspec.Struct):
    """Both sides of a market. Make it with `order_book`, where it has a tolerance."""

    bids: BookSide = msgspec.field(default_factory=_bids)
    asks: BookSide = msgspec.field(default_factory=_asks)

    def fill(self, bids: Levels, asks: Levels) -> None:
        """Replace everything."""
        self.bids.fill(bids)
        self.asks.fill(asks)

    def apply(self, bids: Levels, asks: Levels) -> None:
        """Set the levels that changed."""
        for price, quantity in bids:
            self.bids.set(price, quantity)
        for price, quantity in asks:
            self.asks.set(price, quantity)

    @property
    def is_crossed(self) -> bool:
        """Whether somebody bids what somebody asks, or more: no market stands like that."""
        return bool(self.bids.prices and self.asks.prices) and self.bids.prices[-1] >= self.asks.prices[0]


def order_book(tolerance: Decimal) -> OrderBook:
    """An empty book of that tolerance."""
    return OrderBook(BookSide("buy", tolerance), BookSide("sell", tolerance))
