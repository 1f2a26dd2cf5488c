"""Live time is the wall clock's, until the wall clock jumps."""

from __future__ import annotations

import time

import pytest

from core.units import SECOND
from live.clock import clock_offset, wall_clock


def test_the_clock_tells_epoch_nanoseconds() -> None:
    before, now, after = time.time_ns(), wall_clock()(), time.time_ns()
    assert before - SECOND < now < after + SECOND


@pytest.mark.parametrize("step", [-3600 * SECOND, 2 * SECOND])
def test_the_offset_is_what_the_systems_clock_was_stepped_by(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    clock, system = wall_clock(), time.time_ns
    assert abs(clock_offset(clock)) < SECOND // 10
    monkeypatch.setattr(time, "time_ns", lambda: system() + step)
    assert abs(clock_offset(clock) - step) < SECOND // 10


def test_a_clock_that_begins_later_than_the_systems_is_ahead_of_it() -> None:
    assert clock_offset(wall_clock(time.time_ns() + 10 * SECOND)) < -9 * SECOND


def test_the_clock_never_runs_backwards_when_the_wall_clock_does(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = wall_clock()
    first = clock()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    readings = [clock() for _ in range(1000)]
    assert [first, *readings] == sorted([first, *readings])
