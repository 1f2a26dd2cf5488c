"""The shapes of one peer's messages: a peer sends each type with the same tags in the same order, again and again.

A memory, not state: what is read is the same with and without it, only faster.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from core.fix.codec import SOH, WireMessage
from core.fix.compiled import Parsed, Shape
from core.fix.records import FixMessage
from core.fix.tags import DATA_LENGTHS
from core.fix.values import ENCODING

_SHAPES_PER_TYPE: Final = 4
_SHAPES_MAX: Final = 64
"""What a peer can make us learn in all: learning costs as much as reading a hundred messages."""


@lru_cache(maxsize=1024)
def _shape(kind: type[FixMessage], tags: tuple[int, ...]) -> Shape:
    """Peers often use the same engine."""
    return Shape(kind, tags)


class Shapes:
    """What has been learned of one peer, by the bytes of its MsgType field; the latest shape is tried first."""

    __slots__ = ("_known", "_learned")

    def __init__(self) -> None:
        self._known: dict[bytes, list[Shape]] = {}
        self._learned = 0

    def read(self, raw: bytes) -> Parsed | None:
        """Header and body of the framed message `raw`, if its shape is known and it has no fault."""
        known = self._known.get(raw.split(SOH, 3)[2])
        if known is None:
            return None
        text = raw.decode(ENCODING)
        for shape in known:
            parsed = shape.read(text)
            if parsed is not None:
                return parsed
        return None

    def learn(self, message: WireMessage, kind: type[FixMessage]) -> None:
        """Remember the shape of `message`, which has no fault, if its tags alone say where each field ends."""
        if message.repeated or self._learned >= _SHAPES_MAX or not kind.MSG_TYPE:
            return
        tags = tuple(message.values)
        if not DATA_LENGTHS.keys().isdisjoint(tags):
            return
        known = self._known.setdefault(f"35={kind.MSG_TYPE}".encode(), [])
        shape = _shape(kind, tags)
        if shape not in known:
            self._learned += 1
            known.insert(0, shape)
            del known[_SHAPES_PER_TYPE:]
