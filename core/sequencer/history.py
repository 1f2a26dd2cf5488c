"""Blocks told again from a journal: with all that they commit to, and the state roots that its events give."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from core.fix.records import FromPeer, SessionClosed
from core.kernel.record import Effect, Event, Message, Note, Record
from core.sequencer.block import Block
from core.sequencer.booklog import EMPTY, OUTCOMES, with_message, with_outcome
from core.sequencer.chain import Rebuilt, is_unsigned
from core.sequencer.facts import SEQUENCED, BlockSealed, BlockSigned, Sequenced, item_of
from core.sequencer.leaf import NO_MESSAGE, Leaf, acknowledgement, encode_acknowledgement, encode_leaf
from core.units import Nanos

SEQUENCER: Final = "sequencer"


class History:
    """A venue's deliveries in, its blocks out.

    Nothing is taken from a header: leaves and acknowledgements are those of the messages that came, in the order that
    the block states, so that a header that says otherwise is found out. A block that will be signed comes out once
    its signature does, and holds up those after it.

    Of deliveries whose beginning is gone the first block comes out if all of its messages are there, and what had come
    of the order book by then is as that block says.
    """

    def __init__(self, *, is_pruned: bool = False) -> None:
        self._is_pruned = is_pruned
        self._log = EMPTY
        self._flaw = ""
        self._open: dict[int, tuple[bytes, bytes]] = {}
        self._sealed: deque[Rebuilt] = deque()

    def take(self, now: Nanos, dst: str, event: Event, effects: Sequence[Effect]) -> Iterator[Rebuilt]:
        """Add the next delivery; yields the blocks that are whole with it."""
        if dst != SEQUENCER:
            return
        body = event.body if isinstance(event, Message) else None
        if isinstance(body, OUTCOMES):
            self._log = with_outcome(self._log, body)
        for fact in (effect.fact for effect in effects if isinstance(effect, Note)):
            if isinstance(fact, SEQUENCED):
                self._place(now, body, fact)
            elif isinstance(fact, BlockSealed):
                self._seal(fact)
            elif isinstance(fact, BlockSigned):
                self._sign(fact)
        yield from self._whole()

    def rest(self) -> Iterator[Rebuilt]:
        """The blocks whose signatures never came, and those after them."""
        yield from self._sealed

    def _place(self, now: Nanos, body: Record | None, fact: Sequenced) -> None:
        if not isinstance(body, FromPeer | SessionClosed):
            self._flaw = f"number {fact.global_seq} in sequence is of no message that came"
            return
        raw_hash = body.raw_hash if isinstance(body, FromPeer) else NO_MESSAGE
        try:
            message = encode_leaf(Leaf(fact.global_seq, now, body.session, raw_hash))
            told = encode_acknowledgement(acknowledgement(fact.global_seq, item_of(fact)))
        except struct.error:
            self._flaw = f"number {fact.global_seq} in sequence, or what it names, has no place in a block"
            return
        self._open[fact.global_seq] = message, told
        self._log = with_message(self._log, message, told)

    def _seal(self, fact: BlockSealed) -> None:
        sequence = fact.sequence if sorted(fact.sequence) == sorted(self._open) else tuple(self._open)
        placed = [self._open[global_seq] for global_seq in sequence]
        block = Block(fact.header, tuple(leaf for leaf, _ in placed), tuple(told for _, told in placed))
        self._open.clear()
        flaw, self._flaw = self._flaw, ""
        if self._is_pruned:
            self._is_pruned, self._log = False, fact.header.state_root
            if not flaw and len(placed) < fact.header.message_count:
                return
        self._sealed.append(Rebuilt(block, self._log, flaw))

    def _sign(self, fact: BlockSigned) -> None:
        for at, rebuilt in enumerate(self._sealed):
            if rebuilt.block.header.height == fact.height:
                self._sealed[at] = replace(rebuilt, block=replace(rebuilt.block, signature=fact.signature))

    def _whole(self) -> Iterator[Rebuilt]:
        while self._sealed:
            if is_unsigned(self._sealed[0].block):
                return
            yield self._sealed.popleft()
