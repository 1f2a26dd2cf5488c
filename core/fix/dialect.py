"""How a session reads and writes messages: its version of FIX, its dictionary, how strict it is, and which
messages its application has as typed records.

Reading goes field by field here: by a plan, as long as nothing is wrong with the message; otherwise from scratch, which
decides what is wrong. `core.fix.shapes` reads still faster what one peer has sent before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec

from core.fix.codec import WireMessage
from core.fix.compiled import Parsed, Shape, compile_writer
from core.fix.dictionary import Dictionary
from core.fix.field_map import FieldMap, FieldText, arrange, in_order
from core.fix.fields import Entry, entries_of
from core.fix.generic import SESSION_TAGS, GenericMessage
from core.fix.message import FixMessage
from core.fix.messages import ADMIN_MESSAGES, MESSAGES, Header
from core.fix.plan import Plan
from core.fix.rejects import Rejection, RejectReason
from core.fix.shipped import venue_dictionary
from core.fix.validation import Sections, Validation, Validator
from core.fix.values import ENCODING
from core.kernel.record import Record

_SHAPES_MAX: Final = 1024
FIELDS_MAX: Final = 200
"""Longer messages are always taken apart from scratch: their sequences of tags are not worth remembering."""
_SOH_TEXT: Final = "\x01"


class Dialect:
    """One way of speaking FIX; many sessions may share it.

    `typed` are the application's messages that are read as records of their own; all others are `GenericMessage`s.
    """

    __slots__ = ("_kinds", "_order", "_plan", "_shape", "data_lengths", "dictionary", "typed", "validator")

    def __init__(
        self,
        dictionary: Dictionary,
        validation: Validation = Validation(),  # noqa: B008  # immutable
        typed: tuple[type[FixMessage], ...] = (),
    ) -> None:
        self.dictionary, self.typed = dictionary, typed
        self.validator = Validator(dictionary, validation)
        self._kinds = {str(kind.MSG_TYPE): kind for kind in (*ADMIN_MESSAGES, *typed)}
        self._shape = lru_cache(_SHAPES_MAX)(self._new_shape)
        self._order = lru_cache(_SHAPES_MAX)(self._new_order)
        self._plan = lru_cache(_SHAPES_MAX)(self._new_plan)
        self.data_lengths = dictionary.data_lengths

    @property
    def begin_string(self) -> str:
        """BeginString(8)."""
        return self.dictionary.begin_string

    def kind_of(self, msg_type: str) -> type[FixMessage]:
        """What messages of this type are read as."""
        return self._kinds.get(msg_type, GenericMessage)

    def shape(self, msg_type: str, tags: tuple[int, ...]) -> Shape:
        """How messages of this type with these tags are read fast. Peers often use the same engine."""
        return self._shape(msg_type, tags)

    def _new_shape(self, msg_type: str, tags: tuple[int, ...]) -> Shape:
        return Shape(self.validator, self.kind_of(msg_type), msg_type, tags)

    def _new_plan(self, msg_type: str, tags: tuple[int, ...]) -> Plan | None:
        sections = self.validator.sound(msg_type, tags)
        return None if sections is None else Plan(self.validator, self.kind_of(msg_type), msg_type, tags, sections)

    def parse(self, message: WireMessage) -> Parsed | Rejection:
        """Header and body of `message`, or its first fault."""
        fields = message.fields()
        plan = self._plan(message.msg_type, tuple([tag for tag, _ in fields])) if len(fields) <= FIELDS_MAX else None
        parsed = plan.read([value for _, value in fields]) if plan is not None else None
        if parsed is not None:
            return parsed
        sections = self.validator.judge(message.msg_type, fields)
        if isinstance(sections, Rejection):
            return sections
        kind = self.kind_of(message.msg_type)
        try:
            header = _record(Header, sections.header)
            body = _generic(message.msg_type, sections) if kind is GenericMessage else _record(kind, sections.body)
        except _Unfit as unfit:
            return unfit.rejection
        return header, body

    def build(self, message: FixMessage) -> bytes:
        """The fields of `message` that follow the session's own header fields.

        None and empty texts of typed messages are left out; SOH in them becomes a blank.
        """
        if isinstance(message, GenericMessage):
            return self._build_generic(message)
        kind = type(message)
        written = _writer(kind)(message)
        return _writer(kind)(_without_soh(message)) or b"" if written is None else written

    def _build_generic(self, message: GenericMessage) -> bytes:
        header = tuple([field for field in message.header if field[0] not in SESSION_TAGS])
        return (self._written("", header) + self._written(message.kind, message.fields)).encode(ENCODING, "replace")

    def _written(self, kind: str, fields: tuple[FieldText, ...]) -> str:
        """The fields of a header, or of the body of a message of type `kind`, in FIX's order."""
        tags = tuple([tag for tag, _ in fields])
        order = self._order(kind, tags) if len(fields) <= FIELDS_MAX else self._new_order(kind, tags)
        ordered = [fields[place] for place in order]
        text = "".join([f"{tag}={value}\x01" for tag, value in ordered])
        if text.count(_SOH_TEXT) > len(fields):
            return "".join([f"{tag}={self._safe(tag, value)}\x01" for tag, value in ordered])
        return text

    def _new_order(self, kind: str, tags: tuple[int, ...]) -> list[int]:
        """Which of a section's fields is written first, second, ..."""
        known = self.dictionary.messages.get(kind)
        groups = known.body.groups if known is not None else {} if kind else self.dictionary.header.groups
        level = arrange([(tag, str(place)) for place, tag in enumerate(tags)], groups)
        return [int(place) for _, place in in_order(level, groups, self.data_lengths)]

    def _safe(self, tag: int, value: str) -> str:
        """`value` without SOH, which only data may hold."""
        return value if tag in self.dictionary.data_tags else value.replace(_SOH_TEXT, " ")


