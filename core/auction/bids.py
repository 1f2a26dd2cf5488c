"""The sealed book of one batch: what counts until the bid deadline, and nothing after it.

At most one bid per solver and order stands. A later one replaces it and keeps no claim to the earlier
terms; a withdrawn one is gone. Nobody sees a bid before the deadline.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from core.auction.reasons import BidRefusal
from core.auction.rules import ClosedBook, Contest, StandingBid
from core.auction.terms import fills_lots, is_countable, is_on_grid, trade
from core.market.orders import Order, Pair
from core.solver.protocol import Bid
from core.units import Nanos

BIDS_PER_SOLVER_MAX: Final = 8_192
"""Bids of one solver that count in one batch, replacements included: eight times the largest auction."""


class Book(msgspec.Struct):
    """Orders of one auction and the bids that stand for them, by order and solver."""

    height: int
    opened_at: Nanos
    bid_deadline: Nanos
    orders: dict[str, Order]
    bids: dict[str, dict[str, StandingBid]]
    used_ids: dict[str, dict[str, str]] = {}
    """By solver, every bid id that counted in this batch, and for which order."""

    def judge(self, now: Nanos, solver: str, bid: Bid, pairs: Mapping[str, Pair]) -> StandingBid | BidRefusal:
        """The bid as it would stand, or why it does not count. Changes nothing, and knows no capital."""
        if now >= self.bid_deadline:
            return BidRefusal.LATE
        used = self.used_ids.get(solver, {})
        if bid.bid_id in used:
            return BidRefusal.DUPLICATE_BID_ID
        if len(used) >= BIDS_PER_SOLVER_MAX:
            return BidRefusal.TOO_MANY_BIDS
        order = self.orders.get(bid.order_id)
        if order is None:
            return BidRefusal.UNKNOWN_ORDER
        return self._priced(now, solver, bid, order, pairs[order.symbol])

    def put(self, bid: StandingBid) -> str:
        """Let the bid stand. Returns the id of the one it replaces, or an empty string."""
        standing = self.bids[bid.order_id]
        replaced = standing.get(bid.solver)
        standing[bid.solver] = bid
        self.used_ids.setdefault(bid.solver, {})[bid.bid_id] = bid.order_id
        return replaced.bid_id if replaced is not None else ""

    def withdraw(self, now: Nanos, solver: str, order_id: str) -> StandingBid | BidRefusal:
        """Take back the solver's bid for an order and return it, or say why not."""
        if now >= self.bid_deadline:
            return BidRefusal.LATE
        return self.bids.get(order_id, {}).pop(solver, BidRefusal.UNKNOWN_BID)

    def close(self, pairs: Mapping[str, Pair]) -> ClosedBook:
        """The book as a rule sees it."""
        contests = tuple(
            Contest(order, pairs[order.symbol], tuple(self.bids[order_id].values()))
            for order_id, order in self.orders.items()
        )
        return ClosedBook(self.height, self.opened_at, self.bid_deadline, contests)

    def _priced(self, now: Nanos, solver: str, bid: Bid, order: Order, pair: Pair) -> StandingBid | BidRefusal:
        sold, bought = (pair.base, pair.quote) if order.side == "sell" else (pair.quote, pair.base)
        if (
            bid.conversion_rate <= 0
            or not 0 < bid.max_input <= order.input_amount
            or not (order.partially_fillable or bid.max_input == order.input_amount)
            or not is_on_grid(bid.max_input, sold.decimals)
            or bid.valid_till <= self.bid_deadline
        ):
            return BidRefusal.INVALID
        traded = trade(order, pair, bid.max_input, bid.conversion_rate)
        if traded is None:
            return BidRefusal.BELOW_LIMIT
        if not fills_lots(order, pair, traded):
            return BidRefusal.OFF_LOT
        if not is_countable(traded.taken, bought.decimals):
            return BidRefusal.INVALID
        return StandingBid(
            solver=solver,
            bid_id=bid.bid_id,
            order_id=bid.order_id,
            max_input=bid.max_input,
            conversion_rate=bid.conversion_rate,
            valid_till=bid.valid_till,
            received_at=now,
            input_amount=traded.given,
            output_amount=traded.taken,
        )


def open_book(height: int, now: Nanos, bid_deadline: Nanos, orders: list[Order]) -> Book:
    """An empty book for these orders."""
    by_id = {order.order_id: order for order in orders}
    return Book(height, now, bid_deadline, by_id, {order_id: {} for order_id in by_id})
