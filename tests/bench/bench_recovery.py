"""How long a node takes to come back, and how fast it replays against how fast it lives, all in one run.

    python -m tests.bench.bench_recovery

The journal is that of quickstart's venue, with as many market hours as it takes for 1,000,000 deliveries.
`live` is the same events from outside, given again to a fresh kernel and journaled to disk with one write a pump,
with syncs (`always`) and without (`off`); sockets are left out of it. `whole journal` and `snapshot and tail` are
`live.journal.recovery.recover`; the tail has 100,000 deliveries, the most that the store's default leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

from core.config import decode_node
from core.kernel.component import Component
from core.kernel.journal import Header, Journal, Sink
from core.kernel.kernel import Kernel
from core.kernel.reader import JournalReader
from core.kernel.record import Event
from core.kernel.replay import replay
from core.units import Nanos
from core.wiring import CODEC, components
from live.journal import snapshots
from live.journal.policy import SyncPolicy
from live.journal.recovery import recover
from live.journal.store import SNAPSHOT_DELIVERIES, Store
from sim.scenario.load import load
from sim.simulation import Simulation
from tests.bench.command import run_bench

QUICKSTART = Path(__file__).parents[2] / "scenarios" / "quickstart.toml"
VENUE = "venue"


class Sizes(NamedTuple):
    """Deliveries of the whole journal, and of them those after the snapshot."""

    deliveries: int = 1_000_000
    tail: int = SNAPSHOT_DELIVERIES


FULL, TINY = Sizes(), Sizes(3_000, 500)


class Arrival(NamedTuple):
    """What came from outside."""

    now: Nanos
    dst: str
    event: Event


def record(path: Path, deliveries: int) -> None:
    """Simulate quickstart until its venue has had so many deliveries."""
    loaded = load(QUICKSTART, overrides=["run.duration=2h"])
    with path.open("wb") as file:

        def sinks(node: str) -> Sink | None:
            return file if node == VENUE else None

        simulation = Simulation(loaded.venue, {}, Header("", 1, b"", loaded.hash), sinks)
        journal = simulation.nodes[VENUE].kernel.journal
        assert journal is not None

        def go_on(_progress: object) -> bool:
            return journal.count < deliveries

        simulation.run(go_on)
        journal.flush()


def build(header: Header) -> list[Component[Any]]:
    """The components of the venue."""
    return components(decode_node(header.config), header.seed)


def arrivals(reader: JournalReader, kernel: Kernel) -> Iterator[Arrival]:
    """What the journal's node was given from outside."""
    for delivery in reader.deliveries(unfinished=True):
        now, dst, event, _ = CODEC.delivered(delivery)
        if not kernel.is_own(event):
            yield Arrival(now, dst, event)


def live(folder: Path, reader: JournalReader, policy: str) -> float:
    """Deliveries per second of a kernel that handles the same arrivals and writes its journal to disk."""
    store = Store.open(folder, reader.header, policy=SyncPolicy.parse(policy), snapshot_deliveries=1 << 60)
    kernel = recover(store, lambda: build(reader.header), CODEC).kernel
    assert kernel.journal is not None
    found = list(arrivals(reader, kernel))
    began = perf_counter()
    for now, dst, event in found:
        kernel.agenda.post(now, "outside", dst, event)
        if kernel.pump(now):
            kernel.journal.flush()
            store.sync()
        store.keep(kernel)
    rate = kernel.journal.count / (perf_counter() - began)
    store.close()
    return rate


def taken_up(folder: Path, header: Header) -> str:
    """What a recovery takes."""
    store = Store.open(folder, header)
    began = perf_counter()
    recovered = recover(store, lambda: build(header), CODEC)
    seconds = perf_counter() - began
    store.close()
    rate = recovered.replayed / seconds
    return f"{rate:10,.0f} deliveries/s, {recovered.replayed:,} in {seconds:.2f} s"


def save_snapshot(folder: Path, data: bytes, before_end: int) -> None:
    """The snapshot that the node would have taken so many deliveries before the end."""
    reader = JournalReader("recorded", data)
    total = sum(1 for _ in JournalReader("recorded", data).deliveries(unfinished=True))
    kernel = Kernel(VENUE, build(reader.header), journal=Journal(VENUE))
    kernel.boot(0)
    assert kernel.journal is not None
    for delivery in reader.deliveries(unfinished=True):
        now, dst, event, _ = CODEC.delivered(delivery)
        kernel.adopt(now, dst, event, kernel.components[dst].handle(now, event))
        kernel.journal.absorb(delivery.payload)
        if delivery.seq == total - before_end:
            break
    snapshots.save(folder, reader.header, kernel.snapshot())


def main(sizes: Sizes = FULL) -> None:
    """Print the table."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "journal"
        folder.mkdir()
        path = folder / "000001.romer"
        record(path, sizes.deliveries)
        data = path.read_bytes()
        header = JournalReader("recorded", data).header
        print(f"a venue's journal: {len(data) / 1e6:,.0f} MB")
        for policy in ("off", "always"):
            rate = live(Path(temporary) / policy, JournalReader("recorded", data), policy)
            print(f"{'live, sync ' + policy:36} {rate:10,.0f} deliveries/s")
        began = perf_counter()
        replayed = replay(JournalReader("recorded", data), build(header), CODEC, unfinished=True)
        print(f"{'replay':36} {replayed.count / (perf_counter() - began):10,.0f} deliveries/s")
        print(f"{'recovery from the whole journal':36} {taken_up(folder, header)}")
        save_snapshot(folder, data, sizes.tail)
        print(f"{'recovery from snapshot and tail':36} {taken_up(folder, header)}")


if __name__ == "__main__":
    run_bench(main, FULL, TINY)
