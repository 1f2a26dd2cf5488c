"""Blocks: the bytes that a leaf and a header stand for, the hash that chains headers, and its check.

All integers are big endian and unsigned, all hashes SHA-256. To verify a block on your own:

    leaf     12  "romer.leaf.1"
              8  global sequence number
              8  received at, nanoseconds since the Unix epoch
              2  length of the owner's CompID in bytes
              n  the owner's CompID, UTF-8
             32  SHA-256 of the exact FIX message received, from `8=` to the SOH after `10=nnn`

    header   13  "romer.block.1"
              2  version, 1
              8  height, counting from 1
             32  hash of the block before; 32 zero bytes for the first
              8  opened at, nanoseconds since the Unix epoch
              8  closed at, nanoseconds since the Unix epoch
              4  number of messages
             32  merkle root of their leaves in block order (see `core.sequencer.merkle`)

    block hash   SHA-256 of the 107 header bytes

A block opens at the instant the one before closed, so the chain leaves no time uncovered.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import Final

from core.kernel.record import Record
from core.sequencer.facts import BlockHeader
from core.units import Nanos

VERSION: Final = 1
FIRST_HEIGHT: Final = 1
NO_BLOCK: Final = bytes(32)
"""Stands for the hash of the block before the first."""

_LEAF: Final = Struct(">12sQQH")
_HEADER: Final = Struct(">13sHQ32sQQI32s")
_LEAF_TAG: Final = b"romer.leaf.1"
_HEADER_TAG: Final = b"romer.block.1"


class Leaf(Record, frozen=True):
    """What a block commits to for one message: its place, when it came, from whom, and its exact bytes."""

    global_seq: int
    received_at: Nanos
    owner: str
    raw_hash: bytes


class ChainBreak(Record, frozen=True):
    """The first header that does not continue the chain, and why."""

    height: int
    reason: str


def encode_leaf(leaf: Leaf) -> bytes:
    """The leaf's bytes, as the module describes them."""
    owner = leaf.owner.encode()
    return _LEAF.pack(_LEAF_TAG, leaf.global_seq, leaf.received_at, len(owner)) + owner + leaf.raw_hash


def encode_header(header: BlockHeader) -> bytes:
    """The header's bytes, as the module describes them."""
    return _HEADER.pack(
        _HEADER_TAG,
        header.version,
        header.height,
        header.previous_hash,
        header.opened_at,
        header.closed_at,
        header.message_count,
        header.message_root,
    )


def block_hash(header: BlockHeader) -> bytes:
    """The 32 bytes that name a block and, through its predecessor's, everything before it."""
    return sha256(encode_header(header)).digest()


def verify_chain(headers: Iterable[BlockHeader], head: bytes | None = None) -> ChainBreak | None:
    """Whether `headers` are a whole chain from the first block; names the first height that is not.

    A header is vouched for by the hash in the next one, so the last one is vouched for only by `head`,
    the hash of the newest block as known from elsewhere.
    """
    height, previous, closed_at = FIRST_HEIGHT, NO_BLOCK, None
    for header in headers:
        reason = _break(header, height, previous, closed_at)
        if reason:
            return ChainBreak(height, reason)
        height, previous, closed_at = height + 1, block_hash(header), header.closed_at
    if head is not None and head != previous:
        return ChainBreak(max(height - 1, FIRST_HEIGHT), "its hash is not the head's")
    return None


def _break(header: BlockHeader, height: int, previous: bytes, closed_at: Nanos | None) -> str:
    rules = (
        (_encodable(header), "a field is longer or larger than its place in the header"),
        (header.version == VERSION, f"version {header.version} is unknown"),
        (header.height == height, f"height {header.height} stands where {height} belongs"),
        (header.previous_hash == previous, "previous hash is not the hash of the block before"),
        (closed_at in (None, header.opened_at), "it did not open when the block before closed"),
        (header.opened_at <= header.closed_at, "it closed before it opened"),
    )
    return next((broken for holds, broken in rules if not holds), "")


def _encodable(header: BlockHeader) -> bool:
    """`struct` would cut or pad a hash of another length, and two headers would share one encoding."""
    numbers = (
        (header.version, 16),
        (header.height, 64),
        (header.opened_at, 64),
        (header.closed_at, 64),
        (header.message_count, 32),
    )
    sized = all(0 <= number < 1 << bits for number, bits in numbers)
    return sized and len(header.previous_hash) == len(header.message_root) == len(NO_BLOCK)
