"""Compresses segments that no start of the node needs any more, and in the end forgets them. The node may run."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec
import zstandard

from core.errors import InputError, JournalDamaged
from core.kernel.segments import ARCHIVED
from live.journal.files import read_segment, segment_header, write_whole
from live.journal.snapshots import load, snapshot_paths
from live.journal.tail import journal_paths

_LEVEL = 9


class Archived(msgspec.Struct, frozen=True):
    """File names, and the bytes of those that were compressed, before and after."""

    compressed: tuple[str, ...]
    removed: tuple[str, ...]
    bytes_before: int
    bytes_after: int

    def __str__(self) -> str:
        ratio = f", {self.bytes_before:,} bytes to {self.bytes_after:,}" if self.compressed else ""
        removed = f"; removed {', '.join(self.removed)}" if self.removed else ""
        return f"compressed {len(self.compressed)} segments{ratio}{removed}"


def archive(folder: Path, keep: int | None = None) -> Archived:
    """Compress every segment that ends before the newest good snapshot; with `keep`, keep only so many of those.

    Raises InputError without a snapshot, and JournalDamaged for a segment that cannot be read.
    """
    paths = journal_paths(folder)
    newest = _newest_snapshot(folder)
    done = [path for path, after in pairwise(paths) if segment_header(after).count <= newest]
    removed = done[: max(0, len(done) - keep)] if keep is not None else []
    before = after = 0
    compressed = []
    for path in done[len(removed) :]:
        if path.suffix != ARCHIVED:
            before += path.stat().st_size
            after += _compress(path)
            compressed.append(path.name)
    for path in removed:
        path.unlink()
    return Archived(tuple(compressed), tuple(path.name for path in removed), before, after)


def _newest_snapshot(folder: Path) -> int:
    for path in snapshot_paths(folder):
        try:
            return load(path).chain.count
        except JournalDamaged:
            continue
    raise InputError(
        f"{folder}: no good snapshot, so every segment is needed", "a node takes one when it is stopped in order"
    )


def _compress(path: Path) -> int:
    data = read_segment(path)
    packed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(data)
    archived = path.with_name(path.name + ARCHIVED)
    write_whole(archived, packed)
    if read_segment(archived) != data:
        archived.unlink()
        raise JournalDamaged(str(archived), 0, "the archive is not what was written; the segment is untouched")
    path.unlink()
    return len(packed)
