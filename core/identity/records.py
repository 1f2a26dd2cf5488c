"""What is said to the registry and what it says: commands, facts, and what the sequencer is told of who logs on.

A command names who gives it and why. Both are kept with it in the audit log, and neither proves anything: that the
operator may give commands is for whoever lets commands in.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta
from msgspec.structs import asdict, replace

from core.faults import brief, shown
from core.kernel.record import Record
from core.market.orders import Name
from core.units import AMOUNT_LIMIT, INTEGER_BITS_MAX, MONEY, fits_ledger

Said: TypeAlias = Annotated[str, Meta(min_length=1, pattern=r"\S")]
"""What somebody gives for who they are, and for why."""
Signing: TypeAlias = Literal["logon", "order"]
"""What a market maker signs: its Logon, or each order too."""
Permission: TypeAlias = Literal["msg_types", "symbols", "order_quantity_max", "messages_per_second_max"]
"""One of the `Permissions`, by name."""


class Permissions(Record, frozen=True):
    """What a market maker may do. None is no restriction beyond the venue's own."""

    msg_types: tuple[str, ...] | None = None
    """The application messages that it may send, by MsgType."""
    symbols: tuple[str, ...] | None = None
    order_quantity_max: Decimal | None = None
    messages_per_second_max: int | None = None

    @property
    def flaw(self) -> str:
        """Why nobody can be held to them; empty if somebody can."""
        for name, permitted in (("msg_types", self.msg_types), ("symbols", self.symbols)):
            if permitted is not None and not permitted:
                return f"{name} permit nothing: leave them out, or suspend the market maker"
        messages = self.messages_per_second_max
        if messages is not None and messages < 1:
            return f"messages_per_second_max must be above zero, got {shown(messages)}"
        if messages is not None and messages.bit_length() > INTEGER_BITS_MAX:
            return f"messages_per_second_max must have at most {INTEGER_BITS_MAX} bits, got {shown(messages)}"
        return "" if self.order_quantity_max is None else _quantity_flaw(self.order_quantity_max)


def _quantity_flaw(most: Decimal) -> str:
    if not (most.is_finite() and most > 0):
        return f"order_quantity_max must be an amount above zero, got {brief(str(most))}"
    if not fits_ledger(most):
        return f"order_quantity_max must have at most {MONEY.prec} digits, decimals included, got {brief(str(most))}"
    return f"order_quantity_max must be below {AMOUNT_LIMIT}, got {most}" if most >= AMOUNT_LIMIT else ""


# --- commands ------------------------------------------------------------------------------------


class RegisterMaker(Record, frozen=True):
    """Take up a market maker, which is pending until it is activated. `proof` is of possession of the key."""

    maker: Name
    public_key: bytes
    proof: bytes
    who: Said
    why: Said
    permissions: Permissions = Permissions()
    signing: Signing = "logon"

    @property
    def flaw(self) -> str:
        """Why nobody can be held to its permissions; empty if somebody can."""
        return self.permissions.flaw


class ActivateMaker(Record, frozen=True):
    """Let a pending market maker log on."""

    maker: Name
    who: Said
    why: Said


class SuspendMaker(Record, frozen=True):
    """Log an active market maker out, and let it not log on until it is resumed."""

    maker: Name
    who: Said
    why: Said


class ResumeMaker(Record, frozen=True):
    """Let a suspended market maker log on again."""

    maker: Name
    who: Said
    why: Said


class RevokeMaker(Record, frozen=True):
    """Log a market maker out for good, and revoke all its keys."""

    maker: Name
    who: Said
    why: Said


class StageKey(Record, frozen=True):
    """Accept a new key beside the active one. A key that was staged before is revoked."""

    maker: Name
    public_key: bytes
    proof: bytes
    who: Said
    why: Said


class ActivateKey(Record, frozen=True):
    """Make the staged key the active one, and revoke the one that was. Ends the overlap."""

    maker: Name
    who: Said
    why: Said


class ChangePermissions(Record, frozen=True):
    """Change what a market maker may do. It binds its next message.

    Of `permissions` those count that `only` names, and the others stay as they are: who changes one takes nothing back
    of what somebody else has said of another meanwhile. If it names none, all of them count.
    """

    maker: Name
    permissions: Permissions
    who: Said
    why: Said
    only: tuple[Permission, ...] = ()

    @property
    def flaw(self) -> str:
        """Why nobody can be held to them, or what is said in vain; empty if all is well."""
        given = {name: value for name, value in asdict(self.permissions).items() if value is not None}
        unnamed = next((name for name in given if self.only and name not in self.only), "")
        return f"{unnamed} is given, and is not in `only`" if unnamed else self.permissions.flaw

    def after(self, known: Permissions) -> Permissions:
        """What a market maker may do from then on that might do what is `known`."""
        if not self.only:
            return self.permissions
        return replace(known, **{name: getattr(self.permissions, name) for name in self.only})


Command: TypeAlias = (
    RegisterMaker
    | ActivateMaker
    | SuspendMaker
    | ResumeMaker
    | RevokeMaker
    | StageKey
    | ActivateKey
    | ChangePermissions
)


# --- facts ---------------------------------------------------------------------------------------


class AuditEntry(Record, frozen=True):
    """One change of the registry: entry `number` (from 1) of a chain, as `core.identity.audit` describes it."""

    number: int
    at: int
    command: Command
    previous_hash: bytes
    hash: bytes


class RegistryChanged(Record, frozen=True):
    """A command was obeyed, and is in the audit log."""

    entry: AuditEntry


class CommandRefused(Record, frozen=True):
    """A command changed nothing, for a stable reason code."""

    maker: str
    command: str
    who: str
    reason: str
    detail: str


class LogonProven(Record, frozen=True):
    """A Logon on `conn` is by this key of this market maker."""

    maker: str
    conn: str
    key_id: bytes


class LogonDenied(Record, frozen=True):
    """A Logon on `conn` that calls itself `comp_id` was refused, for a stable reason code that the peer is not told."""

    comp_id: str
    conn: str
    reason: str


# --- to the application --------------------------------------------------------------------------


class MakerAdmitted(Record, frozen=True):
    """`maker` is about to be logged on as `session` with this key. Whatever it was admitted with before is over.

    In signing mode `order` its orders are signed with this key.
    """

    session: str
    maker: str
    public_key: bytes
    permissions: Permissions
    signing: Signing
    conn: str = ""
    """The connection of the Logon."""


class PermissionsChanged(Record, frozen=True):
    """What `maker`, on whichever session it was admitted, may do from now on."""

    maker: str
    permissions: Permissions


class MakerBarred(Record, frozen=True):
    """`maker` may not trade until it is admitted again: its `status` is not active. `session` is being logged out,
    and what still arrives on it is too late.
    """

    session: str
    maker: str
    status: str
