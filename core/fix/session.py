"""A FIX session: its life from connection to connection, and its sense of time.

`Session` has no state of its own but the time of the current event: everything that changes is in
`SessionState`, everything that is to be done goes to `emit`. It is built of layers, each in its file, each
using only those before it:

    Outbound      numbers messages and writes them
    Recovery      asks for what is missing, repeats what the peer has missed
    Lifecycle     follows the table of states, resets, logs out, ends
    Inbound       judges what it hears, and the order of numbers
    Admission     logs on and lets in
    Conversation  answers each kind of message
    Session       connects, hears, keeps alive, keeps to its schedule
"""

from __future__ import annotations

from typing import Final

from core.fix.codec import Garbled, WireMessage, decode, show
from core.fix.compiled import Parsed
from core.fix.conversation import Conversation
from core.fix.messages import Heartbeat, TestRequest
from core.fix.records import InputIgnored
from core.fix.states import LOGGED_ON, TALKING, Reason, Status, Trigger
from core.fix.tags import ADMIN_TYPES, MsgType
from core.kernel.record import Connect, Note, SetTimer
from core.units import Nanos

TEST_REQ_ID: Final = "TEST"
_PATIENCE_FIFTHS: Final = 6
_SILENCE_FIFTHS: Final = 12
"""How long to wait for a peer, in fifths of the heartbeat interval."""
_NEVER: Final = 1 << 63
_LOGON_ANSWERS: Final = frozenset([MsgType.LOGON, MsgType.LOGOUT, MsgType.REJECT])


