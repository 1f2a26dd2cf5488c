"""`romer-live sessions` and `romer-live session NAME ...`: the FIX sessions of a venue that runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from core.fix.records import SEQ_NUM_MAX, AskForHeartbeat, DropConnection, LogOn, LogOut, ResetNumbers, SetNumbers
from live.commands.exits import Exit
from live.commands.options import PATH, Text, as_json, show, venue_options

if TYPE_CHECKING:
    from core.fix.operations import Operation
    from live.fix_session import SessionView

_NUMBER: Final = click.argument("number", metavar="N", type=click.IntRange(1, SEQ_NUM_MAX))
_HEADINGS: Final = ("session", "state", "reason", "next out", "next in", "waiting", "unsent")


@click.command()
@venue_options
@as_json
def sessions(*, file: Path, connect: str | None, as_json: bool) -> Exit:
    """List the FIX sessions of a running venue: state and reason, numbers, and what waits."""
    from live.admin.client import remote  # noqa: PLC0415  # reads venue files

    views = remote(file, connect, None).sessions()
    show(views, _table(views), as_json=as_json)
    return Exit.OK


@click.group()
@click.argument("name", type=Text())
@click.pass_context
def session(context: click.Context, *, name: str) -> None:
    """Operate the FIX session NAME of a venue that runs on this machine."""
    context.obj = name


def _operation(made: Callable[..., Operation]) -> Callable[..., Exit]:
    """A command that has the operation carried out which `made` makes of the session's name and its own options."""

    @click.option("--token-file", type=PATH, help="The admin token, if not where the file says.")
    @venue_options
    @as_json
    @click.pass_obj
    @wraps(made)
    def run(
        name: str, /, *, file: Path, connect: str | None, token_file: Path | None, as_json: bool, **given: Any
    ) -> Exit:
        from live.admin.client import remote  # noqa: PLC0415  # reads venue files

        view = remote(file, connect, token_file).operate(made(name, **given))
        show(view, _table([view]), as_json=as_json)
        return Exit.OK

    return run


@session.command()
@_operation
def logon(name: str) -> Operation:
    """Let it be up: take the counterparty's Logon again."""
    return LogOn(name)


@session.command()
@click.option("--text", default="", help="What the Logout says to the counterparty.")
@_operation
def logout(name: str, *, text: str) -> Operation:
    """Log it out, and keep it down until `logon`."""
    return LogOut(name, text)


@session.command()
@_operation
def disconnect(name: str) -> Operation:
    """End its connection without a Logout. The counterparty may connect again."""
    return DropConnection(name)


@session.command()
@_operation
def reset(name: str) -> Operation:
    """Log it out, and start from 1 in both directions. The counterparty must do so too."""
    return ResetNumbers(name)


@session.command("set-next-in")
@_NUMBER
@_operation
def set_next_in(name: str, *, number: int) -> Operation:
    """Expect N as the next MsgSeqNum."""
    return SetNumbers(name, next_in=number)


@session.command("set-next-out")
@_NUMBER
@_operation
def set_next_out(name: str, *, number: int) -> Operation:
    """Send N as the next MsgSeqNum."""
    return SetNumbers(name, next_out=number)


@session.command()
@_operation
def test_request(name: str) -> Operation:
    """Send a TestRequest; a counterparty that does not answer is given up."""
    return AskForHeartbeat(name)


def _table(views: list[SessionView]) -> str:
    rows = [
        (
            it.session,
            f"{it.state}{' (kept down)' * it.kept_down}",
            it.reason or "-",
            it.next_out,
            it.next_in,
            it.waiting,
            it.unsent_bytes,
        )
        for it in views
    ]
    texts = [_HEADINGS, *(tuple(map(str, row)) for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(_HEADINGS))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in texts)
