"""Brings a node back from its journal's directory: the newest good snapshot, then the tail through the replay code."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from core.errors import InputError, JournalDamaged, ReplayDiverged
from core.kernel import recover as rest
from core.kernel.codec import Codec
from core.kernel.component import Component
from core.kernel.journal import Crash, Journal
from core.kernel.kernel import Kernel, Observer
from core.kernel.reader import JournalReader
from core.units import SECOND, Nanos
from live.journal import snapshots
from live.journal.files import open_reader, segment_header, segment_paths
from live.journal.store import Store
from live.journal.tail import cut_tail, not_a_tail, segments_gone

Build = Callable[[], list[Component[Any]]]


class Recovered(msgspec.Struct, frozen=True):
    """A node that is ready to run, and what its operator should know.

    `not_before` is the time of its last delivery: its clock must not begin earlier. `fresh` is a journal that held
    no delivery before.
    """

    kernel: Kernel
    messages: list[str]
    not_before: Nanos
    fresh: bool
    replayed: int
    """Deliveries after the snapshot that were handled again."""
    summary: str = ""
    """Of `messages`, the one that says that all is well."""


class Progress:
    """How far a recovery has come, for whoever asks meanwhile from another thread."""

    __slots__ = ("journal", "total")

    def __init__(self) -> None:
        self.total = 0
        """The journal's last delivery."""
        self.journal: Journal | None = None
        """Of the kernel that is brought back."""

    def __str__(self) -> str:
        return f"delivery {self.journal.count} of {self.total}" if self.journal is not None else "reading the journal"


def recover(
    store: Store,
    build: Build,
    codec: Codec,
    *,
    observer: Observer | None = None,
    progress: Progress | None = None,
) -> Recovered:
    """Cut off a torn tail, go back to where the journal stops, and begin the segments of this boot.

    `build` makes the node's components afresh, perhaps more than once. `observer` hears of what happens from now on;
    `progress` is kept up to date until then.

    Raises JournalDamaged for damage that is not a torn tail, ReplayDiverged for a journal that this version does not
    reproduce, and InputError for one whose last event crashed the node, or when the disk has no room. Each says
    what to do. The store is then still open.
    """
    messages: list[str] = []
    paths = segment_paths(store.folder)
    boot, progress = 1, progress or Progress()
    if paths:
        progress.total, said = cut_tail(paths[-1], store.policy)
        messages += said
        boot = segment_header(paths[-1]).boot + 1

    def fresh() -> Kernel:
        progress.journal = Journal(store.header.node)
        return Kernel(store.header.node, build(), journal=progress.journal, observer=observer)

    kernel, reader, replayed = _restored(store, fresh, codec, messages)
    assert kernel.journal is not None
    if reader is not None and reader.crash is not None:
        raise crashed(store.folder, reader.crash, codec)
    summary = ""
    if reader is not None:
        summary = _summary(store, kernel.journal, boot, replayed)
        messages.append(summary)
    now = time.time_ns()
    if now < kernel.at:
        behind = (kernel.at - now) / SECOND
        messages.append(f"the clock is {behind:.3f} s behind the journal: the node goes on from the journal's time")
    store.begin(kernel.journal, boot, now)
    kernel.resume()
    return Recovered(kernel, messages, kernel.at, kernel.journal.count == 0, replayed, summary)


def crashed(folder: Path, crash: Crash, codec: Codec) -> InputError:
    """The error for a journal that ends with the event that crashed its node."""
    event = codec.events.decode(crash.event)
    return InputError(
        f"{folder}: the node crashed on {event!r} for {crash.dst}: {crash.error}",
        f"with a mended version or not, `romer-live journal quarantine {folder}` passes over that event",
    )


def _restored(
    store: Store, fresh: Callable[[], Kernel], codec: Codec, messages: list[str]
) -> tuple[Kernel, JournalReader | None, int]:
    paths = segment_paths(store.folder)
    for since in snapshots.good(store.folder, messages):
        kernel = fresh()
        if not paths:
            if since is not None:
                raise InputError(f"{store.folder}: snapshots and no segment", "bring them back, or empty the directory")
            kernel.boot(0)
            return kernel, None, 0
        try:
            reader = open_reader(paths, since.chain if since else None)
            if since is None and reader.header.count:
                raise segments_gone(store.folder)
            replayed = rest.recover(kernel, reader, codec, since)
        except (msgspec.DecodeError, ReplayDiverged, JournalDamaged) as error:
            if since is None:
                if isinstance(error, JournalDamaged):
                    raise not_a_tail(store.folder, error) from None
                raise
            messages.append(f"snapshot of delivery {since.chain.count} is of no use: {error}: skipped")
        else:
            store.snapshot_count = since.chain.count if since else 0
            return kernel, reader, replayed
    raise AssertionError("the whole journal is always tried")


def _summary(store: Store, journal: Journal, boot: int, replayed: int) -> str:
    since = f"snapshot of delivery {store.snapshot_count}" if store.snapshot_count else "the beginning"
    return f"boot {boot} goes on after delivery {journal.count} ({replayed} handled again since {since})"
