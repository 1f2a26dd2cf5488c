"""Ctrl-C during a run: the first one asks it to end in order, a second one stops it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from types import FrameType
from typing import Final, TypeVar

Handle = TypeVar("Handle")


class Stage(StrEnum):
    """What a run does, and what Ctrl-C means there."""

    MARKET = "market"
    """The market is open: it ends where it is, and what happened until then is written."""
    RESULTS = "results"
    """The market is over: its results are written to the end."""
    PUBLISHING = "publishing"
    """The results move to their place, which takes a moment that nothing cuts short."""


OnInterrupt = Callable[[Stage], None]
"""Called once, at the first Ctrl-C, within a signal handler: it may not print through a buffer."""


class StoppedAtOnce(KeyboardInterrupt):
    """A second Ctrl-C ended a run whose results were to be written. Says what is left where."""


class CtrlC:
    """What has been pressed so far. The run keeps `stage` up to date."""

    def __init__(self, on_interrupt: OnInterrupt) -> None:
        self.stage = Stage.MARKET
        self.pressed = False
        self._on_interrupt: Final = on_interrupt

    def press(self, _signal: int, _frame: object) -> None:
        """Handle one Ctrl-C. Raises KeyboardInterrupt for any after the first, unless results are being published."""
        if not self.pressed:
            self.pressed = True
            self._on_interrupt(self.stage)
        elif self.stage is not Stage.PUBLISHING:
            raise KeyboardInterrupt


def ctrl_c(on_interrupt: OnInterrupt) -> AbstractContextManager[CtrlC]:
    """Take Ctrl-C over for a run."""
    pressed = CtrlC(on_interrupt)
    return _handled(pressed.press, pressed)


def ctrl_c_raises() -> AbstractContextManager[None]:
    """Have Ctrl-C raise KeyboardInterrupt, for whoever has to clear up behind himself."""
    return _handled(signal.default_int_handler, None)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], object], value: Handle) -> Iterator[Handle]:
    """With SIGINT handled so; but outside the main thread, where Python delivers no signals, nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield value
        return
    usual = signal.signal(signal.SIGINT, handler)
    try:
        yield value
    finally:
        signal.signal(signal.SIGINT, usual)
