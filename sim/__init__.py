"""Core on a SimPy virtual clock: scenarios, results, replay.

result = sim.run("scenarios/quickstart.toml", seed=7)
result = sim.load("runs/quickstart/7-0123abcd")
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.results.result import RunResult
    from sim.runner import run as run

__all__ = ["load", "run"]


def load(directory: Path | str) -> RunResult:
    """The result that a run left in `directory`. Raises InputError when it is not a whole one."""
    from sim.results.result import load as load_result  # noqa: PLC0415  # pyarrow is slow to import
    from sim.scenario.files import path_of  # noqa: PLC0415

    return load_result(path_of("directory", directory))


def __getattr__(name: str) -> Any:
    if name != "run":
        raise AttributeError(f"module `sim` has no attribute `{name}`")
    from sim.runner import run  # noqa: PLC0415  # so is the rest of a run

    return run
