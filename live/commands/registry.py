"""`romer-live registry`: who may log on with which keys, at a venue that runs or in the journal that one has left."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import wraps
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from core.errors import InputError
from core.units import INTEGER_BITS_MAX
from live.commands.exits import Exit
from live.commands.options import PATH, Hash, Text, as_json, in_hex, show, venue_options

if TYPE_CHECKING:
    from core.identity.records import AuditEntry, Command, Permission, Permissions
    from live.admin.client import Remote

Shown = TypeVar("Shown", bound=Callable[..., Any])
_MAKER: Final = click.argument("maker", type=Text())
_JOURNAL: Final = click.option(
    "--journal",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Read it from a venue's journal instead; the venue need not run.",
)
_LIFTED: Final[dict[str, Permission]] = {
    "msg-type": "msg_types",
    "symbol": "symbols",
    "order-max": "order_quantity_max",
    "rate-max": "messages_per_second_max",
}
"""Restrictions by their options."""
_TOKEN_FILE: Final = click.option("--token-file", type=PATH, help="The admin token, if not where the file says.")


@click.group()
def registry() -> None:
    """Say who may log on to a venue with which keys; every change is in its journal and in an audit log."""


def _log_of(file: Path, connect: str | None, token_file: Path | None, folder: Path | None) -> list[AuditEntry]:
    from live.admin.client import remote  # noqa: PLC0415  # reads venue files
    from live.registry import read_audit  # noqa: PLC0415  # the whole market is slow to import

    return read_audit(folder) if folder is not None else remote(file, connect, token_file).audit()


@registry.command("list")
@_JOURNAL
@_TOKEN_FILE
@venue_options
@as_json
def list_makers(
    *, file: Path, connect: str | None, token_file: Path | None, folder: Path | None, as_json: bool
) -> Exit:
    """List the market makers that are registered, and their keys."""
    from live.registry import audited, registered, table  # noqa: PLC0415  # the whole market is slow to import

    entries = _log_of(file, connect, token_file, folder)
    log = audited(entries, None)
    if log.problem:
        raise InputError(f"entry {log.broken_at} of the audit log is broken: {log.problem}", "`registry audit` has it")
    makers = registered(entries)
    show(makers, table(makers), as_json=as_json)
    return Exit.OK


@registry.command()
@click.option("--head", type=Hash(), help="The hash of an entry, once the last, as you know it from elsewhere.")
@_JOURNAL
@_TOKEN_FILE
@venue_options
@as_json
def audit(
    *,
    file: Path,
    connect: str | None,
    token_file: Path | None,
    folder: Path | None,
    head: bytes | None,
    as_json: bool,
) -> Exit:
    """Print the audit log, and verify that it is one chain from its first entry on."""
    from live.registry import audited  # noqa: PLC0415  # the whole market is slow to import

    log = audited(_log_of(file, connect, token_file, folder), head)
    show(in_hex(log), str(log), as_json=as_json)
    return Exit.DAMAGED if log.problem else Exit.OK


def _you() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        raise InputError("this machine has no name for who you are", "--who says it") from None


def _command(made: Callable[..., Command]) -> Callable[..., Exit]:
    """A command that the registry is given, which `made` makes of its options; who gives it and why is kept with it."""

    @_MAKER
    @click.option("--why", required=True, type=Text(), help="The reason, for the audit log.")
    @click.option("--who", type=Text(), default=_you, show_default="you", help="Who decides, for the audit log.")
    @_TOKEN_FILE
    @venue_options
    @as_json
    @wraps(made)
    def run(*, file: Path, connect: str | None, token_file: Path | None, as_json: bool, **given: Any) -> Exit:
        from live.admin.client import remote  # noqa: PLC0415  # reads venue files

        venue = remote(file, connect, token_file)
        entry = venue.command(made(venue, **given))
        text = f"{type(entry.command).__name__} {entry.command.maker}: entry {entry.number}"
        show(in_hex(entry), text, as_json=as_json)
        return Exit.OK

    return run


def _with_key(command: Shown) -> Shown:
    """A public key with its proof, from `keys show --json`."""
    option = click.option(
        "--key",
        "public",
        required=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
        help="What `romer-live keys show --json` has printed: public key and proof of possession.",
    )
    return option(command)


def _with_permissions(made: Callable[..., Command]) -> Callable[..., Command]:
    """What it may do. What is not said is None."""

    @click.option("--msg-type", "msg_types", multiple=True, type=Text(), help="A message that it may send. Repeatable.")
    @click.option("--symbol", "symbols", multiple=True, type=Text(), help="A pair that it may trade. Repeatable.")
    @click.option("--order-max", help="The largest quantity that it may order.")
    @click.option("--rate-max", type=click.IntRange(1, (1 << INTEGER_BITS_MAX) - 1), help="Messages per second.")
    @wraps(made)
    def run(
        *given: Any,
        msg_types: tuple[str, ...],
        symbols: tuple[str, ...],
        order_max: str | None,
        rate_max: int | None,
        **more: Any,
    ) -> Command:
        from core.identity.records import Permissions  # noqa: PLC0415

        said = Permissions(msg_types or None, symbols or None, _quantity(order_max), rate_max)
        if said.flaw:
            raise InputError(said.flaw)
        return made(*given, permissions=said, **more)

    return run


@registry.command()
@_with_key
@click.option("--signing", type=click.Choice(["logon", "order"]), default="logon", show_default=True)
@_command
@_with_permissions
def add(
    _venue: Remote, *, maker: str, who: str, why: str, public: Path, signing: Any, permissions: Permissions
) -> Command:
    """Register MAKER, a member of the venue, with its first key. It may log on once it is activated.

    It may do everything that it is not restricted in.
    """
    from core.identity.records import RegisterMaker  # noqa: PLC0415

    return RegisterMaker(maker, *_read_public(public), who, why, permissions, signing)


@registry.command()
@click.option("--lift", multiple=True, type=click.Choice(list(_LIFTED)), help="A restriction to take away. Repeatable.")
@_command
@_with_permissions
def permit(
    _venue: Remote, *, maker: str, who: str, why: str, lift: tuple[str, ...], permissions: Permissions
) -> Command:
    """Change what MAKER may do, from its next message on. What is not named stays as it is."""
    from core.identity.records import ChangePermissions  # noqa: PLC0415

    named = [option for option, name in _LIFTED.items() if getattr(permissions, name) is not None]
    if not named and not lift:
        raise InputError("nothing to change", "say a restriction, such as --rate-max 100, or --lift one")
    for option in named:
        if option in lift:
            raise InputError(f"--lift {option}: takes away what --{option} says", "give one of them")
    only = tuple(name for option, name in _LIFTED.items() if option in (*named, *lift))
    return ChangePermissions(maker, permissions, who, why, only)


@registry.command()
@_with_key
@_command
def stage(_venue: Remote, *, maker: str, who: str, why: str, public: Path) -> Command:
    """Accept a new key of MAKER beside its active one."""
    from core.identity.records import StageKey  # noqa: PLC0415

    return StageKey(maker, *_read_public(public), who, why)


@registry.command()
@_command
def activate(venue: Remote, *, maker: str, who: str, why: str) -> Command:
    """Let MAKER log on if it is pending; else make its staged key the active one and revoke the one that was."""
    from core.identity.records import ActivateKey, ActivateMaker  # noqa: PLC0415
    from core.identity.states import MakerStatus  # noqa: PLC0415
    from live.registry import registered  # noqa: PLC0415  # the whole market is slow to import

    pending = [view.maker for view in registered(venue.audit()) if view.status == MakerStatus.PENDING]
    return ActivateMaker(maker, who, why) if maker in pending else ActivateKey(maker, who, why)


@registry.command()
@_command
def suspend(_venue: Remote, *, maker: str, who: str, why: str) -> Command:
    """Log MAKER out, and let it not log on until it is resumed."""
    from core.identity.records import SuspendMaker  # noqa: PLC0415

    return SuspendMaker(maker, who, why)


@registry.command()
@_command
def resume(_venue: Remote, *, maker: str, who: str, why: str) -> Command:
    """Let MAKER, which is suspended, log on again."""
    from core.identity.records import ResumeMaker  # noqa: PLC0415

    return ResumeMaker(maker, who, why)


@registry.command()
@_command
def revoke(_venue: Remote, *, maker: str, who: str, why: str) -> Command:
    """Log MAKER out for good, and revoke all its keys."""
    from core.identity.records import RevokeMaker  # noqa: PLC0415

    return RevokeMaker(maker, who, why)


def _read_public(path: Path) -> tuple[bytes, bytes]:
    """Public key and proof. Raises InputError."""
    import msgspec  # noqa: PLC0415

    from live.keys import PublicKey  # noqa: PLC0415  # cryptography is slow to import

    with click.open_file(str(path), "rb") as stream:
        data = stream.read()
    try:
        key = msgspec.json.decode(data, type=PublicKey)
        public, proof = bytes.fromhex(key.public_key), bytes.fromhex(key.proof)
    except ValueError:
        raise InputError(f"{path}: not what `romer-live keys show --json` prints") from None
    if not proof:
        raise InputError(f"{path}: it has no proof of possession", "`keys show` needs the passphrase to make one")
    return public, proof


def _quantity(text: str | None) -> Decimal | None:
    try:
        quantity = None if text is None else Decimal(text)
    except InvalidOperation:
        quantity = Decimal(0)
    if quantity is not None and not (quantity.is_finite() and quantity > 0):
        raise InputError(f'--order-max: expected an amount above zero such as "2.5", got {text}')
    return quantity
