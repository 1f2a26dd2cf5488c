"""What an owner is told, as FIX messages built from an order's state. Pure.

LastPx and AvgPx are rounded half to even at 8 decimals; every other number is exact.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from msgspec.structs import replace

from core.fix.messages import (
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderStatusRequest,
)
from core.fix.sides import FIX_SIDE
from core.fix.tags import CxlRejResponseTo, ExecTransType, ExecType, OrdStatus
from core.market.orders import OrderFilled
from core.sequencer.reasons import Refusal
from core.sequencer.receipt import Receipt, encode_receipt
from core.sequencer.reported import ReportedOrder, ReportedState
from core.units import Nanos

_ORD_STATUS: Final = {
    ReportedState.NEW: OrdStatus.NEW,
    ReportedState.PARTIALLY_FILLED: OrdStatus.PARTIALLY_FILLED,
    ReportedState.FILLED: OrdStatus.FILLED,
    ReportedState.CANCELLED: OrdStatus.CANCELED,
    ReportedState.PENDING_CANCEL: OrdStatus.PENDING_CANCEL,
    ReportedState.PENDING_REPLACE: OrdStatus.PENDING_REPLACE,
    ReportedState.REJECTED: OrdStatus.REJECTED,
    ReportedState.EXPIRED: OrdStatus.EXPIRED,
}
_NO_ORDER_ID: Final = "NONE"
_NO_EXEC_ID: Final = "0"
"""What FIX 4.2 says of reports that answer a question."""
_TO_REPLACE: Final = CxlRejResponseTo.ORDER_CANCEL_REPLACE_REQUEST
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


def replace_pending(live: ReportedOrder, exec_id: str, now: Nanos, global_seq: int) -> ExecutionReport:
    """The request to replace the order has its place; the order is in the market as it was until its turn."""
    return replace(_report(live, ExecType.PENDING_REPLACE, exec_id, now), global_seq=global_seq)


def replaced(live: ReportedOrder, exec_id: str, now: Nanos, orig_cl_ord_id: str) -> ExecutionReport:
    """The order, `orig_cl_ord_id` before, has its new terms and name."""
    return replace(_report(live, ExecType.REPLACED, exec_id, now), orig_cl_ord_id=orig_cl_ord_id)


def status(live: ReportedOrder, receipt: Receipt | None, now: Nanos) -> ExecutionReport:
    """How the order is, and its receipt if there is one."""
    return replace(
        _report(live, ExecType(_status(live)), _NO_EXEC_ID, now),
        cl_ord_id=live.order.cl_ord_id,
        orig_cl_ord_id=None,
        exec_trans_type=ExecTransType.STATUS,
        global_seq=live.global_seq,
        receipt=encode_receipt(receipt).decode() if receipt is not None else None,
    )


def unknown(message: OrderStatusRequest, refusal: Refusal, now: Nanos) -> ExecutionReport:
    """There is no such order, or it ended too long ago."""
    return ExecutionReport(
        order_id=_NO_ORDER_ID,
        cl_ord_id=message.cl_ord_id,
        exec_id=_NO_EXEC_ID,
        exec_trans_type=ExecTransType.STATUS,
        exec_type=ExecType.REJECTED,
        ord_status=OrdStatus.REJECTED,
        ord_rej_reason=refusal.ord_rej_reason,
        symbol=message.symbol,
        side=message.side,
        leaves_qty=_ZERO,
        cum_qty=_ZERO,
        avg_px=_ZERO,
        transact_time=now,
        text=sentence(refusal),
    )


def ended(live: ReportedOrder, exec_id: str, now: Nanos, text: str | None) -> ExecutionReport:
    """The order was cancelled, expired, or rejected after all."""
    return replace(_report(live, ExecType(_status(live)), exec_id, now), text=text)


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
        text=sentence(refusal),
    )


def request_refused(
    message: OrderCancelRequest | OrderCancelReplaceRequest, refusal: Refusal, order: ReportedOrder | None, now: Nanos
) -> OrderCancelReject:
    """The request changed nothing. Without an order, alive or ended, OrderID is NONE and OrdStatus rejected."""
    reject = _cancel_reject(order, message.cl_ord_id, message.orig_cl_ord_id, refusal, now)
    return reject if isinstance(message, OrderCancelRequest) else replace(reject, cxl_rej_response_to=_TO_REPLACE)


def cancel_in_vain(live: ReportedOrder, cl_ord_id: str, now: Nanos, refusal: Refusal) -> OrderCancelReject:
    """The request `cl_ord_id`, acknowledged before, came to nothing, and the order is as `live` says."""
    return _cancel_reject(live, cl_ord_id, live.order.cl_ord_id, refusal, now)


def replace_in_vain(live: ReportedOrder, cl_ord_id: str, now: Nanos, refusal: Refusal) -> OrderCancelReject:
    """The same of a request to replace the order."""
    return replace(cancel_in_vain(live, cl_ord_id, now, refusal), cxl_rej_response_to=_TO_REPLACE)


def average_price(live: ReportedOrder) -> Decimal:
    """What was paid over what was filled; 0 before any fill."""
    return _rounded(_WIDE.divide(live.paid, live.cum_quantity)) if live.cum_quantity else _ZERO


def _report(live: ReportedOrder, exec_type: ExecType, exec_id: str, now: Nanos) -> ExecutionReport:
    order = live.order
    request = _request(live, exec_type)
    height, index = live.place or (None, None)
    return ExecutionReport(
        order_id=order.order_id,
        cl_ord_id=request or order.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id if request else None,
        exec_id=exec_id,
        exec_trans_type=ExecTransType.NEW,
        exec_type=exec_type,
        ord_status=_status(live),
        symbol=order.symbol,
        side=FIX_SIDE[order.side],
        order_qty=order.quantity,
        price=order.limit_price,
        leaves_qty=live.leaves_quantity,
        cum_qty=live.cum_quantity,
        avg_px=average_price(live),
        transact_time=now,
        block_height=height,
        leaf_index=index,
    )


def _request(live: ReportedOrder, exec_type: ExecType) -> str:
    """The ClOrdID of the request that such a report is about; empty if it is about none."""
    if exec_type is ExecType.PENDING_REPLACE:
        return live.replace_cl_ord_id
    return live.cancel_cl_ord_id if exec_type in (ExecType.PENDING_CANCEL, ExecType.CANCELED) else ""


def _status(live: ReportedOrder) -> OrdStatus:
    """OrdStatus(39). In FIX 4.2 an order that was replaced is not new, but partly filled counts for more."""
    if live.replaced and live.state is ReportedState.NEW:
        return OrdStatus.REPLACED
    return _ORD_STATUS[live.state]


def _cancel_reject(
    live: ReportedOrder | None, cl_ord_id: str, orig_cl_ord_id: str, refusal: Refusal, now: Nanos
) -> OrderCancelReject:
    return OrderCancelReject(
        order_id=live.order.order_id if live else _NO_ORDER_ID,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=orig_cl_ord_id,
        ord_status=_status(live) if live else OrdStatus.REJECTED,
        transact_time=now,
        cxl_rej_response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
        cxl_rej_reason=refusal.cxl_rej_reason,
        text=sentence(refusal),
    )


def sentence(refusal: Refusal) -> str:
    """Text(58) of a refusal: the code, and what it means for a person."""
    return f"{refusal.reason}: {refusal.text}"


def _rounded(price: Decimal) -> Decimal:
    return price.quantize(_EIGHT_DECIMALS, context=_WIDE)
