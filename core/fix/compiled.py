"""Writes the Python that reads and writes a message type: one expression instead of a loop over its fields.

What is compiled comes from the field annotations of our own records and from the dictionary, never from a peer:
the tags of a peer's message only choose among them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from core.fix.field_map import FieldMap, group_counts
from core.fix.field_types import Check
from core.fix.fields import Entry, Field, entries_of
from core.fix.generic import SESSION_TAGS, GenericMessage
from core.fix.message import FixMessage
from core.fix.messages import Header
from core.fix.tags import BEGIN_STRING_TAG, BODY_LENGTH, CHECK_SUM, MSG_TYPE
from core.fix.unsent import Unsendable
from core.fix.validation import Sections, Validator
from core.fix.values import ENCODING, FLOAT, INT, STRING, ValueType
from core.kernel.record import Record

_ANY: Final = STRING.pattern
_LEADING_ZEROS: Final = "0{0,9}"

Parsed = tuple[Header, FixMessage]


class Shape:
    """Messages of type `msg_type` with just these `tags`, in this order, none of them data; read as `kind`.

    One regular expression takes a message apart and judges the format and the enumeration of every value, and
    the counts of groups. That everything is in its place has been judged once for all messages of the shape.
    """

    __slots__ = ("_convert", "_match")

    def __init__(self, validator: Validator, kind: type[FixMessage], msg_type: str, tags: Sequence[int]) -> None:
        sections = validator.take_apart(msg_type, [(tag, str(place)) for place, tag in enumerate(tags)])
        conversion = _Conversion(validator)
        source = conversion.parsed(kind, msg_type, sections)
        for place, tag in enumerate(tags):
            conversion.check(place, tag)
        patterns = _patterns(validator, msg_type, tags, sections)
        self._match = re.compile(
            "".join(
                f"{tag}=({pattern})\x01" if place in conversion.used else f"{tag}=(?:{pattern})\x01"
                for place, (tag, pattern) in enumerate(zip(tags, patterns, strict=True))
            )
        ).fullmatch
        self._convert = conversion.compile(source)

    def read(self, text: str) -> Parsed | None:
        """Header and body of the message `text`; None if it is of another shape or may have a fault."""
        match = self._match(text)
        if match is None:
            return None
        try:
            return self._convert(*match.groups())
        except ValueError:
            return None


def _patterns(validator: Validator, msg_type: str, tags: Sequence[int], sections: Sections) -> list[str]:
    """What each value must match."""
    envelope = {
        BEGIN_STRING_TAG: re.escape(validator.dictionary.begin_string),
        BODY_LENGTH: "[0-9]+",
        MSG_TYPE: re.escape(msg_type),
        CHECK_SUM: "[0-9]{3}",
    }
    patterns = [envelope.get(tag) or _pattern(validator.check(tag)) for tag in tags]
    if not validator.policy.allow_unknown_fields:
        for level in (sections.header, sections.body, sections.trailer):
            for place, count in group_counts(level):
                patterns[place] = f"{_LEADING_ZEROS}{count}"
    return patterns


def _pattern(check: Check | None) -> str:
    if check is None:
        return _ANY
    if not check.values:
        return check.kind.pattern
    values = sorted(value for value in check.values if _is_readable(check, value))
    either = "|".join(re.escape(value.decode(ENCODING)) for value in values)
    return f"(?:{either})(?: (?:{either}))*" if check.is_list else either


def _is_readable(check: Check, value: bytes) -> bool:
    try:
        check.read(value)
    except ValueError:
        return False
    return True


class _Conversion:
    """Writes the expression that makes records of the texts `t0`, `t1`, ... of a shape's places."""

    def __init__(self, validator: Validator) -> None:
        self.validator = validator
        self.used: set[int] = set()
        self.names: dict[str, Any] = {}
        self.checked: set[int] = set()
        self.checks: list[str] = []

    def parsed(self, kind: type[FixMessage], msg_type: str, sections: Sections) -> str:
        """Header and body."""
        header = self.record(Header, sections.header)
        if kind is GenericMessage:
            own = [(tag, place) for tag, place in sections.header.flat() if tag not in SESSION_TAGS]
            name = self.name(GenericMessage)
            return f"{header}, {name}({msg_type!r}, {self.pairs(sections.body.flat())}, {self.pairs(own)})"
        return f"{header}, {self.record(kind, sections.body)}"

    def record(self, kind: type[Record], level: FieldMap) -> str:
        """One record of a level."""
        arguments = [
            f"{entry.attribute}={self.value(entry.field, level)}"
            for entry in entries_of(kind)
            if entry.field.tag in level
        ]
        return f"{self.name(kind)}({', '.join(arguments)})"

    def value(self, field: Field, level: FieldMap) -> str:
        """One attribute."""
        if field.entry is not None:
            entries = level.entries.get(field.tag, [])
            return f"({''.join(self.record(field.entry, entry) + ', ' for entry in entries)})"
        place = int(level.get(field.tag) or 0)
        self.used.add(place)
        check = self.validator.check(field.tag)
        is_same = check is not None and check.kind is field.kind
        if field.kind is STRING or (is_same and field.kind.is_text and not field.kind.is_loose):
            return f"t{place}"
        if not is_same:
            return f"{self.name(_strictly(field.kind))}(t{place})"
        self.checked.add(place)
        return f"{self.name(field.kind.convert)}(t{place})"

    def pairs(self, fields: Any) -> str:
        """Fields as a generic message has them."""
        places = [(tag, int(place)) for tag, place in fields]
        self.used.update(place for _, place in places)
        return f"({''.join(f'({tag}, t{place}), ' for tag, place in places)})"

    def check(self, place: int, tag: int) -> None:
        """Have a value judged that matches its pattern, but may be wrong, unless making a record judges it."""
        check = self.validator.check(tag)
        if check is None or check.values or not check.kind.is_loose or place in self.checked:
            return
        self.used.add(place)
        self.checks.append(f"{self.name(check.kind.convert)}(t{place})")

    def name(self, what: Any) -> str:
        """How the expression calls `what`."""
        for name, known in self.names.items():
            if known is what:
                return name
        name = f"n{len(self.names)}"
        self.names[name] = what
        return name

    def compile(self, source: str) -> Callable[..., Parsed]:
        """The function."""
        texts = ", ".join(f"t{place}" for place in sorted(self.used))
        both = f"({source})" if not self.checks else f"({source}, {', '.join(self.checks)})[:2]"
        conversion: Callable[..., Parsed] = eval(f"lambda {texts}: {both}", self.names)  # noqa: S307  # it is ours
        return conversion


