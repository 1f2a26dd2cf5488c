"""`romer-sim run`."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from sim.commands.exits import Exit
from sim.commands.options import DIRECTORY, as_json, scenario, show
from sim.commands.progress import progress
from sim.interrupt import Stage

_INTERRUPTED: Final = {
    Stage.MARKET: "interrupted: the market ends here, and what happened until now is being written; "
    "Ctrl-C again stops at once",
    Stage.RESULTS: "interrupted: the market is over, and its results are being finished; Ctrl-C again stops at once",
    Stage.PUBLISHING: "interrupted: the results are being finished",
}


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

    interrupted: list[Stage] = []

    def on_interrupt(stage: Stage) -> None:
        interrupted.append(stage)
        with suppress(OSError):  # stderr may be gone; it is not written to in the usual way within a signal handler
            below = "\n" if os.isatty(2) else ""  # a terminal shows ^C, perhaps behind the progress bar
            os.write(2, f"{below}{_INTERRUPTED[stage]}\n".encode())

    with progress(file.stem, quiet=quiet) as on_progress:
        result = run_scenario(
            file, seed=seed, overrides=overrides, out=out, on_progress=on_progress, on_interrupt=on_interrupt
        )
    text = str(result.dir) if quiet else str(result)
    show({**result.summary, "dir": str(result.dir)}, text, as_json=as_json)
    if not interrupted:
        return Exit.OK
    what = "a partial result" if result.manifest.interrupted else "the whole result"
    click.echo(f"interrupted: {what}, with its journals, is in {result.dir}", err=True)
    return Exit.INTERRUPTED
