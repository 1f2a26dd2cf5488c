"""A FIX dictionary: which fields there are, of which types and values, and which messages are made of them.

Plain data. `Source` is a dictionary as it is written down, with components; `build` turns it into a
`Dictionary`, in which every message, header, trailer and group is one `Block` with components taken apart.
XML comes in by `core.fix.dictionary_xml`, the shipped dictionaries by `core.fix.shipped`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Final

import msgspec

from core.errors import InputError
from core.fix.tags import DATA_LENGTHS, HEADER_TAGS, TRAILER_TAGS

USER_DEFINED_MIN: Final = 5_000
"""Tags from here on are the users' own."""


class FieldDefinition(msgspec.Struct, frozen=True):
    """A field: its number, name and type in FIX's words, and if it is an enumeration, its values and what they mean."""

    tag: int
    name: str
    type: str
    values: Mapping[str, str] = {}


class Item(msgspec.Struct, frozen=True):
    """One line of a message: a field, a group (the tag of its count, and `items`), or a `component` by name."""

    tag: int
    required: bool
    items: tuple[Item, ...] = ()
    component: str = ""


class MessageSource(msgspec.Struct, frozen=True):
    """A message as it is written down."""

    msg_type: str
    name: str
    is_admin: bool
    items: tuple[Item, ...]


class Source(msgspec.Struct, frozen=True):
    """A dictionary as it is written down."""

    begin_string: str
    fields: tuple[FieldDefinition, ...]
    header: tuple[Item, ...]
    trailer: tuple[Item, ...]
    components: Mapping[str, tuple[Item, ...]]
    messages: tuple[MessageSource, ...]


class Member(msgspec.Struct, frozen=True):
    """A field's place in a block; `group` if it counts the entries of a group."""

    tag: int
    required: bool
    group: Block | None = None


class Block(msgspec.Struct, frozen=True, dict=True):
    """Fields that stand together, in the dictionary's order: a body, a header, a trailer, an entry of a group."""

    members: Mapping[int, Member]

    @cached_property
    def required(self) -> tuple[int, ...]:
        """The tags that must be there, ascending."""
        return tuple(sorted(tag for tag, member in self.members.items() if member.required))

    @cached_property
    def groups(self) -> Mapping[int, Block]:
        """The groups by the tag of their count."""
        return {tag: member.group for tag, member in self.members.items() if member.group is not None}

    @cached_property
    def places(self) -> Mapping[int, int]:
        """Where each tag stands in the dictionary's order."""
        return {tag: place for place, tag in enumerate(self.members)}

    @property
    def first(self) -> int:
        """The field that begins each entry of a group."""
        return next(iter(self.members))


class MessageDefinition(msgspec.Struct, frozen=True):
    """A message: its MsgType(35), its name, and whether it is the session's own."""

    msg_type: str
    name: str
    is_admin: bool
    body: Block


class Dictionary(msgspec.Struct, frozen=True, dict=True, eq=False):
    """Everything that may be said in one version of FIX, by tag and by MsgType. Compared by identity."""

    begin_string: str
    fields: Mapping[int, FieldDefinition]
    header: Block
    trailer: Block
    messages: Mapping[str, MessageDefinition]

    @cached_property
    def tags(self) -> Mapping[str, int]:
        """Tags by the names of their fields."""
        return {field.name: tag for tag, field in self.fields.items()}

    @cached_property
    def message_names(self) -> Mapping[str, MessageDefinition]:
        """Messages by their names."""
        return {message.name: message for message in self.messages.values()}

    @cached_property
    def data_lengths(self) -> Mapping[int, int]:
        """Data fields by the tags of their lengths: FIX's own, and fields named `X` and `XLen` or `XLength`."""
        found = dict(DATA_LENGTHS)
        for tag, field in self.fields.items():
            length = self.tags.get(f"{field.name}Len") or self.tags.get(f"{field.name}Length")
            if field.type in ("DATA", "XMLDATA") and length is not None:
                found.setdefault(length, tag)
        return found if len(found) > len(DATA_LENGTHS) else DATA_LENGTHS

    @cached_property
    def data_tags(self) -> Mapping[int, int]:
        """The tags of their lengths by data fields."""
        return {data: length for length, data in self.data_lengths.items()}

    @cached_property
    def header_tags(self) -> frozenset[int]:
        """What stands before the body, wherever the dictionary is silent as FIX has it."""
        return HEADER_TAGS.union(self.header.members)

    @cached_property
    def trailer_tags(self) -> frozenset[int]:
        """What stands after the body."""
        return TRAILER_TAGS.union(self.trailer.members)

    def tag(self, field: int | str) -> int:
        """The tag of a field given by tag or by name. Raises InputError for a name that is not in the dictionary."""
        if isinstance(field, int):
            return field
        if field not in self.tags:
            raise InputError(f"{self.begin_string} has no field {field!r}", did_you_mean(field, self.tags))
        return self.tags[field]

    def message(self, name: str) -> MessageDefinition:
        """The message with this MsgType or name. Raises InputError if there is none."""
        found = self.messages.get(name) or self.message_names.get(name)
        if found is None:
            raise InputError(f"{self.begin_string} has no message {name!r}", did_you_mean(name, self.message_names))
        return found


def did_you_mean(name: str, known: Mapping[str, object]) -> str:
    """A hint for a misspelt name."""
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def build(source: Source) -> Dictionary:
    """Take components apart. Raises InputError, with the path of what is wrong, for what makes no sense."""
    fields: dict[int, FieldDefinition] = {}
    names: set[str] = set()
    for field in source.fields:
        if field.tag in fields or field.name in names:
            raise InputError(f"fields/{field.name}({field.tag}): defined twice", "keep one of the two")
        fields[field.tag] = field
        names.add(field.name)
    messages: dict[str, MessageDefinition] = {}
    for message in source.messages:
        if message.msg_type in messages:
            raise InputError(f"messages/{message.name}: MsgType {message.msg_type!r} is defined twice")
        body = _block(source, message.items, f"messages/{message.name}")
        messages[message.msg_type] = MessageDefinition(message.msg_type, message.name, message.is_admin, body)
    header, trailer = _block(source, source.header, "header"), _block(source, source.trailer, "trailer")
    return Dictionary(source.begin_string, fields, header, trailer, messages)


def _block(source: Source, items: Sequence[Item], path: str) -> Block:
    members: dict[int, Member] = {}
    for member in _members(source, items, path, ()):
        known = members.get(member.tag)
        if known is None or (member.required and not known.required):
            members[member.tag] = member
    return Block(members)


def _members(source: Source, items: Sequence[Item], path: str, inside: tuple[str, ...]) -> Iterator[Member]:
    """The members that `items` stand for; the fields of a component that is not required are not required either."""
    for item in items:
        if item.component:
            yield from _component(source, item, path, inside)
        elif item.items:
            group = Block({member.tag: member for member in _members(source, item.items, f"{path}/{item.tag}", inside)})
            if not group.members:
                raise InputError(f"{path}/{item.tag}: a group without fields")
            yield Member(item.tag, item.required, group)
        else:
            yield Member(item.tag, item.required)


def _component(source: Source, item: Item, path: str, inside: tuple[str, ...]) -> Iterator[Member]:
    name = item.component
    if name not in source.components:
        raise InputError(f"{path}: there is no component {name!r}", did_you_mean(name, source.components))
    if name in inside:
        raise InputError(f"{path}: component {name!r} contains itself", " > ".join((*inside, name)))
    for member in _members(source, source.components[name], f"{path}/{name}", (*inside, name)):
        yield member if item.required else Member(member.tag, False, member.group)
