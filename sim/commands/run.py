"""`romer-sim run`."""

from __future__ import annotations

from pathlib import Path

import click

from sim.commands.exits import Exit
from sim.commands.options import DIRECTORY, as_json, scenario, show
from sim.commands.progress import progress


@click.command()
@scenario
@click.option(
    "--out", type=DIRECTORY, default="runs", show_default=True, help="Where results go, each to its own place."
)
@click.option("--quiet", is_flag=True, help="No progress, and only the result's directory at the end.")
@as_json
def run(*, file: Path, seed: int | None, overrides: tuple[str, ...], out: Path, quiet: bool, as_json: bool) -> Exit:
    """Run a scenario and write its results below OUT. Ctrl-C keeps what happened until then."""
    from sim.runner import run as run_scenario  # noqa: PLC0415  # the simulator and its tables are slow to import

    with progress(file.stem, quiet=quiet) as on_progress:
        result = run_scenario(file, seed=seed, overrides=overrides, out=out, on_progress=on_progress)
    text = str(result.dir) if quiet else str(result)
    show({**result.summary, "dir": str(result.dir)}, text, as_json=as_json)
    if not result.manifest.interrupted:
        return Exit.OK
    click.echo("interrupted: this is a partial result", err=True)
    return Exit.INTERRUPTED
