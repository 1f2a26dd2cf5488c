"""The batch being filled: what it holds, when it is due, and the block that it becomes.

It closes when full or when the window of its first message is over, whichever is first, so it never
holds more than `batch_messages` and needs no other bound. A window in which nothing came is skipped, or sealed
as an empty block: after `empty_windows_per_block` of them, or where something waits for the next batch. In which order
its messages stand in the block is decided when it is sealed (`core.sequencer.ordering`).
"""

from __future__ import annotations

import msgspec

from core.identity.checking import Signed
from core.kernel.record import Record
from core.market.orders import Batch, Item
from core.sequencer.block import NO_BLOCK, VERSION, Block, block_hash, roots
from core.sequencer.booklog import EMPTY, Outcome, with_message, with_outcome
from core.sequencer.facts import BlockHeader
from core.sequencer.leaf import Leaf, acknowledgement, encode_acknowledgement, encode_leaf
from core.sequencer.ordering import Arrival, block_order
from core.sequencer.settings import SequencerSettings
from core.sequencer.window import window_at, window_end
from core.units import Nanos


class Sealed(Record, frozen=True):
    """A finished block, its header's hash, what the auction gets of it, and its sequence as `BlockSealed` states it.

    `signed` has what is to be checked before, by place.
    """

    block: Block
    block_hash: bytes
    batch: Batch
    sequence: tuple[int, ...]
    signed: dict[int, Signed]


class OpenBatch(msgspec.Struct):
    """The messages sequenced since the newest block, and where that block stands in the chain."""

    anchor: Nanos = 0
    opened_at: Nanos = 0
    due: Nanos | None = None
    """When to seal at the latest; None while nothing waits to be sealed."""
    height: int = 0
    head: bytes = NO_BLOCK
    leaves: list[Leaf] = []
    items: list[Item] = []
    committed: list[tuple[bytes, bytes]] = []
    """Leaf and acknowledgement of each, as bytes."""
    signed: dict[int, Signed] = {}
    """What is to be checked of signed messages, by their places among the others."""
    log: bytes = EMPTY
    """Head of the log of the order book."""

    def open(self, now: Nanos, settings: SequencerSettings) -> None:
        """Begin to take messages; windows are anchored to `now` for good."""
        self.anchor = self.opened_at = now
        self._set_due(settings)

    def reopen(self, now: Nanos, settings: SequencerSettings) -> None:
        """Take messages again after a stop. Windows stay anchored; the next block covers the time between too."""
        assert not self.leaves, "a stop seals what is pending"
        if settings.empty_windows_per_block:
            self._skip_to(window_at(self.anchor, settings.batch_window, now), settings)

    def add(self, leaf: Leaf, item: Item, settings: SequencerSettings, signed: Signed | None = None) -> None:
        """Append one message, which may be signed. It is in this block for good."""
        message = encode_leaf(leaf)
        told = encode_acknowledgement(acknowledgement(leaf.global_seq, item))
        if signed is not None:
            self.signed[len(self.leaves)] = signed
        self.leaves.append(leaf)
        self.items.append(item)
        self.committed.append((message, told))
        self.log = with_message(self.log, message, told)
        if len(self.leaves) == 1:
            self._set_due(settings)

    def expect(self, now: Nanos, settings: SequencerSettings) -> None:
        """Be a block at the end of this window at the latest, with messages or without."""
        width = settings.batch_window
        end = window_end(self.anchor, width, window_at(self.anchor, width, now))
        self.due = end if self.due is None else min(self.due, end)

    def hear(self, told: Outcome) -> None:
        """Log what the auction made of an order or of a cancel request."""
        self.log = with_outcome(self.log, told)

    def seal(self, now: Nanos, settings: SequencerSettings) -> Sealed:
        """Close the batch as the next block of the chain and open the one after it."""
        arrivals = [Arrival(leaf, item) for leaf, item in zip(self.leaves, self.items, strict=True)]
        order = block_order(settings.ordering, arrivals, self.head)
        block = self._block(now, settings, order)
        self.height, self.head = block.header.height, block_hash(block.header)
        items = tuple(self.items[index] for index in order)
        sequence = tuple(self.leaves[index].global_seq for index in order) if order != sorted(order) else ()
        signed = {place: self.signed[index] for place, index in enumerate(order) if index in self.signed}
        self.leaves, self.items, self.committed, self.signed, self.opened_at = [], [], [], {}, now
        self._set_due(settings)
        return Sealed(block, self.head, Batch(self.height, now, items), sequence, signed)

    def _block(self, now: Nanos, settings: SequencerSettings, order: list[int]) -> Block:
        messages, acknowledgements = (tuple(self.committed[index][part] for index in order) for part in (0, 1))
        message_root, receipt_root = roots(messages, acknowledgements)
        header = BlockHeader(
            version=VERSION,
            height=self.height + 1,
            previous_hash=self.head,
            opened_at=self.opened_at,
            closed_at=now,
            message_count=len(messages),
            message_root=message_root,
            receipt_root=receipt_root,
            state_root=self.log,
            key_id=settings.key_id,
        )
        return Block(header, messages, acknowledgements)

    def _set_due(self, settings: SequencerSettings) -> None:
        width = settings.batch_window
        if self.leaves:
            self.due = window_end(self.anchor, width, window_at(self.anchor, width, self.leaves[0].received_at))
        elif settings.empty_windows_per_block:
            self._skip_to(window_at(self.anchor, width, self.opened_at), settings)
        else:
            self.due = None

    def _skip_to(self, window: int, settings: SequencerSettings) -> None:
        """Wait for as many empty windows as make a block, of which `window` is the first."""
        last = window + settings.empty_windows_per_block - 1
        self.due = window_end(self.anchor, settings.batch_window, last)
