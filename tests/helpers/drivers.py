"""Runs the same nodes through the same steps on either driver, and checks what must hold in every run.

Whatever the script, each journal replays to its own digest, no timer fires early, and nothing is told
about a connection after its `Close` or `Disconnected`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from simpy import Environment

from core.errors import ComponentFailed
from core.kernel.component import Component
from core.kernel.journal import Delivered, Header, Journal, Sink
from core.kernel.kernel import Kernel
from core.kernel.reader import JournalReader
from core.kernel.record import Bytes, Close, Connect, Connected, Disconnected, Record, TimerFired
from core.kernel.replay import replay
from core.units import MICROSECOND, MILLISECOND, SECOND, Nanos
from live.clock import wall_clock
from live.driver import LiveNode
from live.journal.files import read_segment, segment_paths
from live.journal.recovery import recover
from live.journal.store import Store
from sim.driver import SimNode
from sim.network import Network
from tests.helpers.toys import CODEC, Pong, Seen, Square

Addresses: TypeAlias = Mapping[str, str]
NOWHERE: Final = "127.0.0.1:1"
"""An address where nothing listens, under either driver."""
LIMIT: Final = 5 * SECOND


class Plan(NamedTuple):
    """A node: what it is made of, given the addresses of the nodes before it, and which component listens."""

    name: str
    make: Callable[[Addresses], list[Component[Any]]]
    door: str = ""


class Until(NamedTuple):
    """Go on until `node` has noted `what`."""

    node: str
    what: str


class StopNode(NamedTuple):
    """Stop one node, and no other."""

    node: str


class Vanish(NamedTuple):
    """Every connection of `node` breaks, and none of its components is told beforehand."""

    node: str


Step: TypeAlias = Until | StopNode | Vanish


class Ran(NamedTuple):
    """What came of it: notes and the segments of journals by node, and what stopped a node other than `stop`."""

    notes: dict[str, list[str]]
    journals: dict[str, list[bytes]]
    failure: Exception | None

    def reader(self, node: str) -> JournalReader:
        first, *rest = self.journals[node]
        return JournalReader(node, first, later=[(node, partial(bytes, data)) for data in rest])

    def deliveries(self, node: str) -> list[Delivered]:
        return [CODEC.delivered(delivery) for delivery in self.reader(node).deliveries()]


Drive: TypeAlias = Callable[[Sequence[Plan], Sequence[Step]], Ran]


def square(problem: Square) -> Pong:
    """What nodes compute."""
    return Pong(problem.n**2)


def in_sim(plans: Sequence[Plan], steps: Sequence[Step]) -> Ran:
    """Run under SimPy: every link takes 300 us, every computation 1 ms."""
    stage = _SimStage(plans)
    failure = None
    try:
        for step in steps:
            stage.take(step)
        stage.stop_all()
    except ComponentFailed as error:
        failure = error
    for node in stage.nodes.values():
        assert node.kernel.journal is not None
        node.kernel.journal.close()
    journals = {name: [sink.getvalue()] for name, sink in stage.sinks.items()}
    return _checked(plans, Ran(stage.notes, journals, failure), {name: name for name in stage.nodes})


def live(folder: Path) -> Drive:
    """Run on asyncio, with sockets on loopback and journals in `folder`."""
    return lambda plans, steps: asyncio.run(_live(plans, steps, folder))


class _SimStage:
    def __init__(self, plans: Sequence[Plan]) -> None:
        self.env = Environment(1_700_000_000 * SECOND)
        self.network = Network(lambda _src, _dst: lambda: 300 * MICROSECOND)
        self.notes: dict[str, list[str]] = {plan.name: [] for plan in plans}
        self.sinks = {plan.name: BytesIO() for plan in plans}
        self.nodes: dict[str, SimNode] = {}
        self.end = self.env.now + LIMIT
        for plan in plans:
            kernel = _kernel(plan, {name: name for name in self.nodes}, self.sinks[plan.name])
            solve = lambda problem: (square(problem), MILLISECOND)  # noqa: E731
            node = SimNode(self.env, kernel, self.network, on_note=_collect(self.notes), solve=solve)
            self.network.listen(plan.name, node, plan.door)
            self.nodes[plan.name] = node
        self.running = dict(self.nodes)
        for node in self.nodes.values():
            node.boot()

    def take(self, step: Step) -> None:
        match step:
            case Until(node, what):
                while what not in self.notes[node] and self.env.peek() < self.end:
                    self.env.step()
                assert what in self.notes[node], f"{node} never noted {what!r}: {self.notes}"
            case StopNode(node):
                self.running.pop(node).stop()
                self._finish_instant()
            case Vanish(node):
                for name, conn in list(self.network._ends):
                    if name == node:
                        self.network.close(self.nodes[node].now, self.nodes[node], conn, "vanished")

    def stop_all(self) -> None:
        for node in self.running.values():
            node.stop()
        self._finish_instant()

    def _finish_instant(self) -> None:
        while self.env.peek() <= self.env.now:
            self.env.step()


async def _live(plans: Sequence[Plan], steps: Sequence[Step], folder: Path) -> Ran:
    notes: dict[str, list[str]] = {plan.name: [] for plan in plans}
    nodes: dict[str, LiveNode] = {}
    addresses: dict[str, str] = {}
    clock = wall_clock()
    for plan in plans:
        store = Store.open(folder / plan.name, Header(plan.name, 1, b"", ""), segment_bytes=1 << 16)
        kernel = recover(store, partial(plan.make, dict(addresses)), CODEC).kernel
        node = nodes[plan.name] = LiveNode(kernel, clock=clock, on_note=_collect(notes), store=store, solve=square)
        if plan.door:
            addresses[plan.name] = f"127.0.0.1:{await node.listen('127.0.0.1', 0, plan.door)}"
    runs = {name: asyncio.create_task(node.run()) for name, node in nodes.items()}
    failure = None
    try:
        for step in steps:
            await _take(step, notes, nodes, runs)
        for node in nodes.values():
            node.stop()
    except ComponentFailed as error:
        failure = error
        for node in nodes.values():
            node.stop()
    await asyncio.wait(runs.values(), timeout=LIMIT / SECOND)
    for task in runs.values():
        assert task.exception() is failure or task.exception() is None
    journals = {name: [read_segment(path) for path in segment_paths(folder / name)] for name in nodes}
    return _checked(plans, Ran(notes, journals, failure), addresses)


async def _take(
    step: Step, notes: dict[str, list[str]], nodes: dict[str, LiveNode], runs: dict[str, asyncio.Task[None]]
) -> None:
    match step:
        case Until(node, what):
            async with asyncio.timeout(LIMIT / SECOND):
                while what not in notes[node]:
                    await asyncio.sleep(0.001)
                    for task in runs.values():
                        if task.done():
                            task.result()
        case StopNode(node):
            nodes[node].stop()
            await runs[node]
        case Vanish(node):
            for connection in nodes[node]._alive:
                assert connection._transport is not None
                connection._transport.abort()


def _collect(notes: dict[str, list[str]]) -> Callable[[str, Nanos, str, Record], None]:
    def collect(node: str, _now: Nanos, _component: str, fact: Record) -> None:
        assert isinstance(fact, Seen)
        notes[node].append(fact.what)

    return collect


def _kernel(plan: Plan, addresses: Addresses, sink: Sink) -> Kernel:
    journal = Journal(plan.name, sink)
    journal.open(Header(plan.name, 1, b"", ""))
    return Kernel(plan.name, plan.make(addresses), journal=journal)


def _checked(plans: Sequence[Plan], ran: Ran, addresses: Addresses) -> Ran:
    for plan in plans:
        reader = ran.reader(plan.name)
        replayed = replay(reader, plan.make(addresses), CODEC)
        assert reader.end is not None
        assert (replayed.count, replayed.digest) == (reader.end.count, reader.end.digest)
        _check_timers_and_connections(ran.deliveries(plan.name))
    return ran


def _check_timers_and_connections(deliveries: Sequence[Delivered]) -> None:
    ended: set[str] = set()
    last: Nanos = 0
    for now, _dst, event, effects in deliveries:
        assert now >= last, "time ran backwards"
        last = now
        if isinstance(event, TimerFired):
            assert now >= event.at, "a timer fired early"
        if isinstance(event, Connected | Bytes | Disconnected):
            assert event.conn not in ended, f"{event} after the end of {event.conn}"
        if isinstance(event, Disconnected):
            ended.add(event.conn)
        for effect in effects:
            if isinstance(effect, Close):
                ended.add(effect.conn)
            elif isinstance(effect, Connect):
                ended.discard(effect.conn)
