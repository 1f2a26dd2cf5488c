"""The sequencer: gives every accepted message its place, once and for ever, and tells owners what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from core.fix.messages import NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest, OrderStatusRequest
from core.fix.records import FromPeer, RejectBusiness, SessionClosed, SessionOpened
from core.fix.sides import MARKET_SIDE
from core.fix.tags import BusinessRejectReason
from core.identity.checking import BlockChecked, OrdersChecked, Signed
from core.identity.records import MakerAdmitted, MakerBarred, PermissionsChanged
from core.kernel.component import Handler
from core.kernel.record import Message, Note, Record, Restarted, Resume, Send, Start, Stop, TimerFired
from core.market.orders import CancelOrder
from core.market.world import StorageRestored, StorageShort
from core.sequencer import reports, signed
from core.sequencer.booklog import OUTCOMES
from core.sequencer.facts import (
    CancelRequestRefused,
    CancelSequenced,
    OrderRefused,
    OrderSequenced,
    ReplaceRequestRefused,
    ReplaceSequenced,
    StatusRequestRefused,
)
from core.sequencer.leaf import NO_MESSAGE
from core.sequencer.outcomes import Outcomes
from core.sequencer.permits import Incoming, Permit
from core.sequencer.reasons import Reason, Refusal
from core.sequencer.receipt import ReceiptWanted
from core.sequencer.reported import ReportedOrder
from core.sequencer.sealing import FIX, WINDOW
from core.sequencer.settings import SequencerSettings
from core.sequencer.signing import BlockSignature
from core.sequencer.validate import Rules, find_order, validate, validate_cancel, validate_replace
from core.units import Nanos


class Sequencer(Outcomes):
    """Validates, numbers, batches and seals; and reports to owners what the auction decides.

    An accepted order is acknowledged at once with its GlobalSeq; once its block is sealed, its reports
    say where it stands there, and its receipt can be had. Signatures of single messages are checked once
    their block is sealed; the auction gets those that are good. A batch that is full closes within the same
    event, so no queue grows here: what a peer can make the sequencer hold is one batch, some sealed
    ones, its live orders, some ended ones and the ids it used, each with a limit. A message that arrives
    at or after the end of the open window belongs to the next block, whether or not the timer has come
    through yet.
    """

    __slots__ = ("_rules",)

    def __init__(self, name: str, settings: SequencerSettings) -> None:
        super().__init__(name, settings)
        self._rules = Rules({pair.symbol: pair for pair in settings.pairs}, settings.order_lifetime)

    def _on_start(self, now: Nanos, _event: Start) -> None:
        self.state.batch.open(now, self.settings)
        self.arm()

    def _on_stop(self, now: Nanos, _event: Stop) -> None:
        self.state.stopping = True
        if self.state.batch.leaves:
            self.close(now, "stop", 0)
        self._close_late(now)
        self.arm()

    def _on_resume(self, now: Nanos, _event: Resume) -> None:
        self.state.stopping = False
        self.state.batch.reopen(now, self.settings)
        self.arm()

    def _on_storage(self, _now: Nanos, event: Message[StorageShort | StorageRestored]) -> None:
        self.state.storage_short = isinstance(event.body, StorageShort)

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        if event.key == WINDOW:
            self.state.armed = None
            self.close_overdue(now)
        else:
            self.check_overdue(now, event.key)

    def _on_opened(self, _now: Nanos, event: Message[SessionOpened]) -> None:
        """By whom it was opened binds what comes now. The engine has kept what the peer was to be told meanwhile."""
        self.state.opened[event.body.session] = event.body.conn
        if permit := self.state.permits.get(event.body.session):
            permit.open()

    def _on_closed(self, now: Nanos, event: Message[SessionClosed]) -> None:
        """Orders outlive sessions, unless their owner wants them cancelled. When the venue stops they end anyway."""
        closed, state = event.body, self.state
        if not closed.cancel_orders or state.stopping:
            return
        self.close_overdue(now)
        for order_id in list(self.known(closed.session).live.values()):
            live = state.live[order_id]
            if not live.leaving:
                live.leave()
                cancel = CancelOrder(order_id, closed.session, "", standing=True)
                self.emit(Note(CancelSequenced(self.place(now, closed.session, NO_MESSAGE, cancel), cancel)))
                self.close_full(now)

    def _on_admitted(self, _now: Nanos, event: Message[MakerAdmitted]) -> None:
        """Admission and logon come by two ways: of one instant, the logon may be heard of first."""
        session = event.body.session
        self.state.permits.setdefault(session, Permit()).admit(event.body, self.state.opened.get(session))

    def _on_barred(self, _now: Nanos, event: Message[MakerBarred]) -> None:
        barred = event.body
        self.state.permits.setdefault(barred.session, Permit()).bar(f"{barred.maker} is {barred.status}")

    def _on_permissions(self, _now: Nanos, event: Message[PermissionsChanged]) -> None:
        for permit in self.state.permits.values():
            permit.change(event.body)

    # --- from peers ----------------------------------------------------------------------------------

    def _on_peer(self, now: Nanos, event: Message[FromPeer[Any]]) -> None:
        """The session is named by the peer's CompID, which owns what it sends."""
        self.close_overdue(now)
        self._SAID[type(event.body.message)](self, now, event.body)
        self._spend(now, event.body)

    def _on_new_order(self, now: Nanos, received: FromPeer[NewOrderSingle]) -> None:
        state, owner, message = self.state, received.session, received.message
        order_id, exec_id, known = state.ids.next("O"), state.ids.next("E"), self.known(owner)
        refusal = self._forbidden(now, owner, message, self._shut())
        verdict = refusal or validate(message, self._rules, known, order_id=order_id, owner=owner, now=now)
        if isinstance(verdict, Refusal):
            self.tell(owner, reports.refused(message, verdict, order_id, exec_id, now))
            self.emit(Note(_refused(owner, message, verdict)))
            return
        live = state.live[order_id] = ReportedOrder(verdict)
        known.open(verdict.cl_ord_id, order_id)
        live.global_seq = self.place(now, owner, received.raw_hash, verdict, self._to_check(received))
        self.tell(owner, reports.accepted(live, exec_id, now, state.global_seq))
        self.emit(Note(OrderSequenced(state.global_seq, verdict)))
        self.close_full(now)

    def _on_cancel_request(self, now: Nanos, received: FromPeer[OrderCancelRequest]) -> None:
        state, owner, message = self.state, received.session, received.message
        known = self.known(owner)
        refusal = self._forbidden(now, owner, message, self._closed())
        verdict = refusal or validate_cancel(message, known, state.live)
        if isinstance(verdict, Refusal):
            self._refuse_request(now, owner, message, verdict)
            return
        known.remember(message.cl_ord_id)
        verdict.request_cancel(message.cl_ord_id)
        cancel = CancelOrder(verdict.order.order_id, owner, message.cl_ord_id)
        global_seq = self.place(now, owner, received.raw_hash, cancel, self._to_check(received))
        self.tell(owner, reports.cancel_pending(verdict, state.ids.next("E"), now, global_seq))
        self.emit(Note(CancelSequenced(global_seq, cancel)))
        self.close_full(now)

    def _on_replace_request(self, now: Nanos, received: FromPeer[OrderCancelReplaceRequest]) -> None:
        state, owner, message = self.state, received.session, received.message
        known = self.known(owner)
        refusal = self._forbidden(now, owner, message, self._shut())
        verdict = refusal or validate_replace(message, self._rules, known, state.live)
        if isinstance(verdict, Refusal):
            self._refuse_request(now, owner, message, verdict)
            return
        live = state.live[verdict.order_id]
        known.remember(message.cl_ord_id)
        live.request_replace(message.cl_ord_id)
        global_seq = self.place(now, owner, received.raw_hash, verdict, self._to_check(received))
        self.tell(owner, reports.replace_pending(live, state.ids.next("E"), now, global_seq))
        self.emit(Note(ReplaceSequenced(global_seq, verdict)))
        self.close_full(now)

    def _on_status_request(self, now: Nanos, received: FromPeer[OrderStatusRequest]) -> None:
        """A question changes nothing and has no place. It is answered also while the venue closes."""
        owner, message = received.session, received.message
        if refusal := self._forbidden(now, owner, message):
            self.emit(Send(FIX, _not_answered(received, refusal)))
            self.emit(Note(_unanswered(owner, message, refusal)))
            return
        found = find_order(message, owner, self.known(owner), self.state.live)
        if isinstance(found, Refusal):
            self.tell(owner, reports.unknown(message, found, now))
            self.emit(Note(_unanswered(owner, message, found)))
        else:
            self.tell(owner, reports.status(found, self.state.recent.receipt(found.order.order_id), now))

    def _refuse_request(
        self, now: Nanos, owner: str, message: OrderCancelRequest | OrderCancelReplaceRequest, refusal: Refusal
    ) -> None:
        known, name = self.known(owner), message.orig_cl_ord_id
        order = self.state.live.get(known.live.get(name, "")) or known.ended.get(name)
        self.tell(owner, reports.request_refused(message, refusal, order, now))
        fact = CancelRequestRefused if isinstance(message, OrderCancelRequest) else ReplaceRequestRefused
        self.emit(Note(fact(owner, message.cl_ord_id, message.orig_cl_ord_id, refusal.reason, refusal.text)))

    def _closed(self) -> Refusal | None:
        return Refusal(Reason.CLOSED, "the venue is closing") if self.state.stopping else None

    def _shut(self) -> Refusal | None:
        """Why no new order is taken. A cancel still is when the disk is short: it needs little room."""
        if self.state.storage_short:
            return Refusal(Reason.STORAGE_FULL, "the venue has no room to record new orders")
        return self._closed()

    def _forbidden(self, now: Nanos, owner: str, message: Incoming, shut: Refusal | None = None) -> Refusal | None:
        """Why nobody may send this, if the venue is `shut`, or not the owner. It counts among what the owner sends."""
        permit = self.state.permits.get(owner)
        if permit is None:
            return shut
        objection = permit.objection(message, now)
        return shut or objection or self._unsigned(now, owner, message, permit)

    # --- from those who sign each message ------------------------------------------------------------

    def _unsigned(self, now: Nanos, owner: str, message: Incoming, permit: Permit) -> Refusal | None:
        """Why the signature of a message that needs one is none, or is not checked; a question needs none."""
        if not permit.signs or isinstance(message, OrderStatusRequest):
            return None
        refusal = signed.objection(message, self.known(owner), now, self.settings.transact_time_ahead_max)
        return refusal or self.state.trust.objection(owner, now)

    def _to_check(self, received: FromPeer[Any]) -> Signed | None:
        permit = self.state.permits.get(received.session)
        return permit.to_check(received) if permit is not None else None

    def _spend(self, now: Nanos, received: FromPeer[Any]) -> None:
        """A signed message counts once, also one that was refused: nobody brings it again when it would be taken."""
        permit, message = self.state.permits.get(received.session), received.message
        if permit is not None and permit.signs and not isinstance(message, OrderStatusRequest):
            newest = now + self.settings.transact_time_ahead_max
            signed.spend(message, self.known(received.session), newest)

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Resume: _on_resume,
        StorageShort: _on_storage,
        StorageRestored: _on_storage,
        TimerFired: _on_timer,
        MakerAdmitted: _on_admitted,
        MakerBarred: _on_barred,
        PermissionsChanged: _on_permissions,
        SessionOpened: _on_opened,
        SessionClosed: _on_closed,
        FromPeer: _on_peer,
        BlockSignature: Outcomes._on_signature,  # noqa: SLF001  # its own
        BlockChecked: Outcomes._on_block_checked,  # noqa: SLF001
        OrdersChecked: Outcomes._on_orders_checked,  # noqa: SLF001
        Restarted: Outcomes._on_restarted,  # noqa: SLF001
        ReceiptWanted: Outcomes._on_receipt_wanted,  # noqa: SLF001
        **dict.fromkeys(OUTCOMES, Outcomes._on_outcome),  # noqa: SLF001
    }
    _SAID: ClassVar[Mapping[type[Record], Callable[[Any, Nanos, Any], None]]] = {
        NewOrderSingle: _on_new_order,
        OrderCancelRequest: _on_cancel_request,
        OrderCancelReplaceRequest: _on_replace_request,
        OrderStatusRequest: _on_status_request,
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


def _unanswered(owner: str, message: OrderStatusRequest, refusal: Refusal) -> StatusRequestRefused:
    return StatusRequestRefused(owner, message.cl_ord_id, refusal.reason, refusal.text)


def _not_answered(received: FromPeer[OrderStatusRequest], refusal: Refusal) -> RejectBusiness:
    """No report: that a question was refused says nothing of the order."""
    message, text = received.message, f"{refusal.reason}: {refusal.text}"
    reason = BusinessRejectReason.OTHER
    of = received.session, received.msg_seq_num, message.MSG_TYPE
    return RejectBusiness(*of, reason, message.cl_ord_id, text, received.epoch)
