"""Orders come in, meet opposite ones of their own user, change and are cancelled."""

from __future__ import annotations

from decimal import Decimal

from core.index.base import EXPIRY, DeskBase
from core.index.basket import Unpriced, index_price
from core.index.netting import net
from core.index.order import IndexOrder
from core.index.reasons import EndReason, OrderRefusal, RequestRefusal
from core.index.records import (
    AmendIndexOrder,
    CancelIndexOrder,
    IndexOrderAccepted,
    IndexOrderAmended,
    IndexOrderNetted,
    IndexOrderRejected,
    IndexRequestRefused,
    NewIndexOrder,
    Outcome,
)
from core.index.rounding import cut
from core.index.settling import leave, shrink
from core.index.states import IndexOrderState
from core.index.validation import ID_CHARS_MAX, amount_flaw, is_id, is_user
from core.market.orders import Side
from core.market.prices import PriceType
from core.units import EXACT, Nanos, as_text

_TOO_LATE = frozenset(
    {
        IndexOrderState.FULLY_MINTABLE,
        IndexOrderState.MINTING,
        IndexOrderState.SETTLING,
    }
)


def take_order(desk: DeskBase, now: Nanos, request: NewIndexOrder) -> None:
    """Accept an order, net it against what its user wanted before, and let the rest wait to be served."""
    flaw = _flaw(desk, request)
    if flaw is not None:
        desk.note(IndexOrderRejected(*_named(request), flaw, _text(desk, request, flaw)))
        return
    order = desk.state.orders.add(desk.state.ids.next("I"), now, request)
    named = (order.order_id, order.user, order.client_order_id)
    desk.note(IndexOrderAccepted(*named, order.symbol, order.side, order.original))
    desk.state.line.add(order.order_id, order.user, now)
    desk.wake(EXPIRY + order.order_id, now + desk.settings.order_expiry_ns)
    _net(desk, now, order)


def amend_order(desk: DeskBase, now: Nanos, request: AmendIndexOrder) -> None:
    """Make an order larger, before anything was moved for it, or smaller, by what of it is not in use."""
    order = desk.state.orders.of_client(request.user, request.client_order_id)
    refusal = _why_not(order) or _bad_amount(desk, order, request.amount)
    if refusal is None and order is not None:
        more = EXACT.subtract(request.amount, EXACT.subtract(order.original, order.removed))
        if more > 0 and order.state is not IndexOrderState.OPEN:
            refusal = RequestRefusal.FUNDS_MOVED
        elif more.copy_negate() > order.idle:
            refusal = RequestRefusal.IN_USE
        else:
            _amend(desk, now, order, more)
            return
    desk.note(IndexRequestRefused(*_named(request), "amend", refusal or ""))


def cancel_order(desk: DeskBase, now: Nanos, request: CancelIndexOrder) -> None:
    """Engage an order no more; it ends once nothing of it is with others."""
    order = desk.state.orders.of_client(request.user, request.client_order_id)
    refusal = _why_not(order)
    if refusal is not None or order is None:
        desk.note(IndexRequestRefused(*_named(request), "cancel", refusal or ""))
        return
    leave(desk, now, order, Outcome.CANCELLED, EndReason.REQUESTED)


def _flaw(desk: DeskBase, request: NewIndexOrder) -> OrderRefusal | None:
    if desk.state.stopping:
        return OrderRefusal.STOPPING
    if not (is_id(request.client_order_id) and is_user(request.user)):
        return OrderRefusal.INVALID_ID
    return amount_flaw(request.amount, request.side, desk.settings) or _unacceptable(desk, request)


def _unacceptable(desk: DeskBase, request: NewIndexOrder) -> OrderRefusal | None:
    orders = desk.state.orders
    if desk.state.indexes.basket(request.symbol) is None:
        return OrderRefusal.INVALID_SYMBOL
    if orders.knows(request.user, request.client_order_id):
        return OrderRefusal.DUPLICATE_ID
    full = orders.open_count(request.user) >= desk.settings.orders_per_user_max
    return OrderRefusal.TOO_MANY_ORDERS if full else None


