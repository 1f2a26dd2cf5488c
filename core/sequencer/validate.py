"""Business validation: an order or a cancel request against the rules of the venue, as pure functions.

What arrives here is well-formed FIX; whether the market can do something with it is decided here,
before it gets a place in the order of things. The first rule that fails gives the answer.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from core.fix.messages import NewOrderSingle, OrderCancelRequest
from core.kernel.record import Record
from core.market.orders import Order, Pair, Side, amounts
from core.sequencer.known import KnownIds
from core.units import MONEY, Nanos

CL_ORD_ID_CHARS_MAX: Final = 64
LIVE_ORDERS_MAX: Final = 10_000
_ECHO_CHARS_MAX: Final = 32
_ZERO: Final = Decimal(0)
_SIDES: Final[dict[str, Side]] = {"1": "buy", "2": "sell"}
_LIMIT: Final = "2"
_DAY, _GTC, _IOC, _FOK, _GTD = "0", "1", "3", "4", "6"


class Reason(StrEnum):
    """Why an order or a cancel request was refused. Stable: reports, metrics and people rely on them."""

    CLOSED = "closed"
    """The venue is winding down and takes no new work."""
    INVALID_CL_ORD_ID = "invalid_cl_ord_id"
    """ClOrdID is longer than 64 characters."""
    DUPLICATE_CL_ORD_ID = "duplicate_cl_ord_id"
    """The owner used this ClOrdID before, for a live order or for one of its last 10,000 others."""
    TOO_MANY_ORDERS = "too_many_orders"
    """The owner has 10,000 live orders."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    """The venue does not trade this Symbol."""
    UNSUPPORTED_SIDE = "unsupported_side"
    """Side is neither 1 (Buy) nor 2 (Sell)."""
    UNSUPPORTED_ORD_TYPE = "unsupported_ord_type"
    """OrdType is not 2 (Limit)."""
    UNSUPPORTED_TIME_IN_FORCE = "unsupported_time_in_force"
    """TimeInForce is none of 0 (Day), 1 (GTC), 3 (IOC), 4 (FOK) and 6 (GTD)."""
    MISSING_QUANTITY = "missing_quantity"
    """There is no OrderQty."""
    QUANTITY_NOT_POSITIVE = "quantity_not_positive"
    """OrderQty is zero or less."""
    QUANTITY_TOO_LARGE = "quantity_too_large"
    """OrderQty is above the pair's maximum."""
    QUANTITY_OFF_LOT = "quantity_off_lot"
    """OrderQty is not a multiple of the pair's lot."""
    MISSING_PRICE = "missing_price"
    """There is no Price."""
    PRICE_NOT_POSITIVE = "price_not_positive"
    """Price is zero or less."""
    PRICE_TOO_LARGE = "price_too_large"
    """Price times OrderQty has more digits than the venue can count."""
    PRICE_OFF_TICK = "price_off_tick"
    """Price is not a multiple of the pair's tick."""
    AMOUNT_TOO_SMALL = "amount_too_small"
    """Price times OrderQty is less than the smallest unit of the quote token."""
    MISSING_EXPIRE_TIME = "missing_expire_time"
    """TimeInForce is GTD and there is no ExpireTime."""
    EXPIRED = "expired"
    """ExpireTime has passed."""
    UNKNOWN_ORDER = "unknown_order"
    """OrigClOrdID names no order of this owner that the venue remembers."""
    TOO_LATE = "too_late"
    """The order that OrigClOrdID names has ended."""
    CANCEL_PENDING = "cancel_pending"
    """A cancel request for this order is already waiting for its answer."""


_ORD_REJ_REASONS: Final = {
    Reason.UNKNOWN_SYMBOL: 1,
    Reason.CLOSED: 2,
    Reason.TOO_MANY_ORDERS: 3,
    Reason.QUANTITY_TOO_LARGE: 3,
    Reason.PRICE_TOO_LARGE: 3,
    Reason.EXPIRED: 4,
    Reason.DUPLICATE_CL_ORD_ID: 6,
}
_CXL_REJ_REASONS: Final = {Reason.TOO_LATE: 0, Reason.UNKNOWN_ORDER: 1, Reason.CANCEL_PENDING: 3}


class Refusal(Record, frozen=True):
    """Why not: the code, and a sentence for a person."""

    reason: Reason
    text: str

    @property
    def ord_rej_reason(self) -> int:
        """OrdRejReason(103): FIX 4.2's own reason where it has one, else 0 (Broker option)."""
        return _ORD_REJ_REASONS.get(self.reason, 0)

    @property
    def cxl_rej_reason(self) -> int:
        """CxlRejReason(102): FIX 4.2's own reason where it has one, else 2 (Broker option)."""
        return _CXL_REJ_REASONS.get(self.reason, 2)


class Rules(msgspec.Struct, frozen=True):
    """What orders are judged by: the pairs by symbol, and how long an order lives that does not say so."""

    pairs: dict[str, Pair]
    order_lifetime: Nanos


