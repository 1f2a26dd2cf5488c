"""`romer-live`: run a market under the wall clock."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import click

from core.auction.facts import CommitmentSettled
from core.errors import InputError, RomerError
from core.kernel.record import Record
from core.sequencer.facts import OrderSequenced
from core.units import SECOND, Nanos, parse_duration
from live.config import MarketFile, load

FILE = click.argument("file", type=click.Path(path_type=Path))


class Span(click.ParamType[float]):
    """A duration such as `5s`, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Raises click.BadParameter saying what was expected."""
        try:
            return parse_duration(value) / SECOND if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


class BadInput(click.ClickException):
    """Something that the person at the terminal can mend."""

    exit_code = 2


class _Program(click.Group):
    """Says what is wrong in one line on stderr; ends with 2 for bad input, and with 1 for a bug of ours."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (InputError, OSError) as error:
            raise BadInput(str(error)) from error
        except RomerError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="romer", prog_name="romer-live")
def main() -> None:
    """Run a market under the wall clock, with real sockets and journals on disk."""


@main.command()
@FILE
def check(file: Path) -> None:
    """Say whether FILE can be run, and what it describes."""
    market = load(file)
    click.echo(f"{file}: {len(market.makers)} market makers and {len(market.solvers)} solvers at {market.venue.name}")


@main.command()
@FILE
@click.option("--for", "seconds", type=Span(), default="5s", show_default=True, help="How long; Ctrl-C ends it before.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="journals",
    show_default=True,
    help="A directory for journals, one a node.",
)
def run(file: Path, seconds: float, out: Path) -> None:
    """Run every node of FILE in this process, on loopback sockets."""
    description = load(file)
    out.mkdir(parents=True, exist_ok=True)
    asyncio.run(_run(description, seconds, out))


async def _run(description: MarketFile, seconds: float, out: Path) -> None:
    from core.wiring import components  # noqa: PLC0415  # the whole market is slow to import
    from live.run import Market  # noqa: PLC0415

    facts: Counter[type[Record]] = Counter()

    def count(_node: str, _now: Nanos, _component: str, fact: Record) -> None:
        facts[type(fact)] += 1

    market = Market(components, seed=description.seed, folder=out, on_note=count)
    await market.open(description.nodes())
    for door, address in market.doors.items():
        click.echo(f"{door} listens on {address}")
    for node, deliveries, digest in await market.run(seconds, description.tellings()):
        click.echo(f"{node:12} {deliveries:9,} deliveries  {digest}")
    click.echo(f"{facts[OrderSequenced]:,} orders accepted, {facts[CommitmentSettled]:,} fills; journals in {out}")
