"""The sequencer's middle: what has a place goes into the open batch, and the batch becomes a block."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from core.fix.message import FixMessage
from core.fix.records import ToPeer
from core.identity.checking import Signed
from core.kernel.component import Component
from core.kernel.ids import Ids
from core.kernel.record import Call, CancelTimer, Message, Note, Reply, Send, SetTimer
from core.market.orders import Item, Order
from core.sequencer.apart import Turns
from core.sequencer.batch import OpenBatch, Sealed
from core.sequencer.block import NO_KEY, signed_bytes
from core.sequencer.facts import BlockSealed, BlockSigned
from core.sequencer.held import GivenUp, HeldBatch
from core.sequencer.known import KnownIds
from core.sequencer.leaf import Leaf
from core.sequencer.permits import Permit
from core.sequencer.receipt import ReceiptIssued, ReceiptWanted
from core.sequencer.recent import RecentBlocks
from core.sequencer.reported import ReportedOrder
from core.sequencer.settings import SequencerSettings
from core.sequencer.signing import SIGNER, BlockSignature, SignBlock
from core.sequencer.trust import Trust
from core.units import Nanos

FIX: Final = "fix"
WINDOW: Final = "window"
"""The timer of the block. All others are those of checks."""
Trigger: TypeAlias = Literal["full", "window", "empty", "stop"]


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
    opened: dict[str, str] = {}
    """By owner, the connection that its session was last logged on by."""
    held: list[HeldBatch] = []
    """Sealed batches that the auction has not got yet, oldest first. Each waits for `check_timeout` at most. Orders end
    and requests are answered once the auction has them, so together they have a few messages for each order that may be
    live."""
    turns: Turns = msgspec.field(default_factory=Turns)
    """What is checked apart, of those batches and of earlier ones."""
    late: list[Item] = []
    """What was checked too late for its own batch, and goes with the next."""
    given_up: dict[str, GivenUp] = {}
    """By job: checks that are waited for no longer; at most `GIVEN_UP_MAX`."""
    trust: Trust = msgspec.field(default_factory=Trust)

    @property
    def checks(self) -> int:
        """How much has a place and has not reached the auction, in batches and parts of them."""
        return len(self.held) + len(self.turns) + bool(self.late)


class Sealing(Component[SequencerState]):
    """A sequencer without peers and without an auction."""

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

    def place(self, now: Nanos, owner: str, raw_hash: bytes, item: Item, signed: Signed | None = None) -> int:
        """Give `item`, which the owner's message of that hash asks for, its place. Returns it.

        What is `signed` reaches the auction once it is checked.
        """
        state = self.state
        state.global_seq += 1
        state.batch.add(Leaf(state.global_seq, now, owner, raw_hash), item, self.settings, signed)
        if signed is not None:
            state.trust.wait_for(owner)
        self.arm()
        return state.global_seq

    def seal(self, now: Nanos, trigger: Trigger, lateness: Nanos) -> Sealed:
        """Make a block of the batch, and have it signed."""
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
        return sealed

    def arm(self) -> None:
        """Set the timer to the end of the window. A venue that stops opens no more windows."""
        state = self.state
        if state.stopping:
            state.batch.due = None
        due = state.batch.due
        if due != state.armed:
            state.armed = due
            self.emit(CancelTimer(WINDOW) if due is None else SetTimer(WINDOW, due))

    # --- receipts ------------------------------------------------------------------------------------

    def _on_signature(self, _now: Nanos, event: Reply[BlockSignature]) -> None:
        signed = event.body
        self.state.recent.sign(signed.height, signed.signature)
        self.emit(Note(BlockSigned(signed.height, signed.signature)))

    def _on_receipt_wanted(self, _now: Nanos, event: Message[ReceiptWanted]) -> None:
        order_id = event.body.order_id
        self.emit(Send(event.src, ReceiptIssued(order_id, self.state.recent.receipt(order_id))))
