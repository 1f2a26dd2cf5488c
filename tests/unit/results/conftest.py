"""Results that many tests read and none changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.results.result import RunResult
from tests.unit.results.markets import small_market
from tests.unit.results.stories import manifest


@pytest.fixture(scope="session")
def small() -> RunResult:
    """The small market, in memory."""
    return RunResult.of(manifest(), small_market())


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that the small market leaves."""
    directory = tmp_path_factory.mktemp("runs") / "unfinished"
    RunResult.of(manifest(), small_market()).write(directory)
    return directory
