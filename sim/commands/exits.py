"""How `romer-sim` ends: its exit codes, and what an exception means to the person who typed the command."""

from __future__ import annotations

import traceback
from enum import IntEnum
from typing import Final

import click

from core.errors import InputError, JournalDamaged, ReplayDiverged, RomerError
from core.faults import one_line


class Exit(IntEnum):
    """Stable: scripts may rely on them.

    ====  ===========  ================================================================
    code  name         meaning
    ====  ===========  ================================================================
    0     OK           done
    1     VIOLATED     a checker found a market rule violated, or we met a bug of ours
    2     BAD_INPUT    a file, key, argument or directory cannot be used
    3     DIVERGED     a replay did something else than its journal says
    4     DAMAGED      a journal or a chain is damaged, or a proof proves nothing
    130   INTERRUPTED  a person stopped it; what was done until then is kept
    ====  ===========  ================================================================
    """

    OK = 0
    VIOLATED = 1
    BAD_INPUT = 2
    DIVERGED = 3
    DAMAGED = 4
    INTERRUPTED = 130


_CODES: Final[tuple[tuple[type[BaseException], Exit], ...]] = (
    (InputError, Exit.BAD_INPUT),
    (ReplayDiverged, Exit.DIVERGED),
    (JournalDamaged, Exit.DAMAGED),
    (click.Abort, Exit.INTERRUPTED),
    (KeyboardInterrupt, Exit.INTERRUPTED),
    (click.ClickException, Exit.BAD_INPUT),
    (OSError, Exit.BAD_INPUT),
    (BaseException, Exit.VIOLATED),
)


def report_failure(error: BaseException, *, debug: bool, hint: str = "") -> Exit:
    """Say on stderr what went wrong, in one line and perhaps a hint, ours or `hint`; with `debug` after a traceback.

    A replay that diverged also shows both sides.
    """
    if debug:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    code = next(code for kind, code in _CODES if isinstance(error, kind))
    message = _message(error)
    first, *evidence = message.splitlines() if isinstance(error, ReplayDiverged) else [message]
    lines = [f"error: {one_line(first)}", *(f"  {one_line(line)}" for line in evidence)]
    if hint := hint or _hint(error, code):
        lines.append(f"hint: {one_line(hint)}")
    click.echo("\n".join(lines), err=True)
    return code


def _message(error: BaseException) -> str:
    if isinstance(error, InputError):
        return error.message
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return f"interrupted: stopped at once; {error}" if str(error) else "interrupted"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return str(error) if isinstance(error, RomerError) else f"a bug in Romer: {error!r}"


def _hint(error: BaseException, code: Exit) -> str:
    if isinstance(error, InputError):
        return error.hint
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{error.ctx.command_path} --help shows how"
    if isinstance(error, JournalDamaged) and not error.offset:
        return "nothing of it can be read; give a journal"
    hints = {
        Exit.DIVERGED: "this is not the code that wrote the journal, or it is not deterministic",
        Exit.DAMAGED: "everything before that byte is whole",
        Exit.VIOLATED: "romer-sim --debug ... shows where",
    }
    return hints.get(code, "")
