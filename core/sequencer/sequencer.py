"""The sequencer: gives every accepted message its place, once and for ever, and tells owners what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

import msgspec

from core.fix.message import FixMessage
from core.fix.messages import NewOrderSingle, OrderCancelRequest
from core.fix.records import FromPeer, SessionClosed, SessionOpened, ToPeer
from core.fix.sides import MARKET_SIDE
from core.kernel.component import Component, Handler
from core.kernel.ids import Ids
from core.kernel.record import CancelTimer, Message, Note, Record, Resume, Send, SetTimer, Start, Stop, TimerFired
from core.market.orders import (
    CancelOrder,
    CancelRefused,
    Order,
    OrderCancelled,
    OrderExpired,
    OrderFailed,
    OrderFilled,
)
from core.market.world import StorageRestored, StorageShort
from core.sequencer import reports
from core.sequencer.batch import OpenBatch
from core.sequencer.block import Leaf
from core.sequencer.facts import BlockSealed, CancelRequestRefused, CancelSequenced, OrderRefused, OrderSequenced
from core.sequencer.known import KnownIds
from core.sequencer.reasons import Reason, Refusal
from core.sequencer.reported import REPORTED, ReportedOrder, ReportedState, ReportedTrigger
from core.sequencer.settings import SequencerSettings
from core.sequencer.validate import Rules, validate, validate_cancel
from core.units import Nanos

FIX: Final = "fix"
AUCTION: Final = "auction"
_WINDOW: Final = "window"


class SequencerState(msgspec.Struct):
    """Everything that a sequencer remembers: one batch, and per owner the live orders and the ids used."""

    ids: Ids = msgspec.field(default_factory=Ids)
    global_seq: int = 0
    """The place of the newest message; the first one has 1."""
    stopping: bool = False
    storage_short: bool = False
    batch: OpenBatch = msgspec.field(default_factory=OpenBatch)
    armed: Nanos | None = None
    """The deadline of the window's timer."""
    live: dict[str, ReportedOrder] = {}
    """Orders until their end, by order id; each owner has at most `LIVE_ORDERS_MAX`."""
    known: dict[str, KnownIds] = {}
    """By owner."""


