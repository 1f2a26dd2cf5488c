"""How `romer-live` ends: its exit codes, and what an exception means to the person who typed the command."""

from __future__ import annotations

import errno
import traceback
from enum import IntEnum
from pathlib import Path
from typing import Final

import click

from core.errors import ComponentFailed, InputError, JournalDamaged, ReplayDiverged, RomerError
from core.faults import one_line
from core.kernel.segments import segment_number


class Exit(IntEnum):
    """Stable: scripts may rely on them. Those that `romer-sim` has too mean the same there.

    ====  ===========  ================================================================
    code  name         meaning
    ====  ===========  ================================================================
    0     OK           done; a node that was asked to stop has stopped in order
    1     FAILED       a node stopped because of a bug of ours; its journal was flushed
    2     BAD_INPUT    a file, key, argument, port or directory cannot be used
    3     DIVERGED     a journal says something else than this version does
    4     DAMAGED      a journal is truncated or corrupted, its blocks are no chain, a receipt proves nothing
    5     STORAGE      the disk under a journal is full, read-only, or fails
    6     IMPAIRED     something of a journal is damaged that its node does without
    130   INTERRUPTED  stopped at once, or by the deadline of its drain with something still open
    ====  ===========  ================================================================
    """

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    DIVERGED = 3
    DAMAGED = 4
    STORAGE = 5
    IMPAIRED = 6
    INTERRUPTED = 130


_CODES: Final[tuple[tuple[type[BaseException], Exit], ...]] = (
    (InputError, Exit.BAD_INPUT),
    (ReplayDiverged, Exit.DIVERGED),
    (JournalDamaged, Exit.DAMAGED),
    (click.Abort, Exit.INTERRUPTED),
    (KeyboardInterrupt, Exit.INTERRUPTED),
    (click.ClickException, Exit.BAD_INPUT),
    (OSError, Exit.BAD_INPUT),
    (BaseException, Exit.FAILED),
)
_CHARS_MAX: Final = 2_000
"""An event that crashed a node is shown with it."""
_NOT_FULL: Final = {
    errno.EROFS: "that disk is mounted read-only: mount it for writing, then try again",
    errno.EIO: "that disk fails: copy the journal to another one, then try again",
    errno.EFBIG: "a file may not be so large there: see `ulimit -f`",
}
"""Of what has to do with a disk, what more room does not mend."""
_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG})


def exit_code(error: BaseException) -> Exit:
    """The code of what ended a command."""
    if isinstance(error, OSError) and error.errno in _DISK:
        return Exit.STORAGE
    return next(code for kind, code in _CODES if isinstance(error, kind))


def report_failure(error: BaseException, *, debug: bool) -> Exit:
    """Say on stderr what went wrong, in one line and perhaps a hint; with `debug` after a traceback.

    A file with several problems has one more line for each.
    """
    if debug:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    code = exit_code(error)
    first, *rest = _message(error).splitlines()
    lines = [f"error: {one_line(first, _CHARS_MAX)}", *(f"  {one_line(line)}" for line in rest)]
    if hint := _hint(error, code):
        lines.append(f"hint: {one_line(hint)}")
    click.echo("\n".join(lines), err=True)
    return code


def _message(error: BaseException) -> str:
    if isinstance(error, InputError):
        return error.message
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return "interrupted"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return str(error) if isinstance(error, RomerError) else f"a bug in Romer: {error!r}"


def _hint(error: BaseException, code: Exit) -> str:
    if isinstance(error, InputError):
        return error.hint
    if isinstance(error, ComponentFailed):
        return ""  # the message itself says what to do, and is the last line
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{error.ctx.command_path} --help shows how"
    if isinstance(error, JournalDamaged):
        return _mending(error)
    if isinstance(error, OSError) and error.errno in _NOT_FULL:
        return _NOT_FULL[error.errno]
    hints = {
        Exit.DIVERGED: "this is not the code that wrote the journal, or it is not deterministic",
        Exit.STORAGE: "make room on that disk and start again: what was acknowledged is in the journal",
        Exit.FAILED: "romer-live --debug ... shows where",
    }
    return hints.get(code, "")


def _mending(damage: JournalDamaged) -> str:
    before, path = "what is before that byte is whole", Path(damage.name)
    if not segment_number(path.name) or "journal repair" in damage.reason:
        return before
    bring = "bring a segment that is missing back, or " if " after segment " in damage.reason else ""
    return f"{before}; {bring}`romer-live journal repair {path.parent}` goes on from there"
