"""`romer-sim check` and `romer-sim list`."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from core.errors import InputError
from core.faults import one_line
from core.units import format_duration
from sim.commands.exits import Exit
from sim.commands.options import DIRECTORY, as_json, scenario, show
from sim.scenario.desk import DeskScenario
from sim.scenario.files import header_comment, read_toml
from sim.scenario.kinds import AnyScenario
from sim.scenario.load import Loaded, load, read
from sim.scenario.recorded import Recording, read_recordings


class Listed(msgspec.Struct, frozen=True):
    """One scenario of a folder; `problem` says why it cannot run, if so."""

    file: str
    about: str
    seed: int | None = None
    duration: str | None = None
    problem: str | None = None


class Checked(msgspec.Struct, frozen=True):
    """What a good scenario amounts to. `orders` is about how many will arrive."""

    name: str
    hash: str
    seed: int
    duration: str
    has: dict[str, int]
    """How many of what."""
    orders: int
    recordings: dict[str, str]


@click.command()
@scenario
@as_json
def check(*, file: Path, seed: int | None, overrides: tuple[str, ...], as_json: bool) -> Exit:
    """Check a scenario and its recordings without running it."""
    checked = check_scenario(load(file, seed=seed, overrides=overrides))
    lines = [
        f"{file} is good; {', '.join(f'{what}: {count}' for what, count in checked.has.items())}",
        f"about {checked.orders:,} orders in {checked.duration}, seed {checked.seed}, hash {checked.hash[:16]}",
        *(f"{what}: {rows}" for what, rows in checked.recordings.items()),
    ]
    show(checked, "\n".join(lines), as_json=as_json)
    return Exit.OK


@click.command("list")
@click.argument("directory", type=DIRECTORY, default="scenarios")
@as_json
def list_scenarios(*, directory: Path, as_json: bool) -> Exit:
    """Show the scenarios of a directory, and what each is about.

    Without DIRECTORY, those of `scenarios`. Each comes with its seed, its duration, and the first line of its header.
    """
    listed = scenarios_in(directory)
    wide = max((len(each.file) for each in listed), default=0)
    lines = [
        f"{each.file:<{wide}}  seed {each.seed!s:<4} {each.duration!s:>6}  {each.about}"
        if each.problem is None
        else f"{each.file:<{wide}}  cannot run: {each.problem}"
        for each in listed
    ]
    show({"scenarios": listed}, "\n".join(lines) or f"{directory}: no scenarios", as_json=as_json)
    return Exit.OK


def check_scenario(loaded: Loaded) -> Checked:
    """What a scenario amounts to. Raises InputError for a recorded file that it cannot play."""
    scenario, recorded = loaded.scenario, dict(read_recordings(loaded))
    return Checked(
        name=loaded.name,
        hash=loaded.hash,
        seed=scenario.run.seed,
        duration=format_duration(scenario.run.duration),
        has=_has(scenario),
        orders=_orders(scenario, recorded),
        recordings={what: f"{len(one.rows):,} rows, {one.dropped:,} dropped" for what, one in recorded.items()},
    )


def scenarios_in(directory: Path) -> list[Listed]:
    """Every scenario of a directory, by name; recorded files are not looked at."""
    if directory.is_file():
        raise InputError(f'"{directory}" is a file, not a folder', f"try: romer-sim check {directory}")
    if not directory.is_dir():
        raise InputError(f'no such folder "{directory}"', "give one that has scenario files (*.toml) in it")
    listed = (_listed(path) for path in sorted(directory.glob("*.toml")))
    return [each for each in listed if each is not None]


def _listed(path: Path) -> Listed | None:
    about = ""
    try:
        if not {"run", "extends"} & read_toml(path).keys():
            return None  # some other TOML file
        about = one_line(header_comment(path))
        _, scenario = read(path)
    except InputError as error:
        return Listed(path.name, about, problem=error.message)
    return Listed(path.name, about, scenario.run.seed, format_duration(scenario.run.duration))


def _has(scenario: AnyScenario) -> dict[str, int]:
    if isinstance(scenario, DeskScenario):
        return {"assets": len(scenario.assets), "indexes": len(scenario.indexes), "users": len(scenario.users)}
    makers, solvers = len(scenario.makers), len(scenario.solvers)
    return {"pairs": len(scenario.pairs), "market makers": makers, "solvers": solvers}


def _orders(scenario: AnyScenario, recorded: dict[str, Recording]) -> int:
    duration, count = scenario.run.duration, 0
    if isinstance(scenario, DeskScenario):
        for user in scenario.users:
            if user.arrivals is not None:
                count += duration // (user.arrivals.poisson or user.arrivals.fixed or duration)
        return count + sum(step.do in {"buy", "sell"} for step in scenario.steps)
    for maker in scenario.makers:
        interval = maker.arrivals.poisson or maker.arrivals.fixed
        count += duration // interval if interval else len(recorded[f"market_maker.{maker.id}"].rows)
    return count
