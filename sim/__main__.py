"""`romer-sim`, and `python -m sim`."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

INTERRUPTED = 130


def main() -> None:
    """Do what the command line says.

    Ctrl-C ends the program at once and in one line, also in the middle of an import, where KeyboardInterrupt is a
    traceback at best. A run handles it in its own way, so that what was done is kept.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from sim.cli import main as romer_sim  # noqa: PLC0415  # imports are what may be interrupted

    romer_sim(prog_name="romer-sim")


def _leave(_signal: int, _frame: object) -> NoReturn:
    os.write(2, b"error: interrupted\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
