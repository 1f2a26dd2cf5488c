"""One segment that is being filled, and the spare one that waits for its turn.

The room of both is taken from the disk beforehand, and what a turn to the spare needs is open beforehand. So a disk
that gets full shows when the next spare cannot be had, while a whole segment is still free to write.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.kernel.journal import Synced, control_frame
from core.kernel.segments import segment_name
from live.journal.files import data_sync, reserve, write_all

NONCE_BYTES: Final = 8
_SPARE: Final = "spare"
_MARK_BYTES_MAX: Final = len(control_frame(Synced(bytes(NONCE_BYTES), 1 << 62)))


class OpenSegment:
    """Written at `size`, and no reader sees more than whole writes. `written_at` is where the last of them begins.

    With `trusting`, of what is never synced, all that is written counts as needed, and nothing of it as a tail.
    """

    __slots__ = ("_fd", "_known", "_nonce", "_room", "_synced", "_trusting", "path", "size", "written_at")

    def __init__(self, path: Path, fd: int, room: int, nonce: bytes, opening: bytes, *, trusting: bool = False) -> None:
        """Raises OSError when the opening cannot be written and synced."""
        self.path, self._trusting = path, trusting
        self.size = self.written_at = self._synced = self._known = 0
        self._fd, self._room, self._nonce = fd, room, nonce
        self._put(opening)
        self.sync()
        self._known = self.size

    @property
    def left(self) -> int:
        """How much of the reserved room is left."""
        return max(0, self._room - self.size)

    def fits(self, data: bytes) -> bool:
        """Whether writing `data` will find its room reserved."""
        return len(data) + _MARK_BYTES_MAX <= self.left

    def write(self, data: bytes) -> None:
        """Write all of `data`, or nothing. Raises OSError; nothing may be written after that."""
        self._put(self._mark() + data, len(data))

    def sync(self) -> None:
        """Wait until the disk has everything written. Raises OSError."""
        if self._synced < self.size:
            try:
                data_sync(self._fd)
            except OSError as error:
                raise OSError(error.errno, f"the journal cannot be synced: {error.strerror}", str(self.path)) from error
            self._synced = self.size

    def note(self) -> None:
        """Write down that all is synced, if it is and no write has said so yet. Raises OSError."""
        if self._known < self.size == self._durable and self.left >= _MARK_BYTES_MAX:
            self._put(self._mark())
            self._known = self.size

    def close(self) -> None:
        """Give back the room that was not needed, and close. On disk on return. Raises OSError."""
        try:
            os.ftruncate(self._fd, self.size)
            os.fsync(self._fd)
        finally:
            os.close(self._fd)

    @property
    def _durable(self) -> int:
        return self.size if self._trusting else self._synced

    def _mark(self) -> bytes:
        return control_frame(Synced(self._nonce, self._durable))

    def _put(self, data: bytes, size: int = 0) -> None:
        try:
            write_all(self._fd, data, self.size)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._fd, self.size)
            raise OSError(error.errno, f"the journal cannot be written: {error.strerror}", str(self.path)) from error
        self.size += len(data)
        self.written_at = self.size - size


class Spare:
    """Room for one segment, taken beforehand."""

    def __init__(self, folder: Path, room: int) -> None:
        """Raises OSError for a folder that cannot be opened."""
        self.room = room
        """The least that a segment has, and what it grows by."""
        self.taken = 0
        """How much there is of it now."""
        self.problem = ""
        """Why there is none."""
        self._path = folder / _SPARE
        self._path.unlink(missing_ok=True)
        self._folder = os.open(folder, os.O_RDONLY)
        self._fd: int | None = None

    @property
    def ready(self) -> bool:
        """Whether the room is taken."""
        return self.taken > 0

    def prepare(self, least: int = 0) -> bool:
        """Take the room, or more of it if that is not `least`. False when the disk has none: what was taken stays."""
        wanted = max(1, -(-least // self.room)) * self.room
        if self.taken >= wanted:
            return True
        try:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            reserve(self._fd, wanted)
            os.fsync(self._fd)
        except OSError as error:
            self.problem = f"no room on the disk for another segment of {wanted} bytes: {error.strerror}"
            with suppress(OSError):
                self._keep_taken()
            return False
        self.taken, self.problem = wanted, ""
        return True

    def begin(self, number: int, nonce: bytes, opening: bytes, *, trusting: bool) -> OpenSegment:
        """Make it segment `number`, which is on disk with its opening on return. Raises OSError; needs `prepare`."""
        assert self._fd is not None
        path = self._path.with_name(segment_name(number))
        assert not path.exists(), f"{path} exists, and segments are never overwritten"
        segment = OpenSegment(path, self._fd, self.taken, nonce, opening, trusting=trusting)
        self._path.rename(path)
        os.fsync(self._folder)
        self._fd, self.taken = None, 0
        return segment

    def remove(self) -> None:
        """Give the room back."""
        self.taken = 0
        self._keep_taken()

    def close(self) -> None:
        """Give the room back, for good."""
        os.close(self._folder)
        self.remove()

    def _keep_taken(self) -> None:
        """Give back what is not counted as taken."""
        if self.taken and self._fd is not None:
            os.ftruncate(self._fd, self.taken)
            return
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        self._path.unlink(missing_ok=True)
