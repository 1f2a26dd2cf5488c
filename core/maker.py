"""A market maker's order desk: turns what its world wants into FIX orders and keeps score of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final, TypeAlias

import msgspec

from core.fix.message import FixMessage
from core.fix.messages import (
    BusinessMessageReject,
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderStatusRequest,
)
from core.fix.records import FromPeer, SessionClosed, SessionOpened, ToPeer
from core.fix.sides import FIX_SIDE
from core.fix.tags import BusinessRejectReason, ExecTransType, ExecType, HandlInst, OrdType, TimeInForce
from core.kernel.component import Component, Handler
from core.kernel.ids import Ids
from core.kernel.record import Message, Note, Record, Resume, Send, Start, Stop
from core.market.orders import Side
from core.market.world import CancelWanted, OrderWanted, ReplaceWanted, StatusWanted
from core.units import Nanos

FIX: Final = "fix"
OPEN_ORDERS_MAX: Final = 10_000
ENDED_ORDERS_MAX: Final = 256
"""As many as a venue remembers, to be asked about."""
Intent: TypeAlias = OrderWanted | CancelWanted | ReplaceWanted | StatusWanted


class DropReason(StrEnum):
    """Why something that the world wanted was not sent."""

    STOPPING = "stopping"
    """The node is winding down."""
    TOO_MANY_OPEN = "too_many_open"
    """`OPEN_ORDERS_MAX` orders are open."""
    GONE = "gone"
    """The order that it is about has ended, or was never sent."""
    CANCEL_PENDING = "cancel_pending"
    """A cancel request for the order is already on its way."""
    REPLACE_PENDING = "replace_pending"
    """A request to replace the order is already on its way."""


class IntentDropped(Record, frozen=True):
    """Something that the world wanted was not sent."""

    intent: Intent
    reason: DropReason


class RequestRejected(Record, frozen=True):
    """The venue could not take an order or a cancel request at all: `BusinessRejectReason`, in lower case, is why."""

    cl_ord_id: str
    msg_type: str
    reason: str
    text: str


class ReportIgnored(Record, frozen=True):
    """The venue spoke of an order that is not open: it ended before, or never was."""

    cl_ord_id: str
    msg_type: str


class MakerSettings(msgspec.Struct, frozen=True):
    """Who the market maker is (its CompID names its orders) and the session that its orders go to."""

    comp_id: str
    session: str


class OpenOrder(msgspec.Struct):
    """An order that was sent and has not ended."""

    nth: int
    symbol: str
    side: Side
    cancel_cl_ord_id: str = ""
    """The cancel request that waits for an answer, or empty."""
    replace_cl_ord_id: str = ""
    """The request to replace it that does, or empty."""

    def waits_for(self, cl_ord_id: str) -> bool:
        """Whether that is a request for it that has no answer yet."""
        return cl_ord_id in (self.cancel_cl_ord_id, self.replace_cl_ord_id)

    def answer(self, cl_ord_id: str) -> None:
        """That request was answered, and the order goes on."""
        if cl_ord_id == self.replace_cl_ord_id:
            self.replace_cl_ord_id = ""
        else:
            self.cancel_cl_ord_id = ""


class Outcome(StrEnum):
    """What is counted of orders. Each one sent that ends does so in one of the last four ways."""

    SENT = "sent"
    ACKED = "acked"
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


_OUTCOMES: Final[Mapping[str, Outcome]] = {
    ExecType.NEW: Outcome.ACKED,
    ExecType.FILL: Outcome.FILLED,
    ExecType.REJECTED: Outcome.REJECTED,
    ExecType.CANCELED: Outcome.CANCELLED,
    ExecType.EXPIRED: Outcome.EXPIRED,
}


class MakerState(msgspec.Struct):
    """The open orders and the score."""

    ids: Ids = msgspec.field(default_factory=Ids)
    stopping: bool = False
    open: dict[str, OpenOrder] = {}
    """By ClOrdID; at most `OPEN_ORDERS_MAX`."""
    open_nth: dict[int, str] = {}
    """The ClOrdIDs of the open orders, by their number."""
    ended_nth: dict[int, tuple[str, str, Side]] = {}
    """ClOrdID, symbol and side of the last `ENDED_ORDERS_MAX` that have ended, by their number."""
    counts: dict[Outcome, int] = msgspec.field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    filled_quantity: dict[str, dict[Side, Decimal]] = {}
    """By symbol and side, of all orders."""


class MarketMaker(Component[MakerState]):
    """Sends every order it is told to, once, under the ClOrdID `<CompID>-<n>`; n counts requests of all kinds.

    Orders do not wait for the session: the engine keeps them until it is logged on, and TransactTime
    says how old they are. What the venue says about orders that are not open changes nothing.
    """

    __slots__ = ("_settings",)

    def __init__(self, name: str, settings: MakerSettings) -> None:
        super().__init__(name, MakerState())
        self._settings = settings

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        """Wait for the world to want something."""

    def _on_stop(self, _now: Nanos, _event: Stop) -> None:
        self.state.stopping = True

    def _on_resume(self, _now: Nanos, _event: Resume) -> None:
        self.state.stopping = False

    def _on_session(self, _now: Nanos, _event: Message[SessionOpened | SessionClosed]) -> None:
        """Orders outlive sessions, here as at the venue."""

    # --- from the world ------------------------------------------------------------------------------

    def _on_order_wanted(self, now: Nanos, event: Message[OrderWanted]) -> None:
        state, wanted = self.state, event.body
        if state.stopping or len(state.open) >= OPEN_ORDERS_MAX:
            self._drop(wanted, DropReason.STOPPING if state.stopping else DropReason.TOO_MANY_OPEN)
            return
        cl_ord_id = state.ids.next(self._settings.comp_id)
        state.counts[Outcome.SENT] += 1
        nth = state.counts[Outcome.SENT]
        state.open[cl_ord_id] = OpenOrder(nth, wanted.symbol, wanted.side)
        state.open_nth[nth] = cl_ord_id
        self._tell(_order(wanted, cl_ord_id, now))

    def _on_cancel_wanted(self, now: Nanos, event: Message[CancelWanted]) -> None:
        cl_ord_id = self._open_for(event.body)
        if cl_ord_id:
            order = self.state.open[cl_ord_id]
            order.cancel_cl_ord_id = self.state.ids.next(self._settings.comp_id)
            side = FIX_SIDE[order.side]
            self._tell(OrderCancelRequest(cl_ord_id, order.cancel_cl_ord_id, order.symbol, side, now))

    def _on_replace_wanted(self, now: Nanos, event: Message[ReplaceWanted]) -> None:
        wanted, cl_ord_id = event.body, self._open_for(event.body)
        if cl_ord_id:
            order = self.state.open[cl_ord_id]
            order.replace_cl_ord_id = self.state.ids.next(self._settings.comp_id)
            self._tell(_replacement(wanted, order, cl_ord_id, now))

    def _open_for(self, wanted: CancelWanted | ReplaceWanted) -> str:
        """The ClOrdID of the open order that a request is wanted for; empty if none can be sent, which is stated."""
        cl_ord_id = self.state.open_nth.get(wanted.nth, "")
        order = self.state.open.get(cl_ord_id)
        reasons = {
            DropReason.STOPPING: self.state.stopping,
            DropReason.GONE: order is None,
            DropReason.CANCEL_PENDING: order is not None and order.cancel_cl_ord_id,
            DropReason.REPLACE_PENDING: order is not None and order.replace_cl_ord_id,
        }
        reason = next((reason for reason, holds in reasons.items() if holds), None)
        if reason is not None:
            self._drop(wanted, reason)
        return cl_ord_id if reason is None else ""

    def _on_status_wanted(self, _now: Nanos, event: Message[StatusWanted]) -> None:
        state, nth = self.state, event.body.nth
        open_order = state.open.get(state.open_nth.get(nth, ""))
        if open_order is not None:
            self._tell(OrderStatusRequest(state.open_nth[nth], open_order.symbol, FIX_SIDE[open_order.side]))
        elif nth in state.ended_nth:
            cl_ord_id, symbol, side = state.ended_nth[nth]
            self._tell(OrderStatusRequest(cl_ord_id, symbol, FIX_SIDE[side]))
        else:
            self._drop(event.body, DropReason.GONE)

    def _drop(self, intent: Intent, reason: DropReason) -> None:
        self.emit(Note(IntentDropped(intent, reason)))

    # --- from the venue ------------------------------------------------------------------------------

    def _on_peer(self, _now: Nanos, event: Message[FromPeer[Any]]) -> None:
        message = event.body.message
        if isinstance(message, ExecutionReport):
            self._on_execution_report(message)
        elif isinstance(message, OrderCancelReject):
            self._on_cancel_reject(message)
        else:
            self._on_business_reject(message)

    def _on_execution_report(self, report: ExecutionReport) -> None:
        cl_ord_id, outcome = report.orig_cl_ord_id or report.cl_ord_id or "", _OUTCOMES.get(report.exec_type)
        order = self.state.open.get(cl_ord_id)
        if report.exec_trans_type == ExecTransType.STATUS:
            return  # an answer, which says what earlier reports have said
        if order is None or report.exec_trans_type != ExecTransType.NEW:
            self._ignore(cl_ord_id, report)
            return
        if report.exec_type == ExecType.REPLACED:
            self._rename(cl_ord_id, report.cl_ord_id or cl_ord_id)
        if report.exec_type in (ExecType.PARTIAL_FILL, ExecType.FILL):
            by_side = self.state.filled_quantity.setdefault(order.symbol, {})
            by_side[order.side] = by_side.get(order.side, Decimal(0)) + (report.last_shares or Decimal(0))
        if outcome is Outcome.ACKED:
            self.state.counts[outcome] += 1
        elif outcome is not None:
            self._end(cl_ord_id, outcome)

    def _on_cancel_reject(self, reject: OrderCancelReject) -> None:
        order = self.state.open.get(reject.orig_cl_ord_id)
        if order is not None:
            order.answer(reject.cl_ord_id)

    def _on_business_reject(self, reject: BusinessMessageReject) -> None:
        """An order that is named has ended; of a request that is named, the order goes on."""
        cl_ord_id = reject.business_reject_ref_id or ""
        requested = next((it for it in self.state.open.values() if cl_ord_id != "" and it.waits_for(cl_ord_id)), None)
        if reject.ref_msg_type == OrderStatusRequest.MSG_TYPE:
            pass
        elif cl_ord_id in self.state.open:
            self._end(cl_ord_id, Outcome.REJECTED)
        elif requested is not None:
            requested.answer(cl_ord_id)
        else:
            self._ignore(cl_ord_id, reject)
            return
        reason = BusinessRejectReason(reject.business_reject_reason).name.lower()
        self.emit(Note(RequestRejected(cl_ord_id, reject.ref_msg_type, reason, reject.text or "")))

    def _end(self, cl_ord_id: str, outcome: Outcome) -> None:
        state, order = self.state, self.state.open.pop(cl_ord_id)
        state.counts[outcome] += 1
        del state.open_nth[order.nth]
        state.ended_nth[order.nth] = cl_ord_id, order.symbol, order.side
        if len(state.ended_nth) > ENDED_ORDERS_MAX:
            del state.ended_nth[next(iter(state.ended_nth))]

    def _rename(self, cl_ord_id: str, new: str) -> None:
        """The order was replaced, and goes by the name of the request."""
        order = self.state.open[new] = self.state.open.pop(cl_ord_id)
        order.answer(new)
        self.state.open_nth[order.nth] = new

    def _ignore(self, cl_ord_id: str, message: FixMessage) -> None:
        self.emit(Note(ReportIgnored(cl_ord_id, message.MSG_TYPE)))

    def _tell(self, message: FixMessage) -> None:
        self.emit(Send(FIX, ToPeer(self._settings.session, message)))

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Resume: _on_resume,
        SessionOpened: _on_session,
        SessionClosed: _on_session,
        OrderWanted: _on_order_wanted,
        CancelWanted: _on_cancel_wanted,
        ReplaceWanted: _on_replace_wanted,
        StatusWanted: _on_status_wanted,
        FromPeer: _on_peer,
    }


def _order(wanted: OrderWanted, cl_ord_id: str, now: Nanos) -> NewOrderSingle:
    time_in_force, expire_time = TimeInForce.DAY, None
    if wanted.immediate:
        time_in_force = TimeInForce.FILL_OR_KILL if wanted.whole else TimeInForce.IMMEDIATE_OR_CANCEL
    elif wanted.lifetime is not None:
        time_in_force, expire_time = TimeInForce.GOOD_TILL_DATE, now + wanted.lifetime
    return NewOrderSingle(
        cl_ord_id=cl_ord_id,
        handl_inst=HandlInst.AUTOMATED_NO_INTERVENTION,
        symbol=wanted.symbol,
        side=FIX_SIDE[wanted.side],
        transact_time=now,
        ord_type=OrdType.LIMIT,
        order_qty=wanted.quantity,
        price=wanted.limit_price,
        time_in_force=time_in_force,
        expire_time=expire_time,
    )


def _replacement(wanted: ReplaceWanted, order: OpenOrder, cl_ord_id: str, now: Nanos) -> OrderCancelReplaceRequest:
    return OrderCancelReplaceRequest(
        orig_cl_ord_id=cl_ord_id,
        cl_ord_id=order.replace_cl_ord_id,
        handl_inst=HandlInst.AUTOMATED_NO_INTERVENTION,
        symbol=order.symbol,
        side=FIX_SIDE[order.side],
        transact_time=now,
        ord_type=OrdType.LIMIT,
        order_qty=wanted.quantity,
        price=wanted.limit_price,
    )
