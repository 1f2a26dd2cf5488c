"""A message for people: names of fields, meanings of values, groups indented."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from core.fix.codec import WireMessage
from core.fix.dictionary import Dictionary
from core.fix.field_map import FieldMap
from core.fix.tags import MSG_SEQ_NUM, SENDER_COMP_ID, SENDING_TIME, TARGET_COMP_ID
from core.fix.validation import Validation, Validator
from core.fix.values import ENCODING

_NAME_COLUMNS = 30


class ReadableField(msgspec.Struct, frozen=True):
    """A field with its name and what its value means; `depth` is how many groups it is inside of."""

    depth: int
    tag: int
    name: str
    value: str
    meaning: str

    def __str__(self) -> str:
        meaning = f"  {self.meaning}" if self.meaning else ""
        return (
            f"{'    ' * (self.depth + 1)}{f'{self.name}({self.tag})':{_NAME_COLUMNS}} {_printable(self.value)}{meaning}"
        )


class ReadableMessage(msgspec.Struct, frozen=True):
    """A message with its name, who sends it to whom, and all its fields in wire order, group by group."""

    msg_type: str
    name: str
    number: str
    sender: str
    target: str
    sending_time: str
    fields: tuple[ReadableField, ...]

    def __str__(self) -> str:
        head = f"{self.sending_time} {self.sender}->{self.target} #{self.number} {self.name}({self.msg_type})"
        return "\n".join([_printable(head), *map(str, self.fields)])


class Reader:
    """Makes messages readable by a dictionary. What the dictionary does not know keeps its number for a name."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary
        self._validator = Validator(dictionary, Validation())

    def readable(self, message: WireMessage) -> ReadableMessage:
        """Any message, right or wrong."""
        fields = [(tag, value.decode(ENCODING)) for tag, value in message.fields()]
        values = dict(fields)
        sections = self._validator.take_apart(message.msg_type, fields)
        known = self.dictionary.messages.get(message.msg_type)
        parts = (sections.header, sections.body, sections.trailer)
        return ReadableMessage(
            message.msg_type,
            known.name if known is not None else "unknown",
            values.get(MSG_SEQ_NUM, ""),
            values.get(SENDER_COMP_ID, ""),
            values.get(TARGET_COMP_ID, ""),
            values.get(SENDING_TIME, ""),
            tuple(field for level in parts for field in self._fields(level, 0)),
        )

    def _fields(self, level: FieldMap, depth: int) -> Iterator[ReadableField]:
        for tag, value in level.fields:
            field = self.dictionary.fields.get(tag)
            name, meaning = str(tag), ""
            if field is not None:
                name, meaning = field.name, self._meaning(tag, value)
            yield ReadableField(depth, tag, name, value, meaning)
            for entry in level.entries.get(tag, ()):
                yield from self._fields(entry, depth + 1)

    def _meaning(self, tag: int, value: str) -> str:
        """What an enumeration says of `value`, or of each of several."""
        values = self.dictionary.fields[tag].values
        if value in values:
            return values[value]
        return " ".join(values[part] for part in value.split(" ") if part in values)


def _printable(text: str) -> str:
    """`text` in one line, whatever a peer has sent."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
