"""The index of a journal's directory: what each segment's header says, in one small file for people and programs.

Nothing depends on it: whoever finds it missing, damaged or out of step with the files makes it again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from core.kernel.segments import segment_number
from live.journal.files import segment_header, segment_paths, write_whole

NAME: Final = "index.json"


class Entry(msgspec.Struct, frozen=True):
    """A segment: its number, the boot that wrote it, its first delivery, and the digest of all before."""

    segment: int
    boot: int
    first_seq: int
    digest: str


def read_index(folder: Path) -> list[Entry]:
    """What the index says if it speaks of the segments that are there, or else what their headers say.

    Raises JournalDamaged for a header that cannot be read.
    """
    numbers = [segment_number(path.name) for path in segment_paths(folder)]
    try:
        found = msgspec.json.decode((folder / NAME).read_bytes(), type=list[Entry])
    except (OSError, msgspec.DecodeError):
        found = []
    known = {entry.segment: entry for entry in found}
    if all(number in known for number in numbers):
        return [known[number] for number in numbers]
    return build_index(folder)


def build_index(folder: Path) -> list[Entry]:
    """What the headers of the segments say. Raises JournalDamaged."""
    headers = (segment_header(path) for path in segment_paths(folder))
    return [Entry(header.segment, header.boot, header.count + 1, header.digest) for header in headers]


def write_index(folder: Path) -> None:
    """Bring the index up to date. A disk that has no room for it keeps the old one."""
    entries = read_index(folder)
    try:
        write_whole(folder / NAME, msgspec.json.format(msgspec.json.encode(entries)) + b"\n")
    except OSError:
        return
