"""A market that matches orders by price, then time, and publishes its book as snapshot and deltas.

An order trades against the best orders of the other side while its limit allows, each at the price of the order that
stood there first; among orders of one price the older goes first, and keeps its place when it trades in part. What is
left stands (GTC), expires (IOC), or the order trades whole or not at all (FOK).

Every level that changes is one update. The delta that an order or a cancel causes holds exactly the levels that it has
changed, so whoever applies all deltas to any snapshot has the book of this market, and it is never crossed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from core.errors import DefectError
from core.market.book import BookSide, OrderBook
from core.market.exchange import BookDelta, BookSnapshot, ExchangeStatus, TimeInForce
from core.market.orders import Side
from core.units import EXACT

_ZERO: Final = Decimal(0)
_BPS: Final = Decimal(10_000)


class Standing(msgspec.Struct):
    """An order in the book, and what is left of it. `number` is its place in time."""

    order_id: str
    side: Side
    price: Decimal
    left: Decimal
    number: int


class Match(NamedTuple):
    """One trade: `taker` has just come, `maker` stood there."""

    trade_id: str
    taker: str
    maker: str
    price: Decimal
    quantity: Decimal


class Outcome(NamedTuple):
    """What became of an order that came in, and what that changed in the book."""

    status: ExchangeStatus
    left: Decimal
    """What has not traded: standing if the status is not final, else gone."""
    matches: tuple[Match, ...]
    delta: BookDelta | None


class Market(msgspec.Struct):
    """One symbol. Equal calls in equal order give equal results. The names of standing orders are unique."""

    symbol: str
    book: OrderBook = msgspec.field(default_factory=OrderBook)
    """What stands at each price, as it is published."""
    bids: list[Standing] = []
    """Best first, and the oldest of equally good ones first; so are `asks`."""
    asks: list[Standing] = []
    orders: dict[str, tuple[Side, Decimal, int]] = {}
    """Side, price and number of each that stands: where it is found."""
    arrived: int = 0
    trades: int = 0
    update_id: int = 0

    def submit(
        self, order_id: str, side: Side, price: Decimal, quantity: Decimal, time_in_force: TimeInForce
    ) -> Outcome:
        """Match an order. Raises DefectError for a name that stands in the book, and for amounts not above zero."""
        if order_id in self.orders or price <= 0 or quantity <= 0:
            raise DefectError(f"{self.symbol}: cannot take {order_id}: {side} {quantity} at {price}")
        self.arrived += 1
        order = Standing(order_id, side, price, quantity, self.arrived)
        touched: dict[tuple[Side, Decimal], None] = {}
        matches: list[Match] = []
        if time_in_force is not TimeInForce.FOK or self._can_fill(order):
            while order.left and (maker := self._best_for(order)) is not None:
                matches.append(self._trade(order, maker))
                touched[maker.side, maker.price] = None
        if not order.left:
            status = ExchangeStatus.FILLED
        elif time_in_force is TimeInForce.GTC:
            status = ExchangeStatus.PARTIALLY_FILLED if matches else ExchangeStatus.NEW
            self._stand(order)
            touched[side, price] = None
        else:
            status = ExchangeStatus.EXPIRED
        return Outcome(status, order.left, tuple(matches), self._delta(touched))

    def cancel(self, order_id: str) -> tuple[Decimal, BookDelta | None]:
        """Take a standing order away: what was left of it, and what that changed. Zero if it does not stand."""
        where = self.orders.pop(order_id, None)
        if where is None:
            return _ZERO, None
        side, price, number = where
        queue = self._queue(side)
        order = queue.pop(bisect_left(queue, _rank(side, price, number), key=_priority))
        self._add(order, order.left.copy_negate())
        return order.left, self._delta({(side, price): None})

    def snapshot(self) -> BookSnapshot:
        """The whole book."""
        return BookSnapshot(self.symbol, self.update_id, self.book.bids.levels(), self.book.asks.levels())

    def _best_for(self, order: Standing) -> Standing | None:
        """The order that `order` trades against next."""
        others = self._queue("sell" if order.side == "buy" else "buy")
        if not others:
            return None
        best = others[0]
        return best if (best.price <= order.price if order.side == "buy" else best.price >= order.price) else None

    def _can_fill(self, order: Standing) -> bool:
        other = self.book.asks if order.side == "buy" else self.book.bids
        return other.liquidity_to(order.price) >= order.left

    def _trade(self, taker: Standing, maker: Standing) -> Match:
        quantity = min(taker.left, maker.left)
        taker.left = EXACT.subtract(taker.left, quantity)
        maker.left = EXACT.subtract(maker.left, quantity)
        self._add(maker, quantity.copy_negate())
        if not maker.left:
            del self._queue(maker.side)[0]
            del self.orders[maker.order_id]
        self.trades += 1
        return Match(str(self.trades), taker.order_id, maker.order_id, maker.price, quantity)

    def _stand(self, order: Standing) -> None:
        self.orders[order.order_id] = (order.side, order.price, order.number)
        insort(self._queue(order.side), order, key=_priority)
        self._add(order, order.left)

    def _add(self, order: Standing, change: Decimal) -> None:
        levels = self._levels(order.side)
        levels.set(order.price, EXACT.add(levels.at(order.price), change))

    def _delta(self, touched: dict[tuple[Side, Decimal], None]) -> BookDelta | None:
        if not touched:
            return None
        first, self.update_id = self.update_id + 1, self.update_id + len(touched)
        changed: dict[Side, list[tuple[Decimal, Decimal]]] = {"buy": [], "sell": []}
        for side, price in touched:
            changed[side].append((price, self._levels(side).at(price)))
        return BookDelta(self.symbol, first, self.update_id, tuple(changed["buy"]), tuple(changed["sell"]))

    def _queue(self, side: Side) -> list[Standing]:
        return self.bids if side == "buy" else self.asks

    def _levels(self, side: Side) -> BookSide:
        return self.book.bids if side == "buy" else self.book.asks


def merged(deltas: Sequence[BookDelta]) -> BookDelta:
    """Deltas of one market that follow each other, as one."""
    bids: dict[Decimal, Decimal] = {}
    asks: dict[Decimal, Decimal] = {}
    for delta in deltas:
        bids.update(delta.bids)
        asks.update(delta.asks)
    ids = (deltas[0].first_update_id, deltas[-1].last_update_id)
    return BookDelta(deltas[0].symbol, *ids, tuple(bids.items()), tuple(asks.items()))


def commission(price: Decimal, quantity: Decimal, bps: Decimal) -> Decimal:
    """What a trade costs at a fee of so many basis points of its value, in the quote currency."""
    return price * quantity * bps / _BPS


def _priority(order: Standing) -> tuple[Decimal, int]:
    return _rank(order.side, order.price, order.number)


def _rank(side: Side, price: Decimal, number: int) -> tuple[Decimal, int]:
    return (price.copy_negate() if side == "buy" else price), number
