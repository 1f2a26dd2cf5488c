"""Scenarios that cannot be used, and what `romer-sim check` says of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner

from sim.cli import main

INSTANT = 'expected a UTC instant before 2100 such as "2024-01-01T00:00:00Z", got'
DURATION = 'expected a duration such as "250ms" (units ns, us, ms, s, m, h, d), got'
MAKER = 'arrivals = { poisson = "20ms" }\n'
"""A line of `MINIMAL` that others can follow."""


class Bad(NamedTuple):
    """A scenario `bad.toml`, what the command line sets on top of it, and what is said about it."""

    text: str | bytes
    error: str
    hint: str = ""
    overrides: tuple[str, ...] = ()


def assert_bad(case: Bad) -> None:
    """The case is refused as it says; its file is written to the working directory."""
    Path("bad.toml").write_bytes(case.text.encode() if isinstance(case.text, str) else case.text)
    assert_refused(["bad.toml", *(word for text in case.overrides for word in ("--set", text))], case.error, case.hint)


def assert_refused(arguments: list[str], error: str, hint: str = "") -> None:
    """`romer-sim check` ends with one line on stderr, perhaps a hint, and exit code 2."""
    result = CliRunner().invoke(main, ["check", *arguments])
    assert result.stderr.splitlines() == [f"error: {error}", *([f"hint: {hint}"] if hint else [])]
    assert result.stdout == ""
    assert result.exit_code == 2
