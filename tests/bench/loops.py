"""What a benchmark of decimal arithmetic is held against: bare loops of multiplications, in the same run."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from time import process_time

D = Decimal


def multiplications(number: int) -> Callable[[], None]:
    """A bare loop of so many Decimal multiplications of 28 digits."""
    one, other = D(1) / 7, D(1000) / 81

    def loop() -> None:
        for _ in range(number):
            _product = one * other

    return loop


def fastest(rounds: int, works: dict[str, tuple[Callable[[], object], int]]) -> dict[str, float]:
    """Seconds of CPU for one call of each, in its fastest round. They take turns: a slow moment hits all alike."""
    times = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, (work, calls) in works.items():
            start = process_time()
            for _ in range(calls):
                work()
            times[name] = min(times[name], (process_time() - start) / calls)
    return times


def report(name: str, took: float, loop: float, goal: int | None = None) -> None:
    """One line of the table."""
    ratio = took / loop
    verdict = "" if goal is None else f"  goal {goal}: {'met' if ratio <= goal else 'missed'}"
    print(f"{name:48} {took * 1e6:10,.0f} us {1 / took:9,.0f}/s {ratio:8.1f} loops{verdict}")
