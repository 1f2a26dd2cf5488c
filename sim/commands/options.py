"""What several commands take and print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

Command = TypeVar("Command", bound=Callable[..., Any])

HASH_BYTES: Final = 32
DIRECTORY = click.Path(path_type=Path)

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, to stdout.")
_FILE = click.argument("file", type=click.Path(path_type=Path))
_SEED = click.option("--seed", type=click.IntRange(min=0), help="Instead of the scenario's own.")
_SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change one value, as in solver.s2.latency=20ms. May be repeated.",
)


class Hash(click.ParamType[bytes]):
    """A hash in hexadecimal."""

    name = "hash"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """Raises click.BadParameter for what is no hash."""
        try:
            data = value if isinstance(value, bytes) else bytes.fromhex(value)
        except ValueError:
            data = b""
        if len(data) != HASH_BYTES:
            self.fail(f"expected {2 * HASH_BYTES} hexadecimal digits, got {value}", param, ctx)
        return data


def scenario(command: Command) -> Command:
    """A command that takes a scenario file and what to change in it."""
    for parameter in (_SET, _SEED, _FILE):
        command = parameter(command)
    return command


def show(data: Any, text: str, *, as_json: bool) -> None:
    """Print a result for a program or for a person."""
    click.echo(msgspec.json.encode(data).decode() if as_json else text)
