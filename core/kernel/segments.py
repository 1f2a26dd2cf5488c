"""What a directory of journal segments looks like, as names and bytes, for whoever writes it and whoever replays it.

000001.romer       a segment, in the order of the numbers; every boot of the node begins one
000001.romer.zst   the same, archived
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec
import zstandard

from core.errors import JournalDamaged
from core.kernel.journal import HEAD, Synced
from core.kernel.reader import DELIVERY_MARK, frames, read_header

SUFFIX: Final = ".romer"
ARCHIVED: Final = ".zst"
_SEGMENT: Final = re.compile(r"(\d{6,})\.romer(\.zst)?")
_encode: Final = msgspec.msgpack.Encoder().encode
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


def unpacked_start(name: str, data: bytes, size: int) -> bytes:
    """The first `size` bytes of a segment, archived or not, from the first of its file. Raises JournalDamaged."""
    if not name.endswith(ARCHIVED):
        return data[:size]
    try:
        return zstandard.ZstdDecompressor().stream_reader(data).read(size)
    except zstandard.ZstdError as error:
        raise JournalDamaged(name, 0, f"not a whole archive: {error}") from None


def whole_part(name: str, data: bytes) -> tuple[int, int]:
    """Where the last whole frame of the last segment ends, and the number of the last delivery until there.

    What is behind are zeros, or a write that was not finished. Raises JournalDamaged for what neither explains.
    """
    header, size = read_header(name, data)
    count = header.count
    try:
        for _, after, payload in frames(name, data, size):
            size, count = after, count + (payload[0] == DELIVERY_MARK)
    except JournalDamaged as damage:
        if damage.offset < synced_size(data, header.nonce):
            raise
    return size, count


def synced_size(data: bytes, nonce: bytes) -> int:
    """How much of a segment had surely reached the disk, by the last `Synced` in it, whatever is damaged before.

    The pages of a write may reach the disk in any order, so of what is behind anything may be missing.
    """
    if not nonce:
        return len(data)
    mark = _encode(Synced(nonce, 0))
    mark = mark[: mark.index(nonce) + len(nonce)]
    found = len(data)
    while (found := data.rfind(mark, HEAD.size, found)) >= 0:
        try:
            for _, _, payload in frames("", data, found - HEAD.size):
                return msgspec.msgpack.decode(payload, type=Synced).size
        except (JournalDamaged, msgspec.DecodeError):
            continue
    return 0


def whole_frame_after(data: bytes, offset: int) -> int | None:
    """Where the next whole frame begins at or after `offset`, on damaged ground; None when there is none."""
    for match in _HEAD_LIKE.finditer(data, offset):
        try:
            for begin, _, _ in frames("", data, match.start()):
                return begin
        except JournalDamaged:
            continue
    return None
