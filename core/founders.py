"""Who is a venue's from the start: the keys of its configuration as registrations, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from core.config import KeyConfig, MemberConfig, PermissionsConfig, VenueConfig
from core.errors import KeyRefused
from core.faults import Fault, KeyPath, shown, unknown
from core.identity.bls import BLS
from core.identity.records import RegisterMaker
from core.identity.settings import IdentitySettings
from core.sequencer.permits import MSG_TYPES

WHO: Final = "configuration"
"""Who registers founders, in the audit log."""
WHY: Final = "founder"
_HINT: Final = "`romer-live keys show FILE --json` has both"
_COMP_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")


def sender_of(member: MemberConfig) -> str:
    """The SenderCompID that a member's messages carry, by which the registry knows it."""
    return member.session.target_comp_id or member.id


def identity_settings(config: VenueConfig) -> IdentitySettings | None:
    """What the registrar of a venue is told; None where a venue has none. The configuration has no faults."""
    identity = config.identity
    if identity is None:
        return None
    unsigned = {member.id: sender_of(member) for member in config.members if member.key is None}
    return IdentitySettings(
        comp_id=config.fix.comp_id,
        founders=tuple(_founder(member, member.key) for member in config.members if member.key is not None),
        unsigned={} if identity.required else unsigned,
        receive_window=int(identity.receive_window),
    )


def identity_faults(config: VenueConfig) -> Iterator[Fault]:
    """Keys without proof, keys that nobody asks for, permissions that nobody could use."""
    owners: dict[str, str] = {}
    for index, member in enumerate(config.members):
        path: KeyPath = ("members", index, "key")
        if member.key is None:
            continue
        if config.identity is None:
            yield Fault(path, "no Logon is signed here, so that a key means nothing", "add the table `identity`")
        if not _COMP_ID.fullmatch(sender_of(member)):
            yield Fault(path, f'the registry cannot hold the SenderCompID "{sender_of(member)}"', "give it a plain one")
        owner = owners.setdefault(member.key.public, member.id)
        if owner != member.id:
            yield Fault((*path, "public"), f'it is the key of "{owner}" too')
        yield from _proof_faults(path, member.key)
        symbols = [pair.symbol for pair in config.pairs]
        yield from permission_faults((*path, "permissions"), member.key.permissions, symbols)


def permission_faults(path: KeyPath, permissions: PermissionsConfig, symbols: Collection[str]) -> Iterator[Fault]:
    """What the permissions at `path` name that a venue that trades `symbols` has not; and what would permit nothing."""
    for name, permitted in (("symbols", permissions.symbols), ("msg_types", permissions.msg_types)):
        if permitted is not None and not permitted:
            yield Fault((*path, name), "permits nothing", "leave it out: then there is no restriction")
    for index, symbol in enumerate(permissions.symbols or ()):
        if symbol not in symbols:
            yield unknown((*path, "symbols", index), "pair", symbol, symbols)
    for index, kind in enumerate(permissions.msg_types or ()):
        if kind not in MSG_TYPES:
            yield unknown((*path, "msg_types", index), "MsgType that the venue takes", kind, MSG_TYPES)
    if permissions.order_quantity_max == 0:
        yield Fault((*path, "order_quantity_max"), "must be above zero, got 0")


def _founder(member: MemberConfig, key: KeyConfig) -> RegisterMaker:
    return RegisterMaker(
        maker=sender_of(member),
        public_key=bytes.fromhex(key.public),
        proof=bytes.fromhex(key.proof),
        who=WHO,
        why=WHY,
        permissions=key.permissions.permissions(),
        signing=key.signing,
    )


def _proof_faults(path: KeyPath, key: KeyConfig) -> Iterator[Fault]:
    read = {}
    for name, text in (("public", key.public), ("proof", key.proof)):
        try:
            read[name] = bytes.fromhex(text)
        except ValueError:
            yield Fault((*path, name), f"expected hexadecimal digits, got {shown(text)}", _HINT)
            return
    try:
        is_proven = BLS.verify_possession(read["public"], read["proof"])
    except KeyRefused as error:
        yield Fault(path, str(error), _HINT)
        return
    if not is_proven:
        yield Fault((*path, "proof"), "it does not show that whoever gave the public key has its secret")
