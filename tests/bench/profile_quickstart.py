"""Where the time of a quickstart run goes, room by room.

    python -m tests.bench.profile_quickstart

Shares are of the profiler's own time, which makes small functions look dearer than they are. What C code
takes counts for the Python file that called it.
"""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path
from typing import Any

from tests.bench import bench_kernel
from tests.bench.bench_kernel import quickstart
from tests.bench.command import run_bench

ROOT = Path(__file__).parents[2]
ROOMS = {
    "core/kernel/journal.py": "journal",
    "core/kernel/rng.py": "random streams",
    "core/kernel": "kernel and agenda",
    "core/fix": "FIX engine",
    "core/sequencer": "sequencer",
    "core/auction": "auction and escrow",
    "core/market": "auction and escrow",
    "core/solver": "solvers and their door",
    "core/maker.py": "market makers",
    "sim/checkers": "checkers",
    "sim/driver.py": "SimPy and its driver",
    "sim": "network, latency, world",
}


def room_of(file: str) -> str:
    """The room of a Python file, or of nobody."""
    if "simpy" in file:
        return ROOMS["sim/driver.py"]
    path = Path(file)
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
    return next((room for prefix, room in ROOMS.items() if name.startswith(prefix)), "everything else")


def shares(stats: dict[Any, Any]) -> dict[str, float]:
    """Seconds by room."""
    seconds: dict[str, float] = {}
    for (file, _, _), (_, _, own, _, callers) in stats.items():
        if file.startswith(("~", "<")):
            for (caller, _, _), (_, _, part, _) in callers.items():
                seconds[room_of(caller)] = seconds.get(room_of(caller), 0) + part
        else:
            seconds[room_of(file)] = seconds.get(room_of(file), 0) + own
    return seconds


FULL, TINY = bench_kernel.FULL.overrides, bench_kernel.TINY.overrides


def main(overrides: tuple[str, ...] = FULL) -> None:
    """Print the table."""
    profile = cProfile.Profile()
    profile.runcall(quickstart, *overrides)
    seconds = shares(vars(pstats.Stats(profile))["stats"])
    whole = sum(seconds.values())
    for room, part in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"{room:26} {part / whole:6.1%}")


if __name__ == "__main__":
    run_bench(main, FULL, TINY)
