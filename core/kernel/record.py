"""Everything that crosses a component boundary: one immutable record type, the events and the effects.

A record compares by value and has exactly one byte encoding (a tagged msgpack map), so the same
definition serves as the in-memory message, the journal entry, the digest input and the wire form.
"""

from __future__ import annotations

from typing import Any, Generic, TypeAlias, TypeVar, final

import msgspec

from core.units import Nanos

Body = TypeVar("Body")


class Record(msgspec.Struct, frozen=True, gc=False, tag=True, omit_defaults=True):
    """An immutable message. Fields are ints, strs, bytes, Decimals, bools, enums, tuples and Records."""


# --- events: what has happened -------------------------------------------------------------------


class Start(Record, frozen=True):
    """The first event of every component, once."""


class Stop(Record, frozen=True):
    """The node is asked to wind down: say goodbye to peers, take no new work."""


class Resume(Record, frozen=True):
    """The node that was asked to wind down is up again: take new work. Follows a `Stop`, perhaps years later."""


class Restarted(Record, frozen=True):
    """The node was down, and what this component has asked for by `Compute` or `Call` is asked again, under its name.
    Ahead of all that is overdue, and only for a component that handles it and waits for an answer.
    """


class TimerFired(Record, frozen=True):
    """A timer's deadline `at` has passed. The delivery time may be later; it is never earlier."""

    key: str
    at: Nanos


class Message(Record, Generic[Body], frozen=True):
    """A record from another component of this node (or from the world that a driver models)."""

    src: str
    body: Body


class Connected(Record, frozen=True):
    """A connection is open. `peer` describes the other end for people, and proves nothing.

    `door` says by which of a component's doors it came; it is empty where there is one.
    """

    conn: str
    peer: str
    door: str = ""


class Bytes(Record, frozen=True):
    """Data arrived on a connection, in order, cut anywhere."""

    conn: str
    data: bytes


class Disconnected(Record, frozen=True):
    """A connection is gone, or could not be opened. Nothing more arrives on it."""

    conn: str
    reason: str


class Reply(Record, Generic[Body], frozen=True):
    """The answer to a `Call`."""

    call_id: str
    body: Body


class Computed(Record, Generic[Body], frozen=True):
    """The result of a `Compute`."""

    job_id: str
    result: Body


# --- effects: what is to be done -----------------------------------------------------------------


@final
class SetTimer(Record, frozen=True):
    """Arm the timer `key` of this component, replacing its earlier deadline."""

    key: str
    at: Nanos


@final
class CancelTimer(Record, frozen=True):
    """Disarm the timer `key` of this component, if armed."""

    key: str


@final
class Send(Record, Generic[Body], frozen=True):
    """Deliver `body` to component `dst` of this node, as a `Message`."""

    dst: str
    body: Body


class Connect(Record, frozen=True):
    """Open a connection to `address`; answered by `Connected` or `Disconnected` for `conn`."""

    conn: str
    address: str


class Transmit(Record, frozen=True):
    """Write bytes to a connection, after all that was written before."""

    conn: str
    data: bytes


class Close(Record, frozen=True):
    """Close a connection once what was written has left. No event of it follows, not even what had arrived."""

    conn: str
    reason: str


class Call(Record, Generic[Body], frozen=True):
    """Ask a service outside (a venue's REST, a chain's RPC); answered by `Reply`."""

    service: str
    call_id: str
    body: Body


class Compute(Record, Generic[Body], frozen=True):
    """Run the pure, CPU-heavy solve that `problem` describes; answered by `Computed`."""

    job_id: str
    problem: Body


class Note(Record, Generic[Body], frozen=True):
    """State a fact that a person or an analysis wants to know. Changes nothing."""

    fact: Body


Event: TypeAlias = (
    Start
    | Stop
    | Resume
    | Restarted
    | TimerFired
    | Message[Any]
    | Connected
    | Bytes
    | Disconnected
    | Reply[Any]
    | Computed[Any]
)
Outward: TypeAlias = Connect | Transmit | Close | Call[Any] | Compute[Any] | Note[Any]
"""Effects that leave the node: the driver performs them after the pump's inputs are journaled."""
Effect: TypeAlias = SetTimer | CancelTimer | Send[Any] | Outward
