"""What the door and the agents state, as `Note`s."""

from __future__ import annotations

from enum import StrEnum

from core.kernel.record import Record
from core.units import Nanos


class LineRefusal(StrEnum):
    """Why a line, or a whole connection, was refused by the venue."""

    MALFORMED = "malformed"
    """Not a JSON object of this protocol, or a field out of its bounds."""
    LINE_TOO_LONG = "line_too_long"
    """Over `LINE_BYTES_MAX`; it was dropped up to its end."""
    NOT_HELLO = "not_hello"
    """The first line of a connection was something else."""
    VERSION = "version"
    """The hello is of another protocol version."""
    UNAUTHORISED = "unauthorised"
    """No such solver, or not its token; which of both is not said."""
    HELLO_TIMEOUT = "hello_timeout"
    """No hello came in time."""
    TOO_MANY_CONNECTIONS = "too_many_connections"
    """The door is full."""
    SILENT = "silent"
    """Nothing was heard for long, and a `Ping` was not answered."""
    WRONG_DOOR = "wrong_door"
    """The line goes by another of the three doors, or the venue has no such door."""
    NO_ORDERS_CONNECTION = "no_orders_connection"
    """Bids of a solver that could not hear of an award: it is not connected to the door `orders`."""
    STOPPED = "stopped"
    """The venue is winding down and lets nobody in."""


class SolverConnected(Record, frozen=True):
    """A solver proved who it is on `conn`. `door` is empty where one connection is for everything."""

    solver: str
    conn: str
    door: str = ""


class SolverDisconnected(Record, frozen=True):
    """A solver's connection is gone: its own doing (as the driver says), `replaced`, `strikes` or `silent`."""

    solver: str
    reason: str
    door: str = ""


class SolverLineRefused(Record, frozen=True):
    """A line counted for nothing. `solver` is empty before the hello."""

    conn: str
    solver: str
    reason: str


class BidsSent(Record, frozen=True):
    """A solver answered a batch with `count` bids, before the deadline by its own clock."""

    solver: str
    height: int
    count: int
    sent_at: Nanos


class BatchSkipped(Record, frozen=True):
    """A solver did not answer a batch: `busy`, `late`, or `offline`."""

    solver: str
    height: int
    reason: str


class AwardDecided(Record, frozen=True):
    """A solver pays for a commitment, or does not."""

    solver: str
    commitment_id: str
    pays: bool


class VenueLineIgnored(Record, frozen=True):
    """The venue said what the solver cannot use: `malformed`, `line_too_long`, `unexpected`, or `too_many_awards`."""

    solver: str
    reason: str


class VenueRefused(Record, frozen=True):
    """The venue did not accept a line, bid or deposit of this solver, for its own reason code."""

    solver: str
    what: str
    reason: str
