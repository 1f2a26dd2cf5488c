"""How a session reads and writes messages: its version of FIX, its dictionary, how strict it is, and which
messages its application has as typed records.

Reading goes field by field here: by a plan, as long as nothing is wrong with the message; otherwise from scratch, which
decides what is wrong. `core.fix.shapes` reads still faster what one peer has sent before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from core.fix.codec import SOH, WireMessage, split
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
from core.fix.tags import ADMIN_TYPES, RESET_SEQ_NUM_FLAG, TAG_MAX, MsgType
from core.fix.unsent import Unsendable
from core.fix.validation import Sections, Validation, Validator
from core.fix.values import ENCODING
from core.fix.versions import version_of
from core.kernel.record import Record

_SHAPES_MAX: Final = 1024
FIELDS_MAX: Final = 200
"""Longer messages are always taken apart from scratch: their sequences of tags are not worth remembering."""
_ANY_TYPE: Final = "U"
_ADDED_PART: Final = 4
"""What a header and a body have added may be one of so many parts of the largest message, so that the rest has room."""
_MSG_TYPE: Final = re.compile(r"[!-<>-~]{1,32}")

Fields = tuple[FieldText, ...]


class Dialect:
    """One way of speaking FIX; many sessions may share it.

    `typed` are the application's messages that are read as records of their own; all others are `GenericMessage`s.
    Raises InputError for a dictionary of a version of FIX that is not spoken.
    """

    __slots__ = (
        "_form",
        "_kinds",
        "_order",
        "_plan",
        "_shape",
        "data_lengths",
        "dictionary",
        "typed",
        "validator",
        "version",
    )

    def __init__(
        self,
        dictionary: Dictionary,
        validation: Validation = Validation(),  # noqa: B008  # immutable
        typed: tuple[type[FixMessage], ...] = (),
    ) -> None:
        self.dictionary, self.typed = dictionary, typed
        self.version = version_of(dictionary.begin_string)
        self.validator = Validator(dictionary, validation)
        self._kinds = {str(kind.MSG_TYPE): kind for kind in (*ADMIN_MESSAGES, *typed)}
        self._shape = lru_cache(_SHAPES_MAX)(self._new_shape)
        self._order = lru_cache(_SHAPES_MAX)(self._new_order)
        self._plan = lru_cache(_SHAPES_MAX)(self._new_plan)
        self._form = lru_cache(_SHAPES_MAX)(self._new_form)
        self.data_lengths = dictionary.data_lengths

    @property
    def begin_string(self) -> str:
        """BeginString(8)."""
        return self.dictionary.begin_string

    @property
    def has_reset_flag(self) -> bool:
        """Whether a Logon can ask for a reset; FIX 4.0 has no ResetSeqNumFlag(141)."""
        logon = self.dictionary.messages.get(MsgType.LOGON)
        return logon is not None and RESET_SEQ_NUM_FLAG in logon.body.members

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
            may_be_empty = not self.validator.policy.validate_fields_have_values
            header = _record(Header, sections.header, may_be_empty=may_be_empty)
            body = (
                _generic(message.msg_type, sections)
                if kind is GenericMessage
                else _record(kind, sections.body, may_be_empty=may_be_empty)
            )
        except _Unfit as unfit:
            return unfit.rejection
        return header, body

    def build(self, message: FixMessage, header: Fields = (), more: Fields = ()) -> bytes:
        """The fields of `message` that follow the session's own header fields.

        `header` are further fields of the header, where the message has not got them, `more` of a typed message's
        body. None and empty texts of typed messages are left out. Raises Unsendable for a value that cannot be written.
        """
        if isinstance(message, GenericMessage):
            return self._build_generic(message, header)
        written = _typed(message)
        if more:
            own = [(tag, value.decode(ENCODING)) for tag, value in split(written, self.data_lengths)]
            written = _latin_1(self._written(message.msg_type, (*own, *more)))
        return self._head(header) + written if header else written

    def outgoing(self, message: FixMessage, header: Fields = ()) -> bytes:
        """The same for a message of an application's. Raises Unsendable for the session's own and the unreadable.

        That is a MsgType that is none, SOH where it does not belong, data that is not as long as its length says, and
        text that is not in Latin-1.
        """
        kind = message.msg_type
        if kind in ADMIN_TYPES:
            raise Unsendable(f"messages of type {kind} are the session's to send")
        if not isinstance(message, GenericMessage):
            written = _typed(message)
            return self._head(header) + written if header else written
        try:
            return self._outgoing_generic(message, header)
        except (TypeError, ValueError, AttributeError) as error:
            raise Unsendable(f"a field is no tag and text: {error}") from error

    def _outgoing_generic(self, message: GenericMessage, header: Fields) -> bytes:
        if not _MSG_TYPE.fullmatch(message.kind):
            raise Unsendable(f"{message.kind!r} is no MsgType")
        written = self._build_generic(message, header)
        own = (dict(header) | dict(message.header)) if header or message.header else {}
        fields = (*own.items(), *message.fields) if own else message.fields
        self._check_sendable(written, tuple([tag for tag, _ in fields]), len(own), fields)
        return written

    def _check_sendable(self, written: bytes, tags: tuple[int, ...], body: int, fields: Fields) -> None:
        """Raise Unsendable if a peer would not find `fields` in what is `written`; the body's begin at `body`."""
        fault, has_data = self._form(tags, body)
        if fault:
            raise Unsendable(fault)
        if not has_data and written.count(SOH) == len(tags):
            return
        given = Counter([(tag, value.encode(ENCODING)) for tag, value in fields])
        try:
            is_read = given == Counter(split(written, self.data_lengths))
        except ValueError:
            is_read = False
        if not is_read:
            raise Unsendable("a value holds SOH, or data is not as long as its length field says")

    def _new_form(self, tags: tuple[int, ...], body: int) -> tuple[str, bool]:
        """What is wrong with these tags, of which those from `body` on are the body's, and whether some are data."""
        known = self.dictionary
        for place, tag in enumerate(tags):
            if tag in SESSION_TAGS or tag in known.trailer_tags or (tag in known.header_tags) != (place < body):
                return f"field {tag} is not one of the {'header' if place < body else 'body'}'s", False
            if not 0 < tag <= TAG_MAX:
                return f"{tag} is no tag: these go from 1 to {TAG_MAX}", False
        return "", not known.data_tags.keys().isdisjoint(tags)

    def fault_of_added(self, msg_type: str, fields: Fields, message_bytes_max: int) -> str:
        """Why `fields` cannot be added to the session's messages of this type, or with "" to any; empty if they can."""
        kind = self._kinds.get(msg_type)
        own = {entry.field.tag for entry in entries_of(kind)} if kind is not None else set()
        tags = [tag for tag, _ in fields]
        header = tuple([field for field in fields if field[0] in self.dictionary.header_tags])
        body = tuple([field for field in fields if field[0] not in self.dictionary.header_tags])
        for place, (tag, value) in enumerate(fields):
            if tag in own or tag in SESSION_TAGS or tag in self.dictionary.trailer_tags or not 0 < tag <= TAG_MAX:
                return f"field {tag} is not one that can be added"
            if tag in tags[:place] or not value or (not msg_type and tag not in self.dictionary.header_tags):
                return f"field {tag} is there twice, is empty, or is not one of the header's"
        for length, data in self.data_lengths.items():
            if (length in tags) != (data in tags):
                there, missing = (length, data) if length in tags else (data, length)
                return f"field {there} needs field {missing} beside it: a length and its data belong together"
        try:
            size = len(self.outgoing(GenericMessage(_ANY_TYPE, body, header)))
        except Unsendable as error:
            return str(error)
        room = message_bytes_max // _ADDED_PART
        return f"they have {size} bytes, and may have {room}, a quarter of message_bytes_max" if size > room else ""

    def _build_generic(self, message: GenericMessage, header: Fields) -> bytes:
        own = dict(header) | dict(message.header) if header else dict(message.header)
        return self._head(tuple(own.items())) + _latin_1(self._written(message.kind, message.fields))

    def _head(self, header: Fields) -> bytes:
        """Fields of the header that are not the session's."""
        fields = tuple([field for field in header if field[0] not in SESSION_TAGS])
        return _latin_1(self._written("", fields))

    def _written(self, kind: str, fields: tuple[FieldText, ...]) -> str:
        """The fields of a header, or of the body of a message of type `kind`, in FIX's order."""
        tags = tuple([tag for tag, _ in fields])
        order = self._order(kind, tags) if len(fields) <= FIELDS_MAX else self._new_order(kind, tags)
        return "".join([f"{tag}={value}\x01" for tag, value in [fields[place] for place in order]])

    def _new_order(self, kind: str, tags: tuple[int, ...]) -> list[int]:
        """Which of a section's fields is written first, second, ..."""
        known = self.dictionary.messages.get(kind)
        groups = known.body.groups if known is not None else {} if kind else self.dictionary.header.groups
        level = arrange([(tag, str(place)) for place, tag in enumerate(tags)], groups)
        return [int(place) for _, place in in_order(level, groups, self.data_lengths)]


