"""What several commands take and print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

from core.units import Nanos, parse_duration

Command = TypeVar("Command", bound=Callable[..., Any])

HASH_BYTES: Final = 32
PATH: Final = click.Path(path_type=Path)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else, to stdout.")
log_format = click.option(
    "--log",
    "log_format",
    type=click.Choice(["console", "json"]),
    default="console",
    show_default=True,
    help="On stderr.",
)
log_level = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="debug has a line for every order and bid.",
)
stop_with_stdin = click.option(
    "--stop-with-stdin", is_flag=True, help="Stop, as for SIGTERM, when stdin ends: with the process that holds it."
)


class Span(click.ParamType[Nanos]):
    """A duration such as `5s`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Nanos:
        """Raises click.BadParameter saying what was expected."""
        try:
            return parse_duration(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Text(click.ParamType[str]):
    """A name, or another text that says something."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises click.BadParameter for blanks alone."""
        text = str(value)
        return text if text.strip() else self.fail("expected a text, got an empty one", param, ctx)


def venue_options(command: Command) -> Command:
    """Where a venue is that runs."""
    connect = click.option("--connect", metavar="HOST:PORT", help="Its `http` address, if not that of the file.")
    file = click.option("--venue", "file", type=PATH, default="venue.toml", show_default=True, help="Its file.")
    return file(connect(command))


class Hash(click.ParamType[bytes]):
    """A hash in hexadecimal."""

    name = "hash"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """Raises click.BadParameter for what is no hash."""
        try:
            data = value if isinstance(value, bytes) else bytes.fromhex(value)
        except ValueError:
            data = b""
        return (
            data if len(data) == HASH_BYTES else self.fail(f"expected 64 hexadecimal digits, got {value}", param, ctx)
        )


def show(data: Any, text: str, *, as_json: bool) -> None:
    """Print a result for a program or for a person."""
    click.echo(msgspec.json.encode(data, enc_hook=str).decode() if as_json else text)


def in_hex(record: object) -> Any:
    """A record as plain data, its bytes (hashes, keys, proofs of possession) in hexadecimal."""
    return _hexed(msgspec.to_builtins(record, builtin_types=(bytes,)))


def _hexed(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {name: _hexed(value) for name, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [_hexed(value) for value in plain]
    return plain.hex() if isinstance(plain, bytes) else plain
