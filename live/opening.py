"""From a configuration to a node that is ready to run: journal opened and recovered, metrics and log attached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Annotated, NamedTuple

import structlog
from msgspec import Meta
from prometheus_client.core import Metric

from core.config import Count, Duration, NodeConfig, Section, VenueConfig, encode_node
from core.identity.checking import check
from core.kernel.journal import Header
from core.kernel.kernel import Kernel, Observer
from core.kernel.record import Effect, Event, Record
from core.sequencer.sequencer import Sequencer
from core.solver.strategies.registry import solve
from core.units import SECOND, Nanos
from core.wiring import CODEC, components, node_name
from live.clock import Clock, clock_offset, wall_clock
from live.connection import Filter
from live.driver import NO_SERVICES, LiveNode, NoteSink, Solve
from live.journal.policy import SyncPolicy
from live.journal.recovery import Progress, recover
from live.journal.store import SEGMENT_BYTES, SNAPSHOT_DELIVERIES, SNAPSHOT_SECONDS, Store
from live.lanes import Lanes, workers
from live.observe.metrics import Metrics, counter, gauge
from live.tls import ClientTls


class JournalSection(Section, frozen=True, kw_only=True):
    """Where a node's journal is and how it is kept. `sync` is `always`, a duration, or `off`."""

    dir: str = "journal"
    sync: str = "always"
    segment_bytes: Annotated[int, Meta(ge=1 << 24, le=1 << 34)] = SEGMENT_BYTES
    snapshot_deliveries: Count = SNAPSHOT_DELIVERIES
    snapshot_interval: Duration = Duration(int(SNAPSHOT_SECONDS) * SECOND)


class Opened(NamedTuple):
    """A node, what is counted of it, its journal and its clock."""

    node: LiveNode
    metrics: Metrics
    store: Store
    clock: Clock


class Watch(NamedTuple):
    """Who hears what a node does: of its facts, and of every delivery."""

    on_note: NoteSink
    observer: Observer | None = None


def open_node(
    config: NodeConfig,
    journal: JournalSection,
    folder: Path,
    watch: Watch,
    *,
    seed: int,
    outward: Filter | None = None,
    tls: ClientTls | None = None,
    services: Mapping[str, Solve] = NO_SERVICES,
    prepare: Callable[[], None] = lambda: None,
    progress: Progress | None = None,
) -> Opened:
    """Open a node's journal below `folder`, go on where it ended, and make the node. Call on the running loop.

    `prepare` is called once the journal is locked and before anything is done to it; from then on `progress` says how
    far its recovery is. What the node sends on
    connections that it has dialled goes through `outward` last, and by TLS if there is `tls`.

    Raises InputError for a folder that cannot be used, JournalDamaged and ReplayDiverged for a journal that cannot
    be gone on with.
    """
    metrics = Metrics()
    is_venue = isinstance(config, VenueConfig)
    store = _open_store(config, journal, folder / journal.dir, seed)
    log = structlog.get_logger().bind(node=store.header.node)
    try:
        prepare()
        observer = _both(metrics.observe, watch.observer)
        recovered = recover(store, lambda: components(config, seed), CODEC, observer=observer, progress=progress)
    except BaseException:
        store.close()
        raise
    for message in recovered.messages:
        (log.info if message == recovered.summary else log.warning)("recovered", what=message)

    def note(node: str, now: Nanos, component: str, fact: Record) -> None:
        metrics.note(node, now, component, fact)
        watch.on_note(node, now, component, fact)

    store.under_way = _under_way(recovered.kernel)
    clock = wall_clock(recovered.not_before)
    node = LiveNode(
        recovered.kernel,
        clock=clock,
        on_note=note,
        store=store,
        solve=check if is_venue else solve,
        executor=Lanes() if is_venue else workers(),
        outward=outward,
        tls=tls,
        services=services,
        on_pump=metrics.on_pump,
    )
    metrics.watch(recovered.kernel, partial(_of_sockets, node), partial(_of_store, store), partial(_of_clock, clock))
    return Opened(node, metrics, store, clock)


def _under_way(kernel: Kernel) -> Callable[[], int]:
    """Counts orders that are alive, and whatever has its time: so much comes to an end if nothing more comes in."""
    sequencers = [each for each in kernel.components.values() if isinstance(each, Sequencer)]
    return lambda: len(kernel.agenda) + sum([len(each.state.live) for each in sequencers])


def _both(first: Observer, second: Observer | None) -> Observer:
    """One observer that tells two."""
    if second is None:
        return first

    def tell(node: str, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        first(node, now, dst, event, effects)
        second(node, now, dst, event, effects)

    return tell


def _open_store(config: NodeConfig, journal: JournalSection, folder: Path, seed: int) -> Store:
    encoded = encode_node(config)
    versions = (("romer", version("romer")), ("python", python_version()))
    digest = blake2b(encoded, digest_size=16).hexdigest()
    return Store.open(
        folder,
        Header(node_name(config), seed, encoded, digest, versions=versions),
        policy=SyncPolicy.parse(journal.sync),
        segment_bytes=journal.segment_bytes,
        snapshot_deliveries=journal.snapshot_deliveries,
        snapshot_seconds=journal.snapshot_interval / SECOND,
    )


def _of_sockets(node: LiveNode) -> Iterator[Metric]:
    count, unsent = Counter[tuple[str]](), Counter[tuple[str]]()
    for connection in node.connections:
        count[connection.component,] += 1
        unsent[connection.component,] += connection.unsent
    yield gauge("romer_connections", "Open connections", ("component",), count)
    yield gauge("romer_unsent_bytes", "Written to connections and not yet taken by peers", ("component",), unsent)


def _of_clock(clock: Clock) -> Iterator[Metric]:
    about = "The system's clock minus the node's, which read it once and goes on evenly"
    yield gauge("romer_clock_offset_seconds", about, (), {(): clock_offset(clock) / SECOND})


def _of_store(store: Store) -> Iterator[Metric]:
    yield counter("romer_journal_bytes", "Written to the journal since the start", (), {(): store.bytes_written})
    yield gauge("romer_journal_sync", "The sync policy in force", ("policy",), {(str(store.policy),): 1})
    yield gauge("romer_journal_boot", "The number of this start of the node", (), {(): store.boot})
    yield gauge("romer_journal_snapshot_deliveries", "In the newest snapshot", (), {(): store.snapshot_count})
    yield gauge("romer_storage_short", "1 while new work is refused for want of room", (), {(): int(store.short)})
