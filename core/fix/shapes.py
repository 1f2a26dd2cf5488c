"""The shapes of one peer's messages: a peer sends each type with the same tags in the same order, again and again.

A memory, not state: what is read is the same with and without it, only faster.
"""

from __future__ import annotations

from typing import Final

from core.fix.codec import SOH, WireMessage
from core.fix.compiled import Parsed, Shape
from core.fix.dialect import FIELDS_MAX, Dialect
from core.fix.values import ENCODING

_SHAPES_PER_TYPE: Final = 4
_SHAPES_MAX: Final = 64
"""What a peer can make us learn in all: learning costs as much as reading a hundred messages."""


class Shapes:
    """What has been learned of one peer, by the bytes of its MsgType field; the latest shape is tried first."""

    __slots__ = ("_dialect", "_known", "_learned")

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
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

    def learn(self, message: WireMessage) -> None:
        """Remember the shape of `message`, which has no fault, if its tags alone say where each field ends."""
        if self._learned >= _SHAPES_MAX:
            return
        tags = tuple([tag for tag, _ in message.fields()])
        if len(tags) > FIELDS_MAX or not self._dialect.data_lengths.keys().isdisjoint(tags):
            return
        known = self._known.setdefault(f"35={message.msg_type}".encode(ENCODING), [])
        shape = self._dialect.shape(message.msg_type, tags)
        if shape not in known:
            self._learned += 1
            known.insert(0, shape)
            del known[_SHAPES_PER_TYPE:]
