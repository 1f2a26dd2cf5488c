"""FIX sequence numbers on the wire, read from the bytes with nothing of the engine's own code."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from sim.checkers import Checker

_FIELD: Final = re.compile(rb"\x01(34|35|43|49|56|123|36|141)=([^\x01]*)")
_ORIGINAL_TIME: Final = re.compile(rb"\x01122=[^\x01]*")
_Direction: TypeAlias = tuple[bytes, bytes]
"""SenderCompID and TargetCompID."""


class FixSequence(Checker):
    """Each direction of a session numbers its new messages 1, 2, 3, ... without gap or repetition.

    A resent message (PossDupFlag) has an old number and what was sent under it, a gap fill stands for old numbers
    only; a Logon with ResetSeqNumFlag starts over. A Logout with the number 0 is no session's: it refuses a Logon.
    """

    name = "FIX sequence"

    def __init__(self) -> None:
        self._last: dict[_Direction, int] = {}
        self._sent: dict[_Direction, dict[int, int]] = {}

    def transmitted(self, node: str, src: str, data: bytes) -> None:
        """Check every message of one write of a FIX engine."""
        if src == "fix":
            for message in data.split(b"8=FIX.")[1:]:
                self._check(node, dict(_FIELD.findall(message)), message)

    def _check(self, node: str, fields: dict[bytes, bytes], message: bytes) -> None:
        key = (fields[b"49"], fields[b"56"])
        number = int(fields[b"34"])
        if number == 0 and fields[b"35"] == b"5":
            return
        if fields.get(b"43") == b"Y":
            self._check_again(node, key, number, fields, message)
            return
        starts_over = fields.get(b"141") == b"Y"
        last = 0 if starts_over else self._last.get(key, 0)
        if number != last + 1:
            self.violated(f"{_sends(node, key, fields)} as {number} after {last}")
        self._last[key] = number
        sent = self._sent.setdefault(key, {})
        if starts_over:
            sent.clear()
        sent[number] = hash((fields[b"35"], _body(message)))

    def _check_again(self, node: str, key: _Direction, number: int, fields: dict[bytes, bytes], message: bytes) -> None:
        last = self._last.get(key, 0)
        if fields.get(b"123") == b"Y":
            if not number < int(fields[b"36"]) <= last + 1:
                upto = fields[b"36"].decode()
                self.violated(f"{_sends(node, key, fields)} to fill {number} up to {upto} after {last}")
        elif self._sent.get(key, {}).get(number) != hash((fields[b"35"], _ORIGINAL_TIME.sub(b"", _body(message)))):
            self.violated(f"{_sends(node, key, fields)} again as {number}, which was not sent so")


def _sends(node: str, key: _Direction, fields: dict[bytes, bytes]) -> str:
    return f"{node}: {b'->'.join(key).decode()} sends {fields[b'35'].decode()}"


def _body(message: bytes) -> bytes:
    """What follows TargetCompID, without the checksum: the session's own fields, which vary, stand before."""
    return message[message.index(b"\x01", message.index(b"\x0156=") + 1) : message.rindex(b"\x0110=")]