def _strictly(kind: ValueType) -> Callable[[str], Any]:
    return lambda text: kind.read(text.encode(ENCODING))


def compile_writer(kind: type[Record]) -> Callable[[Any], bytes | None]:
    """A function from a record to its fields on the wire, ascending; None if one of its own texts holds SOH.

    None and empty texts are left out. It raises UnicodeEncodeError for text that is not in Latin-1, and what a value
    raises that is not of its field's type.
    """
    entries = sorted(entries_of(kind), key=_rank)
    names: dict[str, Any] = {}
    texts = "".join(f"{{m.{entry.attribute}}}" for entry in entries if entry.field.kind.is_text)
    fields = _joined(_written(entry, names) for entry in entries)
    source = f'lambda m: None if "\x01" in f"{texts}" else {fields}.encode("{ENCODING}")'
    writer: Callable[[Any], bytes | None] = eval(source, names)  # noqa: S307  # the source is ours
    return writer


def _rank(entry: Entry) -> int:
    return entry.field.length_tag or entry.field.tag


def _compile_entry_writer(kind: type[Record]) -> Callable[[Any], str]:
    """The same for an entry of a group, in the order of its attributes; it raises Unsendable for SOH in its texts."""
    names: dict[str, Any] = {"whole": _whole}
    fields = _joined(_written(entry, names, in_group=True) for entry in entries_of(kind))
    writer: Callable[[Any], str] = eval(f"lambda m: {fields}", names)  # noqa: S307  # the source is ours
    return writer


def _joined(expressions: Iterable[str]) -> str:
    """One text of many; fields that are always there are one literal with their neighbours."""
    parts: list[str] = []
    for expression in expressions:
        if parts and expression.startswith('f"') and parts[-1].startswith('f"'):
            parts[-1] = f"{parts[-1][:-1]}{expression[2:]}"
        else:
            parts.append(expression)
    return f'"".join(({", ".join([*parts, ""])}))' if parts else '""'


def _whole(text: str) -> str:
    if "\x01" in text:
        raise Unsendable("a text holds SOH, which ends a field")
    return text


def _written(entry: Entry, names: dict[str, Any], *, in_group: bool = False) -> str:
    """An expression for one field of the message `m`. It may use `names`, to which it adds what it needs."""
    field, value = entry.field, f"m.{entry.attribute}"
    tag, kind = field.tag, field.kind
    if field.entry is not None:
        names[f"g{tag}"] = _compile_entry_writer(field.entry)
        entries = f'f"{tag}={{len({value})}}\x01" + "".join(map(g{tag}, {value}))'
        return f"({entries})" if entry.required else f'({entries} if {value} else "")'
    if field.length_tag:
        names[f"w{tag}"] = kind.write
        return f'(f"{field.length_tag}={{len({value})}}\x01{tag}={{w{tag}({value})}}\x01" if {value} else "")'
    if kind is FLOAT:
        names["f"] = FLOAT.write
        value = f"(t if 'E' not in (t := str({value})) else f({value}))"
    elif not kind.is_text and kind is not INT:
        names[f"w{tag}"] = kind.write
        value = f"w{tag}({value})"
    written = f"whole({value})" if in_group and kind.is_text else value
    expression = f'f"{tag}={{{written}}}\x01"'
    if kind.is_text:
        return f'({expression} if m.{entry.attribute} else "")'
    return expression if entry.required else f'({expression} if m.{entry.attribute} is not None else "")'
