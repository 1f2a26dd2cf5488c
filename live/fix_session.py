"""A FIX session as a program has it that embeds the engine: what it can be told, and how it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from core.errors import InputError, RomerError
from core.fix.field_map import FieldText
from core.fix.message import FixMessage
from core.fix.operations import Operation
from core.fix.records import (
    AddSession,
    AskForHeartbeat,
    DropConnection,
    LogOn,
    LogOut,
    RemoveSession,
    ResetNumbers,
    SetAdminFields,
    SetNumbers,
    ToPeer,
)
from core.fix.session import Session
from core.fix.states import LOGGED_ON
from live.connection import UNSENT_BYTES_WATCHED


class QueueFull(RomerError):
    """A message was not taken: what waits for the counterparty has reached its limit."""


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """How a session stands."""

    session: str
    sender_comp_id: str
    target_comp_id: str
    state: str
    """Of the table in core/fix/states.py."""
    kept_down: bool
    """An operator has logged it out, or a gap that cannot be filled keeps it down until one helps."""
    reason: str
    """Why it came to that state, a code of docs/reasons.md; empty if it has not changed since the start."""
    next_out: int
    next_in: int
    waiting: int
    """Messages of the application that wait for a logon, or for a resend to end."""
    unsent_bytes: int
    """Written to the connection, and not taken by the peer yet."""


def view_of(session: Session, *, reason: str, posted: int, unsent_bytes: int) -> SessionView:
    """How a session stands; `posted` are messages that it was given and that the engine has not seen yet."""
    state = session.state
    return SessionView(
        session=session.name,
        sender_comp_id=session.comp_id,
        target_comp_id=session.own.target_comp_id,
        state=str(state.status),
        kept_down=session.is_kept_down,
        reason=reason,
        next_out=state.next_out,
        next_in=state.next_in,
        waiting=len(state.pending) + posted,
        unsent_bytes=unsent_bytes,
    )


class Host(Protocol):
    """The engine that a session belongs to."""

    def hosted(self, name: str) -> Session: ...
    def unsent_bytes(self, conn: str) -> int: ...
    def posted(self, name: str) -> int: ...
    def post(self, body: ToPeer[FixMessage]) -> None: ...
    def reason(self, name: str) -> str: ...
    async def until(self, happened: Callable[[], bool]) -> None: ...
    async def operate(self, operation: Operation | AddSession | RemoveSession) -> None: ...


class EmbeddedSession:
    """One session, by its name in the engine. All that needs it there raises InputError once it was removed.

    Operations return when they were carried out, and raise InputError for what cannot be done, saying why.
    """

    __slots__ = ("_host", "name")

    def __init__(self, host: Host, name: str) -> None:
        self._host, self.name = host, name

    def __repr__(self) -> str:
        return f"EmbeddedSession({self.name!r})"

    @property
    def view(self) -> SessionView:
        """How it stands now."""
        session = self._host.hosted(self.name)
        return view_of(
            session,
            reason=self._host.reason(self.name),
            posted=self._host.posted(self.name),
            unsent_bytes=self._host.unsent_bytes(session.state.conn),
        )

    @property
    def is_logged_on(self) -> bool:
        """Whether both sides have logged on."""
        return self._host.hosted(self.name).state.status in LOGGED_ON

    @property
    def room(self) -> int:
        """How many more messages `send` takes now: none while the peer leaves more than 1 MiB unread."""
        session = self._host.hosted(self.name)
        if self._host.unsent_bytes(session.state.conn) > UNSENT_BYTES_WATCHED:
            return 0
        waiting = len(session.state.pending) + self._host.posted(self.name)
        return max(0, session.own.waiting_messages_max - waiting)

    def send(self, message: FixMessage, *, poss_resend: bool = False) -> None:
        """Take `message` to be sent, now or after the next logon.

        Messages of one session keep their order. Raises QueueFull when there is no `room`, and Unsendable for a message
        that an application may not send, or that no peer could read.
        """
        self._host.hosted(self.name).outgoing(message, poss_resend=poss_resend)
        if not self.room:
            view = self.view
            raise QueueFull(f"{self.name}: {view.waiting} messages wait, {view.unsent_bytes} bytes are unsent")
        self._host.post(ToPeer(self.name, message, poss_resend))

    async def until_room(self) -> None:
        """Wait until `send` takes a message."""
        await self._host.until(lambda: bool(self.room))

    async def until_logged_on(self) -> None:
        """Wait until both sides have logged on."""
        await self._host.until(lambda: self.is_logged_on)

    async def log_on(self) -> None:
        """Let it be up: connect, or take the peer's Logon again."""
        await self._host.operate(LogOn(self.name))

    async def log_out(self, text: str = "") -> None:
        """Log out, telling the peer `text`, and stay down until `log_on`."""
        await self._host.operate(LogOut(self.name, text))

    async def disconnect(self) -> None:
        """End the connection without a Logout; it may connect again."""
        await self._host.operate(DropConnection(self.name))

    async def reset_numbers(self) -> None:
        """Start from 1 in both directions, after a Logout if it is logged on. The peer must do so too."""
        await self._host.operate(ResetNumbers(self.name))

    async def set_numbers(self, *, next_out: int | None = None, next_in: int | None = None) -> None:
        """Give the next message that is sent, or expected, another number."""
        await self._host.operate(SetNumbers(self.name, next_out, next_in))

    async def set_admin_fields(self, msg_type: str, fields: Iterable[FieldText]) -> None:
        """Have these fields, tags and values, in every message of type `msg_type` that the session itself sends.

        They take the place of those that it had; `A` are Logons, which at first have those of its configuration.
        """
        await self._host.operate(SetAdminFields(self.name, msg_type, tuple(fields)))

    async def test_request(self) -> None:
        """Ask the peer for a Heartbeat; one that does not answer is given up."""
        await self._host.operate(AskForHeartbeat(self.name))


def refused(operation: str, session: str, detail: str) -> InputError:
    """The error for what cannot be done."""
    return InputError(f"{operation} of session {session!r} cannot be done: {detail}")
