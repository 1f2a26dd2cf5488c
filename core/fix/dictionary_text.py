"""Dictionaries as compact text, in which Romer ships its own: a word a field, a value, a member.

    4:AdvSide:CHAR B=BUY S=SELL           a field, then its values with their meanings
    D=NewOrderSingle 11! 78( 79 80 )      a message: a required field, and a group of two fields
    0=Heartbeat^ @Instrument! @Instrument= 55! 65
                                          the session's own; a required component; a component's definition

Blanks and the signs above are written as `%` and two hexadecimal digits where they are part of a name or value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from core.errors import DefectError
from core.fix.dictionary import FieldDefinition, Item, MessageSource, Source

_SPECIAL: Final = re.compile(r"[\s%:=!()^@]")
_ESCAPED: Final = re.compile(r"%([0-9A-F]{2})")
_HEADER, _TRAILER = "header", "trailer"


def field_words(source: Source) -> Iterator[str]:
    """The fields of `source` as words."""
    for field in source.fields:
        yield f"{field.tag}:{_escape(field.name)}:{_escape(field.type)}"
        yield from (f"{_escape(value)}={_escape(meaning)}" for value, meaning in field.values.items())


def message_words(source: Source) -> Iterator[str]:
    """Header, trailer, components and messages of `source` as words."""
    for name, items in ((_HEADER, source.header), (_TRAILER, source.trailer), *source.components.items()):
        yield f"@{_escape(name)}="
        yield from _item_words(items)
    for message in source.messages:
        yield f"{_escape(message.msg_type)}={_escape(message.name)}{'^' if message.is_admin else ''}"
        yield from _item_words(message.items)


def read_text(begin_string: str, fields: str, messages: str) -> Source:
    """The source that was written as these words. Raises DefectError for what the writer does not write."""
    blocks: dict[str, tuple[Item, ...]] = {}
    found: list[MessageSource] = []
    words = messages.split()
    at = 0
    while at < len(words):
        title = words[at]
        items, at = _items(words, at + 1)
        before, _, after = title.partition("=")
        if before.startswith("@"):
            blocks[_unescape(before[1:])] = items
        else:
            name = _unescape(after.removesuffix("^"))
            found.append(MessageSource(_unescape(before), name, after.endswith("^"), items))
    header, trailer = blocks.pop(_HEADER), blocks.pop(_TRAILER)
    return Source(begin_string, tuple(_fields(fields)), header, trailer, blocks, tuple(found))


def _fields(text: str) -> Iterator[FieldDefinition]:
    tag, name, kind = "", "", ""
    values: dict[str, str] = {}
    for word in text.split():
        if ":" in word:
            if tag:
                yield FieldDefinition(int(tag), name, kind, values)
            tag, name, kind = (_unescape(part) for part in word.split(":"))
            values = {}
        else:
            value, _, meaning = word.partition("=")
            values[_unescape(value)] = _unescape(meaning)
    if tag:
        yield FieldDefinition(int(tag), name, kind, values)


def _item_words(items: tuple[Item, ...]) -> Iterator[str]:
    for item in items:
        word = (f"@{_escape(item.component)}" if item.component else str(item.tag)) + ("!" if item.required else "")
        if item.items:
            yield word + "("
            yield from _item_words(item.items)
            yield ")"
        else:
            yield word


def _items(words: list[str], at: int) -> tuple[tuple[Item, ...], int]:
    """The items from the word `at` up to the next title or closing bracket, and where that is."""
    items = []
    while at < len(words) and "=" not in words[at] and words[at] != ")":
        word = words[at]
        inner: tuple[Item, ...] = ()
        at += 1
        if word.endswith("("):
            word = word[:-1]
            inner, at = _items(words, at)
            if words[at : at + 1] != [")"]:
                raise DefectError(f"a group that does not end: {word}")
            at += 1
        required, name = word.endswith("!"), word.removesuffix("!")
        if name.startswith("@"):
            items.append(Item(0, required, component=_unescape(name[1:])))
        else:
            items.append(Item(int(name), required, inner))
    return tuple(items), at


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"%{ord(match[0]):02X}", text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "%" in text else text
