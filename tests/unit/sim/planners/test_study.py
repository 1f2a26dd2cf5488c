"""The planners of a desk compared: on each problem of a run, and by what comes of a whole run with each."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

import sim
from core.errors import InputError
from core.index.settings import PlannerName
from sim.planners.rows import PLANNER_TABLES, ProblemRow
from sim.planners.study import PlannerStudy, open_study, study
from sim.planners.text import as_text
from sim.results.manifest import MANIFEST, Manifest

SCENARIOS = Path(sim.__file__).parents[1] / "scenarios"
SBE, DAY, VENUE = (SCENARIOS / f"{name}.toml" for name in ("index_sbe", "index_day", "quickstart"))
CORRECTED = ("desk.limits.mode=corrected",)
SCARCE = (
    *("run.duration=90s", "run.drain=4m", "desk.order_expiry=2m", "desk.tick=10s"),
    *("desk.limits.max_levels=1", "desk.limits.max_order_volley_size=2000", "desk.limits.fairness=0"),
)


@pytest.fixture(scope="module")
def scarce() -> PlannerStudy:
    """Many orders in each batch, and books that have little for them."""
    return study(DAY, overrides=SCARCE)


def of(found: PlannerStudy, planner: str) -> list[ProblemRow]:
    return [row for row in found.problems if row.planner == planner]


def test_both_planners_plan_every_problem_of_the_run_by_the_same_rules(scarce: PlannerStudy) -> None:
    simple, matrix = of(scarce, "simple"), of(scarce, "matrix")
    assert [row.problem for row in simple] == [row.problem for row in matrix] == list(range(1, len(simple) + 1))
    assert [(row.time, row.batch_id, row.wished) for row in simple] == [
        (row.time, row.batch_id, row.wished) for row in matrix
    ]
    assert {row.violations for row in scarce.problems} == {0}


def test_each_batch_of_the_run_has_the_problem_that_it_was_made_of(scarce: PlannerStudy) -> None:
    batches = sim.run(DAY, overrides=SCARCE).table("index_batches").to_pylist()
    made = {row["batch_id"]: (row["orders"], row["volley"]) for row in batches if row["symbol"] is None}
    simple = [row for row in of(scarce, "simple") if row.batch_id is not None]
    assert {row.batch_id: (row.orders, round(row.volley, 18)) for row in simple} == made


def test_where_books_are_scarce_the_program_engages_more_and_is_less_fair(scarce: PlannerStudy) -> None:
    simple, matrix = of(scarce, "simple"), of(scarce, "matrix")
    assert sum(row.engaged for row in matrix) > sum(row.engaged for row in simple)
    assert sum(row.least_share for row in matrix) < sum(row.least_share for row in simple)
    assert sum(row.deferred for row in matrix) > sum(row.deferred for row in simple)


def test_the_runs_are_those_that_the_scenario_has_with_each_planner(scarce: PlannerStudy) -> None:
    for row in scarce.runs:
        run = sim.run(DAY, overrides=[*SCARCE, f"desk.planner={row.planner}"])
        assert (row.digest, row.orders) == (run.digest, run.table("index_orders").num_rows)
        assert row.batches + run.index_batches["symbol"].notna().sum() == len(run.index_batches)
        minted = run.invoices[run.invoices["kind"] == "mint"].groupby("symbol")["filled_quantity"].sum()
        tokens = {each.symbol: float(each.tokens) for each in scarce.tokens if each.planner == row.planner}
        assert tokens == pytest.approx(minted.to_dict())


def test_what_tokens_cost_over_nav_is_stated_for_each_index(scarce: PlannerStudy) -> None:
    stated = [row.slippage_bps for row in scarce.tokens]
    assert all(bps is not None and 0 < bps < 100 for bps in stated)
    silent = study(SBE, overrides=[*CORRECTED, "desk.nav_interval=0s"])
    assert [row.slippage_bps for row in silent.tokens] == [None, None]


def test_the_problems_are_those_of_the_planner_that_the_scenario_has() -> None:
    found = study(SBE, overrides=[*CORRECTED, "desk.planner=matrix"])
    assert found.own is PlannerName.MATRIX
    assert [row.planner for row in found.runs] == ["simple", "matrix"]
    own = sim.run(SBE, overrides=[*CORRECTED, "desk.planner=matrix"]).table("index_batches").to_pylist()
    made = {row["batch_id"]: row["volley"] for row in own}
    assert {row.batch_id: round(row.volley, 18) for row in of(found, "matrix")} == made


def test_batches_that_the_simple_planner_makes_for_a_late_program_are_counted() -> None:
    late = [*CORRECTED, "desk.planner=matrix", "desk.compute_timeout=1ms"]
    found = study(SBE, overrides=late)
    assert [(row.planner, row.stand_ins) for row in found.runs] == [("simple", 0), ("matrix", found.runs[1].batches)]
    assert len(of(found, "matrix")) == found.runs[1].batches


def test_a_run_is_compared_as_its_scenario_is(tmp_path: Path) -> None:
    run = sim.run(SBE, seed=5, overrides=CORRECTED, out=tmp_path)
    assert run.dir is not None
    again, plain = study(run.dir), study(SBE, seed=5, overrides=CORRECTED)
    assert (again.problems, again.tokens) == (plain.problems, plain.tokens)
    assert [replace(row, digest="") for row in again.runs] == [replace(row, digest="") for row in plain.runs]
    with pytest.raises(InputError, match="compared as it was"):
        open_study(run.dir, seed=6)


def test_a_run_that_is_another_now_or_was_interrupted_is_refused(tmp_path: Path) -> None:
    run = sim.run(SBE, overrides=CORRECTED, out=tmp_path)
    assert run.dir is not None
    told = msgspec.json.decode((run.dir / MANIFEST).read_bytes(), type=Manifest)
    desk = told.scenario["desk"]
    for changed, problem in (
        ({"interrupted": True}, "was interrupted"),
        (
            {"scenario": told.scenario | {"desk": desk | {"client_order_wait": "6s"}}},
            "otherwise now, as table `index_orders`",
        ),
        ({"scenario": told.scenario | {"desk": desk | {"forgotten": 1}}}, "not one of this version: .*forgotten"),
    ):
        (run.dir / MANIFEST).write_bytes(msgspec.json.encode(replace(told, **changed)))
        with pytest.raises(InputError, match=problem):
            study(run.dir)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (VENUE, "quickstart is of a venue"),
        (SBE, "index_sbe: in mode `reference`"),
        (SCENARIOS / "nothing.toml", "no such file"),
        (SCENARIOS, "no manifest.json"),
    ],
)
def test_what_has_no_two_planners_is_refused(source: Path, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        open_study(source)


def test_a_run_of_a_venue_is_refused(tmp_path: Path) -> None:
    run = sim.run(VENUE, overrides=["run.duration=1s"], out=tmp_path)
    assert run.dir is not None
    with pytest.raises(InputError, match="quickstart is of a venue"):
        open_study(run.dir)


def test_the_tables_can_be_read_again(scarce: PlannerStudy, tmp_path: Path) -> None:
    scarce.write(tmp_path)
    for name, table in scarce.tables().items():
        assert pq.read_table(tmp_path / f"{name}.parquet").equals(table)
        assert len(scarce.frame(name)) == table.num_rows > 0
    assert {path.stem for path in tmp_path.iterdir()} == PLANNER_TABLES.keys()


def test_the_text_has_a_column_for_each_planner_and_if_wanted_a_line_for_each_plan(scarce: PlannerStudy) -> None:
    short, long = as_text(scarce).splitlines(), as_text(scarce, batches=True).splitlines()
    assert len(long) == len(short) + 1 + len(scarce.problems)
    assert short[2].split() == ["all", "plans", "simple", "matrix"]
    assert [line.split()[-1] for line in short if line.strip().startswith(("violations", "digest"))] == [
        "0",
        scarce.runs[1].digest[:8],
    ]


def test_a_market_in_which_nobody_orders_has_an_empty_comparison() -> None:
    nobody = study(
        DAY, overrides=["run.duration=60s", "step=[]", *(f"user.u{n}.arrivals.poisson=1h" for n in range(1, 13))]
    )
    assert nobody.problems == []
    assert "each plan" not in as_text(nobody, batches=True)
