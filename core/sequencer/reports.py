"""What an owner is told, as FIX messages built from an order's state. Pure.

LastPx and AvgPx are rounded half to even at 8 decimals; every other number is exact.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from msgspec.structs import replace

from core.fix.messages import ExecutionReport, NewOrderSingle, OrderCancelReject, OrderCancelRequest
from core.fix.sides import FIX_SIDE
from core.fix.tags import CxlRejResponseTo, ExecTransType, ExecType, OrdStatus
from core.market.orders import OrderFilled
from core.sequencer.reasons import Reason, Refusal
from core.sequencer.reported import ReportedOrder, ReportedState
from core.units import Nanos

_ORD_STATUS: Final = {
    ReportedState.NEW: OrdStatus.NEW,
    ReportedState.PARTIALLY_FILLED: OrdStatus.PARTIALLY_FILLED,
    ReportedState.FILLED: OrdStatus.FILLED,
    ReportedState.CANCELLED: OrdStatus.CANCELED,
    ReportedState.PENDING_CANCEL: OrdStatus.PENDING_CANCEL,
    ReportedState.REJECTED: OrdStatus.REJECTED,
    ReportedState.EXPIRED: OrdStatus.EXPIRED,
}
_NO_ORDER_ID: Final = "NONE"
_ZERO: Final = Decimal(0)
_EIGHT_DECIMALS: Final = Decimal("0.00000001")
_WIDE: Final = Context(prec=64, rounding=ROUND_HALF_EVEN)
"""A solver may pay any price for a speck of an order; eight decimals of it must still have room."""


def accepted(live: ReportedOrder, exec_id: str, now: Nanos, global_seq: int) -> ExecutionReport:
    """The order is new and has its place."""
    return replace(_report(live, ExecType.NEW, exec_id, now), global_seq=global_seq)


def filled(live: ReportedOrder, exec_id: str, now: Nanos, fill: OrderFilled) -> ExecutionReport:
    """Part or all of the order traded, as `fill` says and `live` already includes."""
    exec_type = ExecType.PARTIAL_FILL if fill.leaves_quantity else ExecType.FILL
    report = _report(live, exec_type, exec_id, now)
    return replace(report, last_shares=fill.quantity, last_px=_rounded(fill.price))


def cancel_pending(live: ReportedOrder, exec_id: str, now: Nanos, global_seq: int) -> ExecutionReport:
    """The cancel request has its place; the order is in the market until its turn."""
    return replace(_report(live, ExecType.PENDING_CANCEL, exec_id, now), global_seq=global_seq)


def ended(live: ReportedOrder, exec_id: str, now: Nanos, text: str | None) -> ExecutionReport:
    """The order was cancelled, expired, or rejected after all."""
    return replace(_report(live, ExecType(_ORD_STATUS[live.state]), exec_id, now), text=text)


def refused(message: NewOrderSingle, refusal: Refusal, order_id: str, exec_id: str, now: Nanos) -> ExecutionReport:
    """The order was not accepted; the report repeats what was asked for."""
    return ExecutionReport(
        order_id=order_id,
        cl_ord_id=message.cl_ord_id,
        exec_id=exec_id,
        exec_trans_type=ExecTransType.NEW,
        exec_type=ExecType.REJECTED,
        ord_status=OrdStatus.REJECTED,
        ord_rej_reason=refusal.ord_rej_reason,
        symbol=message.symbol,
        side=message.side,
        order_qty=message.order_qty,
        price=message.price,
        leaves_qty=_ZERO,
        cum_qty=_ZERO,
        avg_px=_ZERO,
        transact_time=now,
        text=_sentence(refusal),
    )


def cancel_refused(
    message: OrderCancelRequest, refusal: Refusal, live: ReportedOrder | None, now: Nanos
) -> OrderCancelReject:
    """The request changed nothing. Without a live order to speak of, OrderID is NONE and OrdStatus rejected."""
    return _cancel_reject(live, message.cl_ord_id, message.orig_cl_ord_id, refusal, now)


def cancel_too_late(live: ReportedOrder, cl_ord_id: str, now: Nanos, text: str) -> OrderCancelReject:
    """The request `cl_ord_id`, acknowledged before, came to nothing, and the order is as `live` says."""
    return _cancel_reject(live, cl_ord_id, live.order.cl_ord_id, Refusal(Reason.TOO_LATE, text), now)


def average_price(live: ReportedOrder) -> Decimal:
    """What was paid over what was filled; 0 before any fill."""
    return _rounded(_WIDE.divide(live.paid, live.cum_quantity)) if live.cum_quantity else _ZERO


def _report(live: ReportedOrder, exec_type: ExecType, exec_id: str, now: Nanos) -> ExecutionReport:
    order = live.order
    about_cancel = exec_type in (ExecType.PENDING_CANCEL, ExecType.CANCELED)
    return ExecutionReport(
        order_id=order.order_id,
        cl_ord_id=live.cancel_cl_ord_id if about_cancel else order.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id if about_cancel else None,
        exec_id=exec_id,
        exec_trans_type=ExecTransType.NEW,
        exec_type=exec_type,
        ord_status=_ORD_STATUS[live.state],
        symbol=order.symbol,
        side=FIX_SIDE[order.side],
        order_qty=order.quantity,
        price=order.limit_price,
        leaves_qty=live.leaves_quantity,
        cum_qty=live.cum_quantity,
        avg_px=average_price(live),
        transact_time=now,
    )


def _cancel_reject(
    live: ReportedOrder | None, cl_ord_id: str, orig_cl_ord_id: str, refusal: Refusal, now: Nanos
) -> OrderCancelReject:
    return OrderCancelReject(
        order_id=live.order.order_id if live else _NO_ORDER_ID,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=orig_cl_ord_id,
        ord_status=_ORD_STATUS[live.state if live else ReportedState.REJECTED],
        transact_time=now,
        cxl_rej_response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
        cxl_rej_reason=refusal.cxl_rej_reason,
        text=_sentence(refusal),
    )


def _sentence(refusal: Refusal) -> str:
    return f"{refusal.reason}: {refusal.text}"


def _rounded(price: Decimal) -> Decimal:
    return price.quantize(_EIGHT_DECIMALS, context=_WIDE)
