"""How a journal may end: with a whole frame, or in a write that the last process did not finish, which is cut off."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from core.errors import InputError, JournalDamaged
from core.kernel.journal import Chain
from core.kernel.reader import Delivery, JournalReader
from core.kernel.segments import ARCHIVED, whole_part
from live.journal.files import open_reader, read_segment, segment_paths
from live.journal.policy import ALWAYS, SyncPolicy
from live.journal.snapshots import known_beyond, snapshot_paths


class Tail(msgspec.Struct, frozen=True):
    """How a journal ends: after delivery `count`, `size` bytes into its last segment; `torn` bytes follow."""

    size: int
    count: int
    torn: int


def tail_of(path: Path, taken: Sequence[Path] | None = None) -> Tail:
    """Where the journal ends whose last segment this is.

    `taken` are the snapshots that were there before this was found to be the last segment: a node that runs may have
    taken later ones, and begun another. Without it, those that are there now.

    Raises JournalDamaged, with the remedy, for damage in what had been synced, and for a journal that ends before a
    snapshot: both are more than a write that was not finished.
    """
    known_by = snapshot_paths(path.parent) if taken is None else taken
    try:
        data = read_segment(path)
        size, count = whole_part(str(path), data)
    except JournalDamaged as damage:
        raise not_a_tail(path.parent, damage) from None
    if known := known_beyond(known_by, count):
        reason = f"the journal ends after delivery {count}, and there is a snapshot of delivery {known}"
        raise not_a_tail(path.parent, JournalDamaged(str(path), size, reason))
    return Tail(size, count, len(data[size:].rstrip(b"\0")))


def cut_tail(path: Path, policy: SyncPolicy = ALWAYS) -> tuple[int, list[str]]:
    """Cut off what the last segment has after its last whole frame; the number of the last delivery that is left.

    If it was more than unused room that is said, and what is lost with it under the policy that it was written with.

    What is left is on disk on return, whatever the last process had synced: what is written next builds on it.
    Raises as `tail_of`, and OSError when it cannot be cut.
    """
    tail = tail_of(path)
    if path.suffix == ARCHIVED:
        return tail.count, []
    fd = os.open(path, os.O_RDWR)
    try:
        os.ftruncate(fd, tail.size)
        os.fsync(fd)
    finally:
        os.close(fd)
    if not tail.torn:
        return tail.count, []
    unfinished = f"{tail.torn} bytes of a write that the last process did not finish"
    return tail.count, [f"{path}: torn tail cut at byte {tail.size}: {unfinished}; {policy.lost_with_tail}"]


def read_through(reader: JournalReader) -> tuple[JournalDamaged | None, int]:
    """Read to the end, or to damage; and how many bytes a torn tail has, which is no damage."""
    try:
        for _ in reader.deliveries(unfinished=True):
            pass
    except JournalDamaged as damage:
        return (damage, 0) if reader.behind else _judged(reader, damage)
    return None, 0


def whole_deliveries(reader: JournalReader) -> Iterator[Delivery]:
    """Every delivery that is whole, of a journal whose node may be writing to it.

    Raises JournalDamaged for what no unfinished write explains.
    """
    try:
        yield from reader.deliveries(unfinished=True)
    except JournalDamaged as damage:
        if _judged(reader, damage)[0] is not None:
            raise


def _judged(reader: JournalReader, damage: JournalDamaged) -> tuple[JournalDamaged | None, int]:
    if not reader.later_segments and not damage.name.endswith(ARCHIVED):
        try:
            if whole_part(damage.name, reader.segment)[0] == damage.offset:
                return None, len(reader.segment[damage.offset :].rstrip(b"\0"))
        except JournalDamaged:
            pass
    return damage, 0


def not_a_tail(folder: Path, damage: JournalDamaged) -> JournalDamaged:
    """The error for damage that no unfinished write explains, with what to do."""
    remedy = f"`romer-live journal repair {folder}` keeps the damaged file aside and goes on from there"
    return JournalDamaged(damage.name, damage.offset, f"{damage.reason}, which no unfinished write explains: {remedy}")


def whole_reader(folder: Path, since: Chain | None) -> JournalReader:
    """A reader that has read the journal to its end from a snapshot, or all of it.

    Raises JournalDamaged, with the remedy, when that cannot be done, and InputError without a journal.
    """
    taken, paths = snapshot_paths(folder), journal_paths(folder)
    tail_of(paths[-1], taken)
    try:
        reader = open_reader(paths, since)
    except JournalDamaged as error:
        raise not_a_tail(folder, error) from None
    damage, _ = read_through(reader)
    if damage is not None:
        raise not_a_tail(folder, damage)
    return reader


def journal_paths(folder: Path) -> list[Path]:
    """The segments of a directory. Raises InputError when there is none."""
    paths = segment_paths(folder)
    if not paths:
        raise InputError(f"{folder}: no journal (no 000001.romer)", "give the directory that the node was started with")
    return paths


def segments_gone(folder: Path) -> InputError:
    """The error for a journal whose first segments were removed, and that has no snapshot to go on from."""
    problem = f"{folder}: no snapshot is of use, and the segments before {journal_paths(folder)[0].name} are gone"
    return InputError(problem, "bring back the archived segments")
