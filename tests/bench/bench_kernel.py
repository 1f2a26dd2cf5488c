"""How fast the kernel delivers under SimPy, against SimPy alone and a bare heap, all in this run.

    python -m tests.bench.bench_kernel

Rates are per CPU-second, the best of five. The workload is the toy node of the tests: timers that
move, local sends, notes; then two nodes that exchange lines of bytes over a simulated link.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from heapq import heappop, heappush
from io import BytesIO
from time import process_time
from typing import Any

import simpy

from core.kernel.component import Component
from core.kernel.journal import Header, Journal
from core.kernel.kernel import Kernel
from core.units import MICROSECOND, SECOND
from sim.driver import SimNode
from sim.network import Network
from tests.helpers.toys import Answerer, Asker, Client, Server

Work = Callable[[], int]


def best_rate(work: Work) -> float:
    """The best of five runs, in items per CPU-second."""
    rates = []
    for _ in range(5):
        started = process_time()
        done = work()
        rates.append(done / (process_time() - started))
    return max(rates)


def bare_heap() -> int:
    """Push and pop a tuple per item, with 64 pending."""
    heap: list[tuple[int, int]] = []
    for i in range(64):
        heappush(heap, (i, i))
    for i in range(64, 200_064):
        heappop(heap)
        heappush(heap, (i, i))
    return 200_000


def simpy_timeouts() -> int:
    """One SimPy process that waits again and again."""
    env = simpy.Environment(0)

    def process() -> Generator[simpy.Event, Any, None]:
        while True:
            yield env.timeout(5)

    env.process(process())
    env.run(until=5 * 200_000)
    return 200_000


def nodes(journaled: bool, *made: tuple[str, list[Component[Any]]], until: int) -> int:
    """Run nodes under SimPy; the number of deliveries."""
    env = simpy.Environment(0)
    network = Network(lambda _src, _dst: lambda: 300 * MICROSECOND)
    count = 0

    def observe(*_args: object) -> None:
        nonlocal count
        count += 1

    for name, components in made:
        journal = None
        if journaled:
            journal = Journal(name, BytesIO())
            journal.open(Header(name, 0, b"", ""))
        kernel = Kernel(name, components, journal=journal, observer=None if journaled else observe)
        node = SimNode(env, kernel, network, on_note=lambda *_: None)
        if name == "server":
            network.listen("server", node, "server")
        node.boot()
        journals.append(journal)
    env.run(until=until)
    return sum(journal.count for journal in journals if journal) or count


journals: list[Journal | None] = []


def local(journaled: bool) -> int:
    """One node: timers and local sends."""
    journals.clear()
    return nodes(journaled, ("toy", [Asker(), Answerer()]), until=40 * SECOND)


def wire(journaled: bool) -> int:
    """Two nodes: 200-byte lines over a link."""
    journals.clear()
    lines = tuple(b"x" * 200 for _ in range(20_000))
    return nodes(journaled, ("server", [Server()]), ("client", [Client(lines, "server")]), until=60 * SECOND)


def main() -> None:
    """Print the table."""
    simpy_rate = best_rate(simpy_timeouts)
    rows = {
        "bare heap, push and pop": best_rate(bare_heap),
        "bare SimPy timeouts": simpy_rate,
        "kernel, one node, no journal": best_rate(lambda: local(False)),
        "kernel, one node, journal": best_rate(lambda: local(True)),
        "kernel, two nodes on a wire, no journal": best_rate(lambda: wire(False)),
        "kernel, two nodes on a wire, journal": best_rate(lambda: wire(True)),
    }
    print(f"{'deliveries per CPU-second':42} {'rate':>12} {'of SimPy':>9}")
    for name, rate in rows.items():
        print(f"{name:42} {rate:12,.0f} {rate / simpy_rate:9.2f}")


if __name__ == "__main__":
    main()
