"""`romer-sim planners`, from a scenario file to a table, to JSON and to Parquet files."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
from click.testing import CliRunner, Result

import sim
from sim.cli import main
from sim.planners.rows import PLANNER_TABLES
from sim.results.columns import schema_of

SCENARIOS = Path(sim.__file__).parents[1] / "scenarios"
CORRECTED = (SCENARIOS / "index_sbe.toml", "--set", "desk.limits.mode=corrected")


def planners(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["planners", *(str(argument) for argument in arguments)])


def test_planners_are_compared_in_a_table_with_a_line_for_each_plan_if_wanted() -> None:
    told = planners(*CORRECTED, "--batches")
    assert (told.exit_code, told.stderr) == (0, "")
    lines = [line.split() for line in told.stdout.splitlines()]
    assert lines[:2] == [
        ["scenario", "index_sbe", "seed", "1"],
        ["problems", "3,", "of", "the", "run", "with", "simple"],
    ]
    plans = [line for line in lines if len(line) == 16]
    assert [(line[3], line[4]) for line in plans] == [
        (f"B-{n}", planner) for n in (1, 2, 3) for planner in ("simple", "matrix")
    ]
    assert ["violations", "0", "0"] in lines
    assert ["minted", "1", "1"] in lines


def test_a_comparison_is_printed_as_json_and_written_as_parquet(tmp_path: Path) -> None:
    told = planners(*CORRECTED, "--json", "--out", tmp_path / "new" / "tables")
    assert told.exit_code == 0
    data = json.loads(told.stdout)
    assert data["own"] == "simple"
    assert [row["planner"] for row in data["problems"]] == ["simple", "matrix"] * 3
    for name, row in PLANNER_TABLES.items():
        table = pq.read_table(tmp_path / "new" / "tables" / f"{name}.parquet")
        assert table.schema.equals(schema_of(row))
        assert table.num_rows == len(data[name])


def test_what_cannot_be_compared_is_said_in_one_line_with_a_hint(tmp_path: Path) -> None:
    venue, reference = planners(SCENARIOS / "quickstart.toml"), planners(SCENARIOS / "index_sbe.toml")
    missing, taken = planners(tmp_path / "none.toml"), planners(*CORRECTED, "--out", SCENARIOS / "index_sbe.toml")
    assert [each.exit_code for each in (venue, reference, missing, taken)] == [2, 2, 2, 2]
    assert venue.stderr.splitlines() == [
        "error: quickstart is of a venue, which plans nothing",
        "hint: give a scenario or a run of an index desk",
    ]
    assert reference.stderr.startswith("error: index_sbe: in mode `reference`, plans are the reference system's")
    assert missing.stderr.startswith("error: no such file")
    assert taken.stderr == f"error: {SCENARIOS / 'index_sbe.toml'}: File exists\n"
