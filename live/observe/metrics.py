"""Prometheus metrics of one node: counted as facts and pumps go by, and read off its state when somebody scrapes.

Reading state costs nothing between scrapes, so what the state already knows is never counted twice.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final

from prometheus_client import CollectorRegistry, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from core.auction.auction import Auction
from core.fix.engine import FixEngine
from core.fix.records import MessageDropped
from core.fix.states import Status
from core.kernel.kernel import Kernel
from core.kernel.record import Effect, Event, Message, Record
from core.sequencer.facts import BlockSealed, OrdersVerified
from core.sequencer.sequencer import Sequencer
from core.solver.door import SolverDoor
from core.units import SECOND, Nanos
from live.observe.facts import event_name

_LATENCIES: Final = (50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 1.0)
_LATENESS: Final = (1e-4, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 1.0, 10.0)
_WAITS: Final = (1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Values = Mapping[Any, float]
"""By the values of the labels, a tuple."""
Reading = Callable[[], Iterable[Metric]]
"""Metrics of something outside the kernel: the journal on disk, the sockets."""


class Metrics:
    """Counts what one node states and how long it takes. `observe` and `on_pump` are for kernel and driver."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._deliveries: Tally[tuple[str, str]] = Tally()
        self._facts: Tally[tuple[str, str]] = Tally()
        self._refusals: Tally[tuple[str, str]] = Tally()
        self._dropped: Tally[str] = Tally()
        self._blocks: Tally[str] = Tally()
        self._pumps = _histogram(self.registry, "romer_pump_seconds", "Handling the events of one pump", _LATENCIES)
        self._commits = _histogram(
            self.registry, "romer_commit_seconds", "Writing and syncing the journal before effects leave", _LATENCIES
        )
        self._lateness = _histogram(
            self.registry, "romer_block_lateness_seconds", "How long after its due time a block was sealed", _LATENESS
        )
        about = "How long signed orders of a sealed block waited for their check"
        self._waits = _histogram(self.registry, "romer_check_wait_seconds", about, _WAITS)

    def observe(self, _node: str, _now: Nanos, dst: str, event: Event, _effects: list[Effect]) -> None:
        """A delivery: counted by component, and by what a message carries."""
        body = event.body if isinstance(event, Message) else event
        self._deliveries[dst, type(body).__name__] += 1

    def note(self, _node: str, _now: Nanos, component: str, fact: Record) -> None:
        """A fact: counted by kind, and by reason where it has one."""
        name = event_name(type(fact))
        self._facts[component, name] += 1
        reason = getattr(fact, "reason", None)
        if isinstance(reason, str):
            self._refusals[name, str(reason)] += 1
        if isinstance(fact, BlockSealed):
            self._blocks[fact.trigger] += 1
            self._lateness.observe(fact.lateness / SECOND)
        elif isinstance(fact, OrdersVerified):
            self._waits.observe(fact.waited / SECOND)
        elif isinstance(fact, MessageDropped):
            self._dropped["fix_outbox"] += 1

    def on_pump(self, handling: Nanos, committing: Nanos) -> None:
        """A pump has ended."""
        self._pumps.observe(handling / SECOND)
        if committing:
            self._commits.observe(committing / SECOND)

    def watch(self, kernel: Kernel, *readings: Reading) -> None:
        """Read this node off at every scrape."""
        self.registry.register(_Collector(lambda: [*self._counted(), *_of_kernel(kernel), *_all(readings)]))

    def _counted(self) -> Iterator[Metric]:
        yield counter("romer_deliveries", "Events handled", ("component", "event"), self._deliveries)
        yield counter("romer_facts", "Facts stated", ("component", "fact"), self._facts)
        yield counter("romer_reasons", "Facts with a reason: refusals, ends", ("fact", "reason"), self._refusals)
        yield counter(
            "romer_dropped", "What was given up", ("queue",), {(queue,): n for queue, n in self._dropped.items()}
        )
        yield counter(
            "romer_blocks", "Blocks sealed", ("trigger",), {(trigger,): n for trigger, n in self._blocks.items()}
        )


class _Collector:
    """What a registry asks at every scrape."""

    def __init__(self, collect: Reading) -> None:
        self.collect = collect

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names are ours alone."""
        return []


def gauge(name: str, about: str, labels: tuple[str, ...], values: Values) -> Metric:
    """Values that go up and down, by their labels."""
    family = GaugeMetricFamily(name, about, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def counter(name: str, about: str, labels: tuple[str, ...], values: Values) -> Metric:
    """Values that only go up, by their labels."""
    family = CounterMetricFamily(name, about, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _of_kernel(kernel: Kernel) -> Iterator[Metric]:
    yield gauge("romer_info", "What runs", ("node", "version"), {(kernel.node, version("romer")): 1})
    yield gauge("romer_agenda_entries", "Deliveries and timers that are due later", (), {(): len(kernel.agenda)})
    for component in kernel.components.values():
        if isinstance(component, FixEngine):
            yield from _of_fix(component)
        elif isinstance(component, Sequencer):
            yield gauge("romer_orders_live", "Orders accepted and not ended", (), {(): len(component.state.live)})
            yield gauge("romer_batch_messages", "In the open batch", (), {(): len(component.state.batch.leaves)})
            about = "Sealed blocks that wait for the check of their signed orders, or behind one that does"
            yield gauge("romer_blocks_held", about, (), {(): len(component.state.held)})
        elif isinstance(component, Auction):
            yield from _of_auction(component)
        elif isinstance(component, SolverDoor):
            yield gauge("romer_solvers_connected", "Solvers with all their connections", (), {(): component.complete})


def _of_fix(engine: FixEngine) -> Iterator[Metric]:
    sessions = engine.state.sessions
    states = {str(status): 0 for status in Status}
    for session in sessions.values():
        states[session.status] += 1
    yield gauge("romer_fix_sessions", "Sessions by state", ("state",), {(state,): n for state, n in states.items()})
    numbers = {(name, "in"): session.next_in for name, session in sessions.items()}
    numbers |= {(name, "out"): session.next_out for name, session in sessions.items()}
    yield gauge("romer_fix_next_seq_num", "The next MsgSeqNum", ("session", "direction"), numbers)
    queues = {(name, "early"): len(session.early) for name, session in sessions.items()}
    queues |= {(name, "pending"): len(session.pending) for name, session in sessions.items()}
    about = "Messages that wait: early ones for a gap to be filled, pending ones for a logon"
    yield gauge("romer_fix_queued_messages", about, ("session", "queue"), queues)


def _of_auction(auction: Auction) -> Iterator[Metric]:
    phases = {("soliciting",): len(auction.state.books), ("fulfilling",): len(auction.state.commitments.live)}
    yield gauge("romer_auctions", "Batches open for bids, and commitments not yet settled", ("phase",), phases)


def _all(readings: tuple[Reading, ...]) -> Iterator[Metric]:
    for reading in readings:
        yield from reading()


def _histogram(registry: CollectorRegistry, name: str, about: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(name, about, registry=registry, buckets=buckets)
