"""Merkle root of a full block of 500 leaves against bare SHA-256 of the same bytes, in one run.

    python -m tests.bench.bench_merkle

Prints the ratio; the goal is at most 1.5.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from time import perf_counter

from core.sequencer.block import Leaf, encode_leaf
from core.sequencer.merkle import root

LEAVES = 500
ROUNDS = 200


def main() -> None:
    """Measure both in turns and print the ratio of the fastest rounds."""
    leaves = [encode_leaf(Leaf(n, 1_700_000_000_000_000_000 + n, "MM1", bytes(32))) for n in range(LEAVES)]
    hashed = preimages(leaves)
    assert sha256(hashed[-1]).digest() == root(leaves)

    def bare() -> None:
        for preimage in hashed:
            sha256(preimage).digest()

    bare_s, tree_s = fastest(bare, lambda: root(leaves))
    print(f"bare hashing {bare_s * 1e6:.0f} us, merkle root {tree_s * 1e6:.0f} us, ratio {tree_s / bare_s:.2f}")


def preimages(leaves: list[bytes]) -> list[bytes]:
    """Everything that the tree hashes, in its order."""
    hashed = [b"\x00" + leaf for leaf in leaves]
    level = [sha256(preimage).digest() for preimage in hashed]
    while len(level) > 1:
        joined = [b"\x01" + left + right for left, right in zip(level[::2], level[1::2], strict=False)]
        level = [sha256(preimage).digest() for preimage in joined] + level[len(joined) * 2 :]
        hashed += joined
    return [*hashed, b"\x02" + len(leaves).to_bytes(8, "big") + level[0]]


def fastest(*works: Callable[[], object]) -> list[float]:
    """The shortest time of each, taken in turns so that a slow moment hits all alike."""
    times = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for index, work in enumerate(works):
            start = perf_counter()
            work()
            times[index] = min(times[index], perf_counter() - start)
    return times


if __name__ == "__main__":
    main()
