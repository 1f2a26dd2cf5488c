"""What a client certificate is good for at a FIX door: logging on as whom it names, and nobody else.

A FIX engine is pure and sees no certificates, so this is judged at the edge of the process: the first message of a
connection is cut and decoded as the engine will do it, and a Logon in another's name never reaches the engine.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from core.fix.codec import WireMessage, decode
from core.fix.framer import Framer
from core.fix.tags import SENDER_COMP_ID
from core.fix.values import ENCODING

_FIELDS_MAX: Final = 1 << 20
"""An engine takes fewer in a Logon."""


class LogonScreen:
    """Of one connection, whose certificate is for `comp_ids`. `bytes_max` is the engine's limit of a message."""

    __slots__ = ("_bytes_max", "_comp_ids", "_framer", "done")

    def __init__(self, comp_ids: AbstractSet[str], bytes_max: int) -> None:
        self._comp_ids, self._bytes_max = comp_ids, bytes_max
        self._framer = Framer()
        self.done = False
        """The first message has come; what follows is said in its name."""

    def objection(self, data: bytes) -> str:
        """What is wrong with the first message, of which `data` is the next part; empty for all else."""
        items = self._framer.feed(data, self._bytes_max)
        if not items:
            return ""
        self.done = True
        message = decode(items[0], _FIELDS_MAX) if isinstance(items[0], bytes) else items[0]
        if not isinstance(message, WireMessage):
            return ""  # the engine opens no session for it
        sender = message.values.get(SENDER_COMP_ID, b"").decode(ENCODING)
        whom = ", ".join(sorted(self._comp_ids)) or "nobody"
        return "" if sender in self._comp_ids else f"logs on as {sender!r} with a certificate for {whom}"
