"""`romer-live demo`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from core.units import Nanos
from live.commands.exits import Exit
from live.commands.options import PATH, Span, as_json, show


@click.command()
@click.option("--for", "span", type=Span(), default="30s", show_default=True, help="How long; Ctrl-C ends it before.")
@click.option("--out", type=PATH, default="live-demo", show_default=True, help="Where each demo gets a folder.")
@as_json
def demo(*, span: Nanos, out: Path, as_json: bool) -> Exit:
    """Run a venue, two market makers and three solvers on this machine, each a process, and report what happened."""
    from live.demo import demo as run_demo  # noqa: PLC0415  # only this command needs it

    report = asyncio.run(run_demo(span, out, log=lambda line: click.echo(line, err=True)))
    show(report, str(report), as_json=as_json)
    return Exit.INTERRUPTED if report.interrupted else Exit.OK