class Session(Conversation):
    """The conversation with one counterparty."""

    __slots__ = ()

    # --- what happens ----------------------------------------------------------------------------

    def begin(self) -> None:
        """The engine starts, or goes on after it was stopped."""
        self.state.stopping = False
        if self.state.status is Status.TERMINATED:
            self.step(Trigger.RESUMED, Reason.RESUMED)
        self.keep_schedule()
        if self.config.role == "initiator" and self.may_connect():
            self.dial()
        self.arm()

    def dial(self) -> None:
        """Ask for a connection."""
        state = self.state
        self.keep_schedule()
        state.dialed, state.deadline = state.dialed + 1, self.now + self.own.connect_timeout
        state.conn = f"{self.comp_id}-{self.name}-{state.dialed}"
        self.emit(Connect(state.conn, self.own.addresses[state.address]))

    def connected(self) -> None:
        """The connection asked for is open: log on."""
        self.log_on()
        self.arm()

    def accept(self, conn: str, logon: WireMessage) -> None:
        """A new connection's first message is a Logon that names this session."""
        self.keep_schedule()
        self.state.conn = conn
        self.step(Trigger.LOGON_RECEIVED, Reason.LOGON_RECEIVED)
        self._receive(logon, None)

    def accept_proven(self, conn: str, raw: bytes) -> None:
        """The authenticator believes a new connection's Logon, to which this session had no `objection`."""
        self.keep_schedule()
        self.state.conn, self.state.last_received, self.state.test_sent = conn, self.now, False
        self.step(Trigger.LOGON_RECEIVED, Reason.LOGON_RECEIVED)
        self.let_in(raw)
        self.arm()

    def hear(self, item: bytes | Garbled) -> None:
        """A message, or what was none, arrived on the session's connection."""
        if isinstance(item, Garbled):
            self._ignore(item)
            return
        parsed = self.shapes.read(item)
        if parsed is not None:
            self._receive(WireMessage(item, parsed[1].msg_type), parsed)
            return
        message = decode(item, self.config.fields_max, self.dialect.data_lengths)
        if isinstance(message, Garbled):
            self._ignore(message)
        else:
            self._receive(message, None)

    def _receive(self, message: WireMessage, parsed: Parsed | None) -> None:
        state = self.state
        state.last_received, state.test_sent = self.now, False
        if state.status in LOGGED_ON or message.msg_type in _LOGON_ANSWERS:
            admitted = self.admit(message, parsed)
            if admitted is not None:
                self.dispatch(message, *admitted)
        else:
            self.close(Reason.NOT_LOGON)
        if state.early:
            self.take_early()
        if message.msg_type in ADMIN_TYPES or state.deadline or state.resend_at or not state.timer_at:
            self.arm()  # nothing else makes anything due sooner

    def _ignore(self, garbled: Garbled) -> None:
        """As a Logon, bytes that are no message end the connection. Who has sent one in vain is told so."""
        if self.refuse_unread(garbled):
            self.state.last_received, self.state.test_sent = self.now, False
            if self.state.early:
                self.take_early()
            self.arm()
            return
        self.emit(Note(InputIgnored(self.state.conn, garbled.reason, show(garbled.raw))))
        if self.state.status not in LOGGED_ON or is_logon(garbled.raw):
            self.close(Reason.GARBLED_LOGON)
            self.arm()

    def lost(self) -> None:
        """The connection is gone, or could not be opened."""
        self.ended(Reason.CONNECTION_LOST)
        self.arm()

    def stop(self) -> None:
        """Say goodbye if logged on; open no further connection."""
        self.state.stopping = True
        self.leave(Reason.STOPPING)

    def remove(self) -> None:
        """Say goodbye if logged on, and stay down for good."""
        self.state.removed = self.state.disabled = True
        if self.state.conn:
            self.leave(Reason.REMOVED)

    def leave(self, reason: Reason, text: str | None = None) -> None:
        """Log out if logged on, else give up the connection that there is, or is asked for."""
        status = self.state.status
        if status in TALKING:
            self.log_out(reason, text)
        elif status not in LOGGED_ON and self.state.conn:
            self.close(reason)
        elif status is Status.CONNECTING:
            self.ended(reason)
        self.arm()

    def tick(self) -> None:
        """The session's timer fired: do what is due, if anything is."""
        state = self.state
        state.timer_at = 0
        if state.boundary and self.now >= state.boundary:
            self._on_boundary()
        if state.deadline and self.now >= state.deadline:
            self._on_deadline()
        elif state.status in TALKING and state.heartbeat:
            self._keep_alive()
        if state.resend_end and self.now >= state.resend_at:
            self.resend_batch()
        self.arm()

    def arm(self) -> None:
        """Set the timer, unless it is set to ring soon enough."""
        due = self._due()
        if due != _NEVER and not 0 < self.state.timer_at <= due:
            self.state.timer_at = due
            self.emit(SetTimer(timer_key(self.name), due))

    # --- time ------------------------------------------------------------------------------------

    def _due(self) -> Nanos:
        """When `tick` has something to do, as things stand."""
        state = self.state
        due = state.deadline or _NEVER
        if state.boundary or state.resend_at:
            due = min(due, state.boundary or _NEVER, state.resend_at or _NEVER)
        if state.status not in TALKING or not state.heartbeat:
            return due
        if state.test_sent:
            return min(due, state.last_received + state.heartbeat * _SILENCE_FIFTHS // 5)
        patience = state.heartbeat * _PATIENCE_FIFTHS // 5
        return min(due, state.last_sent + state.heartbeat, state.last_received + patience)

    def _keep_alive(self) -> None:
        """Heartbeat after one interval without sending, TestRequest after 1.2 without receiving, the end after 2.4."""
        state, silent = self.state, self.now - self.state.last_received
        if silent >= state.heartbeat * _SILENCE_FIFTHS // 5:
            self.close(Reason.HEARTBEAT_TIMEOUT)
        elif state.test_sent:
            return
        elif silent >= state.heartbeat * _PATIENCE_FIFTHS // 5:
            self.answer(TestRequest(TEST_REQ_ID))
            state.test_sent = True
        elif self.now >= state.last_sent + state.heartbeat:
            self.answer(Heartbeat())

    def _on_deadline(self) -> None:
        status, self.state.deadline = self.state.status, 0
        if status is Status.CONNECTING and self.state.conn:
            self.close(Reason.CONNECT_TIMEOUT)
        elif status is Status.CONNECTING:
            self.dial()
        elif status is Status.LOGON_SENT:
            self.close(Reason.LOGON_TIMEOUT)
        elif status is Status.LOGOUT_SENT:
            self.close(Reason.LOGOUT_TIMEOUT)
        elif status is Status.RESYNC_REQUIRED:
            self.give_up_gap()

    def _on_boundary(self) -> None:
        """The schedule has opened or closed: end what belongs to the old window, begin the new one."""
        if self.state.conn:
            self.leave(Reason.SCHEDULE_CLOSED)
        self.keep_schedule()
        if self.config.role == "initiator" and not self.state.conn and self.may_connect():
            self.dial()


def timer_key(name: str) -> str:
    """The timer of the session `name`."""
    return f"session:{name}"


def is_logon(raw: bytes) -> bool:
    """Whether bytes that are no message look like a Logon."""
    return b"\x0135=A\x01" in raw[:64]
