"""The audit log: any change of any entry is found, and named."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest

from core.identity.audit import NO_ENTRY, AuditBreak, next_entry, verify_audit
from core.identity.records import ActivateKey, AuditEntry, SuspendMaker
from core.kernel.codec import encode


def log(length: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for number in range(1, length + 1):
        command = SuspendMaker(f"MM{number}", "ops", "late")
        entries.append(next_entry(entries[-1] if entries else None, 10 * number, command))
    return entries


def test_an_entry_is_hashed_as_documented() -> None:
    first, second = log(2)
    command = encode(second.command)
    hashed = b"romer.audit.1" + (2).to_bytes(8) + (20).to_bytes(8) + first.hash + command
    assert second.hash == sha256(hashed).digest()
    assert msgspec.msgpack.decode(command) == {"type": "SuspendMaker", "maker": "MM2", "who": "ops", "why": "late"}


def test_a_whole_log_verifies() -> None:
    entries = log(4)
    assert verify_audit(entries) is None
    assert verify_audit(entries, entries[-1].hash) is None
    assert verify_audit([], NO_ENTRY) is None


def test_a_head_is_kept_while_the_log_grows() -> None:
    entries = log(4)
    assert [verify_audit(entries, entry.hash) for entry in entries] == [None] * 4
    assert verify_audit(entries, NO_ENTRY) == AuditBreak(4, "neither its hash nor one before is the head's")


@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"number": 7}, "entry 7 stands where {} belongs"),
        ({"at": 41}, "its content is not what its hash says"),
        ({"command": SuspendMaker("MM9", "ops", "late")}, "its content is not what its hash says"),
        ({"command": ActivateKey("MM1", "ops", "late")}, "its content is not what its hash says"),
        ({"previous_hash": b"\x01" * 32}, "it does not continue the one before"),
        ({"hash": b"\x01" * 32}, "its content is not what its hash says"),
    ],
    ids=["number", "time", "maker", "kind", "previous", "hash"],
)
def test_a_changed_entry_is_named(number: int, change: dict[str, Any], reason: str) -> None:
    entries = log(4)
    entries[number - 1] = msgspec.structs.replace(entries[number - 1], **change)
    assert verify_audit(entries) == AuditBreak(number, reason.format(number))


def test_a_missing_entry_is_named() -> None:
    entries = log(4)
    assert verify_audit([entries[0], *entries[2:]]) == AuditBreak(2, "entry 3 stands where 2 belongs")
    assert verify_audit(entries[1:]) == AuditBreak(1, "entry 2 stands where 1 belongs")


def test_an_entry_that_was_altered_with_its_hash_is_found_at_the_next_one_or_by_the_head() -> None:
    entries = log(3)
    head = entries[-1].hash
    forged = next_entry(entries[0], 20, SuspendMaker("MM9", "ops", "late"))
    assert verify_audit([entries[0], forged, entries[2]]) == AuditBreak(3, "it does not continue the one before")
    assert verify_audit([entries[0], forged]) is None
    assert verify_audit([entries[0], forged], head) == AuditBreak(2, "neither its hash nor one before is the head's")


def test_entries_missing_at_the_end_are_found_by_the_head_only() -> None:
    entries = log(3)
    assert verify_audit(entries[:2]) is None
    assert verify_audit(entries[:2], entries[-1].hash) == AuditBreak(2, "neither its hash nor one before is the head's")
    assert verify_audit([], entries[-1].hash) == AuditBreak(1, "neither its hash nor one before is the head's")


def test_time_does_not_run_backwards_along_a_log() -> None:
    (first,) = log(1)
    early = next_entry(first, 9, SuspendMaker("MM1", "ops", "late"))
    assert verify_audit([first, early]) == AuditBreak(2, "it is older than the one before")
