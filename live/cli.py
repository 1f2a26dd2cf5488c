"""`romer-live`: run a venue, and those who trade there, under the wall clock."""

from __future__ import annotations

import click

from live.commands.blocks import check_chain, check_receipt, receipt
from live.commands.demo import demo
from live.commands.fix import fix
from live.commands.journal import journal
from live.commands.keys import keys
from live.commands.lookup import blocks
from live.commands.program import Program
from live.commands.registry import registry
from live.commands.serve import check, serve
from live.commands.sessions import session, sessions
from live.commands.traders import market_maker, solver


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="romer", prog_name="romer-live")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(*, debug: bool) -> None:
    """Run a venue, and those who trade there, under the wall clock, with real sockets and journals on disk."""
    del debug  # `Program` reads it


for command in (
    serve,
    check,
    solver,
    market_maker,
    demo,
    sessions,
    session,
    fix,
    journal,
    keys,
    registry,
    blocks,
    receipt,
    check_receipt,
    check_chain,
):
    main.add_command(command)
