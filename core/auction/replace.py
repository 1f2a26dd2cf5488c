"""Replacing an order: another quantity and limit for one that is open between two auctions. Its place in the queue and
its validity stay.
"""

from __future__ import annotations

from msgspec.structs import replace

from core.auction.desk import Desk
from core.auction.reasons import ReplaceRefusal
from core.auction.states import OrderState
from core.market.orders import OrderReplaced, ReplaceOrder, ReplaceRefused, amounts


def replace_order(desk: Desk, wanted: ReplaceOrder) -> None:
    """Give the order its new terms and reserve what they need, or say why not and leave everything as it is."""
    refusal = _refusal(desk, wanted) or _set_terms(desk, wanted)
    if refusal is not None:
        desk.report(ReplaceRefused(wanted.order_id, wanted.cl_ord_id, refusal))


def _refusal(desk: Desk, wanted: ReplaceOrder) -> ReplaceRefusal | None:
    live = desk.state.orders.get(wanted.order_id)
    if live is None or live.order.owner != wanted.owner:
        return ReplaceRefusal.UNKNOWN_ORDER
    if live.state is not OrderState.OPEN:
        return ReplaceRefusal.TOO_LATE
    return ReplaceRefusal.FILLED if wanted.quantity <= live.filled else None


def _set_terms(desk: Desk, wanted: ReplaceOrder) -> ReplaceRefusal | None:
    live = desk.state.orders[wanted.order_id]
    order, left = live.order, wanted.quantity - live.filled
    given, taken = amounts(desk.pairs[order.symbol], order.side, left, wanted.limit_price)
    if not given:
        return ReplaceRefusal.AMOUNT_TOO_SMALL
    moved = desk.state.escrow.adjust(order, given)
    if moved is None:
        return ReplaceRefusal.UNFUNDED
    live.order = replace(
        order,
        cl_ord_id=wanted.cl_ord_id,
        quantity=left,
        limit_price=wanted.limit_price,
        input_amount=given,
        min_output=taken,
    )
    desk.note(*moved)
    desk.report(
        OrderReplaced(
            order_id=order.order_id,
            cl_ord_id=wanted.cl_ord_id,
            quantity=wanted.quantity,
            limit_price=wanted.limit_price,
            leaves_quantity=left,
            input_amount=given,
            min_output=taken,
        )
    )
    return None
