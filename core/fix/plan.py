"""How to read messages with one sequence of tags, data fields and groups too: which value is judged how and goes where.

What depends on the tags alone has been judged when the plan is made; a plan only looks at values. It is an
interpreter where `core.fix.compiled` is a compiler: slower to read by, much faster to make.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from core.fix.compiled import Parsed
from core.fix.field_map import FieldMap, group_counts
from core.fix.field_types import Check
from core.fix.fields import entries_of
from core.fix.generic import SESSION_TAGS, GenericMessage
from core.fix.message import FixMessage
from core.fix.messages import Header
from core.fix.validation import Sections, Validator
from core.fix.values import ENCODING, read_int
from core.kernel.record import Record

_Read = Callable[[bytes], Any]


class _Part(msgspec.Struct, frozen=True):
    """A record: its attributes by the places of their values, those with a reader of their own, and its groups."""

    kind: type[Record]
    judged: list[tuple[str, int]]
    own: list[tuple[str, int, _Read]]
    groups: list[tuple[str, list[_Part]]]

    def make(self, judged: list[Any], values: list[bytes]) -> Any:
        """The record. Raises ValueError, and TypeError if a required attribute is missing."""
        arguments = {name: judged[place] for name, place in self.judged}
        for name, place, read in self.own:
            arguments[name] = read(values[place])
        for name, parts in self.groups:
            arguments[name] = tuple([part.make(judged, values) for part in parts])
        return self.kind(**arguments)


class Plan:
    """Messages of type `msg_type` with just these `tags`, in this order, of which `sections` are the places."""

    __slots__ = ("_body", "_checks", "_counts", "_header", "_pairs")

    def __init__(
        self,
        validator: Validator,
        kind: type[FixMessage],
        msg_type: str,
        tags: Sequence[int],
        sections: Sections,
    ) -> None:
        checks = [validator.check(tag) for tag in tags]
        self._checks = [_judge(check) for check in checks]
        levels = (sections.header, sections.body, sections.trailer)
        counted = not validator.policy.allow_unknown_fields
        self._counts = [place for level in levels for place in group_counts(level)] if counted else []
        self._header = _part(Header, sections.header, checks)
        self._pairs: tuple[str, list[tuple[int, int]], list[tuple[int, int]]] | None = None
        self._body = self._header
        if kind is GenericMessage:
            header = [(tag, int(place)) for tag, place in sections.header.flat() if tag not in SESSION_TAGS]
            self._pairs = msg_type, [(tag, int(place)) for tag, place in sections.body.flat()], header
        else:
            self._body = _part(kind, sections.body, checks)

    def read(self, values: list[bytes]) -> Parsed | None:
        """Header and body; None if anything may be wrong."""
        if b"" in values:
            return None
        try:
            judged = [check(value) for check, value in zip(self._checks, values, strict=True)]
            for place, count in self._counts:
                if read_int(values[place]) != count:
                    return None
            return self._header.make(judged, values), self._make_body(judged, values)
        except (ValueError, TypeError):
            return None

    def _make_body(self, judged: list[Any], values: list[bytes]) -> FixMessage:
        if self._pairs is None:
            body: FixMessage = self._body.make(judged, values)
            return body
        msg_type, fields, header = self._pairs
        return GenericMessage(
            msg_type,
            tuple([(tag, values[place].decode(ENCODING)) for tag, place in fields]),
            tuple([(tag, values[place].decode(ENCODING)) for tag, place in header]),
        )


def _judge(check: Check | None) -> _Read:
    """A reader that raises ValueError for what is not allowed as well."""
    if check is None:
        return bytes
    if not check.values:
        return check.kind.read

    def read(value: bytes) -> Any:
        if value not in check.values and not check.is_allowed(value):
            raise ValueError
        return check.kind.read(value)

    return read


def _part(kind: type[Record], level: FieldMap, checks: Sequence[Check | None]) -> _Part:
    part = _Part(kind, [], [], [])
    for attribute, field in ((entry.attribute, entry.field) for entry in entries_of(kind)):
        if field.tag not in level:
            continue
        place = int(level.get(field.tag) or 0)
        check = checks[place]
        if field.entry is not None:
            inner = field.entry
            part.groups.append((attribute, [_part(inner, entry, checks) for entry in level.entries.get(field.tag, [])]))
        elif check is not None and check.kind is field.kind:
            part.judged.append((attribute, place))
        else:
            part.own.append((attribute, place, field.kind.read))
    return part
