"""`romer-live fix`: look at FIX messages, make typed messages of a dictionary, and have something to talk to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import click

from live.commands.exits import Exit
from live.commands.options import PATH, as_json, log_format, log_level, show
from live.observe.log import FactLog, set_up

DICTIONARY: Final = click.argument("dictionary", metavar="DICT")
_SEES: Final = "a file in QuickFIX's format, or FIX.4.2 or FIX.4.4 for one of those that come with Romer"


@click.group()
def fix() -> None:
    """Look at FIX messages, make typed messages of a dictionary, and have something to talk to."""


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


@fix.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65_535), default=9876, show_default=True, help="0 is any free one.")
@click.option("--dictionary", metavar="DICT", default="FIX.4.2", show_default=True, help=f"It is {_SEES}.")
@click.option("--comp-id", default="ISLD", show_default=True, help="What it calls itself.")
@click.option("--session", "counterparties", multiple=True, help="The CompID of one who may log on. Repeatable.")
@click.option("--reset-on-logon", is_flag=True, help="Start from 1 at every logon.")
@click.option("--config", type=PATH, help="A QuickFIX settings file (.cfg) instead: dictionary, CompIDs, all settings.")
@log_format
@log_level
@as_json
def echo(*, host: str, port: int, config: Path | None, as_json: bool, **rest: Any) -> Exit:
    """Listen, and send every order, Email and SecurityDefinition back as it came, to test other engines against."""
    from live.fix_echo import echo_settings, read_echo_settings, run_echo  # noqa: PLC0415  # needed here only

    settings = (
        read_echo_settings(config)
        if config
        else echo_settings(
            rest["dictionary"], rest["comp_id"], rest["counterparties"], reset_on_logon=rest["reset_on_logon"]
        )
    )
    set_up(rest["log_format"], rest["log_level"])
    log = FactLog(settings.config.comp_id, rest["log_level"])
    asyncio.run(run_echo(settings, host, port, log=log, up=lambda it: show(it, str(it), as_json=as_json)))
    return Exit.OK


def _write(path: Path, text: str) -> str:
    """Leave a file alone that is right already; say which it was."""
    if path.exists() and path.read_text() == text:
        return f"{path} is as it should be"
    path.write_text(text)
    return f"{path} written"
