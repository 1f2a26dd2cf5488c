"""The registry of a venue as its audit log tells it, for people: who is registered, with which keys, and since when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from core.errors import InputError
from core.faults import one_line
from core.identity.audit import NO_ENTRY, verify_audit
from core.identity.records import AuditEntry, ChangePermissions, Permission, Permissions, RegistryChanged
from core.identity.registry import Key, Maker, Registry
from core.identity.scheme import key_id
from core.kernel.record import Note
from core.units import SECOND
from live.blocks import decoded, venue_reader
from live.journal.tail import whole_deliveries

_ID_DIGITS: Final = 16
_WORDS: Final[dict[Permission, tuple[str, str]]] = {
    "msg_types": ("only", "any message"),
    "symbols": ("in", "any pair"),
    "order_quantity_max": ("at most", "any quantity"),
    "messages_per_second_max": ("per second", "any rate"),
}
"""For each permission what stands before its value, and what stands for none."""


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a market maker, in hexadecimal."""

    public_key: str
    key_id: str
    status: str
    staged_at: int


class MakerView(msgspec.Struct, frozen=True, kw_only=True):
    """A market maker as it is registered; its keys oldest first. Times are nanoseconds since 1970."""

    maker: str
    status: str
    registered_at: int
    signing: str
    permissions: Permissions
    keys: tuple[KeyView, ...]


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an audit log is whole: what is wrong with it, if anything, or the hash that names all of it."""

    entries: tuple[AuditEntry, ...]
    head: str
    broken_at: int = 0
    """The number of the first entry that is not what was written; 0 if there is none."""
    problem: str = ""
    since: int | None = None
    """How many entries follow the one that is known from elsewhere, if one is."""

    def __str__(self) -> str:
        lines = [_entry_line(entry) for entry in self.entries]
        if self.problem:
            return "\n".join([*lines, f"entry {self.broken_at} is broken: {self.problem}"])
        since = f"; {self.since} of them follow the one that you know" if self.since else ""
        return "\n".join([*lines, f"{len(self.entries)} entries are one chain; its head is {self.head}{since}"])


def audited(entries: list[AuditEntry], head: bytes | None) -> AuditView:
    """An audit log, judged; `head` is the hash of an entry, once the last one, as known from elsewhere."""
    flaw = verify_audit(entries, head)
    last = entries[-1].hash if entries else NO_ENTRY
    number, reason = (flaw.number, flaw.reason) if flaw is not None else (0, "")
    since = next((nth for nth, entry in enumerate(reversed(entries)) if entry.hash == head), None)
    return AuditView(entries=tuple(entries), head=last.hex(), broken_at=number, problem=reason, since=since)


def registered(entries: Iterable[AuditEntry]) -> list[MakerView]:
    """The market makers that follow from a log that is whole, by name."""
    registry = Registry()
    for entry in entries:
        registry.obey(entry.at, entry.command)
    return [_view(registry.makers[name]) for name in sorted(registry.makers)]


def read_audit(folder: Path) -> list[AuditEntry]:
    """The audit log in the venue's journal in `folder`. The node may run meanwhile.

    Raises InputError when there is no such journal, or its beginning is gone, and JournalDamaged where it cannot be
    read.
    """
    return list(_entries(folder))


def table(makers: list[MakerView]) -> str:
    """The market makers for people, a line for each key, with what a maker is restricted to behind its first."""
    if not makers:
        return "nobody is registered"
    return "\n".join(
        f"{maker.maker:<12} {maker.status:<10} {key.status:<8} {key.key_id[:_ID_DIGITS]}  {_when(key.staged_at)}"
        f"{'' if nth else _restrictions(maker.permissions)}"
        for maker in makers
        for nth, key in enumerate(maker.keys)
    )


def _entries(folder: Path) -> Iterator[AuditEntry]:
    reader = venue_reader(folder)
    if before := reader.header.count:
        problem = f"{reader.name}: begins after delivery {before}: the log began in segments that were removed"
        raise InputError(problem, "bring them back; or ask the venue while it runs, which has all of it: --connect")
    for delivery in whole_deliveries(reader):
        _, _, _, effects = decoded(reader, delivery)
        for effect in effects:
            if isinstance(effect, Note) and isinstance(effect.fact, RegistryChanged):
                yield effect.fact.entry


def _view(maker: Maker) -> MakerView:
    return MakerView(
        maker=maker.maker,
        status=maker.status,
        registered_at=maker.registered_at,
        signing=maker.signing,
        permissions=maker.permissions,
        keys=tuple(_key_view(key) for key in maker.keys),
    )


def _key_view(key: Key) -> KeyView:
    return KeyView(
        public_key=key.public_key.hex(),
        key_id=key_id(key.public_key).hex(),
        status=key.status,
        staged_at=key.staged_at,
    )


def _entry_line(entry: AuditEntry) -> str:
    command = entry.command
    what = f"{type(command).__name__} {command.maker}"
    if isinstance(command, ChangePermissions):
        what += _restrictions(command.permissions, command.only) or "  without restriction"
    return f"{entry.number:>4}  {_when(entry.at)}  {what} by {one_line(command.who)}: {one_line(command.why)}"


def _restrictions(permissions: Permissions, lifted: Collection[str] = ()) -> str:
    """What somebody is restricted to, after two blanks, or may be `lifted` of; nothing for who may do everything."""
    said = [
        free if value is None else f"{word} {_named(value)}"
        for name, (word, free) in _WORDS.items()
        if (value := getattr(permissions, name)) is not None or name in lifted
    ]
    return f"  {', '.join(said)}" if said else ""


def _named(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _when(at: int) -> str:
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S")
