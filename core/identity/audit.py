"""The audit log: every change of the registry as a link of a hash chain, so that none can be altered or left out.

All integers are big endian and unsigned, the hash is SHA-256:

    entry hash    13  "romer.audit.1"
                   8  number of the entry, counting from 1
                   8  when, nanoseconds since the Unix epoch
                  32  hash of the entry before; 32 zero bytes for the first
                   n  the command as the journal encodes it: a MessagePack map

The hash of the last entry names the whole log. Who keeps it elsewhere finds out, too, when entries are missing at the
end, or when all of the log was written anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import Final

from core.identity.records import AuditEntry, Command
from core.kernel.codec import encode
from core.kernel.record import Record
from core.units import Nanos

NO_ENTRY: Final = bytes(32)
"""Stands for the hash of the entry before the first."""

_HEAD: Final = Struct(">13sQQ32s")
_TAG: Final = b"romer.audit.1"
_NUMBER_LIMIT: Final = 1 << 64


class AuditBreak(Record, frozen=True):
    """The first entry that is not what was written, and why."""

    number: int
    reason: str


def next_entry(last: AuditEntry | None, now: Nanos, command: Command) -> AuditEntry:
    """The entry of `command`, after `last`."""
    number, previous = (last.number + 1, last.hash) if last else (1, NO_ENTRY)
    return AuditEntry(number, now, command, previous, _hash(number, now, command, previous))


def verify_audit(entries: Iterable[AuditEntry], head: bytes | None = None) -> AuditBreak | None:
    """Whether `entries` are the whole log from its first entry, and have the one whose hash is `head`, if given.

    Those behind that one have come since it was known to be the last.
    """
    number, previous, at = 0, NO_ENTRY, 0
    has_head = head is None
    for number, entry in enumerate(entries, start=1):
        if reason := _break(entry, number, previous, at):
            return AuditBreak(number, reason)
        previous, at = entry.hash, entry.at
        has_head = has_head or previous == head
    if has_head or (not number and head == NO_ENTRY):
        return None
    return AuditBreak(max(number, 1), "neither its hash nor one before is the head's")


def _break(entry: AuditEntry, number: int, previous: bytes, at: Nanos) -> str:
    rules = (
        (entry.number == number, f"entry {entry.number} stands where {number} belongs"),
        (
            len(entry.previous_hash) == len(NO_ENTRY) and entry.previous_hash == previous,
            "it does not continue the one before",
        ),
        (at <= entry.at < _NUMBER_LIMIT, "it is older than the one before"),
    )
    broken = next((reason for holds, reason in rules if not holds), "")
    if not broken and entry.hash != _hash(entry.number, entry.at, entry.command, entry.previous_hash):
        return "its content is not what its hash says"
    return broken


def _hash(number: int, at: Nanos, command: Command, previous: bytes) -> bytes:
    return sha256(_HEAD.pack(_TAG, number, at, previous) + encode(command)).digest()
