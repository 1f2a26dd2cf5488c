"""What an owner is told, as FIX messages built from an order's state. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from core.fix.messages import ExecutionReport, NewOrderSingle, OrderCancelReject, OrderCancelRequest
from core.market.orders import CancelOrder, Order, OrderFilled
from core.sequencer.lifecycle import LiveOrder, OrderState
from core.sequencer.validate import Refusal
from core.units import Nanos

_ZERO: Final = Decimal(0)
_EIGHT_DECIMALS: Final = Decimal("0.00000001")
_NEW_TRANSACTION = "0"
_NO_ORDER: Final = "NONE"
_TO_CANCEL_REQUEST = "1"
_TOO_LATE: Final = 0
_REJECTED: Final = "8"

ORD_STATUS: Final = {
    OrderState.NEW: "0",
    OrderState.PARTIALLY_FILLED: "1",
    OrderState.FILLED: "2",
    OrderState.CANCELLED: "4",
    OrderState.PENDING_CANCEL: "6",
    OrderState.REJECTED: "8",
    OrderState.EXPIRED: "C",
}
"""OrdStatus(39) by state. ExecType(150) has the same letters; it says what happened, not what is."""


def average_price(live: LiveOrder) -> Decimal:
    """AvgPx(6): what was paid over what was filled, to 8 decimals, half to even; 0 before any fill."""
    if not live.cum_quantity:
        return _ZERO
    return (live.paid / live.cum_quantity).quantize(_EIGHT_DECIMALS, rounding=ROUND_HALF_EVEN)


def accepted(live: LiveOrder, exec_id: str, now: Nanos, global_seq: int) -> ExecutionReport:
    """The order is new and has its place."""
    return _report(live, ORD_STATUS[OrderState.NEW], exec_id, now, global_seq=global_seq)


def refused(message: NewOrderSingle, refusal: Refusal, order_id: str, exec_id: str, now: Nanos) -> ExecutionReport:
    """The order was not accepted; it says so in the words of the message."""
    return ExecutionReport(
        order_id=order_id,
        cl_ord_id=message.cl_ord_id,
        exec_id=exec_id,
        exec_trans_type=_NEW_TRANSACTION,
        exec_type=_REJECTED,
        ord_status=_REJECTED,
        ord_rej_reason=refusal.ord_rej_reason,
        symbol=message.symbol,
        side=message.side,
        order_qty=message.order_qty,
        price=message.price,
        leaves_qty=_ZERO,
        cum_qty=_ZERO,
        avg_px=_ZERO,
        transact_time=now,
        text=f"{refusal.reason}: {refusal.text}",
    )


def filled(live: LiveOrder, exec_id: str, now: Nanos, fill: OrderFilled) -> ExecutionReport:
    """Part or all of the order traded."""
    exec_type = ORD_STATUS[OrderState.PARTIALLY_FILLED if fill.leaves_quantity else OrderState.FILLED]
    return _report(live, exec_type, exec_id, now, last_shares=fill.quantity, last_px=_rounded(fill.price))
