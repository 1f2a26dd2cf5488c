"""What the sequencer states, as `Note`s, about orders and blocks."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal, TypeAlias, get_args

from core.kernel.record import Record
from core.market.orders import CancelOrder, Item, Order, ReplaceOrder, Side
from core.units import Nanos


class BlockHeader(Record, frozen=True):
    """What a block's hash covers; `core.sequencer.block` says what each field is, byte by byte."""

    version: int
    height: int
    previous_hash: bytes
    opened_at: Nanos
    closed_at: Nanos
    message_count: int
    message_root: bytes
    receipt_root: bytes
    state_root: bytes
    key_id: bytes


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


class ReplaceSequenced(Record, frozen=True):
    """A request to replace an order has its place; the auction decides when its block is sealed."""

    global_seq: int
    replace: ReplaceOrder


class CancelRequestRefused(Record, frozen=True):
    """A cancel request got no place, for a stable reason code."""

    owner: str
    cl_ord_id: str
    orig_cl_ord_id: str
    reason: str
    text: str


class ReplaceRequestRefused(Record, frozen=True):
    """A request to replace an order got no place, for a stable reason code."""

    owner: str
    cl_ord_id: str
    orig_cl_ord_id: str
    reason: str
    text: str


class StatusRequestRefused(Record, frozen=True):
    """A question about an order was not answered with a status, for a stable reason code."""

    owner: str
    cl_ord_id: str
    reason: str
    text: str


class BlockSealed(Record, frozen=True):
    """A block is final. `lateness` is how long after its due time a window was closed; 0 for other triggers.

    `sequence` has the global sequence numbers in block order, and is empty where that is the order of arrival.
    """

    header: BlockHeader
    block_hash: bytes
    trigger: Literal["full", "window", "empty", "stop"]
    lateness: Nanos
    sequence: tuple[int, ...] = ()


class BlockSigned(Record, frozen=True):
    """The sequencer's signature of a block is there."""

    height: int
    signature: bytes


class OrdersVerified(Record, frozen=True):
    """Signed messages of a block were checked, `waited` after it was sealed: all at once, and apart what was left open.
    Of `signed` ones those that stand at `refused` in the block do not reach the auction, for a stable reason code; None
    if there are none.
    """

    height: int
    signed: int
    refused: tuple[int, ...]
    waited: Nanos
    reason: str | None = None


class CulpritsFound(Record, frozen=True):
    """A check that had been given up came to its end, `late` after that: those that stand at `places` in the block were
    signed badly, and some of those at `suspects`. All were refused before; now their owners are distrusted for a while.
    """

    height: int
    places: tuple[int, ...]
    late: Nanos
    suspects: tuple[int, ...] = ()


Sequenced: TypeAlias = OrderSequenced | CancelSequenced | ReplaceSequenced
SEQUENCED: Final = get_args(Sequenced)
"""The facts that give something its place."""


def item_of(fact: Sequenced) -> Item:
    """What got its place."""
    if isinstance(fact, OrderSequenced):
        return fact.order
    return fact.cancel if isinstance(fact, CancelSequenced) else fact.replace
