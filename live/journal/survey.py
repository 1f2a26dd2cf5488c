"""What a journal's directory holds and whether it is whole. Changes nothing, and may look while the node runs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from core.errors import InputError, JournalDamaged
from core.kernel.reader import JournalReader
from core.kernel.segments import ARCHIVED, whole_frame_after
from live.journal.files import open_reader, read_segment, segment_paths
from live.journal.index import build_index, read_index
from live.journal.snapshots import load, snapshot_count, snapshot_paths


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    node: str
    segments: int
    archived: int
    boots: int
    first_seq: int
    deliveries: int
    digest: str
    """Of all deliveries; empty when the first segments are gone."""
    state: Literal["ended", "open", "crashed", "damaged"]
    """How it stops: in order; not (killed, or running); by an event; or at damage."""
    torn_bytes: int
    """After the last whole frame; the next start cuts them."""
    damage: str
    snapshots: tuple[int, ...]
    """How many deliveries each good one includes, newest first."""
    bad: tuple[str, ...]
    """What can be done without: snapshots and index."""

    def __str__(self) -> str:
        segments = f"{self.segments} segments ({self.archived} archived)"
        lines = [
            f"{self.node}: {self.deliveries:,} deliveries in {segments}, {self.boots} boots, {self.state}",
            f"digest {self.digest}" if self.digest else f"begins at delivery {self.first_seq}: no digest",
            f"snapshots of deliveries {', '.join(map(str, self.snapshots)) or 'none'}",
        ]
        if self.torn_bytes:
            lines.append(f"torn tail of {self.torn_bytes} bytes: the next start cuts it")
        return "\n".join([*lines, *self.bad, *([self.damage] if self.damage else [])])


def survey(folder: Path) -> Survey:
    """Read everything. Raises InputError for a directory without a journal, JournalDamaged for a first header."""
    paths = journal_paths(folder)
    reader = open_reader(paths)
    first_seq = reader.header.count + 1
    damage, torn = read_through(reader)
    good, bad = _snapshots(folder)
    chain = reader.chain()
    state: Literal["ended", "open", "crashed", "damaged"] = "ended" if reader.end else "open"
    if reader.crash is not None:
        state = "crashed"
    return Survey(
        node=reader.header.node,
        segments=len(paths),
        archived=sum(path.suffix == ARCHIVED for path in paths),
        boots=len(reader.boots),
        first_seq=first_seq,
        deliveries=chain.count,
        digest=reader.digest(),
        state="damaged" if damage else state,
        torn_bytes=torn,
        damage=str(damage) if damage else "",
        snapshots=good,
        bad=(*bad, *_index(folder)),
    )


def journal_paths(folder: Path) -> list[Path]:
    """The segments of a directory. Raises InputError when there is none."""
    paths = segment_paths(folder)
    if not paths:
        raise InputError(f"{folder}: no journal (no 000001.romer)", "give the directory that the node was started with")
    return paths


def read_through(reader: JournalReader) -> tuple[JournalDamaged | None, int]:
    """Read to the end, or to damage; and how many bytes a torn tail has, which is no damage."""
    try:
        for _ in reader.deliveries(unfinished=True):
            pass
    except JournalDamaged as damage:
        path = Path(damage.name)
        if reader.later_segments or path.suffix == ARCHIVED:
            return damage, 0
        data = read_segment(path)
        if damage.offset <= len(data) and whole_frame_after(data, damage.offset) is None:
            return None, len(data[damage.offset :].rstrip(b"\0"))
        return damage, 0
    return None, 0


def _snapshots(folder: Path) -> tuple[tuple[int, ...], tuple[str, ...]]:
    good, bad = [], []
    for path in snapshot_paths(folder):
        try:
            load(path)
            good.append(snapshot_count(path))
        except JournalDamaged as damage:
            bad.append(str(damage))
    return tuple(good), tuple(bad)


def _index(folder: Path) -> tuple[str, ...]:
    try:
        return () if read_index(folder) == build_index(folder) else (f"{folder}/index.json is wrong: delete it",)
    except JournalDamaged:
        return ()
