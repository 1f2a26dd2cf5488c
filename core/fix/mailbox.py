"""Stands in, on a node, for an application that is outside of it: keeps what the engine says until it is taken.

What arrives is in the journal before the application hears of it, and stays in the state until the application
says that it is done with it. So a node that comes back after a crash says again what was not taken, in the same
order: everything once at least, and twice only what was under way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar, Union

import msgspec

from core.fix import records
from core.fix.dialect import venue_dialect
from core.fix.generic import GenericMessage
from core.fix.records import FromPeer, LogonAttempted, LogonConcluded, SessionClosed, SessionOpened, ToPeer
from core.fix.settings import EngineConfig
from core.kernel.codec import Codec, records_of
from core.kernel.component import Component, Handler
from core.kernel.record import Message, Note, Record, Resume, Start, Stop
from core.units import Nanos

Body = TypeVar("Body")


class Letter(Record, Generic[Body], frozen=True):
    """Something for the application outside; numbers begin at 1."""

    number: int
    body: Body


class Taken(Record, frozen=True):
    """The application is done with all letters up to `number`."""

    number: int


class MailboxState(msgspec.Struct, Generic[Body]):
    """Letters that were not taken yet, by number, and the last number."""

    last: int = 0
    waiting: dict[int, Body] = {}


class Mailbox(Component[MailboxState[Any]]):
    """The application's component: each record of the engine's becomes a fact, a `Letter`, for who runs the node.

    `messages` are the kinds of message that the engine may bring.
    """

    __slots__ = ("_kind",)

    def __init__(self, name: str, messages: Any) -> None:
        super().__init__(name, MailboxState())
        self._kind: Any = MailboxState[FromPeer[messages] | SessionOpened | SessionClosed | LogonAttempted]

    def restore(self, data: bytes) -> None:
        """Take back a `snapshot`. Raises msgspec.DecodeError."""
        self.state = msgspec.msgpack.decode(data, type=self._kind)

    def _on_nothing(self, _now: Nanos, _event: Start | Stop | Resume | Message[LogonConcluded]) -> None:
        pass

    def _on_record(self, _now: Nanos, event: Message[Any]) -> None:
        self.state.last += 1
        self.state.waiting[self.state.last] = event.body
        self.emit(Note(Letter(self.state.last, event.body)))

    def _on_taken(self, _now: Nanos, event: Message[Taken]) -> None:
        waiting = self.state.waiting
        while waiting and (first := next(iter(waiting))) <= event.body.number:
            del waiting[first]

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {
        Start: _on_nothing,
        Stop: _on_nothing,
        Resume: _on_nothing,
        FromPeer: _on_record,
        SessionOpened: _on_record,
        SessionClosed: _on_record,
        LogonAttempted: _on_record,
        LogonConcluded: _on_nothing,
        Taken: _on_taken,
    }


def speaks_as_the_venue(config: EngineConfig) -> bool:
    """Whether sessions of this engine may be without a dialect of their own."""
    return not config.dialects or any(not session.dialect for session in config.sessions)


def messages_of(config: EngineConfig) -> Any:
    """The kinds of message that an engine's application exchanges, as one type; typed ones need names of their own."""
    dialects = [*config.dialects.values(), *([venue_dialect()] if speaks_as_the_venue(config) else [])]
    typed = dict.fromkeys(kind for dialect in dialects for kind in dialect.typed)
    return Union[(GenericMessage, *typed)]  # built at run time from a tuple


def codec_of(messages: Any) -> Codec:
    """Reads the journal and the snapshots of an engine with a mailbox, whose messages these are."""
    letter = Letter[FromPeer[messages] | SessionOpened | SessionClosed | LogonAttempted]
    return Codec((*records_of(records), FromPeer[messages], ToPeer[messages], letter, Taken))
