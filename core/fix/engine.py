"""Many FIX sessions as one component, accepted or initiated: connections, timers and the application.

An acceptor's connection belongs to nobody until its first message, a Logon, names a session by its
CompIDs. Until then nothing is answered: whoever does not know the names gets no word, only a closed connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from core.errors import DefectError
from core.fix.codec import Garbled, WireMessage, decode, show
from core.fix.hosting import Link, SessionHost
from core.fix.records import InputIgnored, MessageDropped, ToPeer
from core.fix.session import Session, timer_key
from core.fix.states import Reason, Status
from core.fix.tags import BEGIN_STRING_TAG, SENDER_COMP_ID, TARGET_COMP_ID, MsgType
from core.fix.values import ENCODING
from core.kernel.component import Handler
from core.kernel.doorway import who_yields
from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
    Connected,
    Disconnected,
    Message,
    Note,
    Record,
    Resume,
    SetTimer,
    Start,
    Stop,
    TimerFired,
)
from core.units import Nanos

_LOGON_TIMER: Final = "logon:"


class FixEngine(SessionHost):
    """Speaks FIX 4.2 with the counterparties of its configuration, for the component `config.app`.

    To the application: `FromPeer`, `SessionOpened`, `SessionClosed`. From it: `ToPeer`, at any time. To the
    authenticator, if there is one, `LogonAttempted`, and from it `LogonJudged`. From anybody on the node, what an
    operator may ask: `AddSession`, `RemoveSession`, and what core/fix/operations.py does.
    """

    __slots__ = ()

    def _on_start(self, now: Nanos, _event: Start | Resume) -> None:
        self.state.stopping = False
        for name in self._sessions:
            self._begin(now, name)

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
        else:
            self._take_in(now, event)

    def _take_in(self, now: Nanos, event: Connected) -> None:
        links, config = self.state.links, self.config
        waiting = {conn: link.peer for conn, link in links.items() if not link.session}
        full = len(links) >= config.connections_max
        yields = who_yields(event.conn, event.peer, waiting, full=full, per_address_max=config.waiting_per_address_max)
        if yields:
            self._turn_away(yields, Reason.TOO_MANY_CONNECTIONS, waiting.get(yields, event.peer))
        if yields != event.conn:
            links[event.conn] = Link(peer=event.peer)
            self.emit(SetTimer(_LOGON_TIMER + event.conn, now + config.logon_timeout))

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
        found = self._called_by(now, message)
        if isinstance(found, Reason):
            self._turn_away(conn, found, show(message.raw))
            return
        link.session = found.name
        self.emit(CancelTimer(_LOGON_TIMER + conn))
        found.accept(conn, message)
        self._follow(conn, found)

    def _called_by(self, now: Nanos, message: WireMessage) -> Session | Reason:
        """The free session that a connection's first message names, or why it opens none."""
        if message.msg_type != MsgType.LOGON:
            return Reason.NOT_LOGON
        sender, target = (message.values.get(tag, b"").decode(ENCODING) for tag in (SENDER_COMP_ID, TARGET_COMP_ID))
        name = self._names.get((sender, target))
        if name is None:
            return Reason.UNKNOWN_COMP_ID
        session = self._session(name, now)
        if message.values[BEGIN_STRING_TAG] != session.dialect.begin_string.encode():
            return Reason.WRONG_BEGIN_STRING
        if session.state.status is not Status.CONNECTING:
            return Reason.DUPLICATE_IDENTITY
        return session if session.may_connect() else Reason.SESSION_DOWN

    def _on_disconnected(self, now: Nanos, event: Disconnected) -> None:
        link = self.state.links.pop(event.conn, None)
        if link is None:
            return
        if link.session:
            session = self._session(link.session, now)
            session.lost()
            self._follow(event.conn, session)
        else:
            self.emit(CancelTimer(_LOGON_TIMER + event.conn))

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        if event.key.startswith(_LOGON_TIMER):
            self._turn_away(event.key.removeprefix(_LOGON_TIMER), Reason.LOGON_TIMEOUT, "")
            return
        name = event.key.removeprefix(timer_key(""))
        if name in self._sessions:
            session = self._session(name, now)
            conn = session.state.conn
            session.tick()
            self._follow(conn, session)

    def _on_to_peer(self, now: Nanos, event: Message[ToPeer[Any]]) -> None:
        name, message = event.body.session, event.body.message
        if name in self._sessions:
            self._session(name, now).send(message, poss_resend=event.body.poss_resend)
        elif name in self.state.gone:
            self.emit(Note(MessageDropped(name, message.msg_type)))
        else:
            raise DefectError(f"{self.name}: {event.src} sends to unknown session {name!r}")

    def _turn_away(self, conn: str, reason: str, detail: str) -> None:
        self.emit(Note(InputIgnored(conn, reason, detail)))
        self._hang_up(conn, reason)

    def _hang_up(self, conn: str, reason: str) -> None:
        if self.state.links.pop(conn, None) is not None:
            self.emit(CancelTimer(_LOGON_TIMER + conn))
        self.emit(Close(conn, reason))

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {
        **SessionHost.HANDLERS,
        Start: _on_start,
        Resume: _on_start,
        Stop: _on_stop,
        Connected: _on_connected,
        Bytes: _on_bytes,
        Disconnected: _on_disconnected,
        TimerFired: _on_timer,
        ToPeer: _on_to_peer,
    }
