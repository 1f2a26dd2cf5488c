"""The rows of `placements`: the fairness ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from core.market.orders import Item, Order
from core.sequencer.facts import SEQUENCED, BlockSealed, Sequenced, item_of
from core.sequencer.fairness import displacements
from core.sequencer.leaf import kind_of
from core.units import Nanos
from sim.results.facts import Noted
from sim.results.fold import Fold
from sim.results.rows import PlacementRow


class Placements(Fold[PlacementRow]):
    """One row per message of a sealed block, in block order."""

    def __init__(self, orders: Mapping[str, Order]) -> None:
        super().__init__(orders)
        self.arrived: dict[int, tuple[Nanos, Item]] = {}

    def _on_sequenced(self, noted: Noted, fact: Sequenced) -> None:
        self.arrived[fact.global_seq] = noted.time, item_of(fact)

    def _on_sealed(self, _noted: Noted, fact: BlockSealed) -> None:
        sequence = fact.sequence or tuple(self.arrived)
        ranks = {seq: rank for rank, seq in enumerate(self.arrived)}
        behind = displacements([ranks[seq] for seq in sequence])
        for index, seq in enumerate(sequence):
            at, item = self.arrived[seq]
            row = PlacementRow(
                height=fact.header.height,
                index=index,
                global_seq=seq,
                participant=item.owner,
                order_id=item.order_id,
                kind=kind_of(item),
                received_time=at,
                displacement=behind[index],
            )
            self.rows.append(row)
        self.arrived = {}

    HANDLERS: ClassVar = {**dict.fromkeys(SEQUENCED, _on_sequenced), BlockSealed: _on_sealed}
