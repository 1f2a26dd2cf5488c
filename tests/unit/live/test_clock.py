"""Live time is the wall clock's, until the wall clock jumps."""

from __future__ import annotations

import time

import pytest

from core.units import SECOND
from live.clock import wall_clock


def test_the_clock_tells_epoch_nanoseconds() -> None:
    before, now, after = time.time_ns(), wall_clock()(), time.time_ns()
    assert before - SECOND < now < after + SECOND


def test_the_clock_never_runs_backwards_when_the_wall_clock_does(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = wall_clock()
    first = clock()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    readings = [clock() for _ in range(1000)]
    assert [first, *readings] == sorted([first, *readings])
