"""The chain of blocks: heights without a gap, each linked to the one before, every accepted message in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from core.fix.records import FromPeer
from core.kernel.record import Event, Message, Record
from core.sequencer.block import NO_BLOCK, Leaf, block_hash, encode_leaf
from core.sequencer.facts import BlockSealed, CancelSequenced, OrderSequenced
from core.sequencer.merkle import root
from core.units import Nanos
from sim.checkers import Checker


class BlockChain(Checker):
    """Numbers in sequence are given out without gap, and as many messages are sealed as were sequenced.

    The root of each block commits to the messages that the FIX engine handed over, in that order.
    """

    name = "block chain"

    def __init__(self) -> None:
        self._height, self._hash = 0, NO_BLOCK
        self._sequenced = self._sealed = 0
        self._received: tuple[Nanos, str, bytes] = (0, "", b"")
        self._leaves: list[bytes] = []

    def receives(self, now: Nanos, dst: str, event: Event) -> None:
        """Remember what the sequencer is about to place."""
        if dst == "sequencer" and isinstance(event, Message) and isinstance(event.body, FromPeer):
            self._received = now, event.body.session, event.body.raw_hash

    def _on_sequenced(self, fact: OrderSequenced | CancelSequenced) -> None:
        self._sequenced += 1
        if fact.global_seq != self._sequenced:
            self.violated(f"sequence {fact.global_seq} follows {self._sequenced - 1}")
        self._leaves.append(encode_leaf(Leaf(fact.global_seq, *self._received)))

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
        if header.message_root != root(self._leaves):
            self.violated(f"block {header.height} has a root that is not that of its {len(self._leaves)} messages")
        self._leaves.clear()

    def finish(self) -> None:
        """Nothing accepted may be left outside a block."""
        if self._sealed != self._sequenced:
            self.violated(f"{self._sequenced} sequenced, {self._sealed} sealed")

    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        OrderSequenced: _on_sequenced,
        CancelSequenced: _on_sequenced,
        BlockSealed: _on_sealed,
    }
