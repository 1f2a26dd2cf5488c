"""What the sequencer states, as `Note`s, about orders and blocks."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from core.kernel.record import Record
from core.market.orders import CancelOrder, Order, Side
from core.units import Nanos


class BlockHeader(Record, frozen=True):
    """What a block's hash covers. `message_root` is the merkle root of its leaves in block order."""

    version: int
    height: int
    previous_hash: bytes
    opened_at: Nanos
    closed_at: Nanos
    message_count: int
    message_root: bytes


class OrderSequenced(Record, frozen=True):
    """An order was accepted and has its place: `global_seq` is its number, then and for ever."""

    global_seq: int
    order: Order


class OrderRefused(Record, frozen=True):
    """A new order was not accepted, for a stable reason code. The rest is what it asked for, as far as it said so."""

    owner: str
    cl_ord_id: str
    reason: str
    text: str
    symbol: str
    side: Side | None
    quantity: Decimal | None
    limit_price: Decimal | None


class CancelSequenced(Record, frozen=True):
    """A cancel request has its place in the order of things; the auction decides when its block is sealed."""

    global_seq: int
    cancel: CancelOrder


class CancelRequestRefused(Record, frozen=True):
    """A cancel request got no place, for a stable reason code."""

    owner: str
    cl_ord_id: str
    orig_cl_ord_id: str
    reason: str
    text: str


class BlockSealed(Record, frozen=True):
    """A block is final. `lateness` is how long after its due time a window was closed; 0 for other triggers."""

    header: BlockHeader
    block_hash: bytes
    trigger: Literal["full", "window", "empty", "stop"]
    lateness: Nanos
