"""Mends a journal's directory when its node is down. Nothing is destroyed: what is replaced is kept aside."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from core.errors import InputError, JournalDamaged
from core.kernel.codec import Codec
from core.kernel.journal import Quarantined, control_frame, opening
from core.kernel.reader import DELIVERY_MARK, JournalReader, frames, read_header
from core.kernel.segments import segment_name, segment_number, whole_frame_after
from live.journal.files import ASIDE, open_reader, read_segment, sync_folder, write_whole
from live.journal.index import write_index
from live.journal.lock import Lock
from live.journal.recovery import cut_tail, good_snapshots
from live.journal.snapshots import snapshot_count, snapshot_paths
from live.journal.survey import journal_paths, read_through


class Repaired(msgspec.Struct, frozen=True):
    """What a repair did. `lost` counts deliveries that were whole after the damage, and are left out from now on."""

    deliveries: int
    lost: int
    aside: tuple[str, ...]
    messages: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.messages)


class PassedOver(msgspec.Struct, frozen=True):
    """The event that the next start passes over."""

    after: int
    """How many deliveries came before it."""
    component: str
    event: str
    error: str

    def __str__(self) -> str:
        return f"after delivery {self.after}: {self.event} for {self.component} is passed over ({self.error})"


def repair(folder: Path) -> Repaired:
    """Cut a journal at its first damage. What was there is kept beside it, as `*.damaged`.

    Raises InputError when nothing is damaged, when another process has the directory, and when the node can go on
    without the damaged part, which a repair would make worse.
    """
    paths = journal_paths(folder)
    lock = Lock(folder)
    try:
        reader = open_reader(paths)
        damage, torn = read_through(reader)
        if damage is None and not torn:
            raise InputError(f"{folder}: nothing is damaged")
        if damage is None:
            count = reader.chain().count
            return Repaired(count, 0, (), (*cut_tail(paths[-1]), f"the journal goes on after delivery {count}"))
        _refuse_if_not_needed(folder, paths)
        return _cut(folder, paths, damage, reader.chain().count)
    finally:
        lock.release()


def quarantine(folder: Path, codec: Codec) -> PassedOver:
    """Mark the event that crashed a node, the last of its journal, so that the next start passes over it.

    Raises InputError when the journal ends with no such event, JournalDamaged when it is not whole.
    """
    paths = journal_paths(folder)
    lock = Lock(folder)
    try:
        cut_tail(paths[-1])
        reader = _read(folder, paths)
        if reader.crash is None:
            raise InputError(f"{folder}: the journal does not end with an event that crashed the node")
        digest, count, before = reader.digest(), reader.chain().count, reader.header
        header = replace(before, segment=before.segment + 1, count=count, digest=digest)
        frame = control_frame(Quarantined(time.time_ns()))
        write_whole(folder / segment_name(header.segment), opening(header) + frame)
        write_index(folder)
        event = codec.events.decode(reader.crash.event)
        return PassedOver(count, reader.crash.dst, repr(event), reader.crash.error)
    finally:
        lock.release()


def _read(folder: Path, paths: list[Path]) -> JournalReader:
    """A reader that has read to the end, from the newest snapshot that leads there."""
    for since in good_snapshots(folder, []):
        with suppress(JournalDamaged):
            reader = open_reader(paths, since.chain if since else None)
            damage, _ = read_through(reader)
            if damage is None:
                return reader
    damage, _ = read_through(open_reader(paths))
    assert damage is not None
    raise damage


def _refuse_if_not_needed(folder: Path, paths: list[Path]) -> None:
    for since in good_snapshots(folder, []):
        with suppress(JournalDamaged):
            if since is not None and read_through(open_reader(paths, since.chain))[0] is None:
                raise InputError(
                    f"{folder}: the node does not need the damaged part: the snapshot of delivery {since.chain.count} "
                    "and all after it are whole",
                    "start it; for whole replays, bring back the damaged segment from a copy",
                )


def _cut(folder: Path, paths: list[Path], damage: JournalDamaged, count: int) -> Repaired:
    at = next(n for n, path in enumerate(paths) if str(path) == damage.name)
    kept = _kept(paths[at], damage.offset)
    lost = sum(_whole_deliveries(path, damage.offset if path == paths[at] else 0) for path in paths[at:])
    aside = paths[at:] + [path for path in snapshot_paths(folder) if snapshot_count(path) > count]
    names = tuple(path.rename(_free_name(path)).name for path in reversed(aside))
    sync_folder(folder)
    if kept:
        write_whole(folder / segment_name(segment_number(paths[at].name)), kept)
    write_index(folder)
    return Repaired(
        count,
        lost,
        names,
        (
            str(damage),
            f"cut there: the journal goes on after delivery {count}; {lost} whole deliveries after it are left out",
            f"kept aside in {folder}: {', '.join(names)}",
        ),
    )


def _kept(path: Path, offset: int) -> bytes:
    """What a damaged segment keeps: nothing when its header is at fault, or when it cannot be unpacked."""
    with suppress(JournalDamaged):
        data = read_segment(path)
        if offset >= read_header(str(path), data)[1]:
            return data[:offset]
    return b""


def _whole_deliveries(path: Path, offset: int) -> int:
    """How many whole delivery frames follow an offset, damage between them or not."""
    with suppress(JournalDamaged):
        data, count = read_segment(path), 0
        while (begin := whole_frame_after(data, offset)) is not None:
            offset = begin
            with suppress(JournalDamaged):
                for _, after, payload in frames(str(path), data, begin):
                    offset = after
                    count += payload[0] == DELIVERY_MARK
        return count
    return 0


def _free_name(path: Path) -> Path:
    name, number = path.with_name(path.name + ASIDE), 1
    while name.exists():
        name, number = path.with_name(f"{path.name}{ASIDE}.{number}"), number + 1
    return name
