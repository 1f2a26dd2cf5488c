"""What the desk asks of `Execution`, and what it is told of each order.

Of every order the desk hears once, at most, that it was placed, of each of its trades once, and exactly once that it
has ended. The quantities of its trades until then and what was cancelled add up to the quantity that was placed, or
that was asked for where nothing was placed. Should the exchange tell of another trade after that, the desk hears of it
all the same, as long as it can be: all trades together are never more than the order, and none is beyond its limit.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

from core.kernel.record import Record
from core.market.exchange import USUAL_LIMITS, Instrument, RateLimit
from core.market.orders import Side

EXECUTION: Final = "execution"
"""The component."""
_ZERO: Final = Decimal(0)


class EndReason(StrEnum):
    """How an order ended. On the record, `REFUSED` and `UNSENDABLE` carry what the matter was: `refused:-2010`."""

    FILLED = "filled"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """The exchange said no. What follows is its code."""
    UNSENDABLE = "unsendable"
    """No exchange would take it. What follows is a `Misfit`, or why the symbol cannot be traded."""
    RATE_LIMITED = "rate_limited"
    """There was no room under the exchange's limits in time."""
    NO_SESSION = "no_session"
    """There was no session in time."""
    LOST = "lost"
    """The exchange never got it, or no longer knows it."""
    DISPUTED = "disputed"
    """The exchange insists on trades that cannot be this order's. They are not booked; the account may have them."""


# --- from the desk -------------------------------------------------------------------------------


class AssetOrder(Record, frozen=True):
    """A limit order for an asset, named for ever by `order_id`.

    If there is a `quantity_max`, the exchange's filters cannot raise it beyond that: it is rounded down instead, or not
    sent.
    """

    order_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    quantity_max: Decimal | None = None


class PlaceOrders(Record, frozen=True):
    """Place the orders of a batch, in this order. One that was placed before is left alone."""

    batch_id: str
    orders: tuple[AssetOrder, ...]


class CancelAssetOrders(Record, frozen=True):
    """Cancel what is left of the orders of a batch. Each ends as it turns out."""

    batch_id: str


class CommissionRateSet(Record, frozen=True):
    """From now on, commissions in `asset` are worth `rate` of the quote currency each."""

    asset: str
    rate: Decimal


class BalancesWanted(Record, frozen=True):
    """Ask the exchange what the account holds; answered by `BalancesReported` once it says so.

    That comes unasked when there is a new session.
    """


# --- to the desk ---------------------------------------------------------------------------------


class AssetOrderPlaced(Record, frozen=True):
    """An order is on its way, with price and quantity as the exchange's filters allow."""

    order_id: str
    price: Decimal
    quantity: Decimal


class AssetOrderFilled(Record, frozen=True):
    """One trade of an order, told once. `fee` is in the quote currency.

    Where there is no rate for the asset that the commission was taken in, `fee` leaves it out, and `commission` of
    `commission_asset` is what it leaves out. A commission in the base asset is valued at the price of the trade, and
    `withheld` says how much of that asset the exchange has kept: what was bought is less by that, what was sold more.
    A commission in an asset that other symbols trade against the same quote is `taken`, whether it could be valued or
    not: the account holds so much less of what `taken_symbol` trades.
    """

    batch_id: str
    order_id: str
    trade_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    commission: Decimal = _ZERO
    commission_asset: str = ""
    withheld: Decimal = _ZERO
    taken: Decimal = _ZERO
    taken_symbol: str = ""


class AssetOrderEnded(Record, frozen=True):
    """An order has ended, for an `EndReason`; `cancelled_quantity` of it did not trade, and now never will."""

    batch_id: str
    order_id: str
    symbol: str
    reason: str
    cancelled_quantity: Decimal


class ExchangeRulesReported(Record, frozen=True):
    """What the exchange says of orders: `instruments` that have a filter, and how many may be sent.

    It is told where that is other than before, or, at first, than what stands here.
    """

    instruments: tuple[Instrument, ...] = ()
    limits: tuple[RateLimit, ...] = USUAL_LIMITS


class AssetHeld(Record, frozen=True):
    """What the account holds of an asset, free and locked, which is what `symbols` trade.

    It is `settled` if no order for any of them was in the exchange's hands between question and answer: then all trades
    that made it what it is have been told before. Otherwise nobody knows which of them it counts. Of an asset that
    commissions are taken of, no order at all may have been there.
    """

    asset: str
    symbols: tuple[str, ...]
    quantity: Decimal
    settled: bool


class BalancesReported(Record, frozen=True):
    """What the account holds at the exchange, of each asset that is traded there."""

    assets: tuple[AssetHeld, ...]
