"""`romer-sim whatif`."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import InputError
from sim.commands.exits import Exit
from sim.commands.options import DIRECTORY, as_json, show

if TYPE_CHECKING:
    from sim.whatif.comparison import Baseline, Comparison
    from sim.whatif.whatif import WhatIf


@click.command()
@click.argument("path", type=DIRECTORY)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change one setting, as in auction.rule=second_price, or how much later somebody's messages arrive, as in "
    "solver.s2.latency=20ms. May be repeated.",
)
@click.option(
    "--replace",
    "replaced",
    multiple=True,
    metavar="NAME=STRATEGY[:KEY=VALUE,...]",
    help="Put a strategy in a solver's place, as in s1=cost_plus:margin_bps=2,latency=5ms, or in a market maker's "
    "its recorded intents: MM1=intents. May be repeated.",
)
@click.option("--out", type=DIRECTORY, help="Where to write report, tables and the rerun's journal.")
@as_json
def whatif(
    *, path: Path, overrides: tuple[str, ...], replaced: tuple[str, ...], out: Path | None, as_json: bool
) -> Exit:
    """Run a recorded venue again with something changed.

    Says what comes of it, order by order. PATH is a run's directory, a live venue's journal directory, or a journal.
    """
    from sim.whatif.text import as_text, baseline_lines, how_lines, outcome_lines  # noqa: PLC0415  # tables are slow
    from sim.whatif.whatif import WhatIf  # noqa: PLC0415

    if out is not None:
        _check_free(out)
    what = WhatIf(path, overrides, replaced)
    baseline = what.baseline()
    if not as_json:
        click.echo(as_text(baseline_lines(baseline)))
    comparison = (
        what.compare(baseline) if out is None else _write(what, baseline, out, _command(path, overrides, replaced))
    )
    where = [] if out is None else [("report", str(out / "report.html"))]
    text = as_text([*how_lines(comparison), *outcome_lines(comparison), *where])
    show({**comparison.data(), "dir": None if out is None else str(out)}, text, as_json=as_json)
    return Exit.OK


def _check_free(out: Path) -> None:
    from sim.whatif.report import DATA  # noqa: PLC0415

    if out.exists() and not (out / DATA).exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: holds something else than an earlier what-if", "give --out a new directory")


def _write(what: WhatIf, baseline: Baseline, out: Path, command: str) -> Comparison:
    """Compare, and leave everything in `out`, whole or not at all."""
    from sim.interrupt import ctrl_c_raises  # noqa: PLC0415
    from sim.results.place import give_up, publish, start  # noqa: PLC0415
    from sim.whatif.report import JOURNALS, write  # noqa: PLC0415

    place = start(out.parent)
    try:
        with ctrl_c_raises():
            (place / JOURNALS).mkdir()
            with (place / JOURNALS / f"{what.recording.header.node}.romer").open("xb") as file:
                comparison = what.compare(baseline, file)
            write(comparison, place, command)
    except KeyboardInterrupt:
        shutil.rmtree(place)
        raise
    except BaseException:
        give_up(place, JOURNALS)
        raise
    if out.exists():
        shutil.rmtree(out)
    publish(place, out)
    return comparison


def _command(path: Path, overrides: Sequence[str], replaced: Sequence[str]) -> str:
    words = ["romer-sim", "whatif", str(path)]
    for option, values in (("--set", overrides), ("--replace", replaced)):
        words += [word for value in values for word in (option, value)]
    return shlex.join(words)
