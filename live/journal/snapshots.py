"""Snapshots beside a journal: written whole, checksummed, newest first; old ones go when newer ones are there.

file    magic, BLAKE2b-256 of the rest, msgpack of core.kernel.kernel.Snapshot
name    snapshot-000000123456.romer-snapshot: how many deliveries it includes
"""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from core.errors import JournalDamaged
from core.kernel.kernel import Snapshot
from live.journal.files import write_whole

KEPT: Final = 3
_MAGIC: Final = b"ROMERS1\n"
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


def save(folder: Path, snapshot: Snapshot) -> None:
    """Write a snapshot, and remove those that are older than the newest KEPT. Raises OSError."""
    payload = msgspec.msgpack.encode(snapshot)
    write_whole(folder / f"snapshot-{snapshot.chain.count:012}.romer-snapshot", _MAGIC + _digest(payload) + payload)
    for path in snapshot_paths(folder)[KEPT:]:
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what a process that was killed has left of a snapshot. For the holder of the lock."""
    for path in folder.glob("snapshot-*.romer-snapshot.tmp"):
        path.unlink(missing_ok=True)


def load(path: Path) -> Snapshot:
    """Read a snapshot. Raises JournalDamaged when it is not as it was written."""
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
        return msgspec.msgpack.decode(data[start:], type=Snapshot)
    except msgspec.DecodeError as error:
        raise JournalDamaged(str(path), start, f"of another version: {error}") from None


def _digest(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=_DIGEST_BYTES, person=b"romer snapshot").digest()
