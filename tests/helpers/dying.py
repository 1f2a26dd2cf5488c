"""A `romer-live` process that dies, as by SIGKILL, in a chosen system call on its journal.

    python -m tests.helpers.dying CALL NTH PART COMMAND ...

In the NTH call of `os.CALL` the process kills itself: `before` it, `after` it, or for a write with `half` of it done.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, Final

CALLS: Final = {
    "pwrite": 300,
    "fdatasync": 150,
    "fsync": 60,
    "replace": 15,
    "rename": 6,
    "ftruncate": 6,
    "unlink": 10,
    "posix_fallocate": 4,
}
"""What a journal asks of the system, and about how often in a few busy seconds."""
PARTS: Final = ("before", "half", "after")
PARTS_OF_OTHERS: Final = ("before", "after")
"""Of what is no write."""


def plant(call: str, nth: int, part: str) -> None:
    """Let the process die in the `nth` call."""
    original, count = getattr(os, call), 0

    def dying(*args: Any) -> Any:
        nonlocal count
        count += 1
        if count == nth:
            if part == "half" and call == "pwrite":
                fd, data, offset = args
                original(fd, data[: len(data) // 2], offset)
            elif part == "after":
                original(*args)
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args)

    setattr(os, call, dying)


if __name__ == "__main__":
    plant(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    from live.cli import main  # binds what it calls at its import

    main(sys.argv[4:])
