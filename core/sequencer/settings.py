"""What a sequencer is told at construction, in plain numbers."""

from __future__ import annotations

import msgspec

from core.market.orders import Pair
from core.sequencer.block import NO_KEY
from core.sequencer.ordering import Ordering
from core.units import SECOND, Nanos


class SequencerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A batch closes at `batch_messages` or at the end of its window, whichever is first."""

    pairs: tuple[Pair, ...]
    batch_messages: int
    batch_window: Nanos
    empty_windows_per_block: int
    """Seal an empty block after this many window ends in a row with nothing to seal; 0 never does."""
    order_lifetime: Nanos
    """How long an order lives that does not say so itself (TimeInForce Day or GTC)."""
    ordering: Ordering = Ordering()
    receipt_blocks: int = 64
    """Receipts are given at once from so many of the newest blocks."""
    key_id: bytes = NO_KEY
    """The key that the service `signer` signs blocks with; `NO_KEY` signs none."""
    check_timeout: Nanos = 10 * SECOND
    """How long the check of a block's signatures may take, again after a restart; then what they sign is refused."""
    transact_time_ahead_max: Nanos = 5 * SECOND
    """How far TransactTime of a signed message may be ahead of the venue's clock."""
