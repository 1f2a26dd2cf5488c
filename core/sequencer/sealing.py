"""The sequencer's middle: what has a place goes into the open batch, and the batch becomes a block."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from core.fix.message import FixMessage
from core.fix.records import ToPeer
from core.identity.checking import CheckOrders, OrdersChecked, Signed
from core.kernel.component import Component
from core.kernel.ids import Ids
from core.kernel.record import Call, CancelTimer, Compute, Computed, Message, Note, Reply, Restarted, Send, SetTimer
from core.market.orders import Item, Order
from core.sequencer.batch import OpenBatch
from core.sequencer.block import NO_KEY, signed_bytes
from core.sequencer.facts import BlockSealed, BlockSigned, OrdersVerified
from core.sequencer.held import HELD_MAX, HeldBatch
from core.sequencer.known import KnownIds
from core.sequencer.leaf import Leaf
from core.sequencer.permits import Permit
from core.sequencer.reasons import Reason
from core.sequencer.receipt import ReceiptIssued, ReceiptWanted
from core.sequencer.recent import RecentBlocks
from core.sequencer.reported import ReportedOrder
from core.sequencer.settings import SequencerSettings
from core.sequencer.signing import SIGNER, BlockSignature, SignBlock
from core.sequencer.trust import Trust
from core.units import Nanos

FIX: Final = "fix"
AUCTION: Final = "auction"
WINDOW: Final = "window"
"""The timer of the block. All others are checks', by the heights of their blocks."""


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
    held: list[HeldBatch] = []
    """Sealed batches that the auction has not got yet, oldest first; at most `HELD_MAX`."""
    trust: Trust = msgspec.field(default_factory=Trust)


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
        """Seal the batch, have the block signed and its messages checked, and hand these to the auction."""
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
        self._hold(now, HeldBatch(sealed.batch, sealed.signed))
        self.arm()

    def arm(self) -> None:
        """Set the timer to the end of the window."""
        state, due = self.state, self.state.batch.due
        if due != state.armed:
            state.armed = due
            self.emit(CancelTimer(WINDOW) if due is None else SetTimer(WINDOW, due))

    # --- checks --------------------------------------------------------------------------------------

    def check_overdue(self, now: Nanos, height: int) -> None:
        """The check of a block takes too long."""
        self._give_up(now, next(it for it in self.state.held if it.batch.height == height))
        self._release()

    def _on_restarted(self, now: Nanos, _event: Restarted) -> None:
        """Checks that ended with a process have begun anew, and have as long again."""
        for held in self.state.held:
            if held.job:
                self._await(now, held)

    def _hold(self, now: Nanos, held: HeldBatch) -> None:
        """Queue a batch, and hand over what need not wait."""
        self.state.held.append(held)
        if held.signed:
            self._ask(now, held)
        if len(self.state.held) > HELD_MAX:
            self._give_up(now, self.state.held[0])
        self._release()

    def _ask(self, now: Nanos, held: HeldBatch) -> None:
        held.job = self.state.ids.next("C")
        self.emit(Compute(held.job, CheckOrders(tuple(held.signed.values()))))
        self._await(now, held)

    def _await(self, now: Nanos, held: HeldBatch) -> None:
        self.emit(SetTimer(str(held.batch.height), now + self.settings.check_timeout))

    def _on_checked(self, now: Nanos, event: Computed[OrdersChecked]) -> None:
        """An answer that was waited for no longer changes nothing."""
        held = next((it for it in self.state.held if event.job_id == it.job), None)
        if held is not None:
            places = list(held.signed)
            culprits = tuple(places[culprit] for culprit in event.result.culprits)
            self.state.trust.distrust(now, held.owners(culprits))
            self._settle(now, held, culprits, Reason.BAD_ORDER_SIGNATURE if culprits else None)
            self._release()

    def _give_up(self, now: Nanos, held: HeldBatch) -> None:
        self._settle(now, held, tuple(held.signed), Reason.UNCHECKED_SIGNATURE)

    def _settle(self, now: Nanos, held: HeldBatch, refused: tuple[int, ...], reason: Reason | None) -> None:
        height, closed_at = held.batch.height, held.batch.closed_at
        self.emit(CancelTimer(str(height)))
        self.emit(Note(OrdersVerified(height, len(held.signed), refused, now - closed_at, reason)))
        self.state.trust.settle(held.owners(held.signed))
        held.settle(refused, reason)

    def _release(self) -> None:
        """Hand over what waits for nothing any more. Who is turned away is told as if the auction had."""
        held = self.state.held
        while held and not held[0].job:
            batch = held.pop(0)
            for answer in batch.turned_away():
                self.emit(Note(answer))
                self.emit(Send(self.name, answer))
            self.emit(Send(AUCTION, batch.rest()))

    # --- receipts ------------------------------------------------------------------------------------

    def _on_signature(self, _now: Nanos, event: Reply[BlockSignature]) -> None:
        signed = event.body
        self.state.recent.sign(signed.height, signed.signature)
        self.emit(Note(BlockSigned(signed.height, signed.signature)))

    def _on_receipt_wanted(self, _now: Nanos, event: Message[ReceiptWanted]) -> None:
        order_id = event.body.order_id
        self.emit(Send(event.src, ReceiptIssued(order_id, self.state.recent.receipt(order_id))))
