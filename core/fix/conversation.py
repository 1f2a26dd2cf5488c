"""What a session says to each message that has passed the checks."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, ClassVar, Final

from core.fix.codec import WireMessage, decode, show
from core.fix.inbound import Inbound
from core.fix.layout import layout_of
from core.fix.messages import Header, Heartbeat, Logon, Logout, Reject, ResendRequest, SequenceReset, TestRequest
from core.fix.records import FixMessage, FromPeer, InputIgnored, SessionOpened
from core.fix.rejects import Rejection, RejectReason
from core.fix.states import LOGGED_ON, TALKING, Reason, Status, Trigger
from core.fix.tags import BEGIN_SEQ_NO, END_SEQ_NO, BusinessRejectReason, EncryptMethod, MsgType
from core.kernel.record import Note, Send
from core.units import SECOND

HEARTBEAT_SECONDS_MAX: Final = 86_400
RESEND_REPEATS_MAX: Final = 32
RESENT_TIMES_MAX: Final = 4
RESENT_SPARE: Final = 1_000
"""On one connection a peer gets this many messages again, and all that were ever sent RESENT_TIMES_MAX times."""
"""How often a peer may ask for no higher messages than before, before that counts as a loop."""
_ANY_NUMBER: Final = frozenset([MsgType.LOGON, MsgType.RESEND_REQUEST])
"""Messages that are handled on arrival whatever their number, and only count when their turn comes."""


class Conversation(Inbound):
    """One handler for each of the session's own messages, and one for all of the application's."""

    __slots__ = ()

    def dispatch(self, message: WireMessage, header: Header, body: FixMessage) -> None:
        """Handle a message that broke no rule; its number is still to be looked at."""
        handler = self.HANDLERS.get(message.msg_type, Conversation._on_application)
        handler(self, message, header, body)

    def take_early(self) -> None:
        """Go on with messages that have waited and whose turn has come. They were checked on arrival."""
        while (raw := self.state.early.pop(self.state.next_in, None)) is not None:
            message = decode(raw, self.config.fields_max)
            assert isinstance(message, WireMessage)
            layout = layout_of(message.msg_type)
            assert layout is not None
            parsed = layout.parse(message)
            assert isinstance(parsed, tuple)
            if message.msg_type in _ANY_NUMBER:
                self.consume(self.state.next_in)
            else:
                self.dispatch(message, *parsed)

    def _on_logon(self, message: WireMessage, header: Header, logon: Logon) -> None:
        state, number = self.state, header.msg_seq_num
        reset, is_answer = bool(logon.reset_seq_num_flag), state.status is Status.LOGON_SENT
        if state.status in LOGGED_ON and not (reset and state.status in TALKING):
            self.close(Reason.UNEXPECTED_LOGON)
            return
        if logon.encrypt_method != EncryptMethod.NONE or not 0 <= logon.heart_bt_int <= HEARTBEAT_SECONDS_MAX:
            self.close(Reason.INVALID_LOGON)
            return
        if reset and not state.reset_sent:
            self.reset(Reason.RESET_BY_LOGON)
            is_answer = False
        elif self.own.reset_on_logon and state.status is Status.LOGON_RECEIVED:
            self.reset(Reason.RESET_ON_LOGON)
        if number < state.next_in:
            self.leave_too_low(number)
            return
        if not is_answer:
            self._answer_logon(logon)
        self._logged_on()
        if number > state.next_in:
            self.wait_for_gap(message, number)
        self.consume(number)
        self.send_pending()

    def _answer_logon(self, logon: Logon) -> None:
        """An acceptor takes the peer's HeartBtInt."""
        if self.config.role == "acceptor":
            self.state.heartbeat = logon.heart_bt_int * SECOND
        self.answer(
            Logon(EncryptMethod.NONE, self.state.heartbeat // SECOND, True if logon.reset_seq_num_flag else None)
        )

    def _logged_on(self) -> None:
        state = self.state
        state.reset_sent = False
        if state.status not in LOGGED_ON:
            state.deadline = 0
            self.step(Trigger.LOGON_ACCEPTED, Reason.LOGON_ACCEPTED)
            self.emit(Send(self.config.app, SessionOpened(self.name)))

    def _on_heartbeat(self, message: WireMessage, header: Header, _heartbeat: Heartbeat) -> None:
        if self.is_in_order(message, header):
            self.consume(header.msg_seq_num)

    def _on_test_request(self, message: WireMessage, header: Header, request: TestRequest) -> None:
        if self.is_in_order(message, header):
            self.answer(Heartbeat(request.test_req_id))
            self.consume(header.msg_seq_num)

    def _on_reject(self, message: WireMessage, header: Header, _reject: Reject) -> None:
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
        end = min(end or last, last)
        if self._is_loop(begin, end):
            self.log_out(Reason.RESEND_LOOP, "Resend request repeated too often")
            return
        self.resend(begin, end)
        if number > self.state.next_in:
            self.wait_for_gap(message, number)
        self.consume(number)

    def _is_loop(self, begin: int, end: int) -> bool:
        """A peer that makes progress asks for ever higher numbers, and not for everything again and again."""
        state = self.state
        state.resent += max(0, end - begin + 1)
        if state.resent > RESENT_TIMES_MAX * state.next_out + RESENT_SPARE:
            return True
        if begin > state.resend_begin:
            state.resend_begin, state.resend_repeats = begin, 0
            return False
        state.resend_repeats += 1
        return state.resend_repeats > RESEND_REPEATS_MAX

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

    def _on_logout(self, _message: WireMessage, header: Header, _logout: Logout) -> None:
        self.consume(header.msg_seq_num)
        if self.state.status is Status.LOGON_SENT:
            self.close(Reason.LOGON_REFUSED)
        elif self.state.status is Status.LOGOUT_SENT:
            self.close(Reason.LOGGED_OUT)
        else:
            self.answer(Logout())
            self.close(Reason.PEER_LOGOUT)

    def _on_application(self, message: WireMessage, header: Header, body: FixMessage) -> None:
        if not self.is_in_order(message, header):
            return
        number = header.msg_seq_num
        if message.msg_type in self.config.app_messages:
            raw_hash = sha256(message.raw).digest()
            self.emit(Send(self.config.app, FromPeer(self.name, number, raw_hash, body, bool(header.poss_resend))))
            self.consume(number)
        elif message.msg_type == MsgType.BUSINESS_MESSAGE_REJECT:
            self.emit(Note(InputIgnored(self.state.conn, Reason.BUSINESS_REJECTED, show(message.raw))))
            self.consume(number)
        else:
            reason = BusinessRejectReason.UNSUPPORTED_MESSAGE_TYPE
            self.refuse_business(message, reason, "Unsupported Message Type")

    HANDLERS: ClassVar[dict[str, Callable[[Any, WireMessage, Header, Any], None]]] = {
        MsgType.LOGON: _on_logon,
        MsgType.HEARTBEAT: _on_heartbeat,
        MsgType.TEST_REQUEST: _on_test_request,
        MsgType.RESEND_REQUEST: _on_resend_request,
        MsgType.REJECT: _on_reject,
        MsgType.SEQUENCE_RESET: _on_sequence_reset,
        MsgType.LOGOUT: _on_logout,
    }
