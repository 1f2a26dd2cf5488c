"""`romer-sim explain`, `report` and `replay`: what a finished run has to say. They read what it left on disk."""

from __future__ import annotations

from pathlib import Path

import click

from sim.commands.exits import Exit
from sim.commands.options import DIRECTORY, as_json, show


@click.command()
@click.argument("directory", type=DIRECTORY)
@click.argument("order")
@as_json
def explain(*, directory: Path, order: str, as_json: bool) -> Exit:
    """Tell the life of one ORDER of a run, named by order id, ClOrdID, OWNER/ClOrdID or a commitment's id."""
    from sim.results import explain as story  # noqa: PLC0415  # tables are slow to import
    from sim.results.result import load  # noqa: PLC0415

    told = story.explain(load(directory), order)
    show({"order": order, "happenings": story.as_rows(told)}, story.as_text(told), as_json=as_json)
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


@click.command()
@click.argument("path", type=DIRECTORY)
@as_json
def replay(*, path: Path, as_json: bool) -> Exit:
    """Replay a journal, or every journal that a run left, and compare each effect with what was recorded."""
    from sim.replay import replay_all  # noqa: PLC0415  # builds whole nodes

    replayed = []
    for one in replay_all(path):
        replayed.append(one)
        if not as_json:
            crash = f"; then crashed as recorded: {one.crash}" if one.crash else ""
            click.echo(f"{one.node}: {one.count:,} deliveries as recorded, digest {one.digest}{crash}")
    if as_json:
        show({"journals": replayed}, "", as_json=True)
    return Exit.OK
