"""Writes the Python that reads and writes a message type: one expression instead of a loop over its fields.

What is compiled comes from the field annotations of our own records, never from a peer: the tags of a
peer's message only choose among them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from core.fix.fields import Entry, Field, entries_of
from core.fix.messages import Header
from core.fix.records import FixMessage
from core.fix.tags import BEGIN_STRING, BEGIN_STRING_TAG, BODY_LENGTH, CHECK_SUM, MSG_TYPE
from core.fix.values import ENCODING, INT, STRING

_ANY: Final = STRING.pattern
_HEADER: Final = entries_of(Header)

Parsed = tuple[Header, FixMessage]


class Shape:
    """Messages of type `kind` with just these `tags`, in this order; none of them repeated, none of them data.

    One regular expression takes a message apart and judges the format and the enumeration of every value.
    """

    __slots__ = ("_convert", "_match")

    def __init__(self, kind: type[FixMessage], tags: Sequence[int]) -> None:
        body = entries_of(kind)
        fields = {entry.field.tag: entry.field for entry in _HEADER + body}
        envelope = {
            BEGIN_STRING_TAG: re.escape(BEGIN_STRING),
            BODY_LENGTH: "[0-9]+",
            MSG_TYPE: re.escape(kind.MSG_TYPE),
            CHECK_SUM: "[0-9]{3}",
        }
        patterns = [
            f"{tag}=({_pattern(fields[tag])})\x01" if tag in fields else f"{tag}={envelope.get(tag, _ANY)}\x01"
            for tag in tags
        ]
        self._match = re.compile("".join(patterns)).fullmatch
        self._convert = _compile_conversion(kind, body, [tag for tag in tags if tag in fields])

    def read(self, text: str) -> Parsed | None:
        """Header and body of the message `text`; None if it is of another shape or may have a fault."""
        match = self._match(text)
        if match is None:
            return None
        try:
            return self._convert(*match.groups())
        except ValueError:
            return None


def _pattern(field: Field) -> str:
    if field.values is None:
        return field.kind.pattern
    return "|".join(re.escape(str(member.value)) for member in field.values)


def _compile_conversion(kind: type[FixMessage], body: list[Entry], tags: list[int]) -> Callable[..., Parsed]:
    """A function from the texts of `tags` to the records."""
    names: dict[str, Any] = {"Header": Header, "Body": kind}

    def arguments(entries: list[Entry]) -> str:
        return ", ".join(f"{entry.attribute}={value(entry.field)}" for entry in entries if entry.field.tag in tags)

    def value(field: Field) -> str:
        if field.kind is STRING:
            return f"t{field.tag}"
        names[f"c{field.tag}"] = field.kind.convert
        return f"c{field.tag}(t{field.tag})"

    texts = ", ".join(f"t{tag}" for tag in tags)
    source = f"lambda {texts}: (Header({arguments(_HEADER)}), Body({arguments(body)}))"
    conversion: Callable[..., Parsed] = eval(source, names)  # noqa: S307  # the source is ours
    return conversion


def compile_writer(entries: list[Entry]) -> Callable[[Any], bytes | None]:
    """A function from a record to its fields on the wire, in the order of `entries`; None if a text holds SOH.

    None and empty texts are left out; characters beyond Latin-1 become question marks.
    """
    names: dict[str, Any] = {}
    texts = "".join(f"{{m.{entry.attribute}}}" for entry in entries if entry.field.kind is STRING)
    fields = " + ".join(_written(entry, names) for entry in entries)
    source = f'lambda m: None if "\x01" in f"{texts}" else ({fields}).encode("{ENCODING}", "replace")'
    writer: Callable[[Any], bytes | None] = eval(source, names)  # noqa: S307  # the source is ours
    return writer


def _written(entry: Entry, names: dict[str, Any]) -> str:
    """An expression for one field of the message `m`. It may use `names`, to which it adds its writer."""
    tag, kind, value = entry.field.tag, entry.field.kind, f"m.{entry.attribute}"
    if kind not in (STRING, INT):
        names[f"w{tag}"] = kind.write
    text = f"w{tag}({value})" if f"w{tag}" in names else value
    field = f'f"{tag}={{{text}}}\x01"'
    if kind is STRING:
        return f'({field} if {value} else "")'
    return field if entry.required else f'({field} if {value} is not None else "")'
