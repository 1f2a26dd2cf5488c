"""Any message, as the fields that it is made of: for applications that have no typed record for it.

The record holds texts in wire order, so that nothing is lost between receiving and sending. A `View` has the
dictionary's eyes: fields by name, values by type, groups within groups.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from core.errors import InputError
from core.fix.dictionary import Block, Dictionary
from core.fix.field_map import FieldMap, FieldText, arrange
from core.fix.field_types import type_of
from core.fix.message import FixMessage
from core.fix.values import ENCODING

SESSION_TAGS: Final = frozenset([8, 9, 10, 34, 35, 43, 49, 52, 56, 122])
"""Header and trailer fields that the session writes by itself."""


class GenericMessage(FixMessage, frozen=True):
    """A message of type `kind`. `header` are header fields of the application's concern, such as PossResend.

    Values are Latin-1 text, a character a byte. Sent, the header and the body are put in FIX's order: ascending by tag,
    each group in the dictionary's order after its count.
    """

    kind: str
    fields: tuple[FieldText, ...] = ()
    header: tuple[FieldText, ...] = ()

    @property
    def msg_type(self) -> str:
        """MsgType(35)."""
        return self.kind

    def get(self, tag: int) -> str | None:
        """The first value of `tag`, wherever in the body it stands."""
        for own, value in self.fields:
            if own == tag:
                return value
        return None


class View:
    """A level of a message by names or tags: its body, or an entry of one of its groups. Changes go into `level`."""

    __slots__ = ("block", "dictionary", "level")

    def __init__(self, dictionary: Dictionary, block: Block, level: FieldMap | None = None) -> None:
        self.dictionary, self.block = dictionary, block
        self.level = FieldMap() if level is None else level

    def __contains__(self, field: int | str) -> bool:
        return self.dictionary.tag(field) in self.level

    def text(self, field: int | str) -> str | None:
        """The value as it is on the wire; None without it."""
        return self.level.get(self.dictionary.tag(field))

    def value(self, field: int | str) -> Any:
        """The value as its type has it: Decimal, int, bool, nanoseconds, bytes or str.

        None without it, and for an empty field, where these are allowed, that cannot be empty by its type. Raises
        InputError for one that is not of its type.
        """
        tag = self.dictionary.tag(field)
        text = self.level.get(tag)
        definition = self.dictionary.fields.get(tag)
        if text is None or definition is None:
            return text
        try:
            return type_of(definition).read(text.encode(ENCODING))
        except ValueError as error:
            if not text:
                return None
            raise InputError(f"{definition.name}({tag}): {error}", f"it must be a {definition.type}") from None

    def set(self, field: int | str, value: Any) -> View:
        """Give the field a value: text as it is, anything else as its type is written. Returns the view itself."""
        tag = self.dictionary.tag(field)
        definition = self.dictionary.fields.get(tag)
        is_text = isinstance(value, str) or definition is None
        text = str(value) if is_text or definition is None else type_of(definition).write(value)
        fields = self.level.fields
        for at, (own, _) in enumerate(fields):
            if own == tag:
                fields[at] = (tag, text)
                return self
        fields.append((tag, text))
        return self

    def entries(self, group: int | str) -> list[View]:
        """The entries of a group, given by its count."""
        tag, block = self._group(group)
        return [View(self.dictionary, block, entry) for entry in self.level.entries.get(tag, ())]

    def add(self, group: int | str) -> View:
        """A new entry of a group, after those it has; the count follows."""
        tag, block = self._group(group)
        entry = FieldMap()
        entries = self.level.entries.setdefault(tag, [])
        entries.append(entry)
        self.set(tag, str(len(entries)))
        return View(self.dictionary, block, entry)

    def _group(self, group: int | str) -> tuple[int, Block]:
        tag = self.dictionary.tag(group)
        if tag not in self.block.groups:
            raise InputError(f"{group!r} counts no group here", "give the field that counts its entries")
        return tag, self.block.groups[tag]


def view(dictionary: Dictionary, message: GenericMessage) -> View:
    """The body of `message`. Raises InputError if the dictionary does not know its type."""
    block = dictionary.message(message.kind).body
    return View(dictionary, block, arrange(message.fields, block.groups))


def new_message(dictionary: Dictionary, name: str) -> View:
    """The body of a new message, given by MsgType or name. Raises InputError if the dictionary does not know it."""
    return View(dictionary, dictionary.message(name).body)


def to_message(kind: str, body: View, header: Iterable[FieldText] = ()) -> GenericMessage:
    """The message of type `kind` with this body."""
    return GenericMessage(kind, tuple(body.level.flat()), tuple(header))
