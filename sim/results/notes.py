"""The rows of `notes`: any fact, known here or not, with the ids that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from operator import attrgetter
from typing import Any, Final

import msgspec

from core.auction.facts import OrderAdded
from core.index.chain_log import IndexBlockSealed
from core.kernel.record import Record
from core.market.ledger import Transferred
from core.sequencer.facts import BlockSealed, CancelSequenced, OrderSequenced, ReplaceSequenced
from sim.results.facts import Noted
from sim.results.rows import NoteRow

_SUBJECTS: Final = {"order_id": str, "commitment_id": str, "solver": str, "height": int, "reason": str}
_NESTED: Final[dict[type[Record], dict[str, str]]] = {
    OrderSequenced: {"order_id": "order.order_id"},
    OrderAdded: {"order_id": "order.order_id"},
    CancelSequenced: {"order_id": "cancel.order_id"},
    ReplaceSequenced: {"order_id": "replace.order_id"},
    BlockSealed: {"height": "header.height"},
    IndexBlockSealed: {"height": "block.height"},
}
_ACCOUNTS: Final = {"order": "order_id", "escrow": "commitment_id", "solver": "solver", "bond": "solver"}


def note_rows(notes: Iterable[Noted]) -> list[NoteRow]:
    """One row per fact."""
    encode = msgspec.json.Encoder().encode
    return [
        NoteRow(
            seq=noted.seq,
            time=noted.time,
            node=noted.node,
            component=noted.component,
            kind=type(noted.fact).__name__,
            detail=encode(noted.fact).decode(),
            **_subjects(noted.fact),
        )
        for noted in notes
    ]


def _subjects(fact: Record) -> dict[str, Any]:
    found = {name: get(fact) for name, get in _getters(type(fact))}
    if isinstance(fact, Transferred):
        for account in (fact.src, fact.dst):
            kind, _, owner = account.partition(":")
            if kind in _ACCOUNTS:
                found[_ACCOUNTS[kind]] = owner
    return {name: value for name, value in found.items() if isinstance(value, _SUBJECTS[name])}


@cache
def _getters(kind: type[Record]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    paths = {name: name for name in _SUBJECTS if name in kind.__struct_fields__} | _NESTED.get(kind, {})
    return tuple((name, attrgetter(path)) for name, path in paths.items())
