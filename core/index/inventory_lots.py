"""Lots of the inventory: a trade as it was booked, what has closed it since, and whom parts of it belong to.

A lot cannot be changed: what happens to it makes another. Sums count all that ever happened; of what made them, the
newest is kept.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeVar

from msgspec import structs

from core.index.rounding import rounded
from core.kernel.record import Record
from core.market.orders import Side
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)
T = TypeVar("T")


class InventoryFill(Record, frozen=True, kw_only=True):
    """A trade to book. `fee` is money and of the whole trade; `trade_id` names the lot that it may open."""

    asset: str
    side: Side
    trade_id: str
    order_id: str
    batch_id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    at: Nanos

    @property
    def money(self) -> Decimal:
        """What it brought, fee deducted; below zero, what it cost."""
        value = self.price * self.quantity
        return rounded((value if self.side == "sell" else -value) - self.fee)


class Assignment(Record, frozen=True, kw_only=True):
    """`quantity` of a lot, with `fee` of its fee, belongs to an index order now."""

    order_id: str
    user: str
    seq_num: int
    side: Side
    quantity: Decimal
    fee: Decimal
    at: Nanos


class LotClose(Record, frozen=True, kw_only=True):
    """`quantity` of an open lot met a trade of the other side."""

    asset: str
    lot_id: str
    side: Side
    """Of the lot that was open."""
    closing_lot_id: str
    order_id: str
    batch_id: str
    """Of the trade that closed it, as are the order and the closing lot."""
    quantity: Decimal
    remaining: Decimal
    original_price: Decimal
    original_fee: Decimal
    """Pro rata."""
    closing_price: Decimal
    closing_fee: Decimal
    """Pro rata."""
    realised: Decimal
    """Profit in money, both fees deducted."""
    at: Nanos


class InventoryLot(Record, frozen=True, kw_only=True):
    """A trade that is open still, or was. What happens to it puts another in its place."""

    lot_id: str
    asset: str
    side: Side
    order_id: str
    batch_id: str
    price: Decimal
    original: Decimal
    remaining: Decimal
    fee: Decimal
    created_at: Nanos
    updated_at: Nanos
    matched: Decimal = _ZERO
    """What of it closed other lots when it was booked."""
    closed: Decimal = _ZERO
    """What of it was closed since, by all closes ever."""
    assigned: Decimal = _ZERO
    """What of it belongs to index orders, by all assignments ever."""
    closes: tuple[LotClose, ...] = ()
    """The newest."""
    assignments: tuple[Assignment, ...] = ()
    """The newest."""

    def close(self, by: LotClose, kept: int) -> InventoryLot:
        """As it is after a trade of the other side has closed a part of it. So many of the newest closes are kept."""
        return structs.replace(
            self,
            remaining=by.remaining,
            closed=EXACT.add(self.closed, by.quantity),
            closes=_newest(kept, (*self.closes, by)),
            updated_at=by.at,
        )

    def assign(self, part: Assignment, kept: int) -> InventoryLot:
        """As it is when a part of it belongs to an index order. So many of the newest assignments are kept."""
        return structs.replace(
            self,
            assigned=EXACT.add(self.assigned, part.quantity),
            assignments=_newest(kept, (*self.assignments, part)),
            updated_at=part.at,
        )


def _newest(count: int, steps: tuple[T, ...]) -> tuple[T, ...]:
    return steps[max(len(steps) - count, 0) :]
