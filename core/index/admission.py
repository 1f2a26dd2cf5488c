"""Which ready orders may be engaged while their index is rebalanced.

Until the new basket is in force, none: every token is rebalanced with all others. While it is owing, buys may, for they
bring what their tokens need. A sell may, then and at any time, if what is held covers it, less what running batches may
still sell, and less what was sold already for nobody: a seller is never given what is not there, and waits for the
house to buy it instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from core.index.allocation import BatchState
from core.index.indexes import Indexes
from core.index.order import IndexOrder

_ZERO: Final = Decimal(0)


class Admission:
    """Says so of one order after the other, and counts the sells that it has admitted already."""

    def __init__(
        self,
        indexes: Indexes,
        running: Iterable[BatchState],
        tolerance: Decimal,
        spoiled: Callable[[str], Decimal] = lambda _: _ZERO,
    ) -> None:
        self._indexes, self._running, self._tolerance, self._spoiled = indexes, running, tolerance, spoiled
        self._promised: dict[str, Decimal] = {}
        self.lacking: dict[str, str] = {}
        """By sell that has to wait for what is not there, an asset of that."""

    def admits(self, order: IndexOrder) -> bool:
        """Whether an order may be engaged now."""
        rebalance = self._indexes.rebalances.get(order.symbol)
        if rebalance is not None and rebalance.is_closed:
            return False
        lacking = "" if order.side == "buy" else self._lacking(order)
        if lacking:
            self.lacking[order.order_id] = lacking
        return not lacking

    def _lacking(self, order: IndexOrder) -> str:
        """An asset of which what is held does not cover a sell; none if all do."""
        symbol, index = order.symbol, self._indexes.live[order.symbol]
        if symbol not in self._promised:
            self._promised[symbol] = promised(self._running, symbol)
        tokens = self._promised[symbol] + order.open_amount
        for asset, each in index.basket.quantities().items():
            there = index.held.get(asset, _ZERO) - self._indexes.selling(symbol, asset) - self._spoiled(asset)
            if each * tokens - there > index.slack(each, self._tolerance) + index.lacks(asset):
                return asset
        self._promised[symbol] = tokens
        return ""


def promised(running: Iterable[BatchState], symbol: str) -> Decimal:
    """How many tokens of an index running batches may still sell for users."""
    engaged = (one for batch in running for one in batch.engaged.values())
    return sum((one.quantity - one.filled for one in engaged if (one.symbol, one.side) == (symbol, "sell")), _ZERO)
