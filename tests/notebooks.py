"""Runs every notebook as the plain script that it is, and fails on an error or a slow one.

    python -m tests.notebooks

Each runs in an empty folder of its own, so that nothing is written here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent
AT_ONCE: Final = 2
SECONDS_MAX: Final = 60


class Outcome(NamedTuple):
    """How long a notebook took, and what it said when it failed."""

    name: str
    seconds: float
    problem: str


def run(notebook: Path) -> Outcome:
    """Run one notebook in an empty folder, without a display."""
    command, environ = [sys.executable, str(notebook)], os.environ | {"MPLBACKEND": "Agg"}
    started, problem = monotonic(), ""
    with TemporaryDirectory() as folder:
        try:
            subprocess.run(
                command, cwd=folder, env=environ, capture_output=True, text=True, timeout=SECONDS_MAX, check=True
            )
        except subprocess.CalledProcessError as error:
            problem = error.stderr or str(error)
        except subprocess.TimeoutExpired:
            problem = f"not done after {SECONDS_MAX} s"
    return Outcome(notebook.name, monotonic() - started, problem)


def main() -> int:
    """Print one line per notebook and the whole error of each that failed; 1 when one did, or none is there."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(run, sorted((ROOT / "notebooks").glob("*.py"))))
    for name, seconds, problem in outcomes:
        print(f"{name:32}{seconds:6.1f} s  {'FAILED' if problem else 'ok'}")
        if problem:
            print(problem)
    failed = sum(bool(outcome.problem) for outcome in outcomes)
    print(f"{len(outcomes)} notebooks, {failed} failed")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
