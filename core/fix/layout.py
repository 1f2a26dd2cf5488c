"""How a typed message lies on the wire: reads, checks and writes any message from its field annotations.

Reading is optimistic: what depends only on which tags come in which order is judged once per sequence
of tags and remembered, then every field is read in one pass. Only when something does not fit is the
message examined fault by fault, in the order that other engines report faults: order of header and
body, required tags, then each field of header, trailer and body, ascending: repeated, without value,
format, enumeration. Unknown tags are ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

from core.fix.codec import WireMessage
from core.fix.compiled import Parsed, compile_writer
from core.fix.fields import Field, entries_of
from core.fix.messages import (
    BusinessMessageReject,
    ExecutionReport,
    Header,
    Heartbeat,
    Logon,
    Logout,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelRequest,
    Reject,
    ResendRequest,
    SequenceReset,
    TestRequest,
)
from core.fix.records import FixMessage
from core.fix.rejects import Rejection, RejectReason
from core.fix.tags import BEGIN_STRING_TAG, BODY_LENGTH, CHECK_SUM, HEADER_TAGS, MSG_TYPE, MSG_TYPES, TRAILER_TAGS
from core.fix.values import ENCODING, STRING

_ENVELOPE: Final = frozenset([BEGIN_STRING_TAG, BODY_LENGTH, MSG_TYPE, CHECK_SUM])
_SEQUENCES_MAX: Final = 1024
_Read = Callable[[bytes], Any]


def _reader(field: Field) -> _Read:
    if field.values is None:
        return field.kind.read
    return {str(member.value).encode(): member.value for member in field.values}.__getitem__


_HEADER: Final = entries_of(Header)
_HEADER_READERS: Final = [(entry.field.tag, _reader(entry.field)) for entry in _HEADER]


class Layout:
    """The wire form of the message type `kind`, whose fields are `entries`."""

    __slots__ = ("_known", "_readers", "_required", "_structure", "_texts", "_write", "entries", "kind")

    def __init__(self, kind: type[FixMessage]) -> None:
        self.kind = kind
        self.entries = body = entries_of(kind)
        self._readers = [(entry.field.tag, _reader(entry.field)) for entry in body]
        self._known = {entry.field.tag: entry.field for entry in _HEADER + body}
        self._required = [
            tag for part in (_HEADER, body) for tag in sorted(entry.field.tag for entry in part if entry.required)
        ]
        self._structure = lru_cache(_SEQUENCES_MAX)(self._structural_fault)
        self._texts = [entry.attribute for entry in body if entry.field.kind is STRING]
        self._write = compile_writer(sorted(body, key=lambda entry: entry.field.tag))

    def parse(self, message: WireMessage) -> Parsed | Rejection:
        """Header and body of `message`, or its first fault."""
        values = message.values
        if message.repeated or self._structure(tuple(values)) or b"" in values.values():
            fault = self.first_fault(message)
            if fault is not None:
                return fault
        try:
            return Header(*_read(values, _HEADER_READERS)), self.kind(*_read(values, self._readers))
        except (ValueError, KeyError):
            fault = self.first_fault(message)
            assert fault is not None, message
            return fault

    def build(self, message: FixMessage) -> bytes:
        """The body fields of `message`, ascending by tag. None and empty texts are left out; SOH becomes a blank."""
        written = self._write(message)
        if written is None:
            texts = {name: getattr(message, name) for name in self._texts}
            clean = {name: text.replace("\x01", " ") for name, text in texts.items() if text}
            written = self._write(msgspec.structs.replace(message, **clean))
            assert written is not None
        return written

    def first_fault(self, message: WireMessage) -> Rejection | None:
        """The fault that is reported for `message`, if it has any."""
        fields = message.fields()
        fault = self._structural_fault(tuple([tag for tag, _ in fields]))
        if fault is not None:
            return fault
        seen = set()
        for tag, value in sorted(fields, key=_section):
            field = self._known.get(tag)
            if tag in seen and (field is not None or tag in _ENVELOPE):
                return Rejection(RejectReason.REPEATED_TAG, tag)
            seen.add(tag)
            reason = _value_fault(field, value)
            if reason is not None:
                return Rejection(reason, tag)
        return None

    def _structural_fault(self, tags: tuple[int, ...]) -> Rejection | None:
        misplaced = _misplaced(tags)
        if misplaced is not None:
            return Rejection(RejectReason.TAG_OUT_OF_ORDER, misplaced)
        for tag in self._required:
            if tag not in tags:
                return Rejection(RejectReason.REQUIRED_TAG_MISSING, tag)
        return None


def _read(values: dict[int, bytes], readers: list[tuple[int, _Read]]) -> list[Any]:
    return [read(values[tag]) if tag in values else None for tag, read in readers]


def _misplaced(tags: tuple[int, ...]) -> int | None:
    """The first header tag after the header's end, or other tag after the trailer's beginning."""
    section = 0
    for tag in tags:
        own = 0 if tag in HEADER_TAGS else 2 if tag in TRAILER_TAGS else 1
        if own < section:
            return tag
        section = own
    return None


def _section(field: tuple[int, bytes]) -> tuple[int, int]:
    tag = field[0]
    return (0 if tag in HEADER_TAGS else 1 if tag in TRAILER_TAGS else 2), tag


def _value_fault(field: Field | None, value: bytes) -> RejectReason | None:
    if not value:
        return RejectReason.TAG_WITHOUT_VALUE
    if field is None:
        return None
    try:
        field.kind.read(value)
    except ValueError:
        return RejectReason.INCORRECT_FORMAT
    if field.values is not None and value.decode(ENCODING) not in {str(member.value) for member in field.values}:
        return RejectReason.INCORRECT_VALUE
    return None


LAYOUTS: Final[dict[str, Layout]] = {
    str(kind.MSG_TYPE): Layout(kind)
    for kind in (
        NewOrderSingle,
        OrderCancelRequest,
        ExecutionReport,
        OrderCancelReject,
        BusinessMessageReject,
        Logon,
        Heartbeat,
        TestRequest,
        ResendRequest,
        Reject,
        SequenceReset,
        Logout,
    )
}
_HEADER_ONLY: Final = Layout(FixMessage)


def layout_of(msg_type: str) -> Layout | None:
    """How to read `msg_type`: only its header, if it has no typed message here. None for what FIX 4.2 does not know."""
    known = msg_type in MSG_TYPES or msg_type.startswith("U")
    return LAYOUTS.get(msg_type) or (_HEADER_ONLY if known else None)
