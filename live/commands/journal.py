"""`romer-live journal`: look into a node's journal, and mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from core.errors import InputError
from core.faults import did_you_mean
from live.commands.exits import Exit
from live.commands.options import Text, as_json, show

FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
_VERDICTS: Final[dict[str, Exit]] = {"whole": Exit.OK, "impaired": Exit.IMPAIRED, "refused": Exit.DAMAGED}


@click.group()
def journal() -> None:
    """Look into the journal that a node keeps in DIR, and mend it."""


@journal.command()
@FOLDER
@as_json
def verify(*, folder: Path, as_json: bool) -> Exit:
    """Read all of it and say whether it is whole. The node may run meanwhile.

    Ends with 0 if it is, 6 if something is damaged that a start of the node does without, 4 if a start is refused.
    """
    from live.journal.survey import survey  # noqa: PLC0415  # reads journals

    found = survey(folder)
    show(found, str(found), as_json=as_json)
    return _VERDICTS[found.verdict]


@journal.command("print")
@FOLDER
@click.option("--component", type=Text(), help="Only what this component was given.")
@click.option(
    "--type",
    "kind",
    type=Text(),
    help="Only events of this type, or that carry a record of it: Bytes, OrderWanted, ...",
)
@click.option("--from", "first", type=click.IntRange(1), default=1, show_default=True, help="The first delivery.")
@click.option("--to", "last", type=click.IntRange(1), help="The last delivery.")
@as_json
def show_frames(
    *, folder: Path, component: str | None, kind: str | None, first: int, last: int | None, as_json: bool
) -> Exit:
    """Print deliveries: number, time, component, event, and what it did in return. With --json, one line for each."""
    from core.wiring import CODEC  # noqa: PLC0415  # the whole market is slow to import
    from live.journal.show import shown  # noqa: PLC0415

    found = False
    for line in shown(folder, CODEC, component=component, kind=kind, first=first, last=last):
        show(line, str(line), as_json=as_json)
        found = True
    if not found and component is not None:
        names = {line.component for line in shown(folder, CODEC, first=first, last=last)}
        if component not in names:
            raise InputError(
                f"--component {component}: was given nothing there", did_you_mean(component, sorted(names))
            )
    if not found and kind is not None:
        raise InputError(f"--type {kind}: there is nothing of this type there", "types are named as in `journal print`")
    return Exit.OK


@journal.command()
@FOLDER
@as_json
def repair(*, folder: Path, as_json: bool) -> Exit:
    """Cut it at its first damage, keep what was there aside, and say what is left out from now on."""
    from live.journal.repair import repair as mend  # noqa: PLC0415  # reads journals

    done = mend(folder)
    show(done, str(done), as_json=as_json)
    return Exit.OK


@journal.command()
@FOLDER
@as_json
def quarantine(*, folder: Path, as_json: bool) -> Exit:
    """Let the next start pass over the event that crashed the node. The event stays in the journal, marked."""
    from core.wiring import CODEC  # noqa: PLC0415  # the whole market is slow to import
    from live.journal.repair import quarantine as mark  # noqa: PLC0415

    done = mark(folder, CODEC)
    show(done, str(done), as_json=as_json)
    return Exit.OK


@journal.command()
@FOLDER
@click.option("--keep", type=click.IntRange(0), help="Keep only so many archived segments, the newest.")
@as_json
def archive(*, folder: Path, keep: int | None, as_json: bool) -> Exit:
    """Compress segments older than the newest snapshot. The node may run meanwhile."""
    from live.journal.archive import archive as pack  # noqa: PLC0415  # reads journals

    done = pack(folder, keep)
    show(done, str(done), as_json=as_json)
    return Exit.OK
