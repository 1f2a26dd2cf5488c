"""One segment that is being filled, and the spare one that waits for its turn.

The room of both is taken from the disk beforehand. So a disk that gets full shows when the next spare cannot be
had, while a whole segment is still free to write.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from core.kernel.segments import segment_name
from live.journal.files import data_sync, reserve, sync_folder, write_all

_SPARE: Final = "spare"


class OpenSegment:
    """Written at `size`, and no reader sees more than whole writes. `full` says that the next one should follow."""

    __slots__ = ("_dirty", "_fd", "_room", "path", "size")

    def __init__(self, path: Path, fd: int, size: int, room: int) -> None:
        self.path, self.size = path, size
        self._fd, self._room, self._dirty = fd, room, False

    @property
    def full(self) -> bool:
        """Whether as much is written as was reserved."""
        return self.size >= self._room

    def write(self, data: bytes) -> None:
        """Write all of `data`, or nothing. Raises OSError; nothing may be written after that."""
        self._dirty = True
        try:
            write_all(self._fd, data, self.size)
        except OSError as error:
            os.ftruncate(self._fd, self.size)
            raise OSError(error.errno, f"the journal cannot be written: {error.strerror}", str(self.path)) from error
        self.size += len(data)

    def sync(self) -> None:
        """Wait until the disk has everything written. Raises OSError."""
        if self._dirty:
            try:
                data_sync(self._fd)
            except OSError as error:
                raise OSError(error.errno, f"the journal cannot be synced: {error.strerror}", str(self.path)) from error
            self._dirty = False

    def close(self) -> None:
        """Give back the room that was not needed, and close."""
        try:
            os.ftruncate(self._fd, self.size)
            os.fsync(self._fd)
        finally:
            os.close(self._fd)


class Spare:
    """Room for one segment, taken beforehand."""

    def __init__(self, folder: Path, room: int) -> None:
        self.room = room
        self._path = folder / _SPARE
        self._path.unlink(missing_ok=True)
        self.ready = False

    def prepare(self) -> bool:
        """Take the room, if it is not taken yet. False when the disk has none."""
        if self.ready:
            return True
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            reserve(fd, self.room)
            os.fsync(fd)
            self.ready = True
        except OSError:
            self._path.unlink()
        finally:
            os.close(fd)
        return self.ready

    def begin(self, number: int, opening: bytes) -> OpenSegment:
        """Make it segment `number`, which is on disk with its opening on return. Needs `ready`. Raises OSError."""
        path = self._path.with_name(segment_name(number))
        self.ready = False
        fd = os.open(self._path, os.O_WRONLY)
        segment = OpenSegment(path, fd, 0, self.room)
        segment.write(opening)
        segment.sync()
        assert not path.exists(), f"{path} exists, and segments are never overwritten"
        self._path.rename(path)
        sync_folder(path.parent)
        return segment

    def remove(self) -> None:
        """Give the room back."""
        self._path.unlink(missing_ok=True)
        self.ready = False
