"""Whether an engine can be what its settings say: every fault names the setting, what it may be, and what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from core.errors import InputError
from core.fix.dialect import Dialect, venue_dialect
from core.fix.settings import HEARTBEAT_SECONDS_MAX, EngineConfig, SessionConfig
from core.fix.tags import ADMIN_TYPES
from core.units import SECOND

_ROLES: Final = ("acceptor", "initiator")
_ABOVE_ZERO: Final = frozenset(
    [
        "authentication_timeout",
        "connect_timeout",
        "connections_max",
        "fields_max",
        "heartbeat_interval_max",
        "latency_max",
        "logon_timeout",
        "logout_timeout",
        "message_bytes_max",
        "reconnect_interval",
        "resend_batch",
        "resend_timeout",
        "waiting_per_address_max",
    ]
)
"""Of nothing they make a session impossible; of less than nothing everything does."""
_NOT_PLAIN: Final = frozenset(["dialects", "schedule", "sessions"])


def check_engine(config: EngineConfig) -> None:
    """Raise InputError that names every fault, one a line."""
    faults = list(_engine_faults(config))
    if faults:
        raise InputError("\n".join(faults))


def session_faults(own: SessionConfig, config: EngineConfig) -> Iterator[str]:
    """What keeps a session of this engine from being as it is configured."""
    wrong = list(_plain_faults(own))
    yield from wrong
    if wrong:
        return
    yield from _comp_id_faults("target_comp_id", own.target_comp_id)
    yield from _comp_id_faults("sender_comp_id", own.sender_comp_id or config.comp_id)
    if config.role == "initiator" and not own.addresses:
        yield "addresses: an initiator needs one to connect to"
    if "" in own.addresses:
        yield "addresses: one of them is empty"
    if own.heartbeat_interval_min > own.heartbeat_interval_max:
        yield f"heartbeat_interval_min: {own.heartbeat_interval_min} is above heartbeat_interval_max"
    if max(own.heartbeat_interval, own.heartbeat_interval_max) > HEARTBEAT_SECONDS_MAX * SECOND:
        yield f"heartbeat_interval: HeartBtInt is at most {HEARTBEAT_SECONDS_MAX} s"
    if own.dialect and own.dialect not in config.dialects:
        yield f"dialect: there is no dialect {own.dialect!r}: there is {', '.join(config.dialects) or 'none'}"
        return
    dialect = config.dialects[own.dialect] if own.dialect else venue_dialect()
    yield from _field_faults(own, dialect, config.message_bytes_max)


def _engine_faults(config: EngineConfig) -> Iterator[str]:
    if config.role not in _ROLES:
        yield f"role: expected {' or '.join(_ROLES)}, got {config.role!r}"
    wrong = list(_plain_faults(config))
    yield from wrong
    if wrong:
        return
    dialects = (venue_dialect(), *config.dialects.values())
    known = {kind for dialect in dialects for kind in dialect.dictionary.messages} - ADMIN_TYPES
    for kind in config.app_messages:
        if kind not in known:
            what = "is the session's own" if kind in ADMIN_TYPES else "is in no dictionary"
            yield f"app_messages: MsgType {kind!r} {what}"
    names: set[str] = set()
    comp_ids: set[tuple[str, str]] = set()
    for own in config.sessions:
        pair = own.target_comp_id, own.sender_comp_id or config.comp_id
        yield from (f"session {own.name!r}: {fault}" for fault in session_faults(own, config))
        if own.name in names:
            yield f"session {own.name!r}: session: another one has this name"
        elif pair in comp_ids:
            yield f"session {own.name!r}: target_comp_id, sender_comp_id: another one has {pair[1]}->{pair[0]} too"
        names.add(own.name)
        comp_ids.add(pair)


def _plain_faults(config: msgspec.Struct) -> Iterator[str]:
    """Settings that are of another type than they should be, or that are too small."""
    for field in msgspec.structs.fields(config):
        value: Any = getattr(config, field.name)
        if field.name in _NOT_PLAIN or field.name == "role":
            continue
        try:
            msgspec.convert(value, field.type)
        except msgspec.ValidationError as error:
            yield f"{field.name}: {str(error)[:1].lower()}{str(error)[1:]}, got {value!r}"
            continue
        if isinstance(value, int) and value < (field.name in _ABOVE_ZERO):
            yield f"{field.name}: must be {'above' if field.name in _ABOVE_ZERO else 'at least'} 0, got {value}"


def _comp_id_faults(name: str, comp_id: str) -> Iterator[str]:
    if not comp_id or "\x01" in comp_id or max(comp_id) > "\xff":
        yield f"{name}: expected Latin-1 characters but SOH, got {comp_id!r}"


def _field_faults(own: SessionConfig, dialect: Dialect, message_bytes_max: int) -> Iterator[str]:
    for name, msg_type, fields in (("logon_fields", "A", own.logon_fields), ("header_fields", "", own.header_fields)):
        fault = dialect.fault_of_added(msg_type, fields, message_bytes_max)
        if fault:
            yield f"{name}: {fault}"
