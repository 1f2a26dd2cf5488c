"""`romer-sim` from a scenario file to a finished run, and everything that can be asked of it afterwards."""

from __future__ import annotations

import json
import os
import shutil
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


def test_a_damaged_journal_does_not_keep_the_others_from_being_replayed(done: dict[str, Any], tmp_path: Path) -> None:
    for path in Path(done["dir"], JOURNALS).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "MM1.romer").write_bytes(b"")
    with (tmp_path / "s1.romer").open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) - 10)
    told, data = romer_sim("replay", tmp_path), romer_sim("replay", tmp_path, "--json")
    assert told.exit_code == data.exit_code == 4
    assert told.stdout.startswith("venue: ")
    assert told.stderr == data.stderr
    empty, again, torn, rest, count = told.stderr.splitlines()
    assert empty == f"error: {tmp_path / 'MM1.romer'}: damaged at byte 0: truncated: no header"
    assert again == "hint: nothing of it can be read; give a journal, or run the scenario again"
    assert torn.startswith(f"error: {tmp_path / 's1.romer'}: damaged at byte ")
    assert rest.startswith("hint: everything before that byte is whole, and was replayed")
    assert count == "1 of 3 journals replayed as recorded"
    rows = json.loads(data.stdout)["journals"]
    assert [(Path(row["journal"]).stem, row["offset"] is None, row["error"] == "") for row in rows] == [
        ("MM1", False, False),
        ("s1", False, False),
        ("venue", True, True),
    ]
    assert (rows[0]["offset"], rows[0]["file"]) == (0, str(tmp_path / "MM1.romer"))


def test_a_run_whose_journal_is_missing_or_another_runs_is_not_replayed_as_recorded(
    done: dict[str, Any], tmp_path: Path
) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    shutil.copytree(done["dir"], run)
    (tmp_path / "small.toml").write_text(MINIMAL)
    romer_sim("run", tmp_path / "small.toml", "--seed", "77", "--out", other)
    (theirs,) = other.glob(f"*/*/{JOURNALS}/s1.romer")
    shutil.copy(theirs, run / JOURNALS / "s1.romer")
    (run / JOURNALS / "MM1.romer").unlink()
    result = romer_sim("replay", run)
    assert result.exit_code == 2
    assert f"error: {run / JOURNALS / 's1.romer'}: the journal of another run: " in result.stderr
    assert f"error: {run}: the journal of MM1 is missing\n" in result.stderr


def test_a_divergence_outweighs_damage(done: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "MM1.romer").write_bytes(b"")
    _diverging(done, tmp_path / "s1.romer")
    assert romer_sim("replay", tmp_path).exit_code == 3


def test_a_journal_that_the_code_does_not_follow_is_a_divergence(done: dict[str, Any], tmp_path: Path) -> None:
    _diverging(done, tmp_path / "s1.romer")
    result = romer_sim("replay", tmp_path / "s1.romer")
    assert result.exit_code == 3
    assert [line.split()[0] for line in result.stderr.splitlines()] == ["error:", "recorded:", "replayed:", "hint:"]


def _diverging(done: dict[str, Any], path: Path) -> None:
    """The journal of a solver under the header of another seed."""
    reader = JournalReader("s1", Path(done["dir"], JOURNALS, "s1.romer").read_bytes())
    with path.open("wb") as file:
        Journal("s1", file).open(msgspec.structs.replace(reader.header, seed=2))
        file.write(reader._data[reader._offset :])


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


class Running:
    """`romer-sim run` of a market of that duration, in a process of its own."""

    def __init__(self, folder: Path, duration: str) -> None:
        self.out = folder / "out"
        (folder / "long.toml").write_text(changed(('"1s"', f'"{duration}"')))
        command = [sys.executable, "-c", AT_EASE, "run", str(folder / "long.toml"), "--out", str(self.out), "--json"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=-1
        )

    def press(self, once: str) -> None:
        """Ctrl-C, as soon as there is such a file below the directory of results."""
        deadline = time.monotonic() + 30
        while not list(self.out.glob(once)) and time.monotonic() < deadline:
            time.sleep(0.01)
        self._process.send_signal(signal.SIGINT)

    def hear(self, word: str) -> str:
        """The next line of stderr that has this word in it."""
        assert self._process.stderr is not None
        return next(line for line in self._process.stderr if word in line).rstrip()

    def end(self) -> tuple[str, list[str]]:
        """What else was said: stdout whole, stderr in lines. Exit code 130 is taken for granted."""
        stdout, stderr = self._process.communicate(timeout=60)
        assert self._process.returncode == 130
        return stdout, stderr.splitlines()


AT_EASE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from sim.__main__ import main
main()
"""


def test_ctrl_c_leaves_a_partial_result_that_says_so(tmp_path: Path) -> None:
    running = Running(tmp_path, "10h")
    running.press("unfinished-*/*/venue.romer")
    assert running.hear("interrupted").startswith("interrupted: the market ends here, and what happened until now is")
    stdout, stderr = running.end()
    printed = json.loads(stdout)
    assert stderr[-1] == f"interrupted: a partial result, with its journals, is in {printed['dir']}"
    assert printed["interrupted"] is True
    assert json.loads(Path(printed["dir"], "manifest.json").read_text())["interrupted"] is True
    assert romer_sim("replay", printed["dir"]).exit_code == 0


def test_ctrl_c_while_results_are_written_finishes_them(tmp_path: Path) -> None:
    running = Running(tmp_path, "1s")
    running.press("unfinished-*/tables")
    assert running.hear("interrupted").startswith("interrupted: the market is over, and its results are being finished")
    stdout, stderr = running.end()
    printed = json.loads(stdout)
    assert stderr[-1] == f"interrupted: the whole result, with its journals, is in {printed['dir']}"
    assert printed["interrupted"] is False
    assert [path.name for path in running.out.iterdir()] == ["long"]


@pytest.mark.parametrize(("duration", "moment"), [("10h", "unfinished-*/*/venue.romer"), ("1s", "unfinished-*/tables")])
def test_a_second_ctrl_c_stops_at_once_and_says_what_is_left(tmp_path: Path, duration: str, moment: str) -> None:
    running = Running(tmp_path, duration)
    running.press(moment)
    running.hear("interrupted")
    running.press(moment)
    stdout, stderr = running.end()
    (left,) = running.out.iterdir()
    told = f"error: interrupted: stopped at once; {left} holds journals but no whole result, and can be deleted"
    assert (stdout, stderr) == ("", [told])
    assert (left / JOURNALS / "venue.romer").exists()


def test_a_session_is_explained(done: dict[str, Any]) -> None:
    told = json.loads(romer_sim("explain", done["dir"], "MM1", "--json").stdout)
    assert (told["session"], told["logons"]) == ("MM1", 1)
    assert told["happenings"][0]["reason"] == "logon_received"
    theirs = json.loads(romer_sim("explain", done["dir"], "MM1/ROMER", "--json").stdout)
    assert theirs["happenings"][0]["reason"] == "connected"
