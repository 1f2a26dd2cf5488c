"""A journal's file: written without a buffer, on disk after `sync`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from core.errors import InputError

_sync: Final = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class JournalFile:
    """A new file that only its node writes. Any OSError (a full disk, say) reaches the caller, and stops the node."""

    def __init__(self, path: Path) -> None:
        """Create it, name and all. Raises InputError when it exists or cannot be made."""
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except FileExistsError:
            raise InputError(
                f"{path} exists", "a journal is never overwritten: move it or name another place"
            ) from None
        except OSError as error:
            raise InputError(f"cannot create {path}: {error.strerror}") from None
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)  # or a power cut could forget the file's name
        os.close(folder)

    def write(self, data: bytes) -> None:
        """Hand `data` to the operating system, all of it."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def sync(self) -> None:
        """Wait until the disk has everything written."""
        _sync(self._fd)

    def close(self) -> None:
        """Sync and close."""
        try:
            self.sync()
        finally:
            os.close(self._fd)
