"""`romer-live keys`: make the keys that market makers log on with and venues sign with, and show them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from getpass import GetPassWarning
from pathlib import Path
from typing import Any, TypeVar

import click

from core.errors import InputError
from live.commands.exits import Exit
from live.commands.options import PATH, as_json, show

Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.argument("file", type=PATH)


def passphrase_options(command: Command) -> Command:
    """Where a passphrase comes from: never from the command line, which others can read."""
    for option in (
        click.option("--passphrase-env", metavar="NAME", help="or from an environment variable."),
        click.option("--passphrase-file", metavar="PATH", help="or read it from a file,"),
        click.option("--ask", is_flag=True, help="Ask for the passphrase,"),
    ):
        command = option(command)
    return command


@click.group()
def keys() -> None:
    """Make key files, and show what everybody may know of them."""


@keys.command()
@FILE
@passphrase_options
@as_json
def new(*, file: Path, ask: bool, passphrase_file: str | None, passphrase_env: str | None, as_json: bool) -> Exit:
    """Make a new BLS key, write it to FILE, and show its public half. FILE is sealed if there is a passphrase."""
    from live.keys import new_key  # noqa: PLC0415  # cryptography is slow to import

    passphrase = read_passphrase(passphrase_file, passphrase_env, ask=ask, confirm=True)
    public = new_key(file, passphrase).public
    show(public, f"{file} is written\n{public}", as_json=as_json)
    return Exit.OK


@keys.command("show")
@FILE
@passphrase_options
@as_json
def show_key(*, file: Path, ask: bool, passphrase_file: str | None, passphrase_env: str | None, as_json: bool) -> Exit:
    """Show the public half of the key in FILE, and its proof of possession unless FILE stays sealed."""
    from core.identity.scheme import key_id  # noqa: PLC0415
    from live.keys import PublicKey, load_key, read_key_file  # noqa: PLC0415  # cryptography is slow to import

    found = read_key_file(file)
    passphrase = read_passphrase(passphrase_file, passphrase_env, ask=ask, confirm=False)
    if found.is_sealed and not passphrase:
        public = PublicKey(found.public_key, key_id(bytes.fromhex(found.public_key)).hex())
        text = f"{public}\nproof of possession  needs the passphrase"
    else:
        public = load_key(file, passphrase).public
        text = str(public)
    show(public, text, as_json=as_json)
    return Exit.OK


def read_passphrase(file: str | None, env: str | None, *, ask: bool, confirm: bool) -> str:
    """The passphrase; empty when none is spoken of."""
    if ask + (file is not None) + (env is not None) > 1:
        raise click.UsageError("a passphrase comes from one place: --ask, --passphrase-file or --passphrase-env")
    if ask:
        return _asked(confirm=confirm)
    if file is None and env is None:
        return ""
    from live.credentials import Secret, refuse_open  # noqa: PLC0415  # the whole market is slow to import

    if file is not None:
        refuse_open(Path(file))
    return Secret(file=file, env=env).read()


def _asked(*, confirm: bool) -> str:
    """What is typed on the terminal, which does not show it. Raises InputError where there is none that could."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True))
        except GetPassWarning:
            problem = "there is no terminal to ask for a passphrase on"
            raise InputError(problem, "--passphrase-file or --passphrase-env says where it is") from None
