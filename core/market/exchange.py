"""The exchange contract: what a node asks of an exchange, what it answers, and what it says unasked.

Requests are `Call`s of the service `exchange`, answers their `Reply`s; the stream comes as `Message`s from `exchange`.
An adapter of a real exchange translates and does nothing else: it never repeats a request to place an order, also not
after a restart, and it may lose answers and stream messages, say the same thing twice, and be late. Whoever uses the
contract lives with all of that.

Prices are quote per base, quantities base. A `client_id` is given by whoever sends an order and names it for ever.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

from core.kernel.record import Record
from core.market.orders import Side
from core.units import SECOND, Nanos

EXCHANGE: Final = "exchange"
"""The service that is called, and the source of the stream."""

Levels: TypeAlias = tuple[tuple[Decimal, Decimal], ...]
"""(price, quantity) of price levels, best first."""

_ZERO: Final = Decimal(0)


class TimeInForce(StrEnum):
    """How long an order may stand."""

    GTC = "GTC"
    """Until it is filled or cancelled."""
    IOC = "IOC"
    """Not at all: what does not trade at once expires."""
    FOK = "FOK"
    """It trades whole at once, or expires whole."""


class ExchangeStatus(StrEnum):
    """What the exchange says of an order."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Whether the order cannot trade any more."""
        return self not in {ExchangeStatus.NEW, ExchangeStatus.PARTIALLY_FILLED}


class RefusalKind(StrEnum):
    """Why a request was not obeyed, as far as it matters for what to do next."""

    DISCONNECTION = "disconnection"
    TIMEOUT = "timeout"
    NETWORK = "network"
    SERVER = "server"
    UNAVAILABLE = "unavailable"
    CONNECTION_LIMIT = "connection_limit"
    SUBSCRIPTION = "subscription"
    RATE_LIMIT = "rate_limit"
    """Too many requests. This one had no effect and may be repeated later."""
    AUTHENTICATION = "authentication"
    """Also a request that arrived after the time it was good for."""
    TRADING_RESTRICTION = "trading_restriction"
    ORDER_VALIDATION = "order_validation"
    BAD_REQUEST = "bad_request"
    UNKNOWN_ORDER = "unknown_order"
    """The exchange has no order of that client id."""

    DUPLICATE = "duplicate"
    """The exchange has, or had, an order of that client id."""

    @property
    def is_definite(self) -> bool:
        """Whether the request certainly had no effect, and would have none if it were repeated as it is."""
        return self in _DEFINITE


_DEFINITE: Final = frozenset(
    {
        RefusalKind.AUTHENTICATION,
        RefusalKind.TRADING_RESTRICTION,
        RefusalKind.ORDER_VALIDATION,
        RefusalKind.BAD_REQUEST,
    }
)


# --- what is asked -------------------------------------------------------------------------------


class PlaceExchangeOrder(Record, frozen=True):
    """Place a limit order; answered by `ExchangeOrderState` or `ExchangeRefusal`.

    `receive_by` is the last instant at which the exchange may take it. An exchange that still does not know the order
    after that never will.
    """

    client_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    time_in_force: TimeInForce
    receive_by: Nanos


class CancelExchangeOrder(Record, frozen=True):
    """Cancel what is left of an order; answered like an order."""

    client_id: str
    symbol: str


class QueryExchangeOrder(Record, frozen=True):
    """Ask what became of an order; answered like an order."""

    client_id: str
    symbol: str


class QueryBalances(Record, frozen=True):
    """Ask what the account holds; answered by `ExchangeBalances` or `ExchangeRefusal`."""


class QueryInstruments(Record, frozen=True):
    """Ask what is traded and by which rules; answered by `ExchangeInstruments` or `ExchangeRefusal`."""


class SnapshotBook(Record, frozen=True):
    """Ask for a whole order book; answered by `BookSnapshot` or `ExchangeRefusal`."""

    symbol: str


# --- what is answered ----------------------------------------------------------------------------


class RateLimit(Record, frozen=True):
    """At most `limit` orders within any `period_ns`, of which the exchange has counted `used` so far."""

    limit: int
    period_ns: Nanos
    used: int = 0


