"""Mends a journal's directory when its node is down. Nothing is destroyed: what is replaced is kept aside."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from core.errors import InputError, JournalDamaged
from core.kernel.codec import Codec
from core.kernel.journal import Header, Journal, Quarantined, control_frame, opening
from core.kernel.kernel import Snapshot
from core.kernel.reader import DELIVERY_MARK, frames, read_header
from core.kernel.segments import segment_name, segment_number, whole_frame_after, whole_part
from live.journal import snapshots
from live.journal.files import ASIDE, read_from, read_segment, segment_header, sync_folder, write_whole
from live.journal.index import write_index
from live.journal.lock import Lock
from live.journal.snapshots import snapshot_count, snapshot_paths
from live.journal.survey import read_from_newest, refused, survey
from live.journal.tail import cut_tail, journal_paths, read_through


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


class _Reach(msgspec.Struct, frozen=True):
    """How far a journal can be gone on with from one snapshot, or from the beginning: to delivery `count`.

    What follows byte `offset` of segment `at` cannot be read. When that is before the snapshot, `gap` is the header
    of a segment that goes on from it.
    """

    count: int
    at: int
    offset: int
    whole: int
    """The last delivery that could be read."""
    gap: Header | None


def repair(folder: Path) -> Repaired:
    """Let a journal go on from as late as it can: cut it at damage, or go on from a snapshot that knows more.

    What was there is kept beside it, as `*.damaged`. Raises InputError when nothing is damaged, when another process
    has the directory, when the node can go on without the damaged part, and for what is no damage.
    """
    paths = journal_paths(folder)
    lock = Lock(folder)
    try:
        refusal = refused(folder, [])
        if isinstance(refusal, InputError):
            raise refusal
        if refusal is not None:
            return _mend(folder, paths, refusal)
        count, messages = cut_tail(paths[-1])
        if messages:
            return Repaired(count, 0, (), (*messages, f"the journal goes on after delivery {count}"))
        if survey(folder).damage:
            raise InputError(
                f"{folder}: the node does not need the damaged part",
                "start it; for whole replays, bring back the damaged segment from a copy",
            )
        raise InputError(f"{folder}: nothing is damaged")
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
        reader = read_from_newest(folder, [])
        if reader.crash is None:
            raise InputError(f"{folder}: the journal does not end with an event that crashed the node")
        digest, count, before = reader.digest(), reader.chain().count, reader.header
        header = replace(before, segment=before.segment + 1, count=count, digest=digest, nonce=b"")
        frame = control_frame(Quarantined(time.time_ns()))
        write_whole(folder / segment_name(header.segment), opening(header) + frame)
        write_index(folder)
        event = codec.events.decode(reader.crash.event)
        return PassedOver(count, reader.crash.dst, repr(event), reader.crash.error)
    finally:
        lock.release()


def _mend(folder: Path, paths: list[Path], damage: JournalDamaged) -> Repaired:
    best = max(_reaches(folder, paths), key=lambda reach: (reach.count, reach.gap is None))
    kept = _kept(paths[best.at], best.offset)
    after = sum(_whole_deliveries(path, best.offset if path == paths[best.at] else 0) for path in paths[best.at :])
    lost = max(0, best.whole + after - best.count)
    aside = paths[best.at :] + [path for path in snapshot_paths(folder) if snapshot_count(path) > best.count]
    names = tuple(path.rename(_free_name(path)).name for path in reversed(aside))
    sync_folder(folder)
    number = segment_number(paths[best.at].name)
    if kept:
        write_whole(folder / segment_name(number), kept)
    if best.gap is not None:
        header = replace(best.gap, segment=number + bool(kept))
        write_whole(folder / segment_name(header.segment), opening(header))
    write_index(folder)
    how = "cut there" if best.gap is None else "it goes on from a snapshot, and cannot be replayed across the gap"
    return Repaired(
        best.count,
        lost,
        names,
        (
            f"{damage.name}: damaged at byte {damage.offset}",
            f"{how}: the journal goes on after delivery {best.count}; {lost} whole deliveries after it are left out",
            f"kept aside in {folder}: {', '.join(names)}",
        ),
    )


def _reaches(folder: Path, paths: list[Path]) -> Iterator[_Reach]:
    counts = [_count_before(path) for path in paths]
    yield _reach(paths, 0 if counts[0] == 0 else None, None, None)
    for path in snapshot_paths(folder):
        with suppress(JournalDamaged):
            header, snapshot = snapshots.load_whole(path)
            before = [n for n, count in enumerate(counts) if count is not None and count <= snapshot.chain.count]
            yield _reach(paths, before[-1] if before else None, header, snapshot)


def _count_before(path: Path) -> int | None:
    """How many deliveries came before a segment, if its header can be read."""
    with suppress(JournalDamaged):
        return segment_header(path).count
    return None


def _reach(paths: list[Path], first: int | None, header: Header | None, since: Snapshot | None) -> _Reach:
    """From the segment `first`, or from a snapshot with none of them."""
    count = since.chain.count if since is not None else 0
    if first is None:
        return _Reach(count, 0, 0, 0, _going_on(header, since))
    try:
        reader = read_from(paths[first:], since.chain if since is not None else None)
    except JournalDamaged:
        return _Reach(count, first, 0, 0, _going_on(header, since))
    damage, _ = read_through(reader)
    whole = reader.chain().count
    if damage is None:
        return _Reach(whole, len(paths) - 1, whole_part(reader.name, reader.segment)[0], whole, None)
    at = next(n for n, path in enumerate(paths) if str(path) == damage.name)
    return _Reach(max(count, whole), at, damage.offset, whole, _going_on(header, since) if reader.behind else None)


def _going_on(header: Header | None, since: Snapshot | None) -> Header | None:
    """The header of a segment that begins where a snapshot stands."""
    if header is None or since is None:
        return None
    journal = Journal(since.node)
    journal.resume(since.chain)
    return replace(header, count=since.chain.count, digest=journal.digest(), nonce=b"")


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
