"""What something costs: counted, which is the same on any machine, or timed where what is slow calls nothing."""

from __future__ import annotations

import gc
from collections.abc import Callable
from statistics import median
from sys import setprofile
from time import process_time_ns
from types import FrameType


def calls_of(doing: Callable[[], object]) -> int:
    """How many functions are called while something is done."""
    calls = 0

    def count(_frame: FrameType | None, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    setprofile(count)
    try:
        doing()
    finally:
        setprofile(None)
    return calls


def growth_of(making: Callable[[int], Callable[[], object]], few: int, many: int) -> float:
    """How many times as long something takes with `many` as with `few`. `making` gets it ready, and is not timed."""
    return _time_of(making, many) / _time_of(making, few)


def _time_of(making: Callable[[int], Callable[[], object]], count: int) -> float:
    spent = []
    for _ in range(5):
        doing = making(count)
        gc.disable()
        began = process_time_ns()
        doing()
        spent.append(process_time_ns() - began)
        gc.enable()
    return median(spent)
