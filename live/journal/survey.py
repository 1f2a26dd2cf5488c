"""What a journal's directory holds and whether it is whole. Changes nothing, and may look while the node runs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from core.errors import InputError, JournalDamaged
from core.kernel.reader import JournalReader
from core.kernel.segments import ARCHIVED
from live.journal import snapshots
from live.journal.files import open_reader
from live.journal.index import NAME, build_index, read_index
from live.journal.snapshots import load, snapshot_count, snapshot_paths
from live.journal.tail import journal_paths, read_through, segments_gone, whole_reader

Verdict: TypeAlias = Literal["whole", "impaired", "refused"]
"""Nothing is wrong (a torn tail is not); something is damaged that a start does without; a start is refused."""


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
    """The first, whether a start needs what is damaged or not."""
    refusal: str
    """Why a start of the node is refused, and what to do about it; empty when it is not."""
    snapshots: tuple[int, ...]
    """How many deliveries each good one includes, newest first."""
    bad: tuple[str, ...]
    """What can be done without: snapshots and index."""

    @property
    def verdict(self) -> Verdict:
        """What it comes to for whoever runs the node."""
        if self.refusal:
            return "refused"
        return "impaired" if self.damage or self.bad else "whole"

    def __str__(self) -> str:
        segments = f"{self.segments} segments ({self.archived} archived)"
        lines = [
            f"{self.node}: {self.deliveries:,} deliveries in {segments}, {self.boots} boots, {self.state}",
            f"digest {self.digest}" if self.digest else f"begins at delivery {self.first_seq}: no digest",
            f"snapshots of deliveries {', '.join(map(str, self.snapshots)) or 'none'}",
        ]
        if self.torn_bytes:
            lines.append(f"torn tail of {self.torn_bytes} bytes, a write not finished: the next start cuts it")
        if self.damage:
            lines.append(self.damage)
        if self.refusal:
            lines.append(f"the node does not start: {self.refusal}")
        elif self.damage:
            lines.append("the node starts: it does not need the damaged part")
        return "\n".join([*lines, *self.bad])


def survey(folder: Path) -> Survey:
    """Read everything. Raises InputError for a directory without a journal."""
    paths = journal_paths(folder)
    useless: list[str] = []
    refusal = refused(folder, useless)
    good, bad = _snapshots(folder)
    reader, damage, torn = _read(paths)
    state: Literal["ended", "open", "crashed", "damaged"] = "ended" if reader and reader.end else "open"
    if reader is not None and reader.crash is not None:
        state = "crashed"
    return Survey(
        node=reader.header.node if reader else "unknown",
        segments=len(paths),
        archived=sum(path.suffix == ARCHIVED for path in paths),
        boots=len(reader.boots) if reader else 0,
        first_seq=reader.first_seq if reader else 1,
        deliveries=reader.chain().count if reader else 0,
        digest=reader.digest() if reader else "",
        state="damaged" if damage else state,
        torn_bytes=torn,
        damage=str(damage) if damage else "",
        refusal=str(refusal) if refusal else "",
        snapshots=good,
        bad=(*bad, *([] if refusal else useless), *_index(folder)),
    )


def refused(folder: Path, useless: list[str]) -> JournalDamaged | InputError | None:
    """What a start of the node would say, as far as that can be known without its code; None when it would start.

    `useless` hears of snapshots that the journal does not go on from.
    """
    try:
        reader = read_from_newest(folder, useless)
    except JournalDamaged as damage:
        return damage
    if not reader.digest():
        return segments_gone(folder)
    if reader.crash is not None:
        hint = f"`romer-live journal quarantine {folder}` passes over that event"
        return InputError(f"the journal ends with an event that crashed the node: {reader.crash.error}", hint)
    return None


def read_from_newest(folder: Path, useless: list[str]) -> JournalReader:
    """A reader that has read to the end, from the newest snapshot that leads there, or else from the beginning.

    Raises JournalDamaged, with the remedy, when nothing does. `useless` hears of newer snapshots that do not.
    """
    for since in snapshots.good(folder, []):
        if since is None:
            break
        try:
            return whole_reader(folder, since.chain)
        except JournalDamaged as damage:
            useless.append(f"snapshot of delivery {since.chain.count} is of no use: {damage}")
    return whole_reader(folder, None)


def _read(paths: list[Path]) -> tuple[JournalReader | None, JournalDamaged | None, int]:
    """Read all segments: the reader, unless the first header is damaged; the first damage; the bytes of a torn tail."""
    try:
        reader = open_reader(paths)
    except JournalDamaged as damage:
        return None, damage, 0
    return reader, *read_through(reader)


def _snapshots(folder: Path) -> tuple[tuple[int, ...], tuple[str, ...]]:
    good, bad = [], []
    for path in snapshot_paths(folder):
        try:
            load(path)
            good.append(snapshot_count(path))
        except JournalDamaged as damage:
            if path.exists():  # a running node removes old ones
                bad.append(str(damage))
    return tuple(good), tuple(bad)


def _index(folder: Path) -> tuple[str, ...]:
    """Nothing depends on it, and it may lag behind; but what it says should be so."""
    said = {entry.segment: entry for entry in read_index(folder)}
    wrong = [entry for entry in build_index(folder) if said.get(entry.segment, entry) != entry]
    unread = (folder / NAME).exists() and not said
    return (f"{folder / NAME} is wrong: delete it",) if wrong or unread else ()
