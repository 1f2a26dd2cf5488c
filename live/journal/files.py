"""The files of a journal's directory: found, read, and written so that a power cut leaves the old or the new."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from core.errors import InputError, JournalDamaged
from core.kernel.journal import Chain, Header
from core.kernel.reader import JournalReader, read_header
from core.kernel.segments import ARCHIVED, segments, unpacked, unpacked_start

ASIDE: Final = ".damaged"
"""What a repair has replaced."""
_HEADER_BYTES: Final = 1 << 16
_WHOLE: Final = 0o600
data_sync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


def segment_paths(folder: Path) -> list[Path]:
    """The segments of a directory, oldest first. Raises InputError when it cannot be read."""
    try:
        return [folder / name for name in segments(path.name for path in folder.iterdir())]
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from None


def read_segment(path: Path) -> bytes:
    """The bytes of a segment, unpacked. Raises InputError, or JournalDamaged for an archive that is none."""
    path, data = _bytes(path)
    return unpacked(str(path), data)


def segment_header(path: Path) -> Header:
    """A segment's header, without reading the rest unless it must. Raises InputError and JournalDamaged."""
    name, data = _bytes(path, _HEADER_BYTES)
    try:
        return read_header(str(path), unpacked_start(str(name), data, _HEADER_BYTES))[0]
    except JournalDamaged:
        if len(data) < _HEADER_BYTES:
            raise
    return read_header(str(path), read_segment(path))[0]


def last_before(paths: list[Path], count: int) -> int:
    """Which of the segments is the last that begins after at most `count` deliveries; the first if none does.

    Raises JournalDamaged for a header that it has to read.
    """
    return next((n for n in reversed(range(len(paths))) if segment_header(paths[n]).count <= count), 0)


def _bytes(path: Path, size: int = -1) -> tuple[Path, bytes]:
    """The first bytes of a segment, or all, from where it is now: it may have been archived since it was listed."""
    try:
        try:
            with path.open("rb") as file:
                return path, file.read(size)
        except FileNotFoundError:
            archived = path.with_name(path.name + ARCHIVED)
            with archived.open("rb") as file:
                return archived, file.read(size)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def open_reader(paths: list[Path], since: Chain | None = None) -> JournalReader:
    """A reader of these segments, from the last that begins before `since`.

    Raises JournalDamaged, also when none does.
    """
    return read_from(paths[last_before(paths, since.count) if since is not None else 0 :], since)


def read_from(paths: list[Path], since: Chain | None) -> JournalReader:
    """A reader of these segments, from the first. Raises JournalDamaged."""
    later = [(str(path), partial(read_segment, path)) for path in paths[1:]]
    return JournalReader(str(paths[0]), read_segment(paths[0]), later=later, since=since)


def write_whole(path: Path, data: bytes) -> None:
    """Make the file `path` hold `data`, all of it or, after a failure, what it held before. On disk on return."""
    temporary = path.with_name(f"{path.name}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _WHOLE)
    try:
        write_all(fd, data, 0)
        os.fsync(fd)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    temporary.replace(path)
    sync_folder(path.parent)


def write_all(fd: int, data: bytes, offset: int) -> None:
    """Hand `data` to the operating system, all of it."""
    rest = memoryview(data)
    while rest:
        done = os.pwrite(fd, rest, offset)
        rest, offset = rest[done:], offset + done


def reserve(fd: int, size: int) -> None:
    """Give the file `size` bytes that later writes cannot fail to find. Raises OSError when they are not there."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
    else:
        write_all(fd, bytes(size), 0)


def sync_folder(folder: Path) -> None:
    """Bring the names of files to disk: without it a power cut could forget a new one, or bring back an old one."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
