"""`romer-live serve` and `romer-live check`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from live.commands.exits import Exit
from live.commands.options import PATH, as_json, log_format, log_level, show, stop_with_stdin
from live.observe.log import FactLog, LogFormat, set_up

FILE = click.argument("file", type=PATH)


@click.command()
@FILE
@log_format
@log_level
@stop_with_stdin
@as_json
def serve(*, file: Path, log_format: LogFormat, log_level: str, stop_with_stdin: bool, as_json: bool) -> Exit:
    """Serve the venue of FILE until it is told to stop. Its journal goes on where it ended."""
    from live.serve import serve as serve_venue  # noqa: PLC0415  # the whole market is slow to import
    from live.venue_file import load  # noqa: PLC0415

    venue = load(file)
    set_up(log_format, log_level)
    ended, traded = asyncio.run(
        serve_venue(
            venue,
            file.parent,
            log=FactLog(venue.venue.name, log_level),
            up=lambda opening: show(opening, str(opening), as_json=as_json),
            with_stdin=stop_with_stdin,
        )
    )
    show({"ended": ended, "traded": traded}, str(ended), as_json=as_json)
    return Exit.OK if ended.drained else Exit.INTERRUPTED


@click.command()
@FILE
@as_json
def check(*, file: Path, as_json: bool) -> Exit:
    """Say everything that is wrong with FILE, at once, or what it describes."""
    from live.venue_file import DOORS, read  # noqa: PLC0415  # the whole market is slow to import

    venue, problems = read(file)
    if problems or venue is None:
        lines = [f"{file}: {problem}" for problem in problems]
        show({"file": str(file), "problems": problems}, "\n".join(lines), as_json=as_json)
        return Exit.BAD_INPUT
    config, listen = venue.venue, venue.listen
    about = f"pairs: {len(config.pairs)}, members: {len(config.members)}, solvers: {len(config.solvers)}"
    places = ", ".join(f"{door} on {getattr(listen, door)}" for door in DOORS)
    text = f"{file} is good; {about}\n{config.name} would listen: {places}"
    show({"file": str(file), "problems": []}, text, as_json=as_json)
    return Exit.OK
