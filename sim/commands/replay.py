"""`romer-sim replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
import msgspec

from core.errors import JournalDamaged, RomerError
from core.kernel.journal import MAGIC
from core.kernel.replay import Replayed
from sim.commands.exits import Exit, report_failure
from sim.commands.options import DIRECTORY, as_json, show

_GRAVEST_FIRST: Final = (Exit.DIVERGED, Exit.DAMAGED, Exit.BAD_INPUT)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints of one journal: what was replayed, or `error`, with file and byte where it is damaged."""

    journal: str
    node: str = ""
    count: int = 0
    digest: str = ""
    crash: str = ""
    error: str = ""
    file: str = ""
    offset: int | None = None
    hint: str = ""


@click.command()
@click.argument("path", type=DIRECTORY)
@as_json
@click.pass_context
def replay(context: click.Context, /, *, path: Path, as_json: bool) -> Exit:
    """Replay a run's journals and compare every effect with the record.

    PATH is a journal, or a directory of journals. A journal that is damaged does not keep the others from being
    replayed.
    """
    from sim.replay import replay_each  # noqa: PLC0415  # builds whole nodes

    rows, codes = [], set()
    for journal, found in replay_each(path):
        if isinstance(found, Replayed):
            rows.append(_replayed(journal, found))
            if not as_json:
                click.echo(_line(found))
        else:
            row = _failed(journal, found)
            rows.append(row)
            codes.add(report_failure(found, debug=context.find_root().params["debug"], hint=row.hint))
    if as_json:
        show({"journals": rows}, "", as_json=True)
    if codes and len(rows) > 1:
        whole = sum(not row.error for row in rows)
        click.echo(f"{whole} of {len(rows)} journals replayed as recorded", err=True)
    return next((code for code in _GRAVEST_FIRST if code in codes), Exit.OK)


def _line(found: Replayed) -> str:
    crash = f"; then crashed as recorded: {found.crash}" if found.crash else ""
    return f"{found.node}: {found.count:,} deliveries as recorded, digest {found.digest}{crash}"


def _replayed(journal: Path, found: Replayed) -> Row:
    return Row(journal=str(journal), node=found.node, count=found.count, digest=found.digest, crash=found.crash)


def _failed(journal: Path, error: RomerError) -> Row:
    if not isinstance(error, JournalDamaged):
        return Row(journal=str(journal), error=str(error))
    return Row(journal=str(journal), error=str(error), file=error.name, offset=error.offset, hint=_mend(journal, error))


def _mend(journal: Path, damaged: JournalDamaged) -> str:
    before = "everything before that byte is whole, and was replayed as recorded"
    if journal.is_dir():
        return f"{before}; `romer-live journal verify {journal}` says more, and `repair` keeps what is whole"
    if damaged.offset <= len(MAGIC):
        return "nothing of it can be read; give a journal, or run the scenario again"
    return f"{before}; for the rest run the scenario again"
