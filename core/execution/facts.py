"""What `Execution` states of its work beyond what the desk is told, which it states as well."""

from __future__ import annotations

from decimal import Decimal

from core.kernel.record import Record
from core.market.exchange import TimeInForce
from core.market.orders import Side
from core.units import Nanos


class ExchangeOrderSent(Record, frozen=True):
    """A request to place an order has left. Its `attempt` is above 1 after the exchange had no room for it."""

    batch_id: str
    order_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    time_in_force: TimeInForce
    attempt: int


class ExchangeOrderDeferred(Record, frozen=True):
    """The exchange had no room for an order, which is first in line again."""

    order_id: str
    code: str


class ExchangeOrderAccepted(Record, frozen=True):
    """The exchange has an order, and it may trade."""

    order_id: str


class ExchangeOrderDoubted(Record, frozen=True):
    """What became of an order is not known any more, and is being asked."""

    order_id: str
    why: str


class ExchangeOrderUntold(Record, frozen=True):
    """The exchange was asked about an order `queries` times without a conclusive answer, `why` being the last."""

    order_id: str
    queries: int
    why: str


class PlacementRepeated(Record, frozen=True):
    """The desk asked for an order that it had asked for before, and the request changed nothing."""

    order_id: str


class ExecutionUnexpected(Record, frozen=True):
    """The exchange tells of a trade that no open order can account for. The position differs by it."""

    client_id: str
    symbol: str
    side: Side | None
    trade_id: str
    price: Decimal
    quantity: Decimal
    why: str


class CircuitOpened(Record, frozen=True):
    """The exchange keeps refusing orders for a symbol, so none is sent before `until`."""

    symbol: str
    until: Nanos
    code: str


class ExchangeReached(Record, frozen=True):
    """There is a session with the exchange."""


class ExchangeLost(Record, frozen=True):
    """There is no session with the exchange any more; `doubted` orders were in its hands."""

    reason: str
    doubted: int
