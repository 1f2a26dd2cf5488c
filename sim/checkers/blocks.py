"""The chain of blocks: heights without a gap, each linked to the one before, every accepted message in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from core.fix.records import FromPeer, SessionClosed
from core.kernel.record import Event, Message, Record
from core.merkle import root
from core.sequencer.block import NO_BLOCK, block_hash
from core.sequencer.booklog import EMPTY, OUTCOMES, with_message, with_outcome
from core.sequencer.facts import SEQUENCED, BlockSealed, Sequenced, item_of
from core.sequencer.leaf import NO_MESSAGE, Leaf, acknowledgement, encode_acknowledgement, encode_leaf
from core.units import Nanos
from sim.checkers import Checker


class BlockChain(Checker):
    """Numbers in sequence are given out without gap, and as many messages are sealed as were sequenced.

    The roots of each block commit to the messages that the FIX engine handed over since the block before, in the
    order that it states, to what their owners were told, and to all that happened to orders before.
    """

    name = "block chain"

    def __init__(self) -> None:
        self._height, self._hash = 0, NO_BLOCK
        self._sequenced = self._sealed = 0
        self._received: tuple[Nanos, str, bytes] = (0, "", b"")
        self._open: dict[int, tuple[bytes, bytes]] = {}
        self._log = EMPTY

    def receives(self, now: Nanos, dst: str, event: Event) -> None:
        """Remember what the sequencer is about to place, and what it is told of orders."""
        if dst != "sequencer" or not isinstance(event, Message):
            return
        if isinstance(event.body, FromPeer):
            self._received = now, event.body.session, event.body.raw_hash
        elif isinstance(event.body, SessionClosed):
            self._received = now, event.body.session, NO_MESSAGE
        elif isinstance(event.body, OUTCOMES):
            self._log = with_outcome(self._log, event.body)

    def _on_sequenced(self, fact: Sequenced) -> None:
        self._sequenced += 1
        if fact.global_seq != self._sequenced:
            self.violated(f"sequence {fact.global_seq} follows {self._sequenced - 1}")
        message = encode_leaf(Leaf(fact.global_seq, *self._received))
        told = encode_acknowledgement(acknowledgement(fact.global_seq, item_of(fact)))
        self._open[fact.global_seq] = message, told
        self._log = with_message(self._log, message, told)

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
        self._check_roots(fact)
        self._open.clear()

    def _check_roots(self, fact: BlockSealed) -> None:
        header, sequence = fact.header, fact.sequence or tuple(self._open)
        if sorted(sequence) != list(self._open):
            self.violated(f"block {header.height} has the sequence of other messages than came")
        messages, told = ([self._open[seq][part] for seq in sequence] for part in (0, 1))
        if header.message_root != root(messages):
            self.violated(f"block {header.height} has a root that is not that of its {len(messages)} messages")
        if header.receipt_root != root(told):
            self.violated(f"block {header.height} has a root that is not that of its acknowledgements")
        if header.state_root != self._log:
            self.violated(f"block {header.height} has a state root that is not that of the orders so far")

    def finish(self) -> None:
        """Nothing accepted may be left outside a block."""
        if self._sealed != self._sequenced:
            self.violated(f"{self._sequenced} sequenced, {self._sealed} sealed")

    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        **dict.fromkeys(SEQUENCED, _on_sequenced),
        BlockSealed: _on_sealed,
    }
