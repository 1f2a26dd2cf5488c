"""Business validation: an order or a request about one against the rules of the venue, as pure functions.

What arrives here is well-formed FIX; whether the market can do something with it is decided here,
before it gets a place in the order of things. The first rule that fails gives the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from core.fix.messages import NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest, OrderStatusRequest
from core.fix.sides import MARKET_SIDE
from core.fix.tags import OrdType, TimeInForce
from core.market.orders import Order, Pair, ReplaceOrder, amounts
from core.sequencer.instructions import check_instructions
from core.sequencer.known import KnownIds
from core.sequencer.reasons import Reason, Refusal
from core.sequencer.reported import ReportedOrder, ReportedState
from core.units import MONEY, Nanos

CL_ORD_ID_CHARS_MAX: Final = 64
LIVE_ORDERS_MAX: Final = 10_000
_ECHO_CHARS_MAX: Final = 32
_ZERO: Final = Decimal(0)
_TIMES_IN_FORCE: Final = (
    None,
    TimeInForce.DAY,
    TimeInForce.GOOD_TILL_CANCEL,
    TimeInForce.IMMEDIATE_OR_CANCEL,
    TimeInForce.FILL_OR_KILL,
    TimeInForce.GOOD_TILL_DATE,
)
_RESTING: Final = (TimeInForce.DAY, TimeInForce.GOOD_TILL_CANCEL, TimeInForce.GOOD_TILL_DATE)
"""What an order may have that is not immediate; the venue keeps its validity, not which of them it was."""


class Rules(msgspec.Struct, frozen=True):
    """What orders are judged by: the pairs by symbol, and how long an order lives that does not say so."""

    pairs: dict[str, Pair]
    order_lifetime: Nanos


def validate(
    message: NewOrderSingle, rules: Rules, known: KnownIds, *, order_id: str, owner: str, now: Nanos
) -> Order | Refusal:
    """The order that `message`, received at `now`, stands for, or why it stands for none.

    Quantity and price are written with the decimals of lot and tick, however many the peer wrote.
    Without TimeInForce an order is Day, as in FIX; Day and GTC both live for `order_lifetime`. IOC and
    FOK are immediate, and only FOK must be filled whole.
    """
    pair = rules.pairs.get(message.symbol)
    if pair is None:
        return Refusal(Reason.UNKNOWN_SYMBOL, f"no pair {message.symbol[:_ECHO_CHARS_MAX]} is traded here")
    refusal = (
        _check_identity(message, known)
        or _check_terms(message, now)
        or check_instructions(message, pair)
        or _check_amounts(message.order_qty, message.price, pair)
    )
    if refusal:
        return refusal
    assert message.order_qty is not None
    assert message.price is not None
    quantity, price = message.order_qty.quantize(pair.lot), message.price.quantize(pair.tick)
    side, force = MARKET_SIDE[message.side], message.time_in_force
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
        partially_fillable=force != TimeInForce.FILL_OR_KILL,
        immediate=force in (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL),
    )


def validate_cancel(
    message: OrderCancelRequest, known: KnownIds, orders: Mapping[str, ReportedOrder]
) -> ReportedOrder | Refusal:
    """The live order, of all `orders`, that `message` asks to cancel, or why it cannot."""
    return _named(message, known, orders)


def validate_replace(
    message: OrderCancelReplaceRequest, rules: Rules, known: KnownIds, orders: Mapping[str, ReportedOrder]
) -> ReplaceOrder | Refusal:
    """What becomes of a live order, of all `orders`, by `message`, or why nothing can.

    OrderQty is that of the whole order, with what was filled before. Only OrderQty and Price may differ from what the
    order has; what is left out stays.
    """
    live = _named(message, known, orders)
    if isinstance(live, Refusal):
        return live
    order = live.order
    pair = rules.pairs[order.symbol]
    refusal = (
        _check_unchanged(message, order)
        or check_instructions(message, pair)
        or _check_amounts(message.order_qty, message.price, pair)
    )
    if refusal:
        return refusal
    assert message.order_qty is not None
    assert message.price is not None
    quantity, price = message.order_qty.quantize(pair.lot), message.price.quantize(pair.tick)
    if quantity <= live.cum_quantity:
        return Refusal(Reason.QUANTITY_FILLED, f"{live.cum_quantity} have been traded: cancel what is left")
    if not amounts(pair, order.side, quantity - live.cum_quantity, price)[0]:
        return Refusal(Reason.AMOUNT_TOO_SMALL, f"what is left is worth no unit of {pair.quote.id} at {price}")
    return ReplaceOrder(order.order_id, order.owner, message.cl_ord_id, quantity, price)


def find_order(
    message: OrderStatusRequest, owner: str, known: KnownIds, orders: Mapping[str, ReportedOrder]
) -> ReportedOrder | Refusal:
    """The order that `message` asks about, alive or among its owner's last that ended: by ClOrdID, or else by OrderID.

    Another owner's is as unknown as one that there is not.
    """
    cl_ord_id, order_id = message.cl_ord_id, message.order_id or ""
    found = (
        orders.get(known.live.get(cl_ord_id, ""))
        or known.ended.get(cl_ord_id)
        or orders.get(order_id)
        or next((ended for ended in known.ended.values() if ended.order.order_id == order_id), None)
    )
    if found is None or found.order.owner != owner:
        return Refusal(Reason.UNKNOWN_ORDER, "no order of that ClOrdID or OrderID")
    return found


def _named(
    message: OrderCancelRequest | OrderCancelReplaceRequest, known: KnownIds, orders: Mapping[str, ReportedOrder]
) -> ReportedOrder | Refusal:
    """The live order that a request names by its latest ClOrdID, unless another request for it is pending."""
    order_id = known.live.get(message.orig_cl_ord_id)
    if order_id is None and message.orig_cl_ord_id in known:
        is_name = message.orig_cl_ord_id in known.ended
        return Refusal(Reason.TOO_LATE, f"the order has ended{'' if is_name else ' or goes by another ClOrdID'}")
    if order_id is None:
        return Refusal(Reason.UNKNOWN_ORDER, "no order of that OrigClOrdID")
    live = orders[order_id]
    if live.state is ReportedState.PENDING_CANCEL:
        return Refusal(Reason.CANCEL_PENDING, "an earlier request to cancel it is pending")
    if live.state is ReportedState.PENDING_REPLACE:
        return Refusal(Reason.REPLACE_PENDING, "an earlier request to replace it is pending")
    return _check_cl_ord_id(message.cl_ord_id, known) or live


def _check_unchanged(message: OrderCancelReplaceRequest, order: Order) -> Refusal | None:
    if message.symbol != order.symbol or MARKET_SIDE.get(message.side) != order.side:
        return Refusal(Reason.UNSUPPORTED_CHANGE, "Symbol and Side cannot be changed")
    if message.ord_type != OrdType.LIMIT:
        return Refusal(Reason.UNSUPPORTED_CHANGE, "OrdType cannot be changed from 2 (Limit)")
    immediate = TimeInForce.IMMEDIATE_OR_CANCEL if order.partially_fillable else TimeInForce.FILL_OR_KILL
    allowed = (immediate,) if order.immediate else _RESTING
    if message.time_in_force is not None and message.time_in_force not in allowed:
        return Refusal(Reason.UNSUPPORTED_CHANGE, "TimeInForce cannot be changed")
    if message.expire_time not in (None, order.valid_until):
        return Refusal(Reason.UNSUPPORTED_CHANGE, "ExpireTime cannot be changed")
    return None


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
    if message.side not in MARKET_SIDE:
        return Refusal(Reason.UNSUPPORTED_SIDE, "Side must be 1 (Buy) or 2 (Sell)")
    if message.ord_type != OrdType.LIMIT:
        return Refusal(Reason.UNSUPPORTED_ORD_TYPE, "OrdType must be 2 (Limit)")
    return _check_time_in_force(message, now)


def _check_time_in_force(message: NewOrderSingle, now: Nanos) -> Refusal | None:
    if message.time_in_force not in _TIMES_IN_FORCE:
        return Refusal(Reason.UNSUPPORTED_TIME_IN_FORCE, "TimeInForce must be Day, GTC, IOC, FOK or GTD")
    if message.time_in_force != TimeInForce.GOOD_TILL_DATE:
        return None
    if message.expire_time is None:
        return Refusal(Reason.MISSING_EXPIRE_TIME, "a GTD order needs ExpireTime")
    if now >= message.expire_time:
        return Refusal(Reason.EXPIRED, "ExpireTime has passed")
    return None


def _check_amounts(quantity: Decimal | None, price: Decimal | None, pair: Pair) -> Refusal | None:
    if quantity is None:
        return Refusal(Reason.MISSING_QUANTITY, "OrderQty is missing")
    return _check_quantity(quantity, pair) or _check_price(price, quantity, pair)


def _check_quantity(quantity: Decimal, pair: Pair) -> Refusal | None:
    if quantity <= _ZERO:
        return Refusal(Reason.QUANTITY_NOT_POSITIVE, "OrderQty must be above zero")
    if quantity > pair.quantity_max:
        return Refusal(Reason.QUANTITY_TOO_LARGE, f"OrderQty is above {pair.quantity_max}")
    if quantity % pair.lot:
        return Refusal(Reason.QUANTITY_OFF_LOT, f"OrderQty is not a multiple of {pair.lot}")
    return None


def _check_price(price: Decimal | None, quantity: Decimal, pair: Pair) -> Refusal | None:
    if price is None:
        return Refusal(Reason.MISSING_PRICE, "a limit order needs Price")
    if price <= _ZERO:
        return Refusal(Reason.PRICE_NOT_POSITIVE, "Price must be above zero")
    if not _is_exact(price, quantity, pair):
        return Refusal(Reason.PRICE_TOO_LARGE, "Price times OrderQty is too large")
    if price % pair.tick:
        return Refusal(Reason.PRICE_OFF_TICK, f"Price is not a multiple of {pair.tick}")
    return None


def _valid_until(message: NewOrderSingle, now: Nanos, rules: Rules) -> Nanos:
    if message.time_in_force == TimeInForce.GOOD_TILL_DATE and message.expire_time is not None:
        return message.expire_time
    return now + rules.order_lifetime


def _is_exact(price: Decimal, quantity: Decimal, pair: Pair) -> bool:
    """Whether the product, on tick times lot or in units of the quote token, has room in `MONEY`'s digits."""
    whole_digits = price.adjusted() + quantity.adjusted() + 2
    decimals = max(pair.quote.decimals, -int((pair.tick * pair.lot).as_tuple().exponent))
    return whole_digits + decimals <= MONEY.prec
