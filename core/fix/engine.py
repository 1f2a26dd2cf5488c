"""Many FIX sessions as one component, accepted or initiated: connections, timers and the application.

An acceptor's connection belongs to nobody until its first message, a Logon, names a session by its
CompIDs. Until then nothing is answered: whoever does not know the names gets no word, only a closed connection.
If there is an authenticator, it belongs to nobody until that one believes the Logon, too: several may claim one
session at a time, and whoever cannot prove it takes nothing from whoever can. All Logons are its to judge, those that
name no session or one that is taken too, so that what becomes of a Logon tells strangers nothing of sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from core.errors import DefectError
from core.fix.codec import Garbled, WireMessage, decode, show
from core.fix.hosting import Link, SessionHost
from core.fix.records import (
    InputIgnored,
    LogonAttempted,
    LogonConcluded,
    LogonJudged,
    LogonRefused,
    LogonWithdrawn,
    MessageDropped,
    RejectBusiness,
    RejectMessage,
    ToPeer,
)
from core.fix.refusal import refusal
from core.fix.session import Session, timer_key
from core.fix.states import Reason, Status
from core.fix.tags import BEGIN_STRING_TAG, SENDER_COMP_ID, TARGET_COMP_ID, MsgType
from core.fix.unsent import UnsentReason
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
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
    Transmit,
)
from core.units import Nanos

_LOGON_TIMER: Final = "logon:"


class FixEngine(SessionHost):
    """Speaks FIX with the counterparties of its configuration, for the component `config.app`.

    To the application: `FromPeer`, `SessionOpened`, `SessionClosed`. From it, at any time: `ToPeer`, and for what it
    was given `RejectMessage` and `RejectBusiness`. To the authenticator, if there is one, `LogonAttempted`, and from it
    `LogonJudged` and `LogonWithdrawn`. From anybody on the node, what an operator may ask: `AddSession`,
    `RemoveSession`, and what core/fix/operations.py does.
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
        elif self.config.role == "initiator":
            self.emit(Close(event.conn, Reason.CONNECT_TIMEOUT))  # it was given up when it was under way
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
        is_known = bool(link.session)
        for item in link.framer.feed(event.data, self.config.message_bytes_max, is_known=is_known):
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
        if link.logon:
            self._turn_away(conn, Reason.NOT_LOGON, show(item if isinstance(item, bytes) else item.raw))
            return
        message = decode(item, self.config.fields_max) if isinstance(item, bytes) else item
        if isinstance(message, Garbled):
            self._turn_away(conn, message.reason, show(message.raw))
            return
        if self.config.authenticator and message.msg_type == MsgType.LOGON:
            self._ask_whose(now, conn, link, message)
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
        name = self._named(message)
        if name is None:
            return Reason.UNKNOWN_COMP_ID
        if message.values[BEGIN_STRING_TAG] != self._sessions[name].dialect.begin_string.encode():
            return Reason.WRONG_BEGIN_STRING
        return self._free(now, name)

    def _named(self, message: WireMessage) -> str | None:
        sender, target = (message.values.get(tag, b"").decode(ENCODING) for tag in (SENDER_COMP_ID, TARGET_COMP_ID))
        return self._names.get((sender, target))

    def _free(self, now: Nanos, name: str) -> Session | Reason:
        """The session `name`, or why nobody may log on to it now."""
        session = self._session(name, now)
        if session.state.status is not Status.CONNECTING:
            return Reason.DUPLICATE_IDENTITY
        return session if session.may_connect() else Reason.SESSION_DOWN

    def _ask_whose(self, now: Nanos, conn: str, link: Link, message: WireMessage) -> None:
        """Let the authenticator judge a Logon. Until it has spoken, the Logon has changed nothing."""
        link.claimed, link.logon = self._named(message) or "", message.raw
        self.emit(SetTimer(_LOGON_TIMER + conn, now + self.config.authentication_timeout))
        self.emit(Send(self.config.authenticator, LogonAttempted(link.claimed, conn, message.raw, link.peer)))

    def _on_judged(self, now: Nanos, event: Message[LogonJudged]) -> None:
        answer, link = event.body, self.state.links.get(event.body.conn)
        is_awaited = link is not None and bool(link.logon) and link.claimed == answer.session
        if is_awaited and not answer.accepted:
            self._refuse_logon(now, answer)
        if answer.accepted:
            logged_on = is_awaited and self._let_in(now, answer.conn)
            self.emit(Send(self.config.authenticator, LogonConcluded(answer.session, answer.conn, logged_on)))

    def _on_withdrawn(self, now: Nanos, event: Message[LogonWithdrawn]) -> None:
        name = event.body.session
        if name in self._sessions and self._sessions[name].state.conn:
            session = self._session(name, now)
            conn = session.state.conn
            session.leave(Reason.LOGON_WITHDRAWN, event.body.text)
            self._follow(conn, session)

    def _refuse_logon(self, now: Nanos, answer: LogonJudged) -> None:
        self.emit(Note(LogonRefused(answer.session, answer.conn, answer.detail)))
        if answer.text:
            logon = self._waiting_logon(answer.conn)
            self.emit(Transmit(answer.conn, refusal(logon, now, answer.text)))
        self._turn_away(answer.conn, Reason.AUTHENTICATION_FAILED, answer.detail)

    def _let_in(self, now: Nanos, conn: str) -> bool:
        """Whether the Logon on `conn`, whose sender is known now, opens its session."""
        link, logon = self.state.links[conn], self._waiting_logon(conn)
        found = self._called_by(now, logon)
        fault = found if isinstance(found, Reason) else found.objection(logon)
        if fault is not None or isinstance(found, Reason):
            self._turn_away(conn, fault or Reason.INVALID_LOGON, show(logon.raw))
            return False
        link.session, link.claimed, link.logon = found.name, "", b""
        self.emit(CancelTimer(_LOGON_TIMER + conn))
        found.accept_proven(conn, logon.raw)
        self._follow(conn, found)
        return found.state.conn == conn

    def _waiting_logon(self, conn: str) -> WireMessage:
        """The Logon on `conn` that is being judged."""
        message = decode(self.state.links[conn].logon, self.config.fields_max)
        assert isinstance(message, WireMessage)
        return message

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
            conn = event.key.removeprefix(_LOGON_TIMER)
            link = self.state.links.get(conn)
            is_judged = link is not None and link.logon
            self._turn_away(conn, Reason.AUTHENTICATION_TIMEOUT if is_judged else Reason.LOGON_TIMEOUT, "")
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
            self.emit(Note(MessageDropped(name, message.msg_type, UnsentReason.REMOVED)))
        else:
            raise DefectError(f"{self.name}: {event.src} sends to unknown session {name!r}")

    def _on_rejection(self, now: Nanos, event: Message[RejectMessage | RejectBusiness]) -> None:
        name = event.body.session
        if name in self._sessions:
            self._session(name, now).reject(event.body)
        elif name not in self.state.gone:
            raise DefectError(f"{self.name}: {event.src} rejects on unknown session {name!r}")

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
        RejectMessage: _on_rejection,
        RejectBusiness: _on_rejection,
        LogonJudged: _on_judged,
        LogonWithdrawn: _on_withdrawn,
    }
