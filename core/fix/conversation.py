"""What a session says to each message that has passed the checks."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, ClassVar, Final

from core.fix.codec import WireMessage, show
from core.fix.content import signed_hash
from core.fix.logon import Admission
from core.fix.message import FixMessage
from core.fix.messages import Header, Heartbeat, Logout, Reject, ResendRequest, SequenceReset, TestRequest
from core.fix.records import FromPeer, InputIgnored, PeerComplained
from core.fix.rejects import RATE_EXCEEDED, Rejection, RejectReason
from core.fix.states import Reason, Status, Trigger
from core.fix.tags import BEGIN_SEQ_NO, END_SEQ_NO, TEST_REQ_ID, BusinessRejectReason, MsgType
from core.kernel.record import Note, Send

_ANY_NUMBER: Final = frozenset([MsgType.LOGON, MsgType.RESEND_REQUEST])
"""Messages that are handled on arrival whatever their number, and only count when their turn comes."""


class Conversation(Admission):
    """One handler for each of the session's own messages, and one for all of the application's."""

    __slots__ = ()

    def dispatch(self, message: WireMessage, header: Header, body: FixMessage) -> None:
        """Handle a message that broke no rule; its number is still to be looked at."""
        handler = self.HANDLERS.get(message.msg_type, Conversation._on_application)
        handler(self, message, header, body)

    def take_early(self) -> None:
        """Go on with messages that have waited and whose turn has come. They were checked on arrival."""
        while (raw := self.state.early.pop(self.state.next_in, None)) is not None:
            message, header, body = self.read_again(raw)
            if message.msg_type in _ANY_NUMBER:
                self.consume(self.state.next_in)
            elif message.msg_type in self.HANDLERS:
                self.dispatch(message, header, body)
            else:
                self._take(message, header, body)

    def _on_heartbeat(self, message: WireMessage, header: Header, _heartbeat: Heartbeat) -> None:
        if self.is_in_order(message, header):
            self.consume(header.msg_seq_num)

    def _on_test_request(self, message: WireMessage, header: Header, request: TestRequest) -> None:
        if self.is_in_order(message, header):
            empty = () if request.test_req_id else ((TEST_REQ_ID, ""),)
            self.answer(Heartbeat(request.test_req_id), more=empty)
            self.consume(header.msg_seq_num)

    def _on_reject(self, message: WireMessage, header: Header, reject: Reject) -> None:
        self.emit(Note(PeerComplained(self.name, message.msg_type, reject.ref_seq_num, reject.text or "")))
        if self.state.status is Status.LOGON_SENT:
            self.close(Reason.LOGON_REFUSED)
        elif self.is_in_order(message, header):
            self.consume(header.msg_seq_num)

    def _on_resend_request(self, message: WireMessage, header: Header, request: ResendRequest) -> None:
        """Answered whatever its own number, or two sides that both miss something would wait for each other."""
        number, begin, end = header.msg_seq_num, request.begin_seq_no, request.end_seq_no
        if begin < 1 or (end != 0 and end < begin):
            tag = BEGIN_SEQ_NO if begin < 1 else END_SEQ_NO
            self.refuse(message, Rejection(RejectReason.INCORRECT_VALUE, tag))
            return
        last = self.state.next_out - 1
        end = last if end in (0, self.dialect.version.open_end) else min(end, last)
        if self.is_loop(begin, end):
            self.log_out(Reason.RESEND_LOOP, "Resend request repeated too often")
            return
        self.resend(begin, end)
        if number > self.state.next_in:
            self.wait_for_gap(message, number)
        self.consume(number)

    def _on_sequence_reset(self, message: WireMessage, header: Header, reset: SequenceReset) -> None:
        state = self.state
        if reset.gap_fill_flag and not self.is_in_order(message, header):
            return
        if reset.new_seq_no < state.next_in:
            self.refuse(message, Rejection(RejectReason.INCORRECT_VALUE))
        elif not reset.gap_fill_flag:
            self._force_next_in(reset.new_seq_no)
        elif reset.new_seq_no > state.next_in:
            self.advance(reset.new_seq_no)
            state.early = {number: raw for number, raw in state.early.items() if number >= state.next_in}

    def _force_next_in(self, number: int) -> None:
        """Whatever was missing will not come; what waits was numbered differently."""
        self.state.next_in, self.state.early = number, {}
        self.forget_gap()
        self.step(Trigger.SEQUENCE_RESET, Reason.RESET_BY_SEQUENCE_RESET)

    def _on_logout(self, message: WireMessage, header: Header, logout: Logout) -> None:
        if logout.text:
            self.emit(Note(PeerComplained(self.name, message.msg_type, 0, logout.text)))
        self.consume(header.msg_seq_num)
        if self.state.status is Status.LOGON_SENT:
            self.close(Reason.LOGON_REFUSED)
        elif self.state.status is Status.LOGOUT_SENT:
            self.close(Reason.LOGGED_OUT)
        else:
            self.answer(Logout())
            self.close(Reason.PEER_LOGOUT)

    def _on_application(self, message: WireMessage, header: Header, body: FixMessage) -> None:
        limit = self.own.app_messages_per_second_max
        is_limited = limit and not header.poss_dup_flag and message.msg_type != MsgType.BUSINESS_MESSAGE_REJECT
        is_too_much = is_limited and not self._counts(limit)  # also if it has to wait for a gap
        if not self.is_in_order(message, header):
            return
        if is_too_much:
            text = f"More than {limit} messages in a second"
            self.refuse_business(message, BusinessRejectReason.OTHER, text, code=RATE_EXCEEDED)
        else:
            self._take(message, header, body)

    def _take(self, message: WireMessage, header: Header, body: FixMessage) -> None:
        """The next message, which is the application's, if it takes such."""
        number = header.msg_seq_num
        if message.msg_type in self.config.app_messages:
            raw_hash, resent = sha256(message.raw).digest(), bool(header.poss_resend)
            said = FromPeer(self.name, number, raw_hash, body, resent, signed_hash(message), self.state.epoch)
            self.emit(Send(self.config.app, said))
            self.consume(number)
        elif message.msg_type == MsgType.BUSINESS_MESSAGE_REJECT:
            self.emit(Note(InputIgnored(self.state.conn, Reason.BUSINESS_REJECTED, show(message.raw))))
            self.consume(number)
        else:
            self.refuse_unsupported(message)

    def _counts(self, limit: int) -> bool:
        """Whether a message that has just come is within the limit of the last second; if it is, it counts there."""
        taken = self.state.taken
        if taken.weight(self.now) >= limit:
            return False
        taken.put(self.now, 1)
        return True

    HANDLERS: ClassVar[dict[str, Callable[[Any, WireMessage, Header, Any], None]]] = {
        MsgType.LOGON: Admission.on_logon,
        MsgType.HEARTBEAT: _on_heartbeat,
        MsgType.TEST_REQUEST: _on_test_request,
        MsgType.RESEND_REQUEST: _on_resend_request,
        MsgType.REJECT: _on_reject,
        MsgType.SEQUENCE_RESET: _on_sequence_reset,
        MsgType.LOGOUT: _on_logout,
    }
