"""What a directory of journal segments looks like, as names and bytes, for whoever writes it and whoever replays it.

000001.romer       a segment, in the order of the numbers; every boot of the node begins one
000001.romer.zst   the same, archived
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import zstandard

from core.errors import JournalDamaged
from core.kernel.reader import frames

SUFFIX: Final = ".romer"
ARCHIVED: Final = ".zst"
_SEGMENT: Final = re.compile(r"(\d{6,})\.romer(\.zst)?")
_HEAD_LIKE: Final = re.compile(rb"(?=[\s\S]{3}[\x00-\x04][\s\S]{4}[\x81-\x8f\x94])")


def segment_name(number: int) -> str:
    """The file of a segment."""
    return f"{number:06}{SUFFIX}"


def segment_number(name: str) -> int:
    """The number of the segment in a file, or 0 when it is something else."""
    match = _SEGMENT.fullmatch(name)
    return int(match[1]) if match else 0


def segments(names: Iterable[str]) -> list[str]:
    """The segments among the files of a directory, oldest first; each once, and rather not archived."""
    found = {segment_number(name): name for name in sorted(names, reverse=True)}
    return [found[number] for number in sorted(found) if number]


def unpacked(name: str, data: bytes) -> bytes:
    """A segment's bytes, archived or not. Raises JournalDamaged for an archive that cannot be unpacked."""
    if not name.endswith(ARCHIVED):
        return data
    try:
        return zstandard.decompress(data)
    except zstandard.ZstdError as error:
        raise JournalDamaged(name, 0, f"not a whole archive: {error}") from None


def whole_frame_after(data: bytes, offset: int) -> int | None:
    """Where the next whole frame begins at or after `offset`, on damaged ground; None when there is none."""
    for match in _HEAD_LIKE.finditer(data, offset):
        try:
            for begin, _, _ in frames("", data, match.start()):
                return begin
        except JournalDamaged:
            continue
    return None
