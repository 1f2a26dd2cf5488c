"""Both planners of an index desk on the problems of one run, and the whole scenario run once with each.

The problems are those that the scenario's own planner had to solve, with what the desk knew then. Each planner plans
each of them, and both plans are held to the same rules. That says what a planner does with a problem; but a plan
changes books, stock and orders, which later problems are made of. What comes of that, whole runs say: same scenario,
same seed, same draws, one run with each planner. House batches are not planners' work, and no part of the problems.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InputError
from core.index.compare import compare
from core.index.desk import IndexDesk
from core.index.planning import Mode, PlanProblem
from core.index.settings import PlannerName
from core.kernel.journal import Header
from core.units import Nanos
from core.wiring import DESK
from sim.course import Progress
from sim.desk_simulation import DeskSimulation
from sim.planners.outcome import planner_row, token_rows
from sim.planners.rows import PLANNER_TABLES, PlannerRow, ProblemRow, TokenRow
from sim.results.columns import to_frame, to_table
from sim.results.desk.tables import build_tables
from sim.results.result import RunResult
from sim.results.result import load as load_result
from sim.results.rows import Row
from sim.scenario.custom import decode_custom
from sim.scenario.desk import DeskScenario
from sim.scenario.load import Loaded, canonical, load
from sim.scenario.recorded import recordings

if TYPE_CHECKING:
    import pandas as pd

_TELLING: Final = ("index_orders", "fills", "invoices")
_replace = msgspec.structs.replace


class PlannerStudy:
    """One scenario of an index desk, and what was found of its planners so far: `run` each of `planners` once."""

    planners: Final = (PlannerName.SIMPLE, PlannerName.MATRIX)

    def __init__(self, loaded: Loaded, recorded: RunResult | None = None) -> None:
        """`recorded` is a run of the scenario as it is, if there is one, which has to come out the same again.

        Raises InputError for a scenario of a venue, and for one in reference mode.
        """
        self.scenario = _desk_of(loaded)
        self.own: PlannerName = self.scenario.desk.planner
        """The planner of the scenario, whose problems are compared."""
        self.problems: list[ProblemRow] = []
        self.runs: list[PlannerRow] = []
        self.tokens: list[TokenRow] = []
        self._loaded, self._recorded = loaded, recorded

    @property
    def name(self) -> str:
        """Of the scenario."""
        return self._loaded.name

    def run(self, planner: PlannerName, on_progress: Callable[[Progress], None] = lambda _progress: None) -> None:
        """Run the scenario with a planner; with its own one, compare both on every problem that it has.

        Raises FactViolated when a checker objects, and InputError when the run is not the recorded one.
        """
        scenario = _replace(self.scenario, desk=_replace(self.scenario.desk, planner=planner))
        loaded = _replace(self._loaded, scenario=scenario, text=canonical(scenario))
        header = Header(node="", seed=scenario.run.seed, config=b"", config_hash=loaded.hash)
        simulation = DeskSimulation(scenario, recordings(loaded), header, lambda _node: None)
        desk = simulation.nodes[DESK].kernel.components[DESK]
        assert isinstance(desk, IndexDesk)
        if planner is self.own:
            desk.on_planned = self._compare

        def watch(progress: Progress) -> bool:
            on_progress(progress)
            return True

        simulation.run(watch)
        tables = build_tables(simulation.notes)
        if planner is self.own and self._recorded is not None:
            _refuse_other(self._recorded, tables)
        self.runs.append(planner_row(planner, simulation.digest(), tables, desk.state))
        self.tokens += token_rows(planner, tables)

    def tables(self) -> dict[str, pa.Table]:
        """Problems, planners and tokens as Arrow tables, money exact."""
        rows: dict[str, Sequence[Row]] = {"problems": self.problems, "planners": self.runs, "tokens": self.tokens}
        return {name: to_table(row, rows[name]) for name, row in PLANNER_TABLES.items()}

    def frame(self, name: str) -> pd.DataFrame:
        """One of the tables for analysis, as `RunResult` has its own: money as float64."""
        return to_frame(PLANNER_TABLES[name], self.tables()[name])

    def write(self, folder: Path) -> None:
        """Write each table to `<folder>/<name>.parquet`, in a folder that there is."""
        for name, table in self.tables().items():
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")

    def _compare(self, now: Nanos, problem: PlanProblem, batch_id: str) -> None:
        number = self.problems[-1].problem + 1 if self.problems else 1
        for found in compare(problem):
            row = ProblemRow(problem=number, time=now, batch_id=batch_id or None, **msgspec.structs.asdict(found))
            self.problems.append(row)


def study(
    source: Path | str,
    *,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> PlannerStudy:
    """The planners compared on a scenario file, or on a run's directory. Raises as `open_study` and `run` do."""
    opened = open_study(Path(source), seed=seed, overrides=overrides)
    for planner in opened.planners:
        opened.run(planner, on_progress)
    return opened


def open_study(source: Path, *, seed: int | None = None, overrides: Sequence[str] = ()) -> PlannerStudy:
    """A study of a scenario file, with what is changed in it, or of a run as it was.

    Raises InputError for what is neither, not of an index desk, in reference mode, or a run that was interrupted.
    """
    if not source.is_dir():
        return PlannerStudy(load(source, seed=seed, overrides=overrides))
    recorded = load_result(source)
    manifest = recorded.manifest
    if seed is not None or overrides:
        raise InputError(
            f"{source}: a run is compared as it was", "give its scenario file, which --set and --seed are for"
        )
    if manifest.interrupted:
        raise InputError(f"{source}: the run was interrupted", "give its scenario file, or a run that was not")
    if "desk" not in manifest.scenario:
        raise _of_a_venue(manifest.name)
    try:
        scenario = msgspec.json.decode(json.dumps(manifest.scenario), type=DeskScenario, dec_hook=decode_custom)
    except msgspec.ValidationError as error:
        raise InputError(f"{source}: its scenario is not one of this version: {error}") from None
    folder = Path(shlex.split(manifest.command)[2]).parent
    return PlannerStudy(Loaded(manifest.name, folder, scenario, canonical(scenario)), recorded)


def _refuse_other(recorded: RunResult, tables: Mapping[str, pa.Table]) -> None:
    """What a run did has to come again. Its digest need not: the manifest spells 100.0 as 100."""
    for name in _TELLING:
        if not recorded.table(name).equals(tables[name]):
            problem = f"{recorded.dir}: its scenario comes out otherwise now, as table `{name}` shows"
            raise InputError(problem, "go back to the code that made the run, or give its scenario file")


def _desk_of(loaded: Loaded) -> DeskScenario:
    scenario = loaded.scenario
    if not isinstance(scenario, DeskScenario):
        raise _of_a_venue(loaded.name)
    if scenario.desk.limits.mode is Mode.REFERENCE:
        problem = f"{loaded.name}: in mode `reference`, plans are the reference system's and there is one planner"
        raise InputError(problem, "give the scenario file with --set desk.limits.mode=corrected")
    return scenario


def _of_a_venue(name: str) -> InputError:
    return InputError(f"{name} is of a venue, which plans nothing", "give a scenario or a run of an index desk")
