"""A whole venue on one core: FIX bytes in, validated, batched, sealed, reported as FIX bytes, with the journal on.

    python -m tests.bench.bench_sequencer

FIX engine and sequencer under one kernel, without sockets, hand their blocks to somebody who does nothing, or to the
auction, which offers each order until it expires: nobody bids. What arrives together is posted
together, and after each such round the journal is written and, unless it says otherwise, synced. The client's bytes
are made before. The design rate is 1,000 messages in a second; the goal is ten times as much. Beside it, from the same
run: what nothing can do without, SHA-256 of the same bytes. tests/bench/bench_merkle.py has the root of a block, and
tests/bench/bench_bls.py the check of a signed one.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import localcontext
from functools import partial
from hashlib import sha256
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

from core.kernel.component import Component, Handler
from core.kernel.journal import Header
from core.kernel.record import Bytes, Connected, Record, Start, Stop, Transmit
from core.market.orders import Batch
from core.units import MICROSECOND, MONEY, SECOND, Nanos
from core.wiring import CODEC
from live.clock import wall_clock
from live.journal.policy import SyncPolicy
from live.journal.recovery import recover
from live.journal.store import Store
from tests.bench.bench_acceptor import venue
from tests.bench.load import message, order

ORDERS: Final = 9_000
"""One owner may have 10,000 alive."""
DESIGN_RATE: Final = 1_000
ROUND: Final = 50
"""Orders that arrive together: at ten times the design rate, one round every 5 ms."""
ROUND_SPAN: Final[Nanos] = 5_000 * MICROSECOND
LIFETIME: Final[Nanos] = SECOND // 2
"""Nobody bids: orders go through auctions until they expire, so that as many live as in a market of that rate."""
POLICIES: Final = ("always", "off")


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


def main() -> None:
    """Measure, and print the table."""
    orders = [order(number) for number in range(ORDERS)]
    began = process_time()
    for raw in orders:
        sha256(raw).digest()
    bare = process_time() - began
    print(f"{ORDERS:,} orders, {ROUND} at a time; SHA-256 of their bytes: {ORDERS / bare:,.0f} /s")
    for (name, make), sync in product(SUBJECTS.items(), POLICIES):
        best = min((measure(orders, make, sync) for _ in range(3)), key=lambda it: it.cpu)
        assert best.accepted == ORDERS, best
        wall, cpu = ORDERS / best.wall, ORDERS / best.cpu
        print(
            f"{name}, sync {sync}: {wall:,.0f} /s, {cpu:,.0f} per CPU-second, {cpu / DESIGN_RATE:.1f} x the design, "
            f"{best.cpu / bare:,.0f} x the hashing; {best.blocks} blocks"
        )


if __name__ == "__main__":
    main()
