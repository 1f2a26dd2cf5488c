"""What the world tells a node: an order that someone wants, a price that moved."""

from __future__ import annotations

from decimal import Decimal

from core.kernel.record import Record
from core.market.orders import Side
from core.units import Nanos


class OrderWanted(Record, frozen=True):
    """Send a limit order. `lifetime` None leaves it to the venue; `immediate` is IOC, with `whole` FOK."""

    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal
    lifetime: Nanos | None = None
    immediate: bool = False
    whole: bool = False


class CancelWanted(Record, frozen=True):
    """Cancel the order that was the `nth` this market maker sent (from 1), if it still can be."""

    nth: int


class ReplaceWanted(Record, frozen=True):
    """Give the order that was the `nth` this market maker sent (from 1) another quantity and limit, if it still can be.

    `quantity` is that of the whole order, with what was filled before.
    """

    nth: int
    quantity: Decimal
    limit_price: Decimal


class StatusWanted(Record, frozen=True):
    """Ask how the order is that was the `nth` this market maker sent (from 1), alive or among the last that ended."""

    nth: int


class StorageShort(Record, frozen=True):
    """The node's disk is nearly full: what is under way can still be recorded, new work cannot. `trouble` says more."""

    trouble: str


class StorageRestored(Record, frozen=True):
    """The node's disk has room again."""


class PriceMoved(Record, frozen=True):
    """The reference price of a pair, as the world shows it to a node."""

    symbol: str
    price: Decimal
