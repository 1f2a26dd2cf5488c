"""`romer-sim planners`."""

from __future__ import annotations

from pathlib import Path

import click

from sim.commands.exits import Exit
from sim.commands.options import DIRECTORY, as_json, scenario, show
from sim.commands.progress import progress


@click.command()
@scenario
@click.option("--batches", is_flag=True, help="Also a line for each plan.")
@click.option("--out", type=DIRECTORY, help="Where to write the tables, as Parquet files.")
@as_json
def planners(
    *, file: Path, seed: int | None, overrides: tuple[str, ...], batches: bool, out: Path | None, as_json: bool
) -> Exit:
    """Compare the planners of an index desk.

    Both plan every batch of one run, and the scenario is run once with each. FILE is a scenario, or the directory of
    a run, which is compared as it was.
    """
    from sim.planners.study import open_study  # noqa: PLC0415  # the simulator and its tables are slow to import
    from sim.planners.text import as_text  # noqa: PLC0415

    study = open_study(file, seed=seed, overrides=overrides)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    for planner in study.planners:
        with progress(f"{study.name}, {planner}") as on_progress:
            study.run(planner, on_progress)
    if out is not None:
        study.write(out)
    show(
        {"own": study.own, "problems": study.problems, "planners": study.runs, "tokens": study.tokens},
        as_text(study, batches=batches),
        as_json=as_json,
    )
    return Exit.OK
