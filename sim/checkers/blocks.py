"""The chain of blocks: heights without a gap, each linked to the one before, every accepted message in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from core.kernel.record import Record
from core.sequencer.block import NO_BLOCK, block_hash
from core.sequencer.facts import BlockSealed, CancelSequenced, OrderSequenced
from sim.checkers import Checker


class BlockChain(Checker):
    """Numbers in sequence are given out without gap, and as many messages are sealed as were sequenced."""

    name = "block chain"

    def __init__(self) -> None:
        self._height, self._hash = 0, NO_BLOCK
        self._sequenced = self._sealed = 0

    def _on_sequenced(self, fact: OrderSequenced | CancelSequenced) -> None:
        self._sequenced += 1
        if fact.global_seq != self._sequenced:
            self.violated(f"sequence {fact.global_seq} follows {self._sequenced - 1}")

    def _on_sealed(self, fact: BlockSealed) -> None:
        header = fact.header
        if header.height != self._height + 1:
            self.violated(f"block {header.height} follows {self._height}")
        if header.previous_hash != self._hash:
            self.violated(f"block {header.height} does not link to the hash of block {self._height}")
        if fact.block_hash != block_hash(header):
            self.violated(f"block {header.height} has a hash that is not its header's")
        self._height, self._hash = header.height, fact.block_hash
        self._sealed += header.message_count
        if self._sealed > self._sequenced:
            self.violated(f"{self._sealed} messages sealed, {self._sequenced} sequenced")

    def finish(self) -> None:
        """Nothing accepted may be left outside a block."""
        if self._sealed != self._sequenced:
            self.violated(f"{self._sequenced} sequenced, {self._sealed} sealed")

    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        OrderSequenced: _on_sequenced,
        CancelSequenced: _on_sequenced,
        BlockSealed: _on_sealed,
    }
