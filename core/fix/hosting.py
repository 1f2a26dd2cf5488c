"""The sessions of one engine: found by name, operated, added and removed while the engine runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from core.fix.checks import check_engine, session_faults
from core.fix.framer import Framer
from core.fix.operations import Operation, operate
from core.fix.records import (
    AddSession,
    AskForHeartbeat,
    DropConnection,
    LogOn,
    LogOut,
    OperationDone,
    OperationRefused,
    RemoveSession,
    ResetNumbers,
    SetAdminFields,
    SetNumbers,
)
from core.fix.session import Session, timer_key
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.store import SessionState
from core.kernel.component import Component, Handler
from core.kernel.record import CancelTimer, Message, Note, Record
from core.units import Nanos


class Link(msgspec.Struct):
    """A connection: what has arrived of the next message, and whose it is (empty before the Logon)."""

    session: str = ""
    claimed: str = ""
    """Before that, the session that the Logon names which the authenticator is judging,"""
    logon: bytes = b""
    """and that Logon."""
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
    """Holds the sessions, and does to them what operators say. Raises InputError for what `check_engine` refuses."""

    __slots__ = ("_names", "_sessions", "config")

    def __init__(self, name: str, config: EngineConfig) -> None:
        check_engine(config)
        self.config = config
        super().__init__(name, EngineState({session.name: SessionState() for session in config.sessions}))
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

    def _session(self, name: str, now: Nanos) -> Session:
        session = self._sessions[name]
        session.now = now
        return session

    def _begin(self, now: Nanos, name: str) -> None:
        session = self._session(name, now)
        session.begin()
        self._follow("", session)

    def _on_operation(self, now: Nanos, event: Message[Operation]) -> None:
        name = event.body.session
        if name not in self._sessions:
            self._refuse_operation(event.body, name, "there is no such session")
            return
        session = self._session(name, now)
        conn = session.state.conn
        refusal = operate(session, event.body)
        if refusal:
            self._refuse_operation(event.body, name, refusal)
        else:
            self._done(event.body, name)
        self._follow(conn, session)

    def _on_add(self, now: Nanos, event: Message[AddSession]) -> None:
        own = event.body.config
        comp_ids = own.target_comp_id, own.sender_comp_id or self.config.comp_id
        if own.name in self._sessions or comp_ids in self._names:
            self._refuse_operation(event.body, own.name, "there is a session of that name or with these CompIDs")
        elif faults := list(session_faults(own, self.config)):
            self._refuse_operation(event.body, own.name, "; ".join(faults))
        elif self.state.stopping:
            self._refuse_operation(event.body, own.name, "the node is stopping")
        else:
            self.state.added[own.name] = own
            self.state.gone = [name for name in self.state.gone if name != own.name]
            self.state.sessions[own.name] = SessionState(epoch=now)  # one of this name may have been removed
            self._host()
            self._done(event.body, own.name)
            self._begin(now, own.name)

    def _on_remove(self, now: Nanos, event: Message[RemoveSession]) -> None:
        name = event.body.session
        if name not in self._sessions:
            self._refuse_operation(event.body, name, "there is no such session")
            return
        session = self._session(name, now)
        conn = session.state.conn
        session.remove()
        self._done(event.body, name)
        self._follow(conn, session)

    def _done(self, operation: Record, session: str) -> None:
        """Say so, which also lets whoever asked hear of it after it is written down."""
        self.emit(Note(OperationDone(session, type(operation).__name__)))

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
        AddSession: _on_add,
        RemoveSession: _on_remove,
        LogOn: _on_operation,
        LogOut: _on_operation,
        DropConnection: _on_operation,
        ResetNumbers: _on_operation,
        SetNumbers: _on_operation,
        SetAdminFields: _on_operation,
        AskForHeartbeat: _on_operation,
    }
