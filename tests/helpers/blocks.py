"""Block headers and whole blocks for tests, without a sequencer."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha512
from typing import Any, Final

from msgspec.structs import replace

from core.identity.scheme import key_id
from core.sequencer.block import NO_BLOCK, NO_KEY, VERSION, Block, block_hash, roots
from core.sequencer.chain import Rebuilt
from core.sequencer.facts import BlockHeader
from core.sequencer.leaf import Acknowledgement, Leaf, encode_acknowledgement, encode_leaf

PUBLIC_KEY: Final = bytes(range(48))
KEY_ID: Final = key_id(PUBLIC_KEY)


def header(height: int = 1, previous: bytes = NO_BLOCK, **changes: Any) -> BlockHeader:
    """The header of an empty block of ten nanoseconds, with something changed."""
    message_root, receipt_root = roots((), ())
    plain = BlockHeader(
        version=VERSION,
        height=height,
        previous_hash=previous,
        opened_at=10 * height,
        closed_at=10 * height + 10,
        message_count=0,
        message_root=message_root,
        receipt_root=receipt_root,
        state_root=bytes(32),
        key_id=NO_KEY,
    )
    return replace(plain, **changes)


def headers(length: int) -> list[BlockHeader]:
    """A chain of empty blocks."""
    chain: list[BlockHeader] = []
    for height in range(1, length + 1):
        chain.append(header(height, block_hash(chain[-1]) if chain else NO_BLOCK))
    return chain


def blocks(sizes: Sequence[int], key_id: bytes = NO_KEY) -> list[Block]:
    """A chain of blocks of so many orders each, signed with `toy_signature` if there is a key."""
    chain: list[Block] = []
    seq = 0
    for height, size in enumerate(sizes, 1):
        numbers = range(seq + 1, seq + size + 1)
        messages = tuple(encode_leaf(Leaf(n, 10 * height, f"MM{n % 3}", bytes([n % 256] * 32))) for n in numbers)
        told = tuple(encode_acknowledgement(Acknowledgement(n, "order", f"O-{n}", f"c{n}")) for n in numbers)
        message_root, receipt_root = roots(messages, told)
        head = header(height, block_hash(chain[-1].header) if chain else NO_BLOCK, key_id=key_id)
        head = replace(head, message_count=size, message_root=message_root, receipt_root=receipt_root)
        chain.append(signed(Block(head, messages, told)) if key_id != NO_KEY else Block(head, messages, told))
        seq += size
    return chain


def rebuilt(chain: Sequence[Block]) -> list[Rebuilt]:
    """The blocks as a journal that agrees with them tells them."""
    return [Rebuilt(block, block.header.state_root) for block in chain]


def signed(block: Block) -> Block:
    """The block with its signature of the moment."""
    message = b"romer.block.signature.2" + block_hash(block.header)
    return replace(block, signature=toy_signature(PUBLIC_KEY, message))


def toy_signature(public_key: bytes, message: bytes) -> bytes:
    """96 bytes that depend on all of key and message. Anybody can make them, so they prove nothing but the plumbing."""
    return (sha512(b"1" + public_key + message).digest() + sha512(b"2" + public_key + message).digest())[:96]


def toy_check(key_id: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `toy_signature` made it with the one key there is."""
    return key_id == KEY_ID and signature == toy_signature(PUBLIC_KEY, message)


def flip(data: bytes, bit: int) -> bytes:
    """The bytes with one bit the other way."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
