"""`romer-sim explain` and `report`: what a finished run has to say. They read what it left on disk."""

from __future__ import annotations

from pathlib import Path

import click

from sim.commands.exits import Exit
from sim.commands.options import DIRECTORY, as_json, show


@click.command(short_help="Tell the life of one order, session, batch or transfer.")
@click.argument("directory", type=DIRECTORY)
@click.argument("name")
@as_json
def explain(*, directory: Path, name: str, as_json: bool) -> Exit:
    """Tell the life of one order, FIX session, batch, exchange order, transfer or withdrawal.

    DIRECTORY is what `romer-sim run` made. NAME is an order id, a ClOrdID, OWNER/ClOrdID or a commitment's id; or a
    session as its engine calls it, such as MM1, or NODE/SESSION. Of an index desk's run it is an order id, the user's
    own id, or USER/ID; or the id of a batch, an exchange order, a transfer or a withdrawal.
    """
    from sim.results.result import load  # noqa: PLC0415  # tables are slow to import

    result = load(directory)
    data, text = result.kind.explain(result, name)
    show(data, text, as_json=as_json)
    return Exit.OK


@click.command()
@click.argument("directory", type=DIRECTORY)
@as_json
def report(*, directory: Path, as_json: bool) -> Exit:
    """Make report and plots of a run anew from its tables."""
    from sim.results.result import load  # noqa: PLC0415

    result = load(directory)
    result.write_report(directory)
    show({**result.summary, "dir": str(directory)}, str(result), as_json=as_json)
    return Exit.OK
