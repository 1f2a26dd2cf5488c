"""From the blocks of the chain to rows: one for each event."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, ClassVar

from core.index.chain import BurnIndex, ChainDeed, MintIndex, RecordInvoice, SetSolverWeights, order_of
from core.index.chain_log import IndexBlockSealed, index_block_hash
from core.kernel.codec import encode
from sim.results.desk.rows import ChainEventRow
from sim.results.facts import Noted
from sim.results.fold import Fold


def kind_of(did: ChainDeed) -> str:
    """What an event is called in tables, and its key begins with."""
    return did.key.partition(":")[0]


class ChainEvents(Fold[ChainEventRow]):
    """Fills `chain_events`."""

    def _on_sealed(self, noted: Noted, fact: IndexBlockSealed) -> None:
        block_hash = index_block_hash(fact.block).hex()
        for index, event in enumerate(fact.events):
            row = ChainEventRow(
                time=noted.time,
                height=fact.block.height,
                index=index,
                kind=kind_of(event.did),
                key=event.did.key,
                order_id=order_of(event.did) or None,
                symbol=event.did.symbol,
                asked_time=event.at,
                event_hash=sha256(encode(event)).hexdigest(),
                block_hash=block_hash,
            )
            _fill(row, event.did)
            self.rows.append(row)

    HANDLERS: ClassVar[dict[Any, Any]] = {IndexBlockSealed: _on_sealed}


def _fill(row: ChainEventRow, did: ChainDeed) -> None:
    """What only some events have."""
    if isinstance(did, SetSolverWeights):
        row.price, row.version = did.price, did.version
        return
    row.user = did.user
    if isinstance(did, RecordInvoice):
        return
    row.quantity = did.quantity
    if isinstance(did, MintIndex | BurnIndex):
        row.amount_paid, row.price = did.amount_paid, did.execution_price
    if isinstance(did, MintIndex):
        row.payment_id = did.payment_id
