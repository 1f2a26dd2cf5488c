"""`romer-live fix`: look at FIX messages, and make typed messages of a dictionary."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from live.commands.exits import Exit
from live.commands.options import PATH, as_json, show

DICTIONARY: Final = click.argument("dictionary", metavar="DICT")
_SEES: Final = "a file in QuickFIX's format, or FIX.4.2 or FIX.4.4 for one of those that come with Romer"


@click.group()
def fix() -> None:
    """Look at FIX messages, and make typed messages of a dictionary."""


@fix.command("print")
@click.argument("file", type=PATH)
@click.option("--dictionary", metavar="DICT", help=f"{_SEES}. Otherwise by each message's BeginString.")
@click.option("--session", help="Only messages from or to this CompID, or from one to the other: SENDER->TARGET.")
@click.option("--type", "kind", help="Only this MsgType, by its letter or name: D, NewOrderSingle.")
@click.option("--tag", "tags", multiple=True, help="Only with this field, or value: 11, ClOrdID, 11=A-1. Repeatable.")
@click.option("--since", help="Only with a SendingTime from this on: 20240229, 20240229-23:59, ...")
@click.option("--until", help="Only with a SendingTime before this.")
@as_json
def show_messages(
    *,
    file: Path,
    dictionary: str | None,
    session: str | None,
    kind: str | None,
    tags: tuple[str, ...],
    since: str | None,
    until: str | None,
    as_json: bool,
) -> Exit:
    """Print the messages of FILE, a FIX log or a journal, with the names of fields and the meanings of values."""
    from live.fix_files import load_dictionary  # noqa: PLC0415  # needed here only
    from live.fix_log import Wanted, readable_messages  # noqa: PLC0415

    wanted = Wanted(session=session, msg_type=kind, tags=tags, since=since, until=until)
    known = load_dictionary(dictionary) if dictionary else None
    for found in readable_messages(file, wanted, known):
        show(found, f"{found}\n", as_json=as_json)
    return Exit.OK


@fix.command()
@DICTIONARY
@click.option("-o", "--out", type=PATH, required=True, help="The Python file to write.")
@click.option(
    "--messages",
    "selection",
    default="",
    help="Which messages, by type or name, and which of their fields: D,F or 'D(ClOrdID Symbol 54),8'. Otherwise all.",
)
def codegen(*, dictionary: str, out: Path, selection: str) -> Exit:
    """Write typed messages for DICT: a file in QuickFIX's format, or FIX.4.2 or FIX.4.4."""
    from core.fix.codegen import generate, read_selection  # noqa: PLC0415  # needed here only
    from live.fix_files import load_dictionary  # noqa: PLC0415

    text = generate(load_dictionary(dictionary), read_selection(selection))
    click.echo(_write(out, text))
    return Exit.OK


@fix.command()
@DICTIONARY
@click.option("-o", "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where to.")
def pack(*, dictionary: str, out: Path) -> Exit:
    """Restate DICT as the compact modules in which Romer ships its dictionaries."""
    from core.fix.dictionary_files import modules_of  # noqa: PLC0415  # needed here only
    from live.fix_files import load_source  # noqa: PLC0415

    modules = modules_of(load_source(dictionary))
    out.mkdir(parents=True, exist_ok=True)
    for name, text in modules.items():
        click.echo(_write(out / f"{name}.py", text))
    return Exit.OK


def _write(path: Path, text: str) -> str:
    """Leave a file alone that is right already; say which it was."""
    if path.exists() and path.read_text() == text:
        return f"{path} is as it should be"
    path.write_text(text)
    return f"{path} written"
