"""The recording gate: a live market is recorded once and replayed on every Python, to the digests that its nodes gave.

    python -m tests.recording

`romer-live demo` runs for a few seconds; then `romer-sim replay` replays all its journals in fresh processes,
under PYTHONHASHSEED 0, 1 and random, on every Python that `tests.determinism` finds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.determinism import HASH_SEEDS, attempt, environment, other_pythons

SPAN: Final = "3s"
SECONDS_MAX: Final = 120


def record(folder: Path) -> tuple[Path, dict[str, str]]:
    """Where a demo left its journals, and the digest that each node gave. Raises RuntimeError if it failed."""
    command = [sys.executable, "-m", "live", "demo", "--for", SPAN, "--out", str(folder), "--json"]
    printed, problem = attempt(command, SECONDS_MAX)
    if problem:
        raise RuntimeError(f"the demo failed: {problem}")
    report: dict[str, Any] = json.loads(printed)
    told = {"venue": report["venue"], **report["makers"], **report["solvers"]}
    return Path(report["folder"]), {node: one["ended"]["digest"] for node, one in told.items()}


def replay(python: Path, folder: Path, hash_seed: str) -> tuple[dict[str, str], str]:
    """The digests that a fresh process gives, by node, or what went wrong."""
    printed, problem = attempt(
        [str(python), "-m", "sim", "replay", str(folder), "--json"], SECONDS_MAX, PYTHONHASHSEED=hash_seed
    )
    journals = json.loads(printed)["journals"] if printed else []
    return {one["node"]: one["digest"] for one in journals}, problem


def pythons() -> Iterator[tuple[str, Path]]:
    """This one, and every other that can have an environment."""
    yield f"3.{sys.version_info.minor}", Path(sys.executable)
    for version, python in other_pythons().items():
        if own := environment(version, python):
            yield version, own


def main() -> int:
    """Print the table; 1 when a replay failed or gave another digest."""
    wrong = 0
    with TemporaryDirectory() as out:
        folder, recorded = record(Path(out))
        for version, python in pythons():
            for hash_seed in HASH_SEEDS:
                replayed, problem = replay(python, folder, hash_seed)
                differ = [node for node in recorded if replayed.get(node) != recorded[node]]
                wrong += bool(problem or differ)
                verdict = problem or (f"NO: {', '.join(differ)}" if differ else f"yes, {len(recorded)} nodes")
                print(f"{version:8}hash seed {hash_seed:8}{verdict}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
