"""The batch being filled: what it holds, when it is due, and the block that it becomes.

It closes when full or when the window of its first message is over, whichever is first, so it never
holds more than `batch_messages` and needs no other bound. A window in which nothing came is skipped,
or sealed as an empty block after `empty_windows_per_block` of them.
"""

from __future__ import annotations

import msgspec

from core.kernel.record import Record
from core.market.orders import Batch, CancelOrder, Order
from core.sequencer.block import NO_BLOCK, VERSION, Leaf, block_hash, encode_leaf
from core.sequencer.facts import BlockHeader
from core.sequencer.merkle import root
from core.sequencer.settings import SequencerSettings
from core.sequencer.window import window_at, window_end
from core.units import Nanos


class Sealed(Record, frozen=True):
    """A finished block: its header, the header's hash, and what the auction gets of it."""

    header: BlockHeader
    block_hash: bytes
    batch: Batch


class OpenBatch(msgspec.Struct):
    """The messages sequenced since the newest block, and where that block stands in the chain."""

    anchor: Nanos = 0
    opened_at: Nanos = 0
    due: Nanos | None = None
    """When to seal at the latest; None while nothing waits to be sealed."""
    height: int = 0
    head: bytes = NO_BLOCK
    leaves: list[Leaf] = []
    items: list[Order | CancelOrder] = []

    def open(self, now: Nanos, settings: SequencerSettings) -> None:
        """Begin to take messages; windows are anchored to `now` for good."""
        self.anchor = self.opened_at = now
        self._set_due(settings)

    def reopen(self, now: Nanos, settings: SequencerSettings) -> None:
        """Take messages again after a stop. Windows stay anchored; the next block covers the time between too."""
        assert not self.leaves, "a stop seals what is pending"
        if settings.empty_windows_per_block:
            self._skip_to(window_at(self.anchor, settings.batch_window, now), settings)

    def add(self, leaf: Leaf, item: Order | CancelOrder, settings: SequencerSettings) -> None:
        """Append one message. Its place in the block is final."""
        self.leaves.append(leaf)
        self.items.append(item)
        if len(self.leaves) == 1:
            self._set_due(settings)

    def seal(self, now: Nanos, settings: SequencerSettings) -> Sealed:
        """Close the batch as the next block of the chain and open the one after it."""
        self.height += 1
        header = BlockHeader(
            version=VERSION,
            height=self.height,
            previous_hash=self.head,
            opened_at=self.opened_at,
            closed_at=now,
            message_count=len(self.leaves),
            message_root=root([encode_leaf(leaf) for leaf in self.leaves]),
        )
        self.head = block_hash(header)
        sealed = Sealed(header, self.head, Batch(self.height, now, tuple(self.items)))
        self.leaves, self.items, self.opened_at = [], [], now
        self._set_due(settings)
        return sealed

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
