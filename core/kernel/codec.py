"""Reads back what a journal or snapshot holds, given the record types that components exchange."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Union

import msgspec

from core.kernel.journal import Delivered
from core.kernel.reader import Delivery
from core.kernel.record import (
    Bytes,
    Call,
    CancelTimer,
    Close,
    Compute,
    Computed,
    Connect,
    Connected,
    Disconnected,
    Effect,
    Event,
    Message,
    Note,
    Record,
    Reply,
    Restarted,
    Resume,
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
    Transmit,
)


class Codec:
    """Typed decoding for one set of message bodies, notes and problems.

    The kernel knows only the envelopes; what travels inside them is named by the wiring.
    """

    def __init__(self, bodies: tuple[type[Record], ...]) -> None:
        body: Any = Union[bodies]  # noqa: UP007  # built at run time from a tuple
        event: Any = (
            Start
            | Stop
            | Resume
            | Restarted
            | TimerFired
            | Message[body]
            | Connected
            | Bytes
            | Disconnected
            | Reply[body]
            | Computed[body]
        )
        effect: Any = (
            SetTimer | CancelTimer | Send[body] | Connect | Transmit | Close | Call[body] | Compute[body] | Note[body]
        )
        self.events: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(event)
        self.effects: msgspec.msgpack.Decoder[list[Effect]] = msgspec.msgpack.Decoder(list[effect])
        self._frames: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(tuple[int, str, event, list[effect]])

    def delivered(self, delivery: Delivery) -> Delivered:
        """What a delivery frame says. Raises msgspec.DecodeError for a record type this codec lacks."""
        decoded: Delivered = self._frames.decode(delivery.payload)
        return decoded


def records_of(module: ModuleType) -> list[type[Record]]:
    """The records that a module defines, generic ones left to be named with what they carry."""
    return [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Record)
        and kind.__module__ == module.__name__
        and not getattr(kind, "__parameters__", ())
    ]


def encode(value: object) -> bytes:
    """The canonical bytes of a record, or of plain data made of records."""
    return msgspec.msgpack.encode(value)
