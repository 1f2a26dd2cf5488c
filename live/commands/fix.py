"""`romer-live fix`: look at FIX messages, make typed messages of a dictionary, and have something to talk to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import click

from core.errors import InputError
from live.commands.exits import Exit
from live.commands.options import PATH, Text, as_json, log_format, log_level, show
from live.observe.log import FactLog, set_up

DICTIONARY: Final = click.argument("dictionary", metavar="DICT")
_SEES: Final = "a file in QuickFIX's format, or FIX.4.2, FIX.4.4, or ROMER for its own 4.2, which come with Romer"
_ECHO_AT: Final = ("127.0.0.1", 9876)


@click.group()
def fix() -> None:
    """Look at FIX messages, make typed messages of a dictionary, and have something to talk to."""


@fix.command("print")
@click.argument("file", type=PATH)
@click.option("--dictionary", metavar="DICT", help=f"{_SEES}. Otherwise by each message's BeginString.")
@click.option(
    "--session", type=Text(), help="Only messages from or to this CompID, or from one to the other: SENDER->TARGET."
)
@click.option("--type", "kind", type=Text(), help="Only this MsgType, by its letter or name: D, NewOrderSingle.")
@click.option(
    "--tag", "tags", multiple=True, type=Text(), help="Only with this field, or value: 11, ClOrdID, 11=A-1. Repeatable."
)
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
@click.argument("journal", type=PATH)
@click.argument("session", type=Text())
@as_json
def explain(*, journal: Path, session: str, as_json: bool) -> Exit:
    """Tell the life of SESSION from the JOURNAL of its node: why it reset, what it missed, rejected and ignored.

    SESSION is what the engine calls it: at a venue, the member's id. The node may be running.
    """
    from live.fix_story import explain_session  # noqa: PLC0415  # needed here only

    told = explain_session(journal, session)
    show({"session": session, **told.counts(), "happenings": told.rows()}, str(told), as_json=as_json)
    return Exit.OK


@fix.command()
@DICTIONARY
@click.option("-o", "--out", type=PATH, required=True, help="The Python file to write.")
@click.option(
    "--messages",
    "selection",
    default="",
    help="Which messages, by type or name, and which of their fields: D,F or 'D(ClOrdID Symbol 54),8', or @FILE with "
    "the same in it. Otherwise all.",
)
@click.option("--title", default="", help="The first line of the module's docstring.")
@click.option("--enumerations/--no-enumerations", default=True, show_default=True, help="Classes of a field's values.")
def codegen(*, dictionary: str, out: Path, selection: str, title: str, enumerations: bool) -> Exit:
    """Write typed messages for DICT: a file in QuickFIX's format, FIX.4.2, FIX.4.4, or ROMER for the venue's own 4.2.

    `make messages` has the command that wrote core/fix/messages.py.
    """
    from core.fix.codegen import generate  # noqa: PLC0415  # needed here only
    from live.fix_files import load_dictionary, load_selection  # noqa: PLC0415

    text = generate(load_dictionary(dictionary), load_selection(selection), title=title, enumerations=enumerations)
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


@fix.command("import")
@click.argument("file", metavar="FILE.cfg", type=PATH)
@click.option("-o", "--out", type=PATH, help="The venue file to write. Otherwise it is printed.")
def import_settings(*, file: Path, out: Path | None) -> Exit:
    """Turn the acceptor of a QuickFIX settings file into a venue file, and say what has no effect here.

    What cannot be kept is said all at once, each with its line and what there is instead; then nothing is written.
    """
    from live.fix_import import import_cfg  # noqa: PLC0415  # needed here only

    if out is not None and out.exists():
        raise InputError(f"{out} exists", "name another file, or remove it")
    if out is not None and not out.parent.is_dir():
        raise InputError(f"there is no folder {out.parent}", "make it, or name another")
    venue = import_cfg(file, out.parent if out is not None else Path())
    for remark in venue.remarks:
        click.echo(f"{file}: {remark}", err=True)
    click.echo(venue.text if out is None else _write(out, venue.text), nl=out is not None)
    return Exit.OK


@fix.command()
@click.option("--host", help=f"Where to listen. Otherwise the settings file's, or {_ECHO_AT[0]}.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help=f"0 is any free one. Otherwise the settings file's, or {_ECHO_AT[1]}.",
)
@click.option("--dictionary", metavar="DICT", default="FIX.4.2", show_default=True, help=f"It is {_SEES}.")
@click.option("--comp-id", type=Text(), default="ISLD", show_default=True, help="What it calls itself.")
@click.option(
    "--session", "counterparties", multiple=True, type=Text(), help="The CompID of one who may log on. Repeatable."
)
@click.option("--reset-on-logon", is_flag=True, help="Start from 1 at every logon.")
@click.option("--config", type=PATH, help="A QuickFIX settings file (.cfg) instead: dictionary, CompIDs, all settings.")
@log_format
@log_level
@as_json
def echo(*, host: str | None, port: int | None, config: Path | None, as_json: bool, **rest: Any) -> Exit:
    """Listen, and send every order, Email and SecurityDefinition back as it came, to test other engines against."""
    from live.fix_echo import echo_settings, read_echo_settings, run_echo  # noqa: PLC0415  # needed here only

    settings = (
        read_echo_settings(config)
        if config
        else echo_settings(
            rest["dictionary"], rest["comp_id"], rest["counterparties"], reset_on_logon=rest["reset_on_logon"]
        )
    )
    host_of_file, port_of_file = settings.door or _ECHO_AT
    at = host or host_of_file, port_of_file if port is None else port
    set_up(rest["log_format"], rest["log_level"])
    log = FactLog(settings.config.comp_id, rest["log_level"])
    asyncio.run(run_echo(settings, *at, log=log, up=lambda it: show(it, str(it), as_json=as_json)))
    return Exit.OK


def _write(path: Path, text: str) -> str:
    """Leave a file alone that is right already; say which it was."""
    if path.exists() and path.read_text() == text:
        return f"{path} is as it should be"
    path.write_text(text)
    return f"{path} written"
