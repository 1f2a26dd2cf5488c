"""Many FIX sessions as one component, accepted or initiated: connections, timers and the application.

An acceptor's connection belongs to nobody until its first message, a Logon, names a session by its
CompIDs. Until then nothing is answered: whoever does not know the names gets no word, only a closed connection.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec

from core.errors import DefectError
from core.fix.codec import Garbled, WireMessage, decode, show
from core.fix.framer import Framer
from core.fix.layout import LAYOUTS
from core.fix.records import InputIgnored, ToPeer
from core.fix.session import Session, timer_key
from core.fix.settings import EngineConfig
from core.fix.states import Reason, Status
from core.fix.store import SessionState
from core.fix.tags import ADMIN_TYPES, BEGIN_STRING, BEGIN_STRING_TAG, SENDER_COMP_ID, TARGET_COMP_ID, MsgType
from core.fix.values import ENCODING
from core.kernel.component import Component, Handler
from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
    Connected,
    Disconnected,
    Message,
    Note,
    SetTimer,
    Start,
    Stop,
    TimerFired,
)
from core.units import Nanos

_LOGON_TIMER: Final = "logon:"


class Link(msgspec.Struct):
    """A connection: what has arrived of the next message, and whose it is (empty before the Logon)."""

    session: str = ""
    framer: Framer = msgspec.field(default_factory=Framer)


class EngineState(msgspec.Struct):
    """All sessions by name and all connections."""

    sessions: dict[str, SessionState]
    links: dict[str, Link] = {}
    stopping: bool = False


class FixEngine(Component[EngineState]):
    """Speaks FIX 4.2 with the counterparties of its configuration, for the component `config.app`.

    To the application: `FromPeer`, `SessionOpened`, `SessionClosed`. From it: `ToPeer`, at any time.
    """

    __slots__ = ("_sessions", "config")

    def __init__(self, name: str, config: EngineConfig) -> None:
        unknown = [kind for kind in config.app_messages if kind not in LAYOUTS or kind in ADMIN_TYPES]
        assert not unknown, f"{name}: no such application messages: {unknown}"
        self.config = config
        states = {session.target_comp_id: SessionState() for session in config.sessions}
        assert len(states) == len(config.sessions), f"{name}: two sessions with one CompID"
        super().__init__(name, EngineState(states))
        self._sessions = self._on_their_states()

    def restore(self, data: bytes) -> None:
        """Take back a `snapshot`."""
        super().restore(data)
        self._sessions = self._on_their_states()

    def _on_their_states(self) -> dict[str, Session]:
        states = self.state.sessions
        return {
            own.target_comp_id: Session(self.config, own, states[own.target_comp_id], self.emit)
            for own in self.config.sessions
        }

    def _session(self, name: str, now: Nanos) -> Session:
        session = self._sessions[name]
        session.now = now
        return session

    def _on_start(self, now: Nanos, _event: Start) -> None:
        if self.config.role == "initiator":
            for name in self._sessions:
                session = self._session(name, now)
                session.dial()
                self._follow("", session)

    def _on_stop(self, now: Nanos, _event: Stop) -> None:
        if self.state.stopping:
            return
        self.state.stopping = True
        for name in self._sessions:
            session = self._session(name, now)
            conn = session.state.conn
            session.stop()
            self._follow(conn, session)
        for conn in [conn for conn, link in self.state.links.items() if not link.session]:
            self._hang_up(conn, Reason.STOPPING)

    def _on_connected(self, now: Nanos, event: Connected) -> None:
        link = self.state.links.get(event.conn)
        if link is not None:
            self._session(link.session, now).connected()
        elif self.state.stopping:
            self._turn_away(event.conn, Reason.STOPPING, event.peer)
        elif len(self.state.links) >= self.config.connections_max:
            self._turn_away(event.conn, Reason.TOO_MANY_CONNECTIONS, event.peer)
        else:
            self.state.links[event.conn] = Link()
            self.emit(SetTimer(_LOGON_TIMER + event.conn, now + self.config.logon_timeout))

    def _on_bytes(self, now: Nanos, event: Bytes) -> None:
        link = self.state.links.get(event.conn)
        if link is None:
            return
        for item in link.framer.feed(event.data, self.config.message_bytes_max):
            if link.session:
                session = self._session(link.session, now)
                session.hear(item)
                if session.state.conn != event.conn:
                    self._follow(event.conn, session)
            else:
                self._on_first(now, event.conn, link, item)
            if event.conn not in self.state.links:
                return

    def _on_first(self, now: Nanos, conn: str, link: Link, item: bytes | Garbled) -> None:
        """The first thing on a connection: a Logon that names a free session, or the end."""
        message = decode(item, self.config.fields_max) if isinstance(item, bytes) else item
        if isinstance(message, Garbled):
            self._turn_away(conn, message.reason, show(message.raw))
            return
        name = message.values.get(SENDER_COMP_ID, b"").decode(ENCODING)
        reason = self._why_not(message, name)
        if reason is not None:
            self._turn_away(conn, reason, show(message.raw))
            return
        link.session = name
        self.emit(CancelTimer(_LOGON_TIMER + conn))
        session = self._session(name, now)
        session.accept(conn, message)
        self._follow(conn, session)

    def _why_not(self, message: WireMessage, name: str) -> Reason | None:
        """Why a connection's first message opens no session, if it opens none."""
        if message.msg_type != MsgType.LOGON:
            return Reason.NOT_LOGON
        if message.values[BEGIN_STRING_TAG] != BEGIN_STRING.encode():
            return Reason.WRONG_BEGIN_STRING
        target = message.values.get(TARGET_COMP_ID, b"").decode(ENCODING)
        if name not in self._sessions or target != self.config.comp_id:
            return Reason.UNKNOWN_COMP_ID
        if self.state.sessions[name].status is not Status.CONNECTING:
            return Reason.DUPLICATE_IDENTITY
        return None

    def _on_disconnected(self, now: Nanos, event: Disconnected) -> None:
        link = self.state.links.pop(event.conn, None)
        if link is None:
            return
        if link.session:
            self._session(link.session, now).lost()
        else:
            self.emit(CancelTimer(_LOGON_TIMER + event.conn))

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        if event.key.startswith(_LOGON_TIMER):
            self._turn_away(event.key.removeprefix(_LOGON_TIMER), Reason.LOGON_TIMEOUT, "")
            return
        session = self._session(event.key.removeprefix(timer_key("")), now)
        conn = session.state.conn
        session.tick()
        self._follow(conn, session)

    def _on_to_peer(self, now: Nanos, event: Message[ToPeer[Any]]) -> None:
        if event.body.session not in self._sessions:
            raise DefectError(f"{self.name}: {event.src} sends to unknown session {event.body.session!r}")
        session = self._session(event.body.session, now)
        session.send(event.body.message)
        session.arm()

    def _turn_away(self, conn: str, reason: str, detail: str) -> None:
        self.emit(Note(InputIgnored(conn, reason, detail)))
        self._hang_up(conn, reason)

    def _hang_up(self, conn: str, reason: str) -> None:
        if self.state.links.pop(conn, None) is not None:
            self.emit(CancelTimer(_LOGON_TIMER + conn))
        self.emit(Close(conn, reason))

    def _follow(self, conn: str, session: Session) -> None:
        """The session had the connection `conn` before this event; keep the links in step."""
        current = session.state.conn
        if current != conn:
            self.state.links.pop(conn, None)
            if current:
                self.state.links[current] = Link(session.name)

    HANDLERS: ClassVar[dict[type, Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Connected: _on_connected,
        Bytes: _on_bytes,
        Disconnected: _on_disconnected,
        TimerFired: _on_timer,
        ToPeer: _on_to_peer,
    }