class _Unfit(Exception):
    """A message that its dictionary takes, but not its typed record."""

    def __init__(self, reason: RejectReason, tag: int) -> None:
        super().__init__(reason, tag)
        self.rejection = Rejection(reason, tag)


def _record(kind: type[Record], level: FieldMap, *, may_be_empty: bool) -> Any:
    """The record that a level of a message is read as. An empty field is one that is not there. Raises _Unfit."""
    return kind(**dict(_arguments(kind, level, may_be_empty=may_be_empty)))


def _arguments(kind: type[Record], level: FieldMap, *, may_be_empty: bool) -> Iterator[tuple[str, Any]]:
    values = dict(level.fields)
    for entry in entries_of(kind):
        tag = entry.field.tag
        text = values.get(tag)
        if not text:
            if entry.required and may_be_empty and entry.field.kind.is_text and text is not None:
                yield entry.attribute, text
            elif entry.required:
                reason = RejectReason.REQUIRED_TAG_MISSING if text is None else RejectReason.TAG_WITHOUT_VALUE
                raise _Unfit(reason, tag)
        elif entry.field.entry is not None:
            part = entry.field.entry
            entries = level.entries.get(tag, ())
            yield entry.attribute, tuple([_record(part, inner, may_be_empty=may_be_empty) for inner in entries])
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


def _typed(message: FixMessage) -> bytes:
    """The fields of a typed message. Raises Unsendable."""
    try:
        written = _writer(type(message))(message)
    except UnicodeEncodeError as error:
        raise _foreign(error) from error
    except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise Unsendable(f"a value is not of its field's type: {error}") from error
    if written is None:
        raise Unsendable("a text holds SOH, which ends a field")
    return written


def _latin_1(text: str) -> bytes:
    """Fields as bytes. Raises Unsendable."""
    try:
        return text.encode(ENCODING)
    except UnicodeEncodeError as error:
        raise _foreign(error) from error


def _foreign(error: UnicodeEncodeError) -> Unsendable:
    text = error.object[error.start : error.end]
    hint = "give another encoding's bytes as a character each, and its name as MessageEncoding(347)"
    return Unsendable(f"{text!r} is not in Latin-1: {hint}")


@lru_cache
def venue_dialect() -> Dialect:
    """How the venue and its market makers speak: FIX 4.2 with the venue's own field, orders and reports typed."""
    return Dialect(venue_dictionary(), typed=MESSAGES)
