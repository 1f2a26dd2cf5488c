"""A full block of 500 messages: its merkle root against bare SHA-256 of the same bytes, its sealing, and its proofs.

    python -m tests.bench.bench_merkle

Prints ratios to the bare hashing of the same run; the goal for the root is at most 1.5.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from time import perf_counter

from core.kernel.record import Start
from core.merkle import HASH_BYTES, prove, prove_many, prove_range, root, verify, verify_many, verify_range
from core.sequencer.booklog import EMPTY, with_message
from core.sequencer.leaf import Acknowledgement, encode_acknowledgement, encode_leaf
from core.sequencer.ordering import Arrival, Ordering, Policy, block_order
from core.sequencer.sequencer import Sequencer
from tests.bench.command import run_bench
from tests.helpers.orders import from_peer, new_order, settings

LEAVES = 500
SEED = bytes(HASH_BYTES)
POLICIES: tuple[Policy, ...] = ("fifo", "shuffle", "price_time")
FULL, TINY = 200, 1
"""Rounds."""


def main(rounds: int = FULL) -> None:
    """Measure everything in turns and print the fastest rounds."""
    arrivals = accepted()
    leaves = [encode_leaf(arrival.leaf) for arrival in arrivals]
    told = [encode_acknowledgement(Acknowledgement(n, "order", f"O-{n}", f"c{n}")) for n in range(LEAVES)]
    hashed = preimages(leaves)
    assert sha256(hashed[-1]).digest() == root(leaves)

    def bare() -> None:
        for preimage in hashed:
            sha256(preimage).digest()

    def log() -> None:
        head = EMPTY
        for leaf, ack in zip(leaves, told, strict=True):
            head = with_message(head, leaf, ack)

    top, apart = root(leaves), range(3, LEAVES, 25)
    one, adjoining, scattered = prove(leaves, 17), prove_range(leaves, 100, 120), prove_many(leaves, apart)
    known = [(index, leaves[index]) for index in apart]
    works: dict[str, Callable[[], object]] = {
        "bare hashing of the same bytes": bare,
        "merkle root": lambda: root(leaves),
        "log of the order book": log,
        "a proof of one": lambda: prove(leaves, 17),
        f"verifying it, {len(one)} bytes": lambda: verify(top, LEAVES, 17, leaves[17], one),
        f"verifying a range of 20, {len(adjoining)} bytes": lambda: verify_range(
            top, LEAVES, 100, leaves[100:120], adjoining
        ),
        f"verifying 20 apart, {len(scattered)} bytes": lambda: verify_many(top, LEAVES, known, scattered),
        **{f"ordering {policy}": ordering(policy, arrivals) for policy in POLICIES},
    }
    base, *_ = times = fastest(rounds, *works.values())
    for name, seconds in zip(works, times, strict=True):
        print(f"{name:40} {seconds * 1e6:7.0f} us, {seconds / base:5.2f} of bare hashing")


def accepted() -> list[Arrival]:
    """A block's worth of orders, as a sequencer takes them."""
    sequencer = Sequencer("sequencer", settings(batch_messages=LEAVES + 1))
    sequencer.handle(0, Start())
    for number in range(LEAVES):
        event = from_peer(new_order(f"c{number}"), f"MM{number % 7}", number)
        sequencer.handle(number, event)
    batch = sequencer.state.batch
    return [Arrival(leaf, item) for leaf, item in zip(batch.leaves, batch.items, strict=True)]


def ordering(policy: Policy, arrivals: list[Arrival]) -> Callable[[], object]:
    """The work of a policy on a full block."""
    return lambda: block_order(Ordering(policy), arrivals, SEED)


def preimages(leaves: list[bytes]) -> list[bytes]:
    """Everything that the tree hashes, in its order."""
    hashed = [b"\x00" + leaf for leaf in leaves]
    level = [sha256(preimage).digest() for preimage in hashed]
    while len(level) > 1:
        joined = [b"\x01" + left + right for left, right in zip(level[::2], level[1::2], strict=False)]
        level = [sha256(preimage).digest() for preimage in joined] + level[len(joined) * 2 :]
        hashed += joined
    return [*hashed, b"\x02" + len(leaves).to_bytes(8, "big") + level[0]]


def fastest(rounds: int, *works: Callable[[], object]) -> list[float]:
    """The shortest time of each, taken in turns so that a slow moment hits all alike."""
    times = [float("inf")] * len(works)
    for _ in range(rounds):
        for index, work in enumerate(works):
            start = perf_counter()
            work()
            times[index] = min(times[index], perf_counter() - start)
    return times


if __name__ == "__main__":
    run_bench(main, FULL, TINY)
