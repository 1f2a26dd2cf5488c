"""The sequencer's middle: what has a place goes into the open batch, and the batch becomes a block."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from core.fix.message import FixMessage
from core.fix.records import ToPeer
from core.kernel.component import Component
from core.kernel.ids import Ids
from core.kernel.record import Call, CancelTimer, Message, Note, Reply, Send, SetTimer
from core.market.orders import Item, Order
from core.sequencer.batch import OpenBatch
from core.sequencer.block import NO_KEY, signed_bytes
from core.sequencer.facts import BlockSealed, BlockSigned
from core.sequencer.known import KnownIds
from core.sequencer.leaf import Leaf
from core.sequencer.permits import Permit
from core.sequencer.receipt import ReceiptIssued, ReceiptWanted
from core.sequencer.recent import RecentBlocks
from core.sequencer.reported import ReportedOrder
from core.sequencer.settings import SequencerSettings
from core.sequencer.signing import SIGNER, BlockSignature, SignBlock
from core.units import Nanos

FIX: Final = "fix"
AUCTION: Final = "auction"
_WINDOW: Final = "window"


class SequencerState(msgspec.Struct):
    """Everything that a sequencer remembers: one batch, the newest blocks, and per owner live orders and ids used."""

    ids: Ids = msgspec.field(default_factory=Ids)
    global_seq: int = 0
    """The place of the newest message; the first one has 1."""
    stopping: bool = False
    storage_short: bool = False
    batch: OpenBatch = msgspec.field(default_factory=OpenBatch)
    armed: Nanos | None = None
    """The deadline of the window's timer."""
    recent: RecentBlocks = msgspec.field(default_factory=RecentBlocks)
    live: dict[str, ReportedOrder] = {}
    """Orders until their end, by order id; each owner has at most `LIVE_ORDERS_MAX`."""
    known: dict[str, KnownIds] = {}
    """By owner."""
    permits: dict[str, Permit] = {}
    """By owner, of those who have logged on with a key."""


class Sealing(Component[SequencerState]):
    """A sequencer without peers and without an auction to hear from."""

    __slots__ = ("settings",)

    def __init__(self, name: str, settings: SequencerSettings) -> None:
        super().__init__(name, SequencerState())
        self.settings = settings

    def known(self, owner: str) -> KnownIds:
        """The names that an owner has used."""
        known = self.state.known.get(owner)
        if known is None:
            known = self.state.known[owner] = KnownIds()
        return known

    def tell(self, owner: str, message: FixMessage) -> None:
        """Send an owner a message."""
        self.emit(Send(FIX, ToPeer(owner, message)))

    def place(self, now: Nanos, owner: str, raw_hash: bytes, item: Item) -> int:
        """Give `item`, which the owner's message of that hash asks for, its place. Returns it."""
        state = self.state
        state.global_seq += 1
        state.batch.add(Leaf(state.global_seq, now, owner, raw_hash), item, self.settings)
        self.arm()
        return state.global_seq

    def close_full(self, now: Nanos) -> None:
        """Seal the batch if it has room for no more."""
        if len(self.state.batch.leaves) >= self.settings.batch_messages:
            self.close(now, "full", 0)

    def close_overdue(self, now: Nanos) -> None:
        """Seal the batch if its window is over."""
        batch = self.state.batch
        if batch.due is not None and now >= batch.due:
            self.close(now, "window" if batch.leaves else "empty", now - batch.due)

    def close(self, now: Nanos, trigger: Literal["full", "window", "empty", "stop"], lateness: Nanos) -> None:
        """Seal the batch, have the block signed, and hand its content to the auction."""
        state, settings = self.state, self.settings
        sealed = state.batch.seal(now, settings)
        header = sealed.block.header
        state.recent.keep(sealed.block, sealed.batch.items, settings.receipt_blocks)
        for index, item in enumerate(sealed.batch.items):
            live = state.live.get(item.order_id) if isinstance(item, Order) else None
            if live is not None:
                live.place = header.height, index
        self.emit(Note(BlockSealed(header, sealed.block_hash, trigger, lateness, sealed.sequence)))
        if header.key_id != NO_KEY:
            wanted = SignBlock(header.height, header.key_id, signed_bytes(sealed.block_hash))
            self.emit(Call(SIGNER, f"block-{header.height}", wanted))
        self.emit(Send(AUCTION, sealed.batch))
        self.arm()

    def arm(self) -> None:
        """Set the timer to the end of the window."""
        state, due = self.state, self.state.batch.due
        if due != state.armed:
            state.armed = due
            self.emit(CancelTimer(_WINDOW) if due is None else SetTimer(_WINDOW, due))

    def _on_signature(self, _now: Nanos, event: Reply[BlockSignature]) -> None:
        signed = event.body
        self.state.recent.sign(signed.height, signed.signature)
        self.emit(Note(BlockSigned(signed.height, signed.signature)))

    def _on_receipt_wanted(self, _now: Nanos, event: Message[ReceiptWanted]) -> None:
        order_id = event.body.order_id
        self.emit(Send(event.src, ReceiptIssued(order_id, self.state.recent.receipt(order_id))))
