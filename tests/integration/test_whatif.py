"""`romer-sim whatif` as a person uses it: a recorded run, one thing changed, and what is printed and left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from core.kernel.journal import Journal
from core.kernel.record import Start
from sim.cli import main
from sim.replay import open_journal
from sim.whatif.rows import TABLES
from tests.helpers.scenarios import MINIMAL


def romer_sim(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a second of a small market."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "small.toml").write_text(MINIMAL)
    result = romer_sim("run", folder / "small.toml", "--out", folder / "out", "--quiet")
    assert result.exit_code == 0, result.stderr
    return Path(result.stdout.strip())


def digest_of(run: Path) -> str:
    manifest: dict[str, Any] = json.loads((run / "manifest.json").read_text())
    return str(manifest["digests"]["venue"])


def test_the_baseline_comes_first_and_then_what_changed(run: Path) -> None:
    result = romer_sim("whatif", run, "--set", "auction.rule=second_price")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("recording ")
    assert lines[1].startswith("baseline ")
    assert lines[1].endswith(f"digest {digest_of(run)} as recorded")
    assert lines[2].split() == ["mode", "open", "loop"]
    assert "auction.rule: first_price -> second_price" in lines[3]


def test_json_has_the_same_and_every_order_that_changed(run: Path) -> None:
    result = romer_sim("whatif", run, "--set", "auction.rule=second_price", "--json")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed["baseline"]["digest"] == digest_of(run)
    assert printed["digest"] != digest_of(run)
    assert printed["changed"] == len(printed["changed_orders"]) > 10
    assert {cause["cause"] for cause in printed["causes"]} == {"payment"}
    assert printed["how"]["mode"] == "open loop"


def test_out_holds_report_tables_and_a_journal_that_replays(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "slower"
    result = romer_sim("whatif", run, "--set", "solver.s1.latency=1s", "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["dir"] == str(out)
    assert json.loads((out / "whatif.json").read_text())["digest"] == printed["digest"]
    assert "late" in (out / "report.html").read_text()
    assert {path.stem for path in (out / "plots").iterdir()} == {"surplus_change", "solver_share"}
    for name, row in TABLES.items():
        assert pq.read_table(out / "tables" / f"{name}.parquet").column_names == list(row.__struct_fields__)
    replayed = json.loads(romer_sim("replay", out, "--json").stdout)
    assert [one["digest"] for one in replayed["journals"]] == [printed["digest"]]
    again = romer_sim("whatif", out, "--json")
    assert json.loads(again.stdout)["changed"] == 0


def test_another_order_within_blocks_is_told_by_who_loses_places_to_whom(run: Path) -> None:
    result = romer_sim("whatif", run, "--set", "sequencer.ordering=shuffle")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    [start] = [index for index, line in enumerate(lines) if line.startswith("ordering ")]
    totals, places, maker = (line.split() for line in lines[start : start + 3])
    assert totals[1:6] == ["fifo", "->", "shuffle:", "0", "->"]
    assert int(totals[6].replace(",", "")) > 10
    assert places[:2] == ["0", "->"]
    assert maker[:4] == ["MM1", "loses", "+0.0", "->"]
    as_recorded = romer_sim("whatif", run).stdout.splitlines()
    [totals] = [line.split() for line in as_recorded if line.startswith("ordering ")]
    assert totals[1:8] == ["fifo", "->", "fifo:", "0", "->", "0", "inversions"]


def test_the_ledger_of_a_rerun_is_the_recording_s_when_it_is_run_again(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "shuffled"
    result = romer_sim("whatif", run, "--set", "sequencer.ordering=shuffle", "--out", out, "--json")
    shuffled = json.loads(result.stdout)["fairness"]
    back = json.loads(romer_sim("whatif", out, "--set", "sequencer.ordering=fifo", "--json").stdout)["fairness"]
    assert back["before"] == shuffled["after"]
    assert back["after"] == shuffled["before"]


def test_a_what_if_replaces_an_earlier_one_and_nothing_else(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for rule in ("first_price", "second_price"):
        assert romer_sim("whatif", run, "--set", f"auction.rule={rule}", "--out", out).exit_code == 0
    assert json.loads((out / "whatif.json").read_text())["how"]["changes"][0]["after"] == "second_price"
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter1.tex").write_text("...")
    refused = romer_sim("whatif", run, "--out", precious)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"error: {precious}: holds something else")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "thesis"]


def test_a_setting_that_recorded_bids_forbid_is_refused_with_the_way_out(run: Path) -> None:
    result = romer_sim("whatif", run, "--set", "sequencer.batch_window=100ms")
    assert (result.exit_code, result.stdout) == (2, "")
    error, hint = result.stderr.splitlines()
    assert error.startswith(
        "error: --set sequencer.batch_window=100ms: sequencer.batch_window: cannot change in open loop"
    )
    assert hint == "hint: let them bid anew: --replace s1=cost_plus"
    anew = romer_sim("whatif", run, "--set", "sequencer.batch_window=100ms", "--replace", "s1=cost_plus:margin_bps=3")
    assert anew.exit_code == 0, anew.stderr
    assert "closed loop" in anew.stdout


def test_a_recording_that_cannot_be_run_again_is_a_divergence(run: Path, tmp_path: Path) -> None:
    header = open_journal(run / "journal" / "venue.romer").header
    with (tmp_path / "venue.romer").open("wb") as file:
        journal = Journal("venue", file)
        journal.open(header)
        journal.append(0, "fix", Start(), [])
        journal.append(1, "auction", Start(), [])
        journal.close()
    result = romer_sim("whatif", tmp_path / "venue.romer")
    assert result.exit_code == 3
    assert [line.split()[0] for line in result.stderr.splitlines()] == ["error:", "recorded:", "replayed:", "hint:"]
