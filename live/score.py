"""What a venue has done since it was started, in a few numbers."""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from core.auction.facts import BidReceived, CommitmentDefaulted, CommitmentSettled
from core.kernel.record import Record
from core.market.orders import OrderCancelled, OrderExpired, OrderFailed, OrderFilled
from core.sequencer.facts import BlockSealed, OrderRefused, OrderSequenced

_ORDERS: Final[dict[type[Record], str]] = {
    OrderSequenced: "accepted",
    OrderRefused: "refused",
    OrderFilled: "filled",
    OrderExpired: "expired",
    OrderFailed: "failed",
    OrderCancelled: "cancelled",
}


class Traded(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue has done since it was started."""

    orders: dict[str, int]
    """By what became of them."""
    blocks: int
    bids: dict[str, int]
    """By solver, like the next two."""
    settled: dict[str, int]
    defaulted: dict[str, int]


class Score:
    """Counts the facts that `Traded` sums up."""

    def __init__(self) -> None:
        self._orders = dict.fromkeys(_ORDERS.values(), 0)
        self._blocks = 0
        self._bids: Counter[str] = Counter()
        self._settled: Counter[str] = Counter()
        self._defaulted: Counter[str] = Counter()

    def note(self, fact: Record) -> None:
        """Count one fact."""
        if kind := _ORDERS.get(type(fact)):
            self._orders[kind] += not (isinstance(fact, OrderFilled) and fact.leaves_quantity)
        elif isinstance(fact, BlockSealed):
            self._blocks += 1
        elif isinstance(fact, BidReceived):
            self._bids[fact.solver] += 1
        elif isinstance(fact, CommitmentSettled):
            self._settled[fact.solver] += 1
        elif isinstance(fact, CommitmentDefaulted):
            self._defaulted[fact.solver] += 1

    def traded(self) -> Traded:
        """What was counted so far."""
        return Traded(
            orders=dict(self._orders),
            blocks=self._blocks,
            bids=dict(self._bids),
            settled=dict(self._settled),
            defaulted=dict(self._defaulted),
        )
