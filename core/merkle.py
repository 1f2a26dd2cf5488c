"""Merkle trees over a block's leaves: one root that commits to their bytes, order and number.

    leaf      SHA-256(0x00 || leaf bytes)
    node      SHA-256(0x01 || left || right)
    root      SHA-256(0x02 || number of leaves as 8 bytes big endian || top)

Neighbours are joined level by level; a level's last node without a neighbour rises unchanged (the
shape of RFC 6962). The top is the only node of the last level, the leaf hash itself for one leaf and
nothing (no bytes) for none. Because leaf, node and root hash under different tags no leaf can pass for
a node, and because the number is part of the root no two lists, such as `[a, b]` and `[a, b, b]`,
share one.

A proof is for one leaf or several. It is the nodes that are joined on the way to the top and that the
proven leaves do not give themselves: 32 bytes each, lowest level first and within a level from left to
right, without anything between. Indexes and number of leaves say where each one stands, so a proof has
no flags to forge, and for the same leaves there is one proof only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final, TypeAlias

Indexed: TypeAlias = tuple[int, bytes]
"""An index, from 0, and what stands there."""

HASH_BYTES: Final = 32
TREES_KEPT: Final = 128
"""Who asks for proof after proof of one list costs a tree once: two for each of the blocks that a venue has at hand."""
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"
_ROOT: Final = b"\x02"
_COUNT_MAX: Final = (1 << 64) - 1


def root(leaves: Sequence[bytes]) -> bytes:
    """The 32 bytes that commit to `leaves`. Defined for any number of them, none included."""
    top = _levels(leaves)[-1]
    return _seal(len(leaves), top[0] if top else b"")


def prove(leaves: Sequence[bytes], index: int) -> bytes:
    """The inclusion proof of `leaves[index]`. Raises IndexError when there is no such leaf."""
    return prove_many(leaves, (index,))


def prove_range(leaves: Sequence[bytes], start: int, stop: int) -> bytes:
    """The proof that `leaves[start:stop]` stand there and in this order. Raises IndexError for what is not there."""
    return prove_many(leaves, range(start, stop))


def prove_many(leaves: Sequence[bytes], indexes: Sequence[int]) -> bytes:
    """One proof of all leaves at `indexes`, in ascending order.

    Raises IndexError when there is no such leaf, when there is no index, and when they do not ascend.
    """
    if not _ascend(indexes, len(leaves)):
        raise IndexError(f"no leaves {list(indexes)} among {len(leaves)}")
    proof, wanted = [], list(indexes)
    for level in _kept_levels(tuple(leaves)):
        known = set(wanted)
        neighbours = (index ^ 1 for index in wanted)
        proof += [level[index] for index in neighbours if index < len(level) and index not in known]
        wanted = list(dict.fromkeys(index >> 1 for index in wanted))
    return b"".join(proof)


def verify(root: bytes, count: int, index: int, leaf: bytes, proof: bytes) -> bool:
    """Whether `root` commits to `count` leaves of which number `index` (from 0) is `leaf`.

    False for anything malformed: a verifier is handed what a stranger made.
    """
    return verify_many(root, count, ((index, leaf),), proof)


def verify_range(root: bytes, count: int, start: int, leaves: Sequence[bytes], proof: bytes) -> bool:
    """Whether `root` commits to `count` leaves of which those from `start` on are `leaves`, at least one."""
    return verify_many(root, count, tuple(enumerate(leaves, start)), proof)


def verify_many(root: bytes, count: int, leaves: Sequence[Indexed], proof: bytes) -> bool:
    """Whether `root` commits to `count` leaves, among them `leaves`: at least one, ascending by index.

    False for anything malformed, and for a proof with a byte too many or too few.
    """
    if count > _COUNT_MAX or len(proof) % HASH_BYTES or not _ascend([index for index, _ in leaves], count):
        return False
    level, last = [(index, sha256(_LEAF + leaf).digest()) for index, leaf in leaves], count - 1
    path = iter([proof[at : at + HASH_BYTES] for at in range(0, len(proof), HASH_BYTES)])
    try:
        while last:
            level, last = _join(level, last, path), last >> 1
    except StopIteration:
        return False
    return next(path, None) is None and _seal(count, level[0][1]) == root


def _join(level: Sequence[Indexed], last: int, path: Iterator[bytes]) -> list[Indexed]:
    """The nodes above the known ones of a level whose last index is `last`. Raises StopIteration with the path."""
    above, below = [], list(reversed(level))
    while below:
        index, node = below.pop()
        if index ^ 1 <= last:
            beside = below.pop()[1] if below and below[-1][0] == index ^ 1 else next(path)
            node = sha256(_NODE + (beside + node if index & 1 else node + beside)).digest()
        above.append((index >> 1, node))
    return above


def _ascend(indexes: Sequence[int], count: int) -> bool:
    """Whether there is an index, and each is of a leaf and above the one before."""
    return bool(indexes) and all(low < high for low, high in zip((-1, *indexes), (*indexes, count), strict=True))


@lru_cache(maxsize=TREES_KEPT)
def _kept_levels(leaves: tuple[bytes, ...]) -> list[list[bytes]]:
    """The tree that was built for the last proof of the same leaves. Nobody changes it."""
    return _levels(leaves)


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
