"""A FIX session: its life from connection to connection, and its sense of time.

`Session` has no state of its own but the time of the current event: everything that changes is in
`SessionState`, everything that is to be done goes to `emit`. It speaks (`Outbound`), judges what it
hears (`Inbound`), answers (`Conversation`), and here connects, keeps alive and ends.
"""

from __future__ import annotations

from typing import Final

from core.fix.codec import Garbled, WireMessage, decode, show
from core.fix.compiled import Parsed
from core.fix.conversation import Conversation
from core.fix.messages import Heartbeat, Logon, TestRequest
from core.fix.records import InputIgnored
from core.fix.states import LOGGED_ON, TALKING, Reason, Status, Trigger
from core.fix.tags import EncryptMethod, MsgType
from core.kernel.record import Connect, Note, SetTimer
from core.units import SECOND, Nanos

TEST_REQ_ID: Final = "TEST"
_PATIENCE_FIFTHS: Final = 6
_SILENCE_FIFTHS: Final = 12
"""How long to wait for a peer, in fifths of the heartbeat interval."""
_LOGON_ANSWERS: Final = frozenset([MsgType.LOGON, MsgType.LOGOUT, MsgType.REJECT])


class Session(Conversation):
    """The conversation with one counterparty."""

    __slots__ = ()

    # --- what happens ----------------------------------------------------------------------------

    def dial(self) -> None:
        """Ask for a connection."""
        state = self.state
        state.dialed += 1
        state.conn = f"{self.config.comp_id}-{self.name}-{state.dialed}"
        self.emit(Connect(state.conn, self.own.address))

    def connected(self) -> None:
        """The connection asked for is open: log on."""
        state = self.state
        state.heartbeat = -(-self.config.heartbeat_interval // SECOND) * SECOND
        self.step(Trigger.LOGON_SENT, Reason.CONNECTED)
        if self.own.reset_on_logon:
            self.reset(Reason.RESET_ON_LOGON)
            state.reset_sent = True
        self.answer(Logon(EncryptMethod.NONE, state.heartbeat // SECOND, True if state.reset_sent else None))
        state.deadline = self.now + self.config.logon_timeout
        self.arm()

    def accept(self, conn: str, logon: WireMessage) -> None:
        """A new connection's first message is a Logon that names this session."""
        self.state.conn = conn
        self.step(Trigger.LOGON_RECEIVED, Reason.LOGON_RECEIVED)
        self._receive(logon, None)

    def hear(self, item: bytes | Garbled) -> None:
        """A message, or what was none, arrived on the session's connection."""
        if isinstance(item, Garbled):
            self._ignore(item)
            return
        parsed = self.shapes.read(item)
        if parsed is not None:
            self._receive(WireMessage(item, parsed[1].MSG_TYPE), parsed)
            return
        message = decode(item, self.config.fields_max)
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
        self.arm()

    def _ignore(self, garbled: Garbled) -> None:
        """As a Logon, bytes that are no message end the connection."""
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
        self.log_out(Reason.STOPPING)
        if self.state.status not in LOGGED_ON:
            if self.state.conn:
                self.close(Reason.STOPPING)
            else:
                self.ended(Reason.STOPPING)
        self.arm()

    def tick(self) -> None:
        """The session's timer fired: do what is due, if anything is."""
        state = self.state
        state.timer_at = 0
        if state.deadline and self.now >= state.deadline:
            self._on_deadline()
        elif state.status in TALKING and state.heartbeat:
            self._keep_alive()
        self.arm()

    def arm(self) -> None:
        """Set the timer, unless it is set to ring soon enough."""
        due = self._due()
        if due and not 0 < self.state.timer_at <= due:
            self.state.timer_at = due
            self.emit(SetTimer(timer_key(self.name), due))

    # --- time ------------------------------------------------------------------------------------

    def _due(self) -> Nanos:
        """When `tick` has something to do, as things stand; 0 is never."""
        state = self.state
        if state.status not in TALKING or not state.heartbeat:
            return state.deadline
        if state.test_sent:
            due = state.last_received + state.heartbeat * _SILENCE_FIFTHS // 5
        else:
            due = min(state.last_sent + state.heartbeat, state.last_received + state.heartbeat * _PATIENCE_FIFTHS // 5)
        return min(due, state.deadline) if state.deadline else due

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
        if status is Status.CONNECTING:
            self.dial()
        elif status is Status.LOGON_SENT:
            self.close(Reason.LOGON_TIMEOUT)
        elif status is Status.LOGOUT_SENT:
            self.close(Reason.LOGOUT_TIMEOUT)
        elif status is Status.RESYNC_REQUIRED:
            self.log_out(Reason.RESEND_TIMEOUT, "Resend request was not answered")


def timer_key(name: str) -> str:
    """The timer of the session `name`."""
    return f"session:{name}"


def is_logon(raw: bytes) -> bool:
    """Whether bytes that are no message look like a Logon."""
    return b"\x0135=A\x01" in raw[:64]
