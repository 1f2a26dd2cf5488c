"""The whole market in processes: it trades, its journals replay, and nobody outlives the one who started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from sim.cli import main as romer_sim
from tests.helpers.venue import PATIENCE, ROOT, Running, romer_live

NODES = ["MM1", "MM2", "s1", "s2", "s3", "venue"]


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def until_up(running: Running) -> None:
    """Wait until everybody runs."""
    deadline = time.monotonic() + PATIENCE
    while "Ctrl-C ends it before" not in running.log.read_text():
        assert running.process.poll() is None, running.log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_demo_trades_and_every_journal_replays_in_a_fresh_process(tmp_path: Path) -> None:
    with romer_live(tmp_path, "demo", "--for", "2s", "--json") as running:
        code, lines = running.ended()
    assert code == 0, running.log.read_text()
    report = json.loads(lines[-1])
    traded = report["venue"]["traded"]
    assert traded["orders"]["filled"] > 10
    assert sum(traded["settled"].values()) > 10
    assert {name: told["orders"]["filled"] > 0 for name, told in report["makers"].items()} == {"MM1": True, "MM2": True}
    digests = {"venue": report["venue"]["ended"]["digest"]}
    for told in (report["makers"], report["solvers"]):
        digests |= {name: one["ended"]["digest"] for name, one in told.items()}
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "sim", "replay", str(tmp_path / report["folder"]), "--json"]
    replay = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE, check=True)
    assert {one["node"]: one["digest"] for one in json.loads(replay.stdout)["journals"]} == digests
    assert sorted(digests) == NODES


def test_each_demo_has_a_folder_of_its_own_and_says_what_happened(tmp_path: Path) -> None:
    (tmp_path / "live-demo" / "7").mkdir(parents=True)
    with romer_live(tmp_path, "demo", "--for", "60s") as running:
        until_up(running)
        running.signal(signal.SIGINT)
        code, lines = running.ended()
    assert code == 130
    assert [line.split()[0] for line in lines[1:7]] == ["orders", "s1", "s2", "s3", "MM1", "MM2"]
    assert lines[-1].startswith("journals and logs: live-demo/8;")
    result = CliRunner().invoke(romer_sim, ["replay", str(tmp_path / "live-demo" / "8" / "venue")])
    assert result.exit_code == 0


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="SKIPPED, NO /proc: children cannot be seen")
def test_nobody_outlives_a_demo_that_is_killed(tmp_path: Path) -> None:
    with romer_live(tmp_path, "demo", "--for", "60s") as running:
        until_up(running)
        children = children_of(running.process.pid)
        assert len(children) == len(NODES)
        running.signal(signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while any(is_alive(child) for child in children):
            assert time.monotonic() < deadline
            time.sleep(0.05)
