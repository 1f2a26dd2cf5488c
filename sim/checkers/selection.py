"""Who wins: the bids that stood, ranked again from the facts, say who is next in line for an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_UP, Context, Decimal
from hashlib import blake2b
from typing import Any, ClassVar, Final

from core.auction.facts import (
    BatchCreated,
    BidReceived,
    BidRejected,
    BidSelected,
    BidWithdrawn,
    CommitmentCreated,
    OrderAdded,
    OrderReopened,
)
from core.auction.reasons import BidRefusal
from core.kernel.record import Record
from core.market.orders import OrderCancelled, OrderExpired, Pair
from sim.checkers import Checker

RANKED_AS_BID: Final = frozenset({"first_price", "second_price"})
"""The rules that `BestBidWins` knows: they rank alike, and differ in what the winner pays."""
_AT_THE_AWARD: Final = frozenset({BidRefusal.LAPSED, BidRefusal.UNBONDED, BidRefusal.UNFUNDED})
_EXACT: Final = Context(prec=200, rounding=ROUND_UP)


class BestBidWins(Checker):
    """The highest output wins, then the least input, then the lot; a bid refused or in default yields to the next.

    Nothing is left unsold that had a bid when its auction closed.
    """

    name = "best bid wins"

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._units = {pair.symbol: Decimal(1).scaleb(-pair.quote.decimals) for pair in pairs}
        self._bought: dict[str, Decimal] = {}
        self._standing: dict[str, dict[str, BidReceived]] = {}
        self._line: dict[str, list[BidReceived]] = {}

    def _on_added(self, fact: OrderAdded) -> None:
        if fact.order.side == "buy":
            self._bought[fact.order.order_id] = self._units[fact.order.symbol]

    def _on_batch(self, fact: BatchCreated) -> None:
        for order_id in fact.order_ids:
            self._standing[order_id] = {}
            self._line[order_id] = []

    def _on_bid(self, fact: BidReceived) -> None:
        self._standing[fact.order_id][fact.solver] = fact

    def _on_withdrawn(self, fact: BidWithdrawn) -> None:
        del self._standing[fact.order_id][fact.solver]

    def _on_selected(self, fact: BidSelected) -> None:
        line = sorted(self._standing.pop(fact.order_id).values(), key=self._rank)
        self._line[fact.order_id] = line
        if fact.ranked != len(line):
            self.violated(f"{fact.order_id}: {fact.ranked} bids are ranked, {len(line)} stood")
        self._must_be_next(fact.order_id, fact.solver, fact.bid_id)

    def _on_rejected(self, fact: BidRejected) -> None:
        line = self._line.get(fact.order_id)
        if line and line[0].bid_id == fact.bid_id and line[0].solver == fact.solver and fact.reason in _AT_THE_AWARD:
            line.pop(0)

    def _on_created(self, fact: CommitmentCreated) -> None:
        self._must_be_next(fact.order_id, fact.solver, fact.bid_id)
        self._line[fact.order_id].pop(0)

    def _on_unsold(self, fact: OrderReopened | OrderExpired | OrderCancelled) -> None:
        if standing := self._standing.pop(fact.order_id, None):
            self.violated(f"{fact.order_id} goes unsold, though {len(standing)} bids stood for it")

    def _must_be_next(self, order_id: str, solver: str, bid_id: str) -> None:
        line = self._line.get(order_id)
        if not line:
            self.violated(f"{order_id} goes to {bid_id} of {solver}, which is not in line for it")
        best = line[0]
        if best.bid_id != bid_id or best.solver != solver:
            self.violated(f"{order_id} goes to {bid_id} of {solver}, but {best.bid_id} of {best.solver} is better")

    def _rank(self, bid: BidReceived) -> tuple[Decimal, Decimal, bytes]:
        given, unit = bid.max_input, self._bought.get(bid.order_id)
        if unit is not None:  # what a buyer gives is what its quantity costs at the rate
            given = _EXACT.quantize(_EXACT.divide(bid.min_output, bid.conversion_rate), unit)
        lot = blake2b(f"{bid.height}/{bid.order_id}/{bid.solver}".encode(), digest_size=8).digest()
        return -bid.min_output, given, lot

    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        OrderAdded: _on_added,
        BatchCreated: _on_batch,
        BidReceived: _on_bid,
        BidWithdrawn: _on_withdrawn,
        BidSelected: _on_selected,
        BidRejected: _on_rejected,
        CommitmentCreated: _on_created,
        OrderReopened: _on_unsold,
        OrderExpired: _on_unsold,
        OrderCancelled: _on_unsold,
    }
