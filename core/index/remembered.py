"""Ids that are remembered for ever, in sixteen bytes each: sorted digests, so that a long life costs little memory.

Two ids of one user with one digest would be taken for the same. Digests are the first half of SHA-256: whoever finds
two such ids has searched for about 2**64 of them, and has only barred himself from one.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

_WIDTH: Final = 16


def remember(ids: bytearray, text: str) -> None:
    """Add an id; one that is there already stays there once."""
    digest = _digest(text)
    at = _place(ids, digest)
    if ids[at : at + _WIDTH] != digest:
        ids[at:at] = digest


def remembers(ids: bytes | bytearray, text: str) -> bool:
    """Whether an id was added."""
    digest = _digest(text)
    at = _place(ids, digest)
    return ids[at : at + _WIDTH] == digest


def _place(ids: bytes | bytearray, digest: bytes) -> int:
    """Where a digest is, or would be."""
    low, high = 0, len(ids) // _WIDTH
    while low < high:
        middle = (low + high) // 2
        if ids[middle * _WIDTH : (middle + 1) * _WIDTH] < digest:
            low = middle + 1
        else:
            high = middle
    return low * _WIDTH


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()[:_WIDTH]
