"""Merkle trees over a block's leaves: one root that commits to their bytes, order and number.

    leaf      SHA-256(0x00 || leaf bytes)
    node      SHA-256(0x01 || left || right)
    root      SHA-256(0x02 || number of leaves as 8 bytes big endian || top)

Neighbours are joined level by level; a level's last node without a neighbour rises unchanged (the
shape of RFC 6962). The top is the only node of the last level, the leaf hash itself for one leaf and
nothing (no bytes) for none. Because leaf, node and root hash under different tags no leaf can pass for
a node, and because the number is part of the root no two lists, such as `[a, b]` and `[a, b, b]`,
share one.

A proof is the neighbours on the way from a leaf to the top, lowest first. Index and number of leaves
say on which side each one stands and which levels have none, so a proof has no flags to forge.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"
_ROOT: Final = b"\x02"
_COUNT_MAX: Final = (1 << 64) - 1


def root(leaves: Sequence[bytes]) -> bytes:
    """The 32 bytes that commit to `leaves`. Defined for any number of them, none included."""
    top = _levels(leaves)[-1]
    return _seal(len(leaves), top[0] if top else b"")


def prove(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The inclusion proof of `leaves[index]`. Raises IndexError when there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} among {len(leaves)}")
    proof = []
    for level in _levels(leaves):
        neighbour = index ^ 1
        if neighbour < len(level):
            proof.append(level[neighbour])
        index >>= 1
    return tuple(proof)


def verify(root: bytes, count: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `root` commits to `count` leaves of which number `index` (from 0) is `leaf`.

    False for anything malformed: a verifier is handed what a stranger made.
    """
    if not 0 <= index < count <= _COUNT_MAX:
        return False
    node, last, path = sha256(_LEAF + leaf).digest(), count - 1, iter(proof)
    while last:
        if index ^ 1 <= last:
            neighbour = next(path, None)
            if neighbour is None:
                return False
            joined = neighbour + node if index & 1 else node + neighbour
            node = sha256(_NODE + joined).digest()
        index, last = index >> 1, last >> 1
    return next(path, None) is None and _seal(count, node) == root


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    level = [sha256(_LEAF + leaf).digest() for leaf in leaves]
    levels = [level]
    while len(level) > 1:
        above = [sha256(_NODE + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        if len(level) % 2:
            above.append(level[-1])
        levels.append(above)
        level = above
    return levels


def _seal(count: int, top: bytes) -> bytes:
    return sha256(_ROOT + count.to_bytes(8, "big") + top).digest()