class Sequencer(Component[SequencerState]):
    """Validates, numbers, batches and seals; and reports to owners what the auction decides.

    An accepted order is acknowledged at once with its GlobalSeq. A batch that is full closes within
    the same event, so no queue grows here: what a peer can make the sequencer hold is one batch, its
    live orders and the ids it used, each with a limit. A message that arrives at or after the end of
    the open window belongs to the next block, whether or not the timer has come through yet.
    """

    __slots__ = ("_rules", "_settings")

    def __init__(self, name: str, settings: SequencerSettings) -> None:
        super().__init__(name, SequencerState())
        self._settings = settings
        self._rules = Rules({pair.symbol: pair for pair in settings.pairs}, settings.order_lifetime)

    def _on_start(self, now: Nanos, _event: Start) -> None:
        self.state.batch.open(now, self._settings)
        self._arm()

    def _on_stop(self, now: Nanos, _event: Stop) -> None:
        self.state.stopping = True
        if self.state.batch.leaves:
            self._close(now, "stop", 0)
        self.state.batch.due = None
        self._arm()

    def _on_resume(self, now: Nanos, _event: Resume) -> None:
        self.state.stopping = False
        self.state.batch.reopen(now, self._settings)
        self._arm()

    def _on_storage(self, _now: Nanos, event: Message[StorageShort | StorageRestored]) -> None:
        self.state.storage_short = isinstance(event.body, StorageShort)

    def _on_timer(self, now: Nanos, _event: TimerFired) -> None:
        self.state.armed = None
        self._close_overdue(now)

    def _on_session(self, _now: Nanos, _event: Message[SessionOpened | SessionClosed]) -> None:
        """Orders outlive sessions: the engine keeps reports for a peer that is away."""

    # --- from peers ----------------------------------------------------------------------------------

    def _on_peer(self, now: Nanos, event: Message[FromPeer[NewOrderSingle] | FromPeer[OrderCancelRequest]]) -> None:
        """The session is named by the peer's CompID, which owns what it sends."""
        self._close_overdue(now)
        if isinstance(event.body.message, OrderCancelRequest):
            self._on_cancel_request(now, event.body)
        else:
            self._on_new_order(now, event.body)

    def _on_new_order(self, now: Nanos, received: FromPeer[NewOrderSingle]) -> None:
        state, owner, message = self.state, received.session, received.message
        order_id, exec_id, known = state.ids.next("O"), state.ids.next("E"), self._known(owner)
        verdict = self._shut() or validate(message, self._rules, known, order_id=order_id, owner=owner, now=now)
        if isinstance(verdict, Refusal):
            self._tell(owner, reports.refused(message, verdict, order_id, exec_id, now))
            self.emit(Note(_refused(owner, message, verdict)))
            return
        live = state.live[order_id] = ReportedOrder(verdict)
        known.open(verdict.cl_ord_id, order_id)
        self._place(now, received, verdict)
        self._tell(owner, reports.accepted(live, exec_id, now, state.global_seq))
        self.emit(Note(OrderSequenced(state.global_seq, verdict)))
        self._close_full(now)

    def _on_cancel_request(self, now: Nanos, received: FromPeer[OrderCancelRequest]) -> None:
        state, owner, message = self.state, received.session, received.message
        known = self._known(owner)
        verdict = self._closed() or validate_cancel(message, known, state.live)
        if isinstance(verdict, Refusal):
            live = state.live.get(known.live.get(message.orig_cl_ord_id, ""))
            self._tell(owner, reports.cancel_refused(message, verdict, live, now))
            fact = CancelRequestRefused(owner, message.cl_ord_id, message.orig_cl_ord_id, verdict.reason, verdict.text)
            self.emit(Note(fact))
            return
        known.remember(message.cl_ord_id)
        verdict.request_cancel(message.cl_ord_id)
        cancel = CancelOrder(verdict.order.order_id, owner, message.cl_ord_id)
        self._place(now, received, cancel)
        self._tell(owner, reports.cancel_pending(verdict, state.ids.next("E"), now, state.global_seq))
        self.emit(Note(CancelSequenced(state.global_seq, cancel)))
        self._close_full(now)

    def _closed(self) -> Refusal | None:
        return Refusal(Reason.CLOSED, "the venue is closing") if self.state.stopping else None

    def _shut(self) -> Refusal | None:
        """Why no new order is taken. A cancel still is when the disk is short: it needs little room."""
        if self.state.storage_short:
            return Refusal(Reason.STORAGE_FULL, "the venue has no room to record new orders")
        return self._closed()

    def _known(self, owner: str) -> KnownIds:
        known = self.state.known.get(owner)
        if known is None:
            known = self.state.known[owner] = KnownIds()
        return known

    # --- blocks --------------------------------------------------------------------------------------

    def _place(self, now: Nanos, received: FromPeer[Any], item: Order | CancelOrder) -> None:
        state = self.state
        state.global_seq += 1
        state.batch.add(Leaf(state.global_seq, now, received.session, received.raw_hash), item, self._settings)
        self._arm()

    def _close_full(self, now: Nanos) -> None:
        if len(self.state.batch.leaves) >= self._settings.batch_messages:
            self._close(now, "full", 0)

    def _close_overdue(self, now: Nanos) -> None:
        batch = self.state.batch
        if batch.due is not None and now >= batch.due:
            self._close(now, "window" if batch.leaves else "empty", now - batch.due)

    def _close(self, now: Nanos, trigger: Literal["full", "window", "empty", "stop"], lateness: Nanos) -> None:
        sealed = self.state.batch.seal(now, self._settings)
        self.emit(Note(BlockSealed(sealed.header, sealed.block_hash, trigger, lateness)))
        self.emit(Send(AUCTION, sealed.batch))
        self._arm()

    def _arm(self) -> None:
        state, due = self.state, self.state.batch.due
        if due != state.armed:
            state.armed = due
            self.emit(CancelTimer(_WINDOW) if due is None else SetTimer(_WINDOW, due))

    # --- from the auction ----------------------------------------------------------------------------

    def _on_filled(self, now: Nanos, event: Message[OrderFilled]) -> None:
        live, exec_id = self.state.live[event.body.order_id], self.state.ids.next("E")
        live.fill(event.body)
        self._tell(live.order.owner, reports.filled(live, exec_id, now, event.body))
        if REPORTED.is_terminal(live.state):
            self._forget(now, live)

    def _on_expired(self, now: Nanos, event: Message[OrderExpired]) -> None:
        self._end(now, event.body.order_id, ReportedTrigger.EXPIRED, event.body.reason)

    def _on_failed(self, now: Nanos, event: Message[OrderFailed]) -> None:
        self._end(now, event.body.order_id, ReportedTrigger.FAILED, event.body.reason)

    def _on_cancelled(self, now: Nanos, event: Message[OrderCancelled]) -> None:
        self._end(now, event.body.order_id, ReportedTrigger.CANCELLED, None)

    def _on_cancel_refused(self, now: Nanos, event: Message[CancelRefused]) -> None:
        live = self.state.live.get(event.body.order_id)
        if live is None:
            return  # the order ended before the request's turn, and `_forget` answered the request
        live.refuse_cancel()
        text = f"the auction answered {event.body.reason}"
        self._tell(live.order.owner, reports.cancel_too_late(live, event.body.cl_ord_id, now, text))

    def _end(self, now: Nanos, order_id: str, trigger: ReportedTrigger, reason: str | None) -> None:
        live, exec_id = self.state.live[order_id], self.state.ids.next("E")
        live.step(trigger)
        self._tell(live.order.owner, reports.ended(live, exec_id, now, reason))
        self._forget(now, live)

    def _forget(self, now: Nanos, live: ReportedOrder) -> None:
        """Keep of an ended order only its ClOrdID; a cancel request still waiting learns that it is too late."""
        order = live.order
        del self.state.live[order.order_id]
        self.state.known[order.owner].end(order.cl_ord_id)
        if live.cancel_cl_ord_id and live.state is not ReportedState.CANCELLED:
            self._tell(order.owner, reports.cancel_too_late(live, live.cancel_cl_ord_id, now, "the order has ended"))

    def _tell(self, owner: str, message: FixMessage) -> None:
        self.emit(Send(FIX, ToPeer(owner, message)))

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Resume: _on_resume,
        StorageShort: _on_storage,
        StorageRestored: _on_storage,
        TimerFired: _on_timer,
        SessionOpened: _on_session,
        SessionClosed: _on_session,
        FromPeer: _on_peer,
        OrderFilled: _on_filled,
        OrderExpired: _on_expired,
        OrderFailed: _on_failed,
        OrderCancelled: _on_cancelled,
        CancelRefused: _on_cancel_refused,
    }


def _refused(owner: str, message: NewOrderSingle, refusal: Refusal) -> OrderRefused:
    return OrderRefused(
        owner=owner,
        cl_ord_id=message.cl_ord_id,
        reason=refusal.reason,
        text=refusal.text,
        symbol=message.symbol,
        side=MARKET_SIDE.get(message.side),
        quantity=message.order_qty,
        limit_price=message.price,
    )
