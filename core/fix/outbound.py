"""The speaking half of a session: numbers messages, keeps and repeats them, changes state, ends connections."""

from __future__ import annotations

from collections.abc import Callable

from core.fix.codec import encode
from core.fix.layout import LAYOUTS
from core.fix.messages import Logout, ResendRequest, SequenceReset
from core.fix.records import FixMessage, MessageDropped, SessionChanged, SessionClosed
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.shapes import Shapes
from core.fix.states import LOGGED_ON, SESSION, TALKING, Reason, Status, Trigger
from core.fix.store import Pending, SessionState, duplicate
from core.fix.tags import ADMIN_TYPES, MsgType
from core.fix.timestamps import format_timestamp
from core.fix.values import ENCODING
from core.kernel.record import Close, Effect, Note, Send, Transmit
from core.units import Nanos


class Outbound:
    """One session: configuration, state, the time of the current event, and where effects go.

    `name` is the counterparty's CompID.
    """

    __slots__ = ("_between", "config", "emit", "name", "now", "own", "shapes", "state")

    def __init__(
        self, config: EngineConfig, own: SessionConfig, state: SessionState, emit: Callable[[Effect], None]
    ) -> None:
        self.config, self.own, self.state, self.emit = config, own, state, emit
        self.name = own.target_comp_id
        self.now: Nanos = 0
        self.shapes = Shapes()
        self._between = f"\x0149={config.comp_id}\x0152=", f"\x0156={own.target_comp_id}\x01"

    def send(self, message: FixMessage) -> None:
        """Send a message of the application now, or after the next logon; only those beyond the limit are lost."""
        state, body = self.state, LAYOUTS[message.MSG_TYPE].build(message)
        if state.status in TALKING:
            self.transmit(message.MSG_TYPE, body)
        elif len(state.pending) < self.config.kept_messages_max:
            state.pending.append(Pending(message.MSG_TYPE, body))
        else:
            self.emit(Note(MessageDropped(self.name, message.MSG_TYPE)))

    def send_pending(self) -> None:
        """Send what has waited for the logon."""
        pending, self.state.pending = self.state.pending, []
        for waiting in pending:
            self.transmit(waiting.msg_type, waiting.body)

    def answer(self, message: FixMessage, routing: bytes = b"") -> None:
        """Send a message of the session's own. `routing` are further header fields."""
        self.transmit(message.MSG_TYPE, routing + LAYOUTS[message.MSG_TYPE].build(message))

    def transmit(self, msg_type: str, rest: bytes) -> None:
        """Give the message that ends in `rest` the next number, and send it."""
        state = self.state
        number, state.next_out = state.next_out, state.next_out + 1
        raw = encode(self._head(msg_type, number) + rest)
        state.sent.pop(number - self.config.kept_messages_max, None)
        if msg_type not in ADMIN_TYPES:
            state.sent[number] = raw
        self._write(raw)

    def resend(self, begin: int, end: int) -> None:
        """Repeat what was sent from `begin` to `end`: application messages as they were, gap fills for the rest."""
        first_kept = max(begin, self.state.next_out - self.config.kept_messages_max)
        skipped = begin
        sending_time = format_timestamp(self.now).encode()
        for number in range(first_kept, end + 1):
            raw = self.state.sent.get(number)
            if raw is not None:
                self._fill(skipped, number)
                self._write(duplicate(raw, sending_time))
                skipped = number + 1
        self._fill(skipped, end + 1)

    def request_resend(self, gap_end: int) -> None:
        """Ask for everything from the next expected number on; the gap ends at `gap_end`."""
        state = self.state
        self.answer(ResendRequest(state.next_in, 0))
        state.gap_end = gap_end
        self.extend_gap_deadline()
        if state.status is Status.ACTIVE:
            self.step(Trigger.GAP_FOUND, Reason.SEQUENCE_GAP)

    def extend_gap_deadline(self) -> None:
        """Give an open gap its full time again. A Logout under way keeps its own deadline."""
        if self.state.status in TALKING:
            self.state.deadline = self.now + self.config.resend_timeout

    def forget_gap(self) -> None:
        """Nothing is missing any more."""
        self.state.gap_end = 0
        if self.state.status in TALKING:
            self.state.deadline = 0

    def reset(self, reason: Reason) -> None:
        """Start from 1 in both directions."""
        state = self.state
        state.next_in = state.next_out = 1
        state.sent, state.early = {}, {}
        state.resend_begin = state.resend_repeats = state.resent = 0
        self.forget_gap()
        self.step(Trigger.SEQUENCE_RESET, reason)

    def log_out(self, reason: Reason, text: str | None = None) -> None:
        """Say goodbye, once, and wait for the answer."""
        if self.state.status in TALKING:
            self.answer(Logout(text))
            self.state.logout_reason = reason
            self.state.deadline = self.now + self.config.logout_timeout
            self.step(Trigger.LOGOUT_SENT, reason)

    def close(self, reason: Reason) -> None:
        """End the connection from this side."""
        self.emit(Close(self.state.conn, reason))
        self.ended(reason)

    def ended(self, reason: Reason) -> None:
        """The connection is gone: forget what belonged to it, and plan the next one."""
        state = self.state
        was_open, why = state.status in LOGGED_ON, state.logout_reason or reason
        state.conn = state.logout_reason = ""
        state.early = {}
        state.gap_end = state.resend_begin = state.resend_repeats = state.resent = state.deadline = 0
        self.step(Trigger.STOPPED if state.stopping else Trigger.DISCONNECTED, reason)
        if was_open:
            self.emit(Send(self.config.app, SessionClosed(self.name, why)))
        if self.config.role == "initiator" and not state.stopping:
            state.deadline = self.now + self.config.reconnect_interval

    def step(self, trigger: Trigger, reason: Reason) -> None:
        """Follow the table, and say so."""
        before = self.state.status
        self.state.status = SESSION.after(before, trigger, self.name)
        self.emit(Note(SessionChanged(self.name, before, self.state.status, reason)))

    def _fill(self, begin: int, new_seq_no: int) -> None:
        """A gap fill in place of the messages from `begin` to before `new_seq_no`, if there are any."""
        if begin < new_seq_no:
            body = LAYOUTS[MsgType.SEQUENCE_RESET].build(SequenceReset(new_seq_no, gap_fill_flag=True))
            raw = encode(self._head(MsgType.SEQUENCE_RESET, begin) + body)
            raw = duplicate(raw, format_timestamp(self.now).encode())
            self._write(raw)

    def _head(self, msg_type: str, number: int) -> bytes:
        own, peer = self._between
        return f"35={msg_type}\x0134={number}{own}{format_timestamp(self.now)}{peer}".encode(ENCODING)

    def _write(self, raw: bytes) -> None:
        self.state.last_sent = self.now
        self.emit(Transmit(self.state.conn, raw))
