"""The sessions of one engine: found by name, operated, added and removed while the engine runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from core.fix.dialect import venue_dialect
from core.fix.framer import Framer
from core.fix.operations import Operation, operate
from core.fix.records import (
    AddSession,
    AskForHeartbeat,
    DropConnection,
    LogOn,
    LogonJudged,
    LogOut,
    OperationRefused,
    RemoveSession,
    ResetNumbers,
    SetNumbers,
)
from core.fix.session import Session, timer_key
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.store import SessionState
from core.fix.tags import ADMIN_TYPES
from core.kernel.component import Component, Handler
from core.kernel.record import CancelTimer, Message, Note, Record
from core.units import Nanos


class Link(msgspec.Struct):
    """A connection: what has arrived of the next message, and whose it is (empty before the Logon)."""

    session: str = ""
    framer: Framer = msgspec.field(default_factory=Framer)
    peer: str = ""


class EngineState(msgspec.Struct):
    """All sessions by name and all connections."""

    sessions: dict[str, SessionState]
    links: dict[str, Link] = {}
    added: dict[str, SessionConfig] = {}
    """Sessions that the configuration does not have."""
    gone: list[str] = []
    """Sessions that were removed; what the application still sends them is dropped."""
    stopping: bool = False


class SessionHost(Component[EngineState]):
    """Holds the sessions, and does to them what operators and the authenticator say."""

    __slots__ = ("_names", "_sessions", "config")

    def __init__(self, name: str, config: EngineConfig) -> None:
        dialects = (venue_dialect(), *config.dialects.values())
        known = {kind for dialect in dialects for kind in dialect.dictionary.messages} - ADMIN_TYPES
        unknown = [kind for kind in config.app_messages if kind not in known]
        assert not unknown, f"{name}: no such application messages: {unknown}"
        self.config = config
        states = {session.name: SessionState() for session in config.sessions}
        assert len(states) == len(config.sessions), f"{name}: two sessions with one name"
        super().__init__(name, EngineState(states))
        self._host()

    @property
    def hosted(self) -> Mapping[str, Session]:
        """The sessions by name, to look at."""
        return self._sessions

    def restore(self, data: bytes) -> None:
        """Take back a `snapshot`."""
        super().restore(data)
        self._host()

    def _host(self) -> None:
        """Put the sessions on their states; a state that is gone was removed."""
        configs, states = (*self.config.sessions, *self.state.added.values()), self.state.sessions
        self._sessions = {
            own.name: Session(self.config, own, states[own.name], self.emit) for own in configs if own.name in states
        }
        self._names = {(it.own.target_comp_id, it.comp_id): name for name, it in self._sessions.items()}
        assert len(self._names) == len(self._sessions), f"{self.name}: two sessions with the same CompIDs"
        assert self.config.role == "acceptor" or all(it.own.addresses for it in self._sessions.values()), self.name

    def _session(self, name: str, now: Nanos) -> Session:
        session = self._sessions[name]
        session.now = now
        return session

    def _begin(self, now: Nanos, name: str) -> None:
        session = self._session(name, now)
        session.begin()
        self._follow("", session)

    def _on_judged(self, now: Nanos, event: Message[LogonJudged]) -> None:
        answer = event.body
        state = self.state.sessions.get(answer.session)
        if state is not None and state.logon and state.conn == answer.conn:
            session = self._session(answer.session, now)
            session.authenticated(accepted=answer.accepted, detail=answer.detail)
            self._follow(answer.conn, session)

    def _on_operation(self, now: Nanos, event: Message[Operation]) -> None:
        name = event.body.session
        if name not in self._sessions:
            self._refuse_operation(event.body, name, "there is no such session")
            return
        session = self._session(name, now)
        conn = session.state.conn
        refusal = operate(session, event.body)
        self._follow(conn, session)
        if refusal:
            self._refuse_operation(event.body, name, refusal)

    def _on_add(self, now: Nanos, event: Message[AddSession]) -> None:
        own = event.body.config
        comp_ids = own.target_comp_id, own.sender_comp_id or self.config.comp_id
        if own.name in self._sessions or comp_ids in self._names:
            self._refuse_operation(event.body, own.name, "there is a session of that name or with these CompIDs")
        elif self.config.role == "initiator" and not own.addresses:
            self._refuse_operation(event.body, own.name, "it has no address to connect to")
        elif own.dialect and own.dialect not in self.config.dialects:
            self._refuse_operation(event.body, own.name, f"there is no dialect {own.dialect!r}")
        elif self.state.stopping:
            self._refuse_operation(event.body, own.name, "the node is stopping")
        else:
            self.state.added[own.name] = own
            self.state.gone = [name for name in self.state.gone if name != own.name]
            self.state.sessions[own.name] = SessionState()
            self._host()
            self._begin(now, own.name)

    def _on_remove(self, now: Nanos, event: Message[RemoveSession]) -> None:
        name = event.body.session
        if name not in self._sessions:
            self._refuse_operation(event.body, name, "there is no such session")
            return
        session = self._session(name, now)
        conn = session.state.conn
        session.remove()
        self._follow(conn, session)

    def _refuse_operation(self, operation: Record, session: str, detail: str) -> None:
        self.emit(Note(OperationRefused(session, type(operation).__name__, detail)))

    def _follow(self, conn: str, session: Session) -> None:
        """The session had the connection `conn` before this event; keep the links in step."""
        current = session.state.conn
        if current != conn:
            self.state.links.pop(conn, None)
            if current:
                self.state.links[current] = Link(session.name)
        if session.state.removed and not current:
            self.emit(CancelTimer(timer_key(session.name)))
            self.state.added.pop(session.name, None)
            self.state.gone.append(session.name)
            del self.state.sessions[session.name]
            self._host()

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {
        LogonJudged: _on_judged,
        AddSession: _on_add,
        RemoveSession: _on_remove,
        LogOn: _on_operation,
        LogOut: _on_operation,
        DropConnection: _on_operation,
        ResetNumbers: _on_operation,
        SetNumbers: _on_operation,
        AskForHeartbeat: _on_operation,
    }
