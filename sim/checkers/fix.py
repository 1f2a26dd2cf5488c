"""FIX sequence numbers on the wire, read from the bytes with nothing of the engine's own code."""

from __future__ import annotations

import re
from typing import Final

from sim.checkers import Checker

_FIELD: Final = re.compile(rb"\x01(34|35|43|49|56|123|36|141)=([^\x01]*)")


class FixSequence(Checker):
    """Each direction of a session numbers its new messages 1, 2, 3, ... without gap or repetition.

    Resent messages (PossDupFlag) and gap fills keep old numbers; a Logon with ResetSeqNumFlag starts over.
    """

    name = "FIX sequence"

    def __init__(self) -> None:
        self._last: dict[tuple[bytes, bytes], int] = {}

    def transmitted(self, node: str, src: str, data: bytes) -> None:
        """Check every message of one write of a FIX engine."""
        if src == "fix":
            for message in data.split(b"8=FIX.")[1:]:
                self._check(node, dict(_FIELD.findall(message)))

    def _check(self, node: str, fields: dict[bytes, bytes]) -> None:
        if fields.get(b"43") == b"Y":
            return
        key = (fields[b"49"], fields[b"56"])
        number = int(fields[b"34"])
        last = 0 if fields.get(b"141") == b"Y" else self._last.get(key, 0)
        if number != last + 1:
            session, kind = b"->".join(key).decode(), fields[b"35"].decode()
            self.violated(f"{node}: {session} sends {kind} as {number} after {last}")
        self._last[key] = number
