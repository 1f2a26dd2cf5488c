"""One process at a time: a lock on a journal's directory, which ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from core.errors import InputError

_NAME: Final = "lock"


class Lock:
    """Held until `release`. The file holds the process id, for whoever comes second."""

    def __init__(self, folder: Path) -> None:
        """Raises InputError when another process has it, or when the file cannot be made."""
        path = folder / _NAME
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InputError(f"cannot open {path}: {error.strerror}") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._fd, 20).decode(errors="replace").strip()
            os.close(self._fd)
            raise InputError(
                f"{folder}: process {holder or 'unknown'} has this journal open", "stop it first, or name another place"
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others have it. The file stays: removing it could let two in at once."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)
