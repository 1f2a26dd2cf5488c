"""Blocks: the bytes that a header stands for, the hash that chains headers, and what a block holds.

All integers are big endian and unsigned, all hashes SHA-256. To verify a block on your own:

    header   13  "romer.block.2"
              2  version, 2
              8  height, counting from 1
             32  hash of the block before; 32 zero bytes for the first
              8  opened at, nanoseconds since the Unix epoch
              8  closed at, nanoseconds since the Unix epoch
              4  number of messages
             32  message root: merkle root of their leaves in block order (`core.merkle`, `.leaf`)
             32  receipt root: merkle root of their acknowledgements in block order
             32  state root: head of the log of the order book, this block's messages included (`.booklog`)
             32  id of the sequencer's key; 32 zero bytes if it signs nothing

    block hash   SHA-256 of the 203 header bytes
    signed       "romer.block.signature.2", then the block hash
    key id       SHA-256 of "romer.key.1" and the public key's bytes (`core.identity.scheme.key_id`)

The signature is 96 bytes that follow the header where both are kept together. It is no part of what is
hashed or signed: the next block links to the hash, so that sealing waits for no signature. A block
opens at the instant the one before closed, so the chain leaves no time uncovered.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct
from typing import Final

from core.errors import InputError
from core.kernel.record import Record
from core.merkle import HASH_BYTES, root
from core.sequencer.facts import BlockHeader

VERSION: Final = 2
FIRST_HEIGHT: Final = 1
NO_BLOCK: Final = bytes(HASH_BYTES)
"""Stands for the hash of the block before the first."""
NO_KEY: Final = bytes(HASH_BYTES)
"""Stands for the key of a sequencer that signs nothing."""

_HEADER: Final = Struct(">13sHQ32sQQI32s32s32s32s")
_HEADER_TAG: Final = b"romer.block.2"
_SIGNED_TAG: Final = b"romer.block.signature.2"


class Block(Record, frozen=True):
    """A sealed block with what it commits to: leaves and acknowledgements as bytes, in block order.

    `signature` is empty until it is signed.
    """

    header: BlockHeader
    messages: tuple[bytes, ...]
    acknowledgements: tuple[bytes, ...]
    signature: bytes = b""


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
        header.receipt_root,
        header.state_root,
        header.key_id,
    )


def decode_header(data: bytes) -> BlockHeader:
    """The header of these bytes. Raises InputError for what `encode_header` does not write, and for another version."""
    if len(data) != _HEADER.size or not data.startswith(_HEADER_TAG):
        raise InputError(f"not a header: expected {_HEADER.size} bytes that begin with {_HEADER_TAG.decode()}")
    _, *fields = _HEADER.unpack(data)
    if fields[0] != VERSION:
        raise InputError(f"version {fields[0]} is unknown")
    return BlockHeader(*fields)


def block_hash(header: BlockHeader) -> bytes:
    """The 32 bytes that name a block and, through its predecessor's, everything before it."""
    return sha256(encode_header(header)).digest()


def signed_bytes(block_hash: bytes) -> bytes:
    """What the sequencer signs of a block."""
    return _SIGNED_TAG + block_hash


def roots(messages: tuple[bytes, ...], acknowledgements: tuple[bytes, ...]) -> tuple[bytes, bytes]:
    """Message root and receipt root."""
    return root(messages), root(acknowledgements)
