"""The index of a journal's directory: what each segment's header says, in one small file for people and programs.

Nothing depends on it, and nothing that is wrong with it, or with a header, is anybody's trouble: whoever finds it
missing, damaged or out of step with the files makes it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import msgspec

from core.errors import InputError, JournalDamaged
from core.kernel.journal import Header
from core.kernel.segments import segment_number
from live.journal.files import segment_header, segment_paths, write_whole

NAME: Final = "index.json"


class Entry(msgspec.Struct, frozen=True):
    """A segment: its number, the boot that wrote it, its first delivery, and the digest of all before."""

    segment: int
    boot: int
    first_seq: int
    digest: str

    @classmethod
    def of(cls, header: Header) -> Self:
        """What a header says."""
        return cls(header.segment, header.boot, header.count + 1, header.digest)


def read_index(folder: Path) -> list[Entry]:
    """What the index holds; nothing when it cannot be read."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=list[Entry])
    except (OSError, msgspec.DecodeError):
        return []


def build_index(folder: Path, known: Sequence[Entry] = ()) -> list[Entry]:
    """An entry for each segment that is there: the one that is known, or what its header says if that can be read."""
    by_number = {entry.segment: entry for entry in known}
    entries = []
    for path in segment_paths(folder):
        with suppress(InputError, JournalDamaged):
            entries.append(by_number.get(segment_number(path.name)) or Entry.of(segment_header(path)))
    return entries


def write_index(folder: Path) -> None:
    """Add what is missing in the index, and leave out what is gone. A disk without room for it keeps the old one."""
    with suppress(InputError):
        _write(folder, build_index(folder, read_index(folder)))


def add_to_index(folder: Path, header: Header) -> None:
    """A segment has begun: say so, without reading any other. A disk that has no room for it keeps the old one."""
    _write(folder, [*read_index(folder), Entry.of(header)])


def _write(folder: Path, entries: list[Entry]) -> None:
    with suppress(OSError):
        write_whole(folder / NAME, msgspec.json.format(msgspec.json.encode(entries)) + b"\n")