def validate(
    message: NewOrderSingle, order_id: str, owner: str, now: Nanos, rules: Rules, known: KnownIds
) -> Order | Refusal:
    """The order that `message`, received at `now`, stands for, or why it stands for none.

    Quantity and price are written with the decimals of lot and tick, however many the peer wrote. Without TimeInForce an order is Day, as in FIX; Day and GTC both live for `order_lifetime`. IOC and
    FOK are immediate, and only FOK must be filled whole.
    """
    pair = rules.pairs.get(message.symbol)
    if pair is None:
        return Refusal(Reason.UNKNOWN_SYMBOL, f"no pair {message.symbol[:_ECHO_CHARS_MAX]} is traded here")
    refusal = (
        _check_identity(message, known)
        or _check_terms(message, now)
        or _check_quantity(message.order_qty, pair)
        or _check_price(message.price, message.order_qty, pair)
    )
    if refusal:
        return refusal
    assert message.order_qty is not None
    assert message.price is not None
    quantity, price = message.order_qty.quantize(pair.lot), message.price.quantize(pair.tick)
    side, force = _SIDES[message.side], message.time_in_force
    input_amount, min_output = amounts(pair, side, quantity, price)
    if not input_amount:
        return Refusal(Reason.AMOUNT_TOO_SMALL, f"{quantity} at {price} is worth no unit of {pair.quote.id}")
    sell, buy = (pair.base, pair.quote) if side == "sell" else (pair.quote, pair.base)
    return Order(
        order_id=order_id,
        owner=owner,
        cl_ord_id=message.cl_ord_id,
        symbol=pair.symbol,
        side=side,
        quantity=quantity,
        limit_price=price,
        sell_token=sell.id,
        buy_token=buy.id,
        input_amount=input_amount,
        min_output=min_output,
        created_at=now,
        valid_until=_valid_until(message, now, rules),
        partially_fillable=force != _FOK,
        immediate=force in (_IOC, _FOK),
    )


def validate_cancel(message: OrderCancelRequest, known: KnownIds) -> str | Refusal:
    """The id of the live order that `message` asks to cancel, or why there is none."""
    order_id = known.live.get(message.orig_cl_ord_id)
    if order_id is None and message.orig_cl_ord_id in known:
        return Refusal(Reason.TOO_LATE, "the order has ended")
    if order_id is None:
        return Refusal(Reason.UNKNOWN_ORDER, "no order of that OrigClOrdID")
    return _check_cl_ord_id(message.cl_ord_id, known) or order_id


def _check_identity(message: NewOrderSingle, known: KnownIds) -> Refusal | None:
    if len(known.live) >= LIVE_ORDERS_MAX:
        return Refusal(Reason.TOO_MANY_ORDERS, f"{LIVE_ORDERS_MAX} orders are live")
    return _check_cl_ord_id(message.cl_ord_id, known)


def _check_cl_ord_id(cl_ord_id: str, known: KnownIds) -> Refusal | None:
    if len(cl_ord_id) > CL_ORD_ID_CHARS_MAX:
        return Refusal(Reason.INVALID_CL_ORD_ID, f"ClOrdID is longer than {CL_ORD_ID_CHARS_MAX} characters")
    if cl_ord_id in known:
        return Refusal(Reason.DUPLICATE_CL_ORD_ID, f"ClOrdID {cl_ord_id} was used before")
    return None


def _check_terms(message: NewOrderSingle, now: Nanos) -> Refusal | None:
    if message.side not in _SIDES:
        return Refusal(Reason.UNSUPPORTED_SIDE, "Side must be 1 (Buy) or 2 (Sell)")
    if message.ord_type != _LIMIT:
        return Refusal(Reason.UNSUPPORTED_ORD_TYPE, "OrdType must be 2 (Limit)")
    if message.time_in_force not in (None, _DAY, _GTC, _IOC, _FOK, _GTD):
        return Refusal(Reason.UNSUPPORTED_TIME_IN_FORCE, "TimeInForce must be Day, GTC, IOC, FOK or GTD")
    if message.time_in_force != _GTD:
        return None
    if message.expire_time is None:
        return Refusal(Reason.MISSING_EXPIRE_TIME, "a GTD order needs ExpireTime")
    if now >= message.expire_time:
        return Refusal(Reason.EXPIRED, "ExpireTime has passed")
    return None


def _check_quantity(quantity: Decimal | None, pair: Pair) -> Refusal | None:
    if quantity is None:
        return Refusal(Reason.MISSING_QUANTITY, "OrderQty is missing")
    if quantity <= _ZERO:
        return Refusal(Reason.QUANTITY_NOT_POSITIVE, "OrderQty must be above zero")
    if quantity > pair.quantity_max:
        return Refusal(Reason.QUANTITY_TOO_LARGE, f"OrderQty is above {pair.quantity_max}")
    if quantity % pair.lot:
        return Refusal(Reason.QUANTITY_OFF_LOT, f"OrderQty is not a multiple of {pair.lot}")
    return None


def _check_price(price: Decimal | None, quantity: Decimal | None, pair: Pair) -> Refusal | None:
    if price is None or quantity is None:
        return Refusal(Reason.MISSING_PRICE, "a limit order needs Price")
    if price <= _ZERO:
        return Refusal(Reason.PRICE_NOT_POSITIVE, "Price must be above zero")
    if not _is_exact(price, quantity, pair):
        return Refusal(Reason.PRICE_TOO_LARGE, "Price times OrderQty is too large")
    if price % pair.tick:
        return Refusal(Reason.PRICE_OFF_TICK, f"Price is not a multiple of {pair.tick}")
    return None


def _valid_until(message: NewOrderSingle, now: Nanos, rules: Rules) -> Nanos:
    if message.time_in_force == _GTD and message.expire_time is not None:
        return message.expire_time
    return now + rules.order_lifetime


def _is_exact(price: Decimal, quantity: Decimal, pair: Pair) -> bool:
    """Whether the product, on tick times lot or in units of the quote token, has room in `MONEY`'s digits."""
    whole_digits = price.adjusted() + quantity.adjusted() + 2
    decimals = max(pair.quote.decimals, -int((pair.tick * pair.lot).as_tuple().exponent))
    return whole_digits + decimals <= MONEY.prec
