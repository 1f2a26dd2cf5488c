"""How fast the kernel delivers under SimPy, against SimPy alone and a bare heap, all in one run.

    python -m tests.bench.bench_kernel

Rates are per CPU-second, the best of five runs. `local` is one node whose components send each other records and
move timers; `wire` is two nodes that exchange 200-byte lines; `fix` is two FIX engines with a trader behind one
and a desk behind the other; `quickstart` is the whole scenario, world and checkers included.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from decimal import Decimal
from functools import partial
from heapq import heappop, heappush
from io import BytesIO
from pathlib import Path
from time import process_time
from typing import Any, ClassVar, NamedTuple

import msgspec
import simpy

from core.fix.engine import FixEngine
from core.fix.messages import ExecutionReport, NewOrderSingle
from core.fix.records import FromPeer, SessionClosed, SessionOpened, ToPeer
from core.fix.settings import EngineConfig, SessionConfig
from core.kernel.component import Component, Handler
from core.kernel.journal import Header, Journal
from core.kernel.kernel import Kernel
from core.kernel.record import Message, Record, Send, SetTimer, Start, Stop, TimerFired
from core.kernel.rng import Stream, stream
from core.sequencer.facts import OrderSequenced
from core.units import MICROSECOND, MILLISECOND, SECOND, Nanos
from sim.driver import SimNode
from sim.network import Network
from sim.scenario.load import load
from sim.simulation import Simulation
from tests.bench.command import run_bench
from tests.helpers.toys import Answerer, Asker, Client, Server

QUICKSTART = Path(__file__).parents[2] / "scenarios" / "quickstart.toml"
Work = Callable[[], int]
Node = tuple[str, list[Component[Any]]]


class Sizes(NamedTuple):
    """How much is measured."""

    repeats: int = 5
    items: int = 200_000
    span: Nanos = 60 * SECOND
    """Of market time."""
    overrides: tuple[str, ...] = ()
    """Of quickstart."""


FULL, TINY = Sizes(), Sizes(1, 1_000, 2 * SECOND, ("run.duration=5s",))


class TraderState(msgspec.Struct):
    sent: int = 0
    filled: int = 0
    draws: Stream = msgspec.field(default_factory=lambda: stream(1, "trader"))


class Trader(Component[TraderState]):
    """Sends an order every 5 ms on average."""

    def __init__(self) -> None:
        super().__init__("app", TraderState())

    def _on_start(self, now: Nanos, _event: Start) -> None:
        self.emit(SetTimer("order", now + SECOND))

    def _on_timer(self, now: Nanos, _event: TimerFired) -> None:
        state = self.state
        state.sent += 1
        quantity = Decimal(state.draws.between(1, 100))
        order = NewOrderSingle(f"MM1-{state.sent}", "1", "ETHUSDC", "1", now, "2", quantity, Decimal("2000.25"))
        self.emit(Send("fix", ToPeer("ROMER", order)))
        self.emit(SetTimer("order", now + state.draws.between(1, 10 * MILLISECOND)))

    def _on_report(self, _now: Nanos, _event: Message[FromPeer[ExecutionReport]]) -> None:
        self.state.filled += 1

    def _ignore(self, _now: Nanos, _event: Any) -> None: ...

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _ignore,
        TimerFired: _on_timer,
        FromPeer: _on_report,
        SessionOpened: _ignore,
        SessionClosed: _ignore,
    }


class DeskState(msgspec.Struct):
    pending: list[NewOrderSingle] = []
    reports: int = 0


class Desk(Component[DeskState]):
    """Reports on all pending orders every 50 ms."""

    def __init__(self) -> None:
        super().__init__("app", DeskState())

    def _on_start(self, now: Nanos, _event: Start) -> None:
        self.emit(SetTimer("cut", now + 50 * MILLISECOND))

    def _on_order(self, _now: Nanos, event: Message[FromPeer[NewOrderSingle]]) -> None:
        self.state.pending.append(event.body.message)

    def _on_timer(self, now: Nanos, _event: TimerFired) -> None:
        for order in self.state.pending:
            self.state.reports += 1
            count, zero = self.state.reports, Decimal(0)
            quantity = order.order_qty or zero
            report = ExecutionReport(
                f"O-{count}",
                f"E-{count}",
                "0",
                "2",
                "2",
                order.symbol,
                order.side,
                zero,
                quantity,
                zero,
                order.cl_ord_id,
            )
            self.emit(Send("fix", ToPeer("MM1", report)))
        self.state.pending.clear()
        self.emit(SetTimer("cut", now + 50 * MILLISECOND))

    def _ignore(self, _now: Nanos, _event: Any) -> None: ...

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _ignore,
        TimerFired: _on_timer,
        FromPeer: _on_order,
        SessionOpened: _ignore,
        SessionClosed: _ignore,
    }


def best_rate(work: Work, repeats: int) -> float:
    """The best of some runs, in items per CPU-second."""
    rates = []
    for _ in range(repeats):
        started = process_time()
        done = work()
        rates.append(done / (process_time() - started))
    return max(rates)


def bare_heap(items: int) -> int:
    """Push and pop a tuple per item, with 64 pending."""
    heap: list[tuple[int, int]] = []
    for i in range(64):
        heappush(heap, (i, i))
    for i in range(64, items + 64):
        heappop(heap)
        heappush(heap, (i, i))
    return items


def simpy_timeouts(items: int) -> int:
    """One SimPy process that waits again and again."""
    env = simpy.Environment(0)

    def process() -> Generator[simpy.Event, Any, None]:
        while True:
            yield env.timeout(5)

    env.process(process())
    env.run(until=5 * items)
    return items


def deliveries(made: list[Node], until: Nanos, *, journaled: bool) -> int:
    """Run nodes under SimPy, each listening on its own name; the number of deliveries."""
    env = simpy.Environment(0)
    network = Network(lambda _src, _dst: lambda: 300 * MICROSECOND)
    journals = [Journal(name, BytesIO()) for name, _ in made]
    count = 0

    def observe(*_delivery: object) -> None:
        nonlocal count
        count += 1

    for (name, components), journal in zip(made, journals, strict=True):
        journal.open(Header(name, 0, b"", ""))
        kernel = Kernel(
            name, components, journal=journal if journaled else None, observer=None if journaled else observe
        )
        node = SimNode(env, kernel, network, on_note=lambda *_: None)
        network.listen(name, node, components[0].name)
        node.boot()
    env.run(until=until)
    return count or sum(journal.count for journal in journals)


def run(workload: Callable[[], list[Node]], span: Nanos, journaled: bool) -> int:
    """So much market time."""
    return deliveries(workload(), span, journaled=journaled)


def local() -> list[Node]:
    """One node: timers and local sends."""
    return [("toy", [Asker(), Answerer()])]


def wire() -> list[Node]:
    """Two nodes and a line of bytes."""
    lines = tuple(b"x" * 200 for _ in range(20_000))
    return [("server", [Server()]), ("client", [Client(lines, "server")])]


def fix() -> list[Node]:
    """Two FIX engines with an application each."""
    desk = EngineConfig(
        role="acceptor",
        comp_id="ROMER",
        sessions=(SessionConfig(target_comp_id="MM1"),),
        app="app",
        app_messages=("D",),
    )
    peer = SessionConfig(target_comp_id="ROMER", addresses=("desk",))
    trader = EngineConfig(role="initiator", comp_id="MM1", sessions=(peer,), app="app", app_messages=("8",))
    return [("desk", [FixEngine("fix", desk), Desk()]), ("trader", [FixEngine("fix", trader), Trader()])]


def quickstart(*overrides: str) -> Simulation:
    """The scenario, run."""
    loaded = load(QUICKSTART, overrides=overrides)
    simulation = Simulation(loaded.venue, {}, Header("", 1, b"", loaded.hash), lambda _node: BytesIO())
    simulation.run(lambda _progress: True)
    return simulation


def orders(*overrides: str) -> int:
    """Orders that a quickstart run takes from FIX bytes to their end."""
    return sum(1 for noted in quickstart(*overrides).notes if isinstance(noted.fact, OrderSequenced))


def main(sizes: Sizes = FULL) -> None:
    """Print the table."""
    repeats, items, span, overrides = sizes
    simpy_rate = best_rate(partial(simpy_timeouts, items), repeats)
    heap_rate = best_rate(partial(bare_heap, items), repeats)
    rows = {"bare heap, push and pop": heap_rate, "bare SimPy timeouts": simpy_rate}
    for workload in (local, wire, fix):
        for journaled in (False, True):
            name = f"{workload.__name__}, {'with' if journaled else 'without'} journal"
            rows[name] = best_rate(partial(run, workload, span, journaled), repeats)
    rows["quickstart, with journals and checkers"] = best_rate(lambda: quickstart(*overrides).deliveries, repeats)
    print(f"{'deliveries per CPU-second':42} {'rate':>12} {'of SimPy':>9}")
    for name, rate in rows.items():
        print(f"{name:42} {rate:12,.0f} {rate / simpy_rate:9.2f}")
    print(
        f"{'quickstart: orders simulated per CPU-second':42} {best_rate(partial(orders, *overrides), repeats):12,.0f}"
    )


if __name__ == "__main__":
    run_bench(main, FULL, TINY)
