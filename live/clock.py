"""Live time: epoch nanoseconds that never run backwards, whatever happens to the system's clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from core.units import Nanos

Clock: TypeAlias = Callable[[], Nanos]


def wall_clock(not_before: Nanos = 0) -> Clock:
    """A clock that reads the wall time once, here, and goes on with the monotonic clock; it begins at `not_before` if
    that is later."""
    offset = max(time.time_ns(), not_before) - time.monotonic_ns()
    return lambda: offset + time.monotonic_ns()


def clock_offset(clock: Clock) -> Nanos:
    """How far the system's clock is ahead of `clock` by now: by a step of it, or because the machine has slept."""
    return time.time_ns() - clock()
