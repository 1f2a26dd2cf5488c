"""What the desk asks of `Execution`, and what it is told of each order.

Of every order the desk hears once, at most, that it was placed, of each of its trades once, and exactly once that it
has ended. The quantities of its trades and what was cancelled add up to the quantity that was placed, or that was
asked for where nothing was placed.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

from core.kernel.record import Record
from core.market.exchange import Balance
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


# --- from the desk -------------------------------------------------------------------------------


class AssetOrder(Record, frozen=True):
    """A limit order for an asset, named for ever by `order_id`."""

    order_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal


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
    """Ask the exchange what the account holds; answered by `BalancesReported` once it says so."""


# --- to the desk ---------------------------------------------------------------------------------


class AssetOrderPlaced(Record, frozen=True):
    """An order is on its way, with price and quantity as the exchange's filters allow."""

    order_id: str
    price: Decimal
    quantity: Decimal


class AssetOrderFilled(Record, frozen=True):
    """One trade of an order, told once. `fee` is in the quote currency.

    Where there is no rate for the asset that the commission was taken in, `fee` leaves it out, and `commission` of
    `commission_asset` is what it leaves out. A commission in the base asset is valued at the price of the trade.
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


class AssetOrderEnded(Record, frozen=True):
    """An order has ended, for an `EndReason`; `cancelled_quantity` of it did not trade, and now never will."""

    batch_id: str
    order_id: str
    symbol: str
    reason: str
    cancelled_quantity: Decimal


class BalancesReported(Record, frozen=True):
    """What the account holds at the exchange."""

    balances: tuple[Balance, ...]
