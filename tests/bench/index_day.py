"""The shipped day of an index desk, all of it: users, books that move, faults, and the desk's node in the middle."""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Final, NamedTuple

import sim
from core.kernel.journal import Header
from core.kernel.record import Effect, Event
from core.units import Nanos
from sim.desk_simulation import DeskSimulation
from sim.scenario.desk import DeskScenario
from sim.scenario.load import load

DAY: Final = Path(sim.__file__).parents[1] / "scenarios" / "index_day.toml"
_SEED: Final = 1


class Unwatched(DeskSimulation):
    """The same with nobody who looks at invariants."""

    def _observe(self, _node: str, _now: Nanos, dst: str, _event: Event, effects: list[Effect]) -> None:
        pass


class Played(NamedTuple):
    """How much a day was, and what it took."""

    orders: int
    deliveries: int
    seconds: float
    """Of CPU."""


def play(kind: type[DeskSimulation]) -> Played:
    """Play the day once."""
    loaded = load(DAY, seed=_SEED)
    assert isinstance(loaded.scenario, DeskScenario)
    day = kind(loaded.scenario, {}, Header("", _SEED, b"", ""), lambda _node: None)
    start = process_time()
    assert day.run(lambda _progress: True)
    took = process_time() - start
    return Played(day.nodes["desk"].kernel.components["desk"].state.orders.count, day.deliveries, took)


def measure_day() -> None:
    """Print how many orders of the day a second of CPU is enough for, watched and not."""
    for name, kind in (("unwatched", Unwatched), ("watched", DeskSimulation)):
        day = play(kind)
        what = f"index_day, {name}: {day.orders:,} orders, {day.deliveries:,} deliveries"
        print(f"{what:48} {day.orders / day.seconds:9,.0f} orders per CPU-second")