USUAL_LIMITS: Final = (RateLimit(100, 10 * SECOND), RateLimit(200_000, 86_400 * SECOND))
"""What is counted on before the exchange has said."""


class ExchangeTrade(Record, frozen=True):
    """One trade of an order. The commission is taken in `commission_asset`."""

    trade_id: str
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str


class ExchangeOrderState(Record, frozen=True):
    """All that the exchange knows of an order: `trades` are all of its trades, and add up to `executed_quantity`.

    An exchange may know of an execution before it can list it: then they add up to less, for a while.
    """

    client_id: str
    status: ExchangeStatus
    executed_quantity: Decimal
    trades: tuple[ExchangeTrade, ...] = ()
    limits: tuple[RateLimit, ...] = ()
    """What the order limits stand at, where the exchange says so."""


class ExchangeRefusal(Record, frozen=True):
    """A request was not obeyed, or nobody knows whether it was: see `RefusalKind`. `code` is the exchange's own."""

    kind: RefusalKind
    code: str
    text: str


class Balance(Record, frozen=True):
    """What the account holds of an asset: what is free, and what orders have locked."""

    asset: str
    free: Decimal
    locked: Decimal = _ZERO


class ExchangeBalances(Record, frozen=True):
    """What the account holds, by asset."""

    balances: tuple[Balance, ...]


class Instrument(Record, frozen=True):
    """What is traded under a symbol, and the filters that every order must pass. A filter of zero does not exist.

    Prices are on `tick`, quantities on `step`, both within their bounds; so is the notional, price times quantity.
    """

    symbol: str
    base: str
    quote: str
    tick: Decimal = _ZERO
    price_min: Decimal = _ZERO
    price_max: Decimal = _ZERO
    step: Decimal = _ZERO
    quantity_min: Decimal = _ZERO
    quantity_max: Decimal = _ZERO
    notional_min: Decimal = _ZERO
    notional_max: Decimal = _ZERO


class ExchangeInstruments(Record, frozen=True):
    """All that is traded, and how many orders may be sent."""

    instruments: tuple[Instrument, ...]
    limits: tuple[RateLimit, ...] = ()


class BookSnapshot(Record, frozen=True):
    """A whole order book as of `last_update_id`."""

    symbol: str
    last_update_id: int
    bids: Levels
    asks: Levels


# --- what is said unasked ------------------------------------------------------------------------


class ExchangeExecution(Record, frozen=True):
    """Something happened to an order of the account: the last trade where `last_quantity` is above zero.

    `cumulative_quantity` is all that has traded so far, `order_quantity` what was asked for.
    """

    client_id: str
    symbol: str
    side: Side
    status: ExchangeStatus
    trade_id: str
    last_price: Decimal
    last_quantity: Decimal
    cumulative_quantity: Decimal
    order_quantity: Decimal
    commission: Decimal = _ZERO
    commission_asset: str = ""


class BookDelta(Record, frozen=True):
    """Levels that changed with the updates `first_update_id` to `last_update_id`; a quantity of zero is a level gone.

    Where ids are not consecutive, the exchange says with `previous_update_id` what the last one before was.
    """

    symbol: str
    first_update_id: int
    last_update_id: int
    bids: Levels
    asks: Levels
    previous_update_id: int | None = None


class TradePrinted(Record, frozen=True):
    """A trade between anybody."""

    symbol: str
    price: Decimal
    quantity: Decimal


class ExchangeSessionUp(Record, frozen=True):
    """Requests are taken, and the stream of executions runs from here on. What happened before has to be asked for.

    An adapter says so first of all, also after a restart of its own.
    """


class ExchangeSessionDown(Record, frozen=True):
    """Requests are not taken, and what is said meanwhile is lost."""

    reason: str


class MarketDataUp(Record, frozen=True):
    """Books can be asked for, and the stream of deltas and trades runs from here on. What happened before is lost.

    An adapter says so first of all, also after a restart of its own, and again whenever it may have missed something.
    """


class MarketDataDown(Record, frozen=True):
    """The stream of deltas and trades is interrupted. What is said before it is up again is lost, or not to be used."""

    reason: str
