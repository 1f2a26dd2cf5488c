"""Whether a message is what its dictionary says, and if not, its first fault in the order that other engines report.

Order of header, body and trailer; MsgType known; required fields of header, trailer and body, and in the
entries of groups; then each field of header, trailer and body, ascending: repeated, without value, format,
enumeration, tag known, tag of this message, count of its group, and then the fields of its entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from core.fix.dictionary import USER_DEFINED_MIN, Block, Dictionary
from core.fix.field_map import FieldMap, FieldText, arrange
from core.fix.field_types import Check, check_of
from core.fix.rejects import Rejection, RejectReason
from core.fix.values import ENCODING, read_int

_HEADER, _BODY, _TRAILER = 0, 1, 2
_JUDGED: Final = {_HEADER: 0, _TRAILER: 1, _BODY: 2}


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """How strict a session is. The names and defaults are QuickFIX's."""

    validate_user_defined_fields: bool = True
    """Fields with tags from 5000 on must be in the dictionary, and in the message."""
    validate_fields_out_of_order: bool = True
    """Header, body and trailer come in this order."""
    validate_fields_have_values: bool = True
    """No field is empty."""
    allow_unknown_fields: bool = False
    """Fields that are not in the dictionary, or not in the message, pass, and groups are not counted."""
    group_entries_max: int = 1_000
    """More entries of one group are an `incorrect_group_count`."""


class Sections(msgspec.Struct, frozen=True):
    """A message taken apart: each section with its groups."""

    header: FieldMap
    body: FieldMap
    trailer: FieldMap


