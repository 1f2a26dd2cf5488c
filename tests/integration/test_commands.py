"""`romer-sim` from a scenario file to a finished run, and everything that can be asked of it afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from core.kernel.journal import Journal
from core.kernel.reader import JournalReader
from sim.cli import main
from sim.runner import JOURNALS
from tests.helpers.scenarios import MINIMAL, changed

ROOT = Path(__file__).parents[2]


def romer_sim(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `run --json` printed for a second of a small market."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "small.toml").write_text(MINIMAL)
    result = romer_sim("run", folder / "small.toml", "--out", folder / "out", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    printed: dict[str, Any] = json.loads(result.stdout)
    return printed


def test_a_run_prints_one_json_object_and_leaves_a_directory(done: dict[str, Any]) -> None:
    assert done["scenario"] == "small"
    assert done["summary"]["orders"] > 20
    directory = Path(done["dir"])
    assert directory.name == f"1-{done['digest'][:8]}"
    assert {"manifest.json", "summary.json", "report.html", JOURNALS} <= {path.name for path in directory.iterdir()}


def test_the_manifest_alone_gives_the_same_run(done: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(MINIMAL)
    again = romer_sim("run", tmp_path / "small.toml", "--seed", "1", "--out", tmp_path, "--quiet")
    assert again.exit_code == 0
    assert Path(again.stdout.strip()).name == Path(done["dir"]).name
    other = romer_sim("run", tmp_path / "small.toml", "--set", "run.seed=2", "--out", tmp_path, "--json")
    assert json.loads(other.stdout)["digest"] != done["digest"]


def test_a_run_replays_to_the_same_digests(done: dict[str, Any]) -> None:
    result = romer_sim("replay", done["dir"], "--json")
    assert result.exit_code == 0
    digests = json.loads((Path(done["dir"]) / "manifest.json").read_text())["digests"]
    assert {one["node"]: one["digest"] for one in json.loads(result.stdout)["journals"]} == digests
    assert romer_sim("replay", Path(done["dir"], JOURNALS, "venue.romer")).stdout.startswith("venue: ")


def test_a_damaged_journal_is_named_with_its_place(done: dict[str, Any], tmp_path: Path) -> None:
    data = Path(done["dir"], JOURNALS, "venue.romer").read_bytes()
    path = tmp_path / "venue.romer"
    path.write_bytes(data[:-10])
    result = romer_sim("replay", path)
    assert result.exit_code == 4
    assert result.stderr.startswith(f"error: {path}: damaged at byte ")


def test_a_journal_that_the_code_does_not_follow_is_a_divergence(done: dict[str, Any], tmp_path: Path) -> None:
    reader = JournalReader("s1", Path(done["dir"], JOURNALS, "s1.romer").read_bytes())
    with (tmp_path / "s1.romer").open("wb") as file:
        Journal("s1", file).open(msgspec.structs.replace(reader.header, seed=2))
        file.write(reader._data[reader._offset :])
    result = romer_sim("replay", tmp_path / "s1.romer")
    assert result.exit_code == 3
    assert [line.split()[0] for line in result.stderr.splitlines()] == ["error:", "recorded:", "replayed:", "hint:"]


def test_an_order_is_explained(done: dict[str, Any]) -> None:
    result = romer_sim("explain", done["dir"], "O-1", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["order"] == "O-1"
    assert told["happenings"]
    unknown = romer_sim("explain", done["dir"], "O-0")
    assert (unknown.exit_code, unknown.stdout) == (2, "")


def test_a_report_can_be_made_anew(done: dict[str, Any]) -> None:
    report = Path(done["dir"], "report.html")
    report.unlink()
    assert romer_sim("report", done["dir"]).exit_code == 0
    assert report.stat().st_size > 1000
    missing = romer_sim("report", Path(done["dir"], JOURNALS))
    assert (missing.exit_code, missing.stderr.count("error: ")) == (2, 1)


def test_recorded_trades_are_played(tmp_path: Path) -> None:
    rows = (f"{1_700_000_000_000 + n * 50},{2000 + n % 7},{1 + n % 3},{('buy', 'sell')[n % 2]}" for n in range(60))
    (tmp_path / "trades.csv").write_text("time_ms,price,size,side\n" + "\n".join(rows))
    recorded = '{ replay = "trades.csv", speed = 3, columns = { time = "time_ms" } }'
    text = changed(('{ constant = "2000" }', recorded), ('{ poisson = "20ms" }', recorded))
    (tmp_path / "tape.toml").write_text(text)
    result = romer_sim("run", tmp_path / "tape.toml", "--out", tmp_path, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["summary"]["orders"] == 60


def test_ctrl_c_leaves_a_partial_result_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "long.toml").write_text(changed(('"1s"', '"10h"')))
    command = [
        sys.executable,
        "-m",
        "sim",
        "run",
        str(tmp_path / "long.toml"),
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 20
        while not list((tmp_path / "out").glob("unfinished-*/*/venue.romer")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert stderr.splitlines()[-1] == "interrupted: this is a partial result"
    printed = json.loads(stdout)
    assert printed["interrupted"] is True
    assert json.loads(Path(printed["dir"], "manifest.json").read_text())["interrupted"] is True
    assert romer_sim("replay", printed["dir"]).exit_code == 0
