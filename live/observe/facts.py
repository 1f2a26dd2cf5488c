"""Facts as flat, named values: what a log line or a counter says of a `Note`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any, Final

from core.auction.facts import CommitmentDefaulted, DepositReturned, OrderAdded
from core.fix.records import (
    InputIgnored,
    LogonRefused,
    MessageDropped,
    MessageRejected,
    OperationDone,
    OperationRefused,
    PeerComplained,
    SessionChanged,
)
from core.identity.records import CommandRefused, LogonDenied, LogonProven, RegistryChanged
from core.kernel.record import Record
from core.maker import IntentDropped, ReportIgnored
from core.market.world import StorageRestored, StorageShort
from core.sequencer.facts import BlockSealed, CancelSequenced, OrderSequenced, ReplaceSequenced
from core.solver.facts import (
    BatchSkipped,
    SolverConnected,
    SolverDisconnected,
    SolverLineRefused,
    VenueLineIgnored,
    VenueRefused,
)
from core.units import SECOND
from live.connection import SlowReaderDropped
from live.doors import ConnectionRefused

_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NESTED: Final[dict[type[Record], dict[str, str]]] = {
    OrderSequenced: {
        "order_id": "order.order_id",
        "owner": "order.owner",
        "cl_ord_id": "order.cl_ord_id",
        "symbol": "order.symbol",
        "side": "order.side",
        "quantity": "order.quantity",
        "limit_price": "order.limit_price",
    },
    OrderAdded: {"order_id": "order.order_id", "owner": "order.owner"},
    CancelSequenced: {"order_id": "cancel.order_id", "owner": "cancel.owner", "cl_ord_id": "cancel.cl_ord_id"},
    ReplaceSequenced: {"order_id": "replace.order_id", "owner": "replace.owner", "cl_ord_id": "replace.cl_ord_id"},
    RegistryChanged: {
        "number": "entry.number",
        "command": "entry.command.__class__.__name__",
        "maker": "entry.command.maker",
        "who": "entry.command.who",
        "why": "entry.command.why",
    },
    BlockSealed: {"height": "header.height", "messages": "header.message_count"},
}

_LEFT_OUT: Final[dict[type[Record], str]] = {BlockSealed: "sequence"}
"""As long as the block, and in the journal."""


class Level(StrEnum):
    """How much a line matters, as log lines name it."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


_LEVELS: Final[Mapping[type[Record], Level]] = {
    **dict.fromkeys(
        (
            SessionChanged,
            OperationDone,
            SolverConnected,
            SolverDisconnected,
            BlockSealed,
            StorageRestored,
            LogonProven,
            RegistryChanged,
        ),
        Level.INFO,
    ),
    **dict.fromkeys(
        (
            BatchSkipped,
            CommandRefused,
            CommitmentDefaulted,
            ConnectionRefused,
            DepositReturned,
            InputIgnored,
            IntentDropped,
            LogonDenied,
            LogonRefused,
            MessageDropped,
            MessageRejected,
            OperationRefused,
            PeerComplained,
            ReportIgnored,
            SlowReaderDropped,
            SolverLineRefused,
            StorageShort,
            VenueLineIgnored,
            VenueRefused,
        ),
        Level.WARNING,
    ),
}


OFTEN: Final = frozenset(
    (
        BatchSkipped,
        ConnectionRefused,
        InputIgnored,
        IntentDropped,
        LogonRefused,
        MessageDropped,
        MessageRejected,
        ReportIgnored,
        SolverLineRefused,
        VenueLineIgnored,
        VenueRefused,
    )
)
"""Facts that a peer can bring about as often as it likes."""


@cache
def event_name(kind: type[Record]) -> str:
    """The stable name of a kind of fact: `OrderSequenced` is `order_sequenced`."""
    return _WORDS.sub("_", kind.__name__).lower()


def level_of(kind: type[Record]) -> Level:
    """What goes wrong, or is refused, is a warning; connections and blocks are information; the rest is detail."""
    return _LEVELS.get(kind, Level.DEBUG)


def fields_of(fact: Record) -> dict[str, Any]:
    """Ids and values of a fact, by the names that it has itself; amounts as text, hashes in hex, spans in seconds."""
    return {name: _plain(name, get(fact)) for name, get in _getters(type(fact))}


@cache
def _getters(kind: type[Record]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    nested = _NESTED.get(kind, {})
    whole = {*(path.partition(".")[0] for path in nested.values()), _LEFT_OUT.get(kind)}
    paths = nested | {name: name for name in kind.__struct_fields__ if name not in whole}
    return tuple((name, attrgetter(path)) for name, path in paths.items())


def _plain(name: str, value: Any) -> Any:
    if name == "lateness":
        return value / SECOND
    if isinstance(value, Decimal | StrEnum):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Record):
        return {"kind": event_name(type(value)), **fields_of(value)}
    return list(value) if isinstance(value, tuple) else value
