"""Brings a node back from its journal's directory: the newest good snapshot, then the tail through the replay code."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from core.errors import InputError, JournalDamaged, ReplayDiverged
from core.kernel import recover as tail
from core.kernel.codec import Codec
from core.kernel.component import Component
from core.kernel.journal import Crash, Journal
from core.kernel.kernel import Kernel, Observer, Snapshot
from core.kernel.reader import JournalReader, frames, read_header
from core.kernel.segments import whole_frame_after
from core.units import SECOND, Nanos
from live.journal import snapshots
from live.journal.files import open_reader, read_segment, segment_header, segment_paths
from live.journal.store import Store

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


def recover(store: Store, build: Build, codec: Codec, *, observer: Observer | None = None) -> Recovered:
    """Cut off a torn tail, go back to where the journal stops, and begin the segments of this boot.

    `build` makes the node's components afresh, perhaps more than once. `observer` hears of what happens from now on.

    Raises JournalDamaged for damage that is not a torn tail, ReplayDiverged for a journal that this version does not
    reproduce, and InputError for one whose last event crashed the node, or when the disk has no room. Each says
    what to do. The store is then still open.
    """
    messages: list[str] = []
    paths = segment_paths(store.folder)
    boot = 1
    if paths:
        messages += cut_tail(paths[-1])
        boot = segment_header(paths[-1]).boot + 1
    kernel, reader, replayed = _restored(store, build, codec, observer, messages)
    assert kernel.journal is not None
    if reader is not None and reader.crash is not None:
        raise crashed(store.folder, reader.crash, codec)
    if reader is not None:
        messages.append(_summary(store, kernel.journal, boot, replayed))
    now = time.time_ns()
    if now < kernel.at:
        behind = (kernel.at - now) / SECOND
        messages.append(f"the clock is {behind:.3f} s behind the journal: the node goes on from the journal's time")
    store.begin(kernel.journal, boot, now)
    kernel.resume()
    return Recovered(kernel, messages, kernel.at, kernel.journal.count == 0, replayed)


def cut_tail(path: Path) -> list[str]:
    """Cut off what the last segment has after its last whole frame; say so if it was more than unused room.

    Raises JournalDamaged when whole frames follow: that is not a tail.
    """
    data = read_segment(path)
    _, size = read_header(str(path), data)
    try:
        for _, after, _ in frames(str(path), data, size):
            size = after
    except JournalDamaged as damage:
        if whole_frame_after(data, damage.offset + 1) is not None:
            raise not_a_tail(path.parent, damage) from None
        size = damage.offset
    if size == len(data):
        return []
    torn = data[size:].rstrip(b"\0")
    os.truncate(path, size)
    if not torn:
        return []
    return [f"{path}: torn tail cut at byte {size}: {len(torn)} bytes of a write that the last process did not finish"]


def not_a_tail(folder: Path, damage: JournalDamaged) -> JournalDamaged:
    """The error for damage with whole frames after it."""
    hint = f"`romer-live journal repair {folder}` keeps the damaged file aside and goes on from there"
    return JournalDamaged(damage.name, damage.offset, f"{damage.reason}, and not at the end: {hint}")


def crashed(folder: Path, crash: Crash, codec: Codec) -> InputError:
    """The error for a journal that ends with the event that crashed its node."""
    event = codec.events.decode(crash.event)
    return InputError(
        f"{folder}: the node crashed on {event!r} for {crash.dst}: {crash.error}",
        f"with a mended version or not, `romer-live journal quarantine {folder}` passes over that event",
    )


def good_snapshots(folder: Path, messages: list[str]) -> Iterator[Snapshot | None]:
    """The snapshots that can be read, newest first, and then None: the whole journal."""
    for path in snapshots.snapshot_paths(folder):
        try:
            yield snapshots.load(path)
        except JournalDamaged as damage:
            messages.append(f"{damage}: skipped")
    yield None


def _restored(
    store: Store, build: Build, codec: Codec, observer: Observer | None, messages: list[str]
) -> tuple[Kernel, JournalReader | None, int]:
    paths = segment_paths(store.folder)
    for since in good_snapshots(store.folder, messages):
        kernel = Kernel(store.header.node, build(), journal=Journal(store.header.node), observer=observer)
        if not paths:
            kernel.boot(0)
            return kernel, None, 0
        try:
            reader = open_reader(paths, since.chain if since else None)
            if since is None and reader.header.count:
                problem = f"no snapshot is of use, and the segments before {paths[0].name} are gone"
                raise InputError(f"{store.folder}: {problem}", "bring back the archived segments")
            replayed = tail.recover(kernel, reader, codec, since)
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