def _text(desk: DeskBase, request: NewIndexOrder, flaw: OrderRefusal) -> str:
    settings, places = desk.settings, _places(desk, request.side)
    return {
        OrderRefusal.INVALID_AMOUNT: f"amount {request.amount}: give a positive number",
        OrderRefusal.TOO_MUCH_PRECISION: f"amount {request.amount}: at most {places} decimals",
        OrderRefusal.TOO_LARGE: f"amount {request.amount}: at most {settings.order_amount_max}",
        OrderRefusal.INVALID_SYMBOL: f"no index {as_text(request.symbol)}",
        OrderRefusal.INVALID_ID: f"give an id of 1 to {ID_CHARS_MAX} characters that UTF-8 has, and a user's name",
        OrderRefusal.DUPLICATE_ID: f"{request.client_order_id} was used before: give a new id",
        OrderRefusal.TOO_MANY_ORDERS: f"{settings.orders_per_user_max} orders are open: wait until one ends",
    }.get(flaw, "")


def _named(request: NewIndexOrder | AmendIndexOrder | CancelIndexOrder) -> tuple[str, str]:
    """Whose request, and of which order, as it can be stated."""
    return as_text(request.user), as_text(request.client_order_id)


def _why_not(order: IndexOrder | None) -> RequestRefusal | None:
    """Why an order cannot be changed any more by its owner."""
    if order is None:
        return RequestRefusal.UNKNOWN_ORDER
    if order.ended or order.state in _TOO_LATE:
        return RequestRefusal.TOO_LATE
    return RequestRefusal.ALREADY_LEAVING if order.leaving else None


def _bad_amount(desk: DeskBase, order: IndexOrder | None, amount: Decimal) -> RequestRefusal | None:
    flaw = None if order is None else amount_flaw(amount, order.side, desk.settings)
    if flaw is None:
        return None
    precise = flaw is OrderRefusal.TOO_MUCH_PRECISION
    return RequestRefusal.TOO_MUCH_PRECISION if precise else RequestRefusal.INVALID_AMOUNT


def _amend(desk: DeskBase, now: Nanos, order: IndexOrder, more: Decimal) -> None:
    if more > 0:
        order.original = EXACT.add(order.original, more)
        order.remaining = EXACT.add(order.remaining, more)
    else:
        order.remove(more.copy_negate())
    named = (order.order_id, order.user, order.client_order_id)
    desk.note(IndexOrderAmended(*named, EXACT.subtract(order.original, order.removed), order.removed))
    shrink(desk, now, order, EndReason.AMENDED)


def _net(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """Meet an order with what of its user's opposite ones is not engaged, newest first.

    Collateral and tokens meet at the index's mid price; without one nothing is netted, and both trade.
    """
    other: Side = "sell" if order.side == "buy" else "buy"
    opposite = desk.state.orders.waiting(order.user, order.symbol, other)
    price = _mid_price(desk, now, order.symbol) if opposite else None
    if price is None:
        return
    worth = order.remaining / price if order.side == "buy" else order.remaining * price
    met = net([(one.order_id, one.idle) for one in opposite], worth)
    for order_id, amount in met.removed:
        _meet(desk, now, order, desk.state.orders.live[order_id], amount)
    if met.removed:
        left = order.remaining * met.left / worth
        amount = EXACT.subtract(order.remaining, cut(left, _places(desk, order.side)))
        order.remove(amount)
        named = (order.order_id, order.user, order.client_order_id)
        desk.note(IndexOrderNetted(*named, met.removed[0][0], amount))
        shrink(desk, now, order, EndReason.NETTED)


def _meet(desk: DeskBase, now: Nanos, order: IndexOrder, older: IndexOrder, amount: Decimal) -> None:
    """An older order gives way, in whole units of what it is in; unless less than one would be left, then all of it."""
    places = _places(desk, older.side)
    whole = cut(amount, places)
    amount = whole if EXACT.subtract(older.idle, whole) >= Decimal(1).scaleb(-places) else older.idle
    older.remove(amount)
    named = (older.order_id, older.user, older.client_order_id)
    desk.note(IndexOrderNetted(*named, order.order_id, amount))
    shrink(desk, now, older, EndReason.NETTED)


def _places(desk: DeskBase, side: Side) -> int:
    """Decimals of what an order's amount is in."""
    return desk.settings.collateral_decimals if side == "buy" else desk.settings.token_decimals


def _mid_price(desk: DeskBase, now: Nanos, symbol: str) -> Decimal | None:
    basket = desk.state.indexes.basket(symbol)
    assert basket is not None
    try:
        return index_price(basket, desk.prices(now, basket.quantities(), PriceType.MID_POINT))
    except Unpriced:
        return None