class Validator:
    """Judges messages by a dictionary."""

    __slots__ = ("_checks", "dictionary", "policy")

    def __init__(self, dictionary: Dictionary, policy: Validation) -> None:
        self.dictionary, self.policy = dictionary, policy
        self._checks: dict[int, Check] = {tag: check_of(field) for tag, field in dictionary.fields.items()}

    def check(self, tag: int) -> Check | None:
        """What a value of `tag` must be; None if the dictionary does not know the tag."""
        return self._checks.get(tag)

    def judge(self, msg_type: str, fields: Sequence[tuple[int, bytes]]) -> Sections | Rejection:
        """A message of type `msg_type` with its groups, or its first fault."""
        texts = [(tag, value.decode(ENCODING)) for tag, value in fields]
        misplaced = self._misplaced(texts) if self.policy.validate_fields_out_of_order else None
        if misplaced is not None:
            return Rejection(RejectReason.TAG_OUT_OF_ORDER, misplaced)
        if msg_type not in self.dictionary.messages:
            return Rejection(RejectReason.INVALID_MSG_TYPE)
        sections = self.take_apart(msg_type, texts)
        return self._fault(msg_type, sections) or sections

    def take_apart(self, msg_type: str, fields: Sequence[FieldText]) -> Sections:
        """The sections of a message. Of a type that the dictionary does not know, the body has no groups."""
        parts: tuple[list[FieldText], list[FieldText], list[FieldText]] = ([], [], [])
        for field in fields:
            parts[self._section(field[0])].append(field)
        known, message = self.dictionary, self.dictionary.messages.get(msg_type)
        return Sections(
            arrange(parts[_HEADER], known.header.groups),
            arrange(parts[_BODY], message.body.groups if message else {}),
            arrange(parts[_TRAILER], known.trailer.groups),
        )

    def _section(self, tag: int) -> int:
        if tag in self.dictionary.header_tags:
            return _HEADER
        return _TRAILER if tag in self.dictionary.trailer_tags else _BODY

    def _misplaced(self, fields: Sequence[FieldText]) -> int | None:
        """The first header tag after the header's end, or other tag after the trailer's beginning."""
        reached = _HEADER
        for tag, _ in fields:
            own = self._section(tag)
            if own < reached:
                return tag
            reached = own
        return None

    def sound(self, msg_type: str, tags: Sequence[int]) -> Sections | None:
        """A message with these tags whose values are their places, if they alone are no fault."""
        fields = [(tag, str(place)) for place, tag in enumerate(tags)]
        if self.policy.validate_fields_out_of_order and self._misplaced(fields) is not None:
            return None
        if msg_type not in self.dictionary.messages:
            return None
        sections = self.take_apart(msg_type, fields)
        parts = self._parts(msg_type, sections)
        if any(_missing(level, block) is not None for level, block in parts):
            return None
        body = self.dictionary.messages[msg_type].body
        return sections if all(self._is_placed(*part, is_body=part[1] is body) for part in parts) else None

    def _is_placed(self, level: FieldMap, block: Block, *, is_body: bool) -> bool:
        """Whether no tag comes twice, and each may stand here."""
        tags = [tag for tag, _ in level.fields]
        return (
            len(set(tags)) == len(tags)
            and all(self._place_fault(tag, block, is_body=is_body) is None for tag in tags)
            and all(len(entries) <= self.policy.group_entries_max for entries in level.entries.values())
            and all(
                self._is_placed(entry, block.groups[tag], is_body=is_body)
                for tag, entries in level.entries.items()
                for entry in entries
            )
        )

    def _parts(self, msg_type: str, sections: Sections) -> tuple[tuple[FieldMap, Block], ...]:
        """The sections in the order in which they are judged."""
        known = self.dictionary
        body = known.messages[msg_type].body
        return (sections.header, known.header), (sections.trailer, known.trailer), (sections.body, body)

    def _fault(self, msg_type: str, sections: Sections) -> Rejection | None:
        parts, body = self._parts(msg_type, sections), self.dictionary.messages[msg_type].body
        for level, block in parts:
            missing = _missing(level, block)
            if missing is not None:
                return Rejection(RejectReason.REQUIRED_TAG_MISSING, missing)
        for level, block in parts:
            fault = self._level_fault(level, block, is_body=block is body)
            if fault is not None:
                return fault
        return None

    def _level_fault(self, level: FieldMap, block: Block, *, is_body: bool) -> Rejection | None:
        before = None
        for tag, value in sorted(level.fields, key=lambda field: field[0]):
            reason = (
                RejectReason.REPEATED_TAG
                if tag == before
                else self._value_fault(tag, value)
                or self._place_fault(tag, block, is_body=is_body)
                or self._count_fault(tag, level)
            )
            if reason is not None:
                return Rejection(reason, tag)
            before = tag
            for entry in level.entries.get(tag, ()):
                fault = self._level_fault(entry, block.groups[tag], is_body=is_body)
                if fault is not None:
                    return fault
        return None

    def _value_fault(self, tag: int, value: str) -> RejectReason | None:
        if not value:
            return RejectReason.TAG_WITHOUT_VALUE if self.policy.validate_fields_have_values else None
        check = self._checks.get(tag)
        if check is None:
            return None
        data = value.encode(ENCODING)
        try:
            check.read(data)
        except ValueError:
            return RejectReason.INCORRECT_FORMAT
        return None if check.is_allowed(data) else RejectReason.INCORRECT_VALUE

    def _place_fault(self, tag: int, block: Block, *, is_body: bool) -> RejectReason | None:
        if self._is_free(tag) or self.policy.allow_unknown_fields:
            return None
        if tag not in self._checks:
            return RejectReason.INVALID_TAG_NUMBER
        return RejectReason.TAG_NOT_DEFINED if is_body and tag not in block.members else None

    def _count_fault(self, tag: int, level: FieldMap) -> RejectReason | None:
        entries = len(level.entries.get(tag, ()))
        if entries > self.policy.group_entries_max:
            return RejectReason.INCORRECT_GROUP_COUNT
        if tag not in level.entries or self.policy.allow_unknown_fields:
            return None
        is_right = _is_count(level.get(tag), entries)
        return None if is_right else RejectReason.INCORRECT_GROUP_COUNT

    def _is_free(self, tag: int) -> bool:
        """Whether `tag` is a user's own and may stand anywhere."""
        return tag >= USER_DEFINED_MIN and not self.policy.validate_user_defined_fields


def _missing(level: FieldMap, block: Block) -> int | None:
    """The first required tag that is not there; a group's entries come after the level that they are on."""
    have = {tag for tag, _ in level.fields}
    for tag in block.required:
        if tag not in have:
            return tag
    return next(_missing_in_groups(level, block), None)


def _missing_in_groups(level: FieldMap, block: Block) -> Iterator[int]:
    for tag, group in block.groups.items():
        for entry in level.entries.get(tag, ()):
            missing = _missing(entry, group)
            if missing is not None:
                yield missing


def _is_count(value: str | None, count: int) -> bool:
    try:
        return read_int((value or "0").encode(ENCODING)) == count
    except ValueError:
        return False
