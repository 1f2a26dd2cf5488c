"""Every bench still works. How fast anything is, is nobody's business here."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.helpers.venue import ROOT

BENCHES = sorted(
    path.stem for pattern in ("bench_*.py", "profile_*.py") for path in (ROOT / "tests/bench").glob(pattern)
)


@pytest.mark.parametrize("bench", BENCHES)
def test_a_bench_runs_with_tiny_numbers_and_prints_its_table(bench: str) -> None:
    command = [sys.executable, "-W", "error", "-m", f"tests.bench.{bench}", "--tiny"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 1
