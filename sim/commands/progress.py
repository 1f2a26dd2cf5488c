"""How far a run is: a bar on a terminal, a plain line now and then elsewhere; both on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final

import click

from core.units import SECOND

if TYPE_CHECKING:
    from sim.course import Progress

_BAR_INTERVAL: Final = 0.1
_LINE_INTERVAL: Final = 5.0

OnProgress = Callable[["Progress"], None]


@contextmanager
def progress(title: str, *, quiet: bool = False) -> Iterator[OnProgress]:
    """A function to call with every `Progress`, as often as one likes."""
    if quiet:
        yield lambda _now: None
    elif sys.stderr.isatty():
        with _bar(title) as show:
            yield _at_most_every(_BAR_INTERVAL, show)
    else:
        yield _at_most_every(_LINE_INTERVAL, _Line(title).show)


def line(now: Progress, wall: float) -> str:
    """Market time, deliveries and what they say about the time that is left; `wall` is in seconds."""
    done = now.elapsed / now.whole
    if done >= 1:
        return f"{now.whole / SECOND:,.1f} s in {wall:,.1f} s of wall time; writing tables, pictures and report"
    left = f"{wall * (1 - done) / done:,.0f} s left" if done else "starting"
    span = f"{now.elapsed / SECOND:,.1f} of {now.whole / SECOND:,.1f} s"
    return f"{span}, {wall:,.1f} s wall, {now.deliveries / max(wall, 0.001):,.0f} events/s, {left}"


class _Line:
    def __init__(self, title: str) -> None:
        self._title, self._started = title, monotonic()

    def show(self, now: Progress) -> None:
        click.echo(f"{self._title}: {line(now, monotonic() - self._started)}", err=True)


@contextmanager
def _bar(title: str) -> Iterator[OnProgress]:
    from rich.console import Console  # noqa: PLC0415  # only a terminal needs it
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, TextColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (TextColumn(escape(title)), BarColumn(), TextColumn("{task.fields[line]}", markup=False))
    started = monotonic()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0, line="")
        yield lambda now: bar.update(task, completed=now.elapsed / now.whole, line=line(now, monotonic() - started))


def _at_most_every(seconds: float, show: OnProgress) -> OnProgress:
    """`show`, but not before `seconds` have passed since it was called, or since now; always at the end."""
    last = monotonic()

    def throttled(now: Progress) -> None:
        nonlocal last
        if monotonic() - last >= seconds or (now.elapsed >= now.whole and seconds < _LINE_INTERVAL):
            last = monotonic()
            show(now)

    return throttled
