"""What a sequencer has to reach, as ratios of one run: the way of an order, the root of a block, the check of a block.

    python -m tests.bench.bench_sequencer

The way is FIX bytes in, validated, batched, sealed, reported as FIX bytes, on one core with the journal on. FIX engine
and sequencer under one kernel, without sockets, hand their blocks to somebody who does nothing, or to the auction,
which offers each order until it expires: nobody bids. What arrives together is posted together, and after each such
round the journal is written and, unless it says otherwise, synced. The client's bytes are made before. The design rate
is 1,000 messages in a second; the goal is ten times as much per CPU-second, for other work takes its share of the wall
clock. Beside it, from the same run: what nothing can do without, SHA-256 of the same bytes; the root of a block of 500,
which may take 1.5 times as long as to hash the same bytes; and one aggregate check of a block of 500 signed orders,
which has to be less than 500 single ones. tests/bench/bench_merkle.py and tests/bench/bench_bls.py have more of the
latter two. The load of the machine is printed too.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import localcontext
from functools import partial
from hashlib import sha256
from itertools import product
from os import getloadavg
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

from core.identity.bls import BLS
from core.identity.checking import Signed, culprits
from core.identity.scheme import key_gen
from core.kernel.component import Component, Handler
from core.kernel.journal import Header
from core.kernel.record import Bytes, Connected, Record, Start, Stop, Transmit
from core.market.orders import Batch
from core.merkle import root
from core.sequencer.leaf import encode_leaf
from core.units import MICROSECOND, MONEY, SECOND, Nanos
from core.wiring import CODEC
from live.clock import wall_clock
from live.journal.policy import SyncPolicy
from live.journal.recovery import recover
from live.journal.store import Store
from tests.bench import bench_merkle
from tests.bench.bench_acceptor import venue
from tests.bench.command import run_bench
from tests.bench.load import message, order

DESIGN_RATE: Final = 1_000
RATE_GOAL: Final = 10
"""Times the design rate."""
ROOT_GOAL: Final = 1.5
"""Times the bare hashing."""
SIGNERS: Final = 10
ROUND: Final = 50
"""Orders that arrive together: at ten times the design rate, one round every 5 ms."""
ROUND_SPAN: Final[Nanos] = 5_000 * MICROSECOND
LIFETIME: Final[Nanos] = SECOND // 2
"""Nobody bids: orders go through auctions until they expire, so that as many live as in a market of that rate."""
POLICIES: Final = ("always", "off")


class Sizes(NamedTuple):
    """How much is measured; the best of `repeats` counts. One owner may have 10,000 orders alive."""

    orders: int = 9_000
    """More than a block holds."""
    repeats: int = 3
    roots: int = 200
    """Times that the root is made."""
    signed: int = 500
    """Orders in a signed block."""


FULL, TINY = Sizes(), Sizes(600, 1, 1, 3)


class Empty(msgspec.Struct):
    """A sink remembers nothing."""


class Sink(Component[Empty]):
    """Takes blocks, and lets their orders live."""

    def _ignore(self, _now: Nanos, _event: Any) -> None: ...

    HANDLERS: ClassVar[dict[type[Record], Handler]] = dict.fromkeys((Start, Stop, Batch), _ignore)


def sequencing() -> list[Component[Any]]:
    """A venue whose blocks go nowhere."""
    return [Sink("auction", Empty()) if each.name == "auction" else each for each in venue()]


SUBJECTS: Final[dict[str, Callable[[], list[Component[Any]]]]] = {
    "accept to report": sequencing,
    "with auctions": partial(venue, LIFETIME),
}


class Measured(NamedTuple):
    """Seconds on the wall and of the processor, and what came of all orders."""

    wall: float
    cpu: float
    accepted: int
    blocks: int


def measure(orders: list[bytes], make: Callable[[], list[Component[Any]]], sync: str) -> Measured:
    """Put all orders through a venue with a journal of that policy."""
    with TemporaryDirectory() as folder, localcontext(MONEY):
        store = Store.open(Path(folder), Header("venue", 0, b"", ""), policy=SyncPolicy.parse(sync))
        kernel = recover(store, make, CODEC).kernel
        assert kernel.journal is not None
        now, accepted = wall_clock()(), 0
        kernel.boot(now)
        kernel.agenda.post(now, "fix", "fix", Connected("c", "bench"))
        kernel.agenda.post(now, "fix", "fix", Bytes("c", message("A", 1, "98=0\x01108=30\x01")))
        kernel.pump(now)
        wall, cpu = perf_counter(), process_time()
        for first in range(0, len(orders), ROUND):
            now += ROUND_SPAN
            kernel.agenda.post(now, "fix", "fix", Bytes("c", b"".join(orders[first : first + ROUND])))
            outgoing = kernel.pump(now)
            kernel.journal.flush()
            store.sync()
            sent = (effect.data for _, effect in outgoing if isinstance(effect, Transmit))
            accepted += sum(data.count(b"\x01150=0\x01") for data in sent)
        wall, cpu = perf_counter() - wall, process_time() - cpu
        sequencer: Any = kernel.components["sequencer"]
        blocks = sequencer.state.batch.height
        store.close()
    return Measured(wall, cpu, accepted, blocks)


def main(sizes: Sizes = FULL) -> None:
    """Measure, and print each figure beside its goal."""
    print(f"load of the machine: {', '.join(f'{load:.1f}' for load in getloadavg())}")
    whole_way(sizes)
    block_root(sizes)
    block_check(sizes)


def whole_way(sizes: Sizes) -> None:
    """From an order's bytes to those of its report."""
    count = sizes.orders
    orders = [order(number) for number in range(count)]
    began = process_time()
    for raw in orders:
        sha256(raw).digest()
    bare = process_time() - began
    print(f"{count:,} orders, {ROUND} at a time; SHA-256 of their bytes: {count / bare:,.0f} /s")
    for (name, make), sync in product(SUBJECTS.items(), POLICIES):
        best = min((measure(orders, make, sync) for _ in range(sizes.repeats)), key=lambda it: it.cpu)
        assert best.accepted == count, best
        assert best.blocks, best
        wall, cpu = (count / seconds / DESIGN_RATE for seconds in (best.wall, best.cpu))
        print(
            f"{name}, sync {sync}: {wall * DESIGN_RATE:,.0f} /s, {wall:.1f} x the design rate; "
            f"{cpu * DESIGN_RATE:,.0f} per CPU-second, {cpu:.1f} x ({_goal(f'{RATE_GOAL} x', cpu >= RATE_GOAL)}); "
            f"{best.cpu / bare:,.0f} x the hashing; {best.blocks} blocks"
        )