class _Unfit(Exception):
    """A message that its dictionary takes, but not its typed record."""

    def __init__(self, reason: RejectReason, tag: int) -> None:
        super().__init__(reason, tag)
        self.rejection = Rejection(reason, tag)


def _record(kind: type[Record], level: FieldMap) -> Any:
    """The record that a level of a message is read as. Raises _Unfit."""
    values = dict(level.fields)
    return kind(**dict(_arguments(kind, level, values)))


def _arguments(kind: type[Record], level: FieldMap, values: dict[int, str]) -> Iterator[tuple[str, Any]]:
    for entry in entries_of(kind):
        tag = entry.field.tag
        text = values.get(tag)
        if not text:
            if entry.required:
                reason = RejectReason.REQUIRED_TAG_MISSING if text is None else RejectReason.TAG_WITHOUT_VALUE
                raise _Unfit(reason, tag)
        elif entry.field.entry is not None:
            part = entry.field.entry
            yield entry.attribute, tuple([_record(part, inner) for inner in level.entries.get(tag, ())])
        else:
            yield entry.attribute, _value(entry, text)


def _value(entry: Entry, text: str) -> Any:
    try:
        return entry.field.kind.read(text.encode(ENCODING))
    except ValueError:
        raise _Unfit(RejectReason.INCORRECT_FORMAT, entry.field.tag) from None


def _generic(msg_type: str, sections: Sections) -> GenericMessage:
    header: Iterator[FieldText] = (field for field in sections.header.flat() if field[0] not in SESSION_TAGS)
    return GenericMessage(msg_type, tuple(sections.body.flat()), tuple(header))


@lru_cache(maxsize=1024)
def _writer(kind: type[FixMessage]) -> Callable[[Any], bytes | None]:
    return compile_writer(kind)


def _without_soh(message: FixMessage) -> FixMessage:
    texts = {
        entry.attribute: getattr(message, entry.attribute)
        for entry in entries_of(type(message))
        if entry.field.kind.is_text
    }
    clean = {name: text.replace(_SOH_TEXT, " ") for name, text in texts.items() if text}
    return msgspec.structs.replace(message, **clean)


@lru_cache
def venue_dialect() -> Dialect:
    """How the venue and its market makers speak: FIX 4.2 with the venue's own field, orders and reports typed."""
    return Dialect(venue_dictionary(), typed=MESSAGES)
