"""Snapshots beside a journal: written whole, checksummed, newest first; old ones go when newer ones are there.

file    magic, BLAKE2b-256 of the rest, msgpack of the header of the segment being written and of the Snapshot
name    snapshot-000000123456.romer-snapshot: how many deliveries it includes
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from core.errors import JournalDamaged
from core.kernel.journal import Header
from core.kernel.kernel import Snapshot
from live.journal.files import write_whole

KEPT: Final = 3
_MAGIC: Final = b"ROMERS2\n"
_DIGEST_BYTES: Final = 32
_NAME: Final = re.compile(r"snapshot-(\d{12,})\.romer-snapshot")


def snapshot_paths(folder: Path) -> list[Path]:
    """The snapshots of a directory, newest first."""
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    return sorted(found, key=snapshot_count, reverse=True)


def snapshot_count(path: Path) -> int:
    """How many deliveries a snapshot includes, by its name."""
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return int(match[1])


def save(folder: Path, header: Header, snapshot: Snapshot) -> None:
    """Write a snapshot, and remove those that are older than the newest KEPT. Raises OSError."""
    payload = msgspec.msgpack.encode((header, snapshot))
    write_whole(folder / f"snapshot-{snapshot.chain.count:012}.romer-snapshot", _MAGIC + _digest(payload) + payload)
    for path in snapshot_paths(folder)[KEPT:]:
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what a process that was killed has left of a snapshot. For the holder of the lock."""
    for path in folder.glob("snapshot-*.romer-snapshot.tmp"):
        path.unlink(missing_ok=True)


def load(path: Path) -> Snapshot:
    """Read a snapshot. Raises JournalDamaged when it is not as it was written."""
    return load_whole(path)[1]


def good(folder: Path, messages: list[str]) -> Iterator[Snapshot | None]:
    """The snapshots that can be read, newest first, and then None: the whole journal."""
    for path in snapshot_paths(folder):
        try:
            yield load(path)
        except JournalDamaged as damage:
            messages.append(f"{damage}: skipped")
    yield None


def known_beyond(paths: Sequence[Path], count: int) -> int:
    """The last delivery that any good one of these snapshots, newest first, includes, if after `count`; otherwise 0."""
    for path in paths:
        if snapshot_count(path) <= count:
            break
        try:
            return load(path).chain.count
        except JournalDamaged:
            continue
    return 0


def load_whole(path: Path) -> tuple[Header, Snapshot]:
    """A snapshot, and the header of the segment that was being written. Raises JournalDamaged."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise JournalDamaged(str(path), 0, f"cannot be read: {error.strerror}") from None
    start = len(_MAGIC) + _DIGEST_BYTES
    if not data.startswith(_MAGIC):
        raise JournalDamaged(str(path), 0, f"not a snapshot: it does not start with {_MAGIC!r}")
    if _digest(data[start:]) != data[len(_MAGIC) : start]:
        raise JournalDamaged(str(path), start, "checksum mismatch")
    try:
        return msgspec.msgpack.decode(data[start:], type=tuple[Header, Snapshot])
    except msgspec.DecodeError as error:
        raise JournalDamaged(str(path), start, f"of another version: {error}") from None


def _digest(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=_DIGEST_BYTES, person=b"romer snapshot").digest()