def block_root(sizes: Sizes) -> None:
    """The merkle root of a block of 500, against hashing the same bytes."""
    leaves = [encode_leaf(arrival.leaf) for arrival in bench_merkle.accepted()]
    hashed = bench_merkle.preimages(leaves)

    def bare() -> None:
        for preimage in hashed:
            sha256(preimage).digest()

    base, whole = bench_merkle.fastest(sizes.roots, bare, lambda: root(leaves))
    ratio = whole / base
    goal = _goal(f"at most {ROOT_GOAL} x", ratio <= ROOT_GOAL)
    print(f"merkle root of {len(leaves)} leaves: {whole * 1e6:.0f} us, {ratio:.2f} x the bare hashing ({goal})")


def block_check(sizes: Sizes) -> None:
    """One aggregate check of a block, against checks of its orders one by one."""
    secrets = [key_gen(bytes([number]) * 32) for number in range(SIGNERS)]
    keys = [BLS.public_key(secret) for secret in secrets]
    block: list[Signed] = []
    for number in range(sizes.signed):
        message = order(number)
        block.append((keys[number % SIGNERS], message, BLS.sign(secrets[number % SIGNERS], message)))
    began = perf_counter()
    assert culprits(block) == ()
    once = perf_counter() - began
    began = perf_counter()
    assert all(BLS.verify(*each) for each in block)
    ratio = (perf_counter() - began) / once
    print(
        f"one check of {len(block)} signed orders with {BLS.LIBRARY}: {once * 1e3:.0f} ms, "
        f"{ratio:.1f} times faster than one by one ({_goal('faster', ratio > 1)})"
    )


def _goal(what: str, reached: bool) -> str:
    return f"goal {what}: {'reached' if reached else 'missed'}"


if __name__ == "__main__":
    run_bench(main, FULL, TINY)
