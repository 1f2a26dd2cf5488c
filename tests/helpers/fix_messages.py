"""Messages that a dictionary allows, drawn at random: nested groups, data with any bytes, any order of the body."""

from __future__ import annotations

from typing import Any, TypeVar

from hypothesis import strategies as st

from core.fix.codec import encode, join
from core.fix.dictionary import Block, Dictionary, Member, MessageDefinition
from core.fix.field_types import type_of
from core.fix.timestamps import format_timestamp
from core.fix.values import ENCODING
from core.units import MILLISECOND
from tests.helpers.fix import NOW, wire

Drawn = TypeVar("Drawn")
Fields = list[tuple[int, bytes]]

TEXTS = st.text(st.characters(min_codepoint=2, max_codepoint=255), min_size=1, max_size=12)
_NUMBERS = st.decimals(-(10**12), 10**12, places=4).map(str) | st.integers(0, 10**9).map(str)
_DATES = st.integers(0, 2**32).map(lambda second: format_timestamp(second * 10**9)[:8])
_INSTANTS = st.integers(0, 2**62 // MILLISECOND).map(lambda millis: format_timestamp(millis * MILLISECOND))
VALUES: dict[str, st.SearchStrategy[str]] = {
    "STRING": TEXTS,
    "CHAR": st.characters(min_codepoint=2, max_codepoint=255),
    "INT": st.integers(-(10**12), 10**12).map(str),
    "NUMINGROUP": st.integers(0, 1000).map(str),
    "FLOAT": _NUMBERS,
    "BOOLEAN": st.sampled_from("YN"),
    "UTCTIMESTAMP": _INSTANTS | _INSTANTS.map(lambda text: text[:17]),
    "UTCDATE": _DATES,
    "UTCTIMEONLY": _INSTANTS.map(lambda text: text[9:]),
    "MONTHYEAR": _DATES | _DATES.map(lambda text: text[:6]) | _DATES.map(lambda text: f"{text[:6]}w2"),
    "DAYOFMONTH": st.integers(1, 31).map(str),
    "MULTIPLEVALUESTRING": st.lists(st.text("abc", min_size=1), min_size=1, max_size=3).map(" ".join),
}
"""By the names of value types."""
DATA = st.binary(min_size=1, max_size=12) | st.sampled_from([b"\x01", b"a\x0110=000\x01", b"\x0143=Y\x01122=x"])
"""What a data field may hold: anything, the looks of other fields too."""


@st.composite
def messages(draw: st.DrawFn, dictionary: Dictionary) -> tuple[MessageDefinition, Fields]:
    """A message of the dictionary and the fields of its body."""
    definition = draw(st.sampled_from(list(dictionary.messages.values())))
    return definition, draw(bodies(dictionary, definition.body))


@st.composite
def bodies(draw: st.DrawFn, dictionary: Dictionary, block: Block, *, depth: int = 0) -> Fields:
    """The fields of a block: the required ones and a few others; those of a group's entry in the dictionary's order."""
    optional = [tag for tag in block.members if tag not in block.required]
    chosen = {
        *block.required,
        *draw(st.lists(st.sampled_from(optional), max_size=4 - depth) if optional else st.just([])),
    }
    if depth:
        chosen.add(block.first)
    units = []
    for tag in [tag for tag in block.members if tag in chosen]:
        length = dictionary.data_tags.get(tag)
        if tag in dictionary.data_lengths:
            if dictionary.data_lengths[tag] not in chosen and dictionary.data_lengths[tag] in block.members:
                units.append(draw(_data(tag, dictionary.data_lengths[tag])))
        elif length is not None:
            units.append(draw(_data(length, tag)))
        else:
            units.append(draw(_unit(dictionary, block.members[tag], depth)))
    return [field for unit in (units if depth else draw(st.permutations(units))) for field in unit]


@st.composite
def _unit(draw: st.DrawFn, dictionary: Dictionary, member: Member, depth: int) -> Fields:
    """A field, or a group with its entries."""
    definition = dictionary.fields[member.tag]
    if member.group is not None:
        least = min(map(int, definition.values), default=0)
        entries = draw(st.lists(bodies(dictionary, member.group, depth=depth + 1), min_size=least, max_size=2))
        return [(member.tag, b"%d" % len(entries)), *(field for entry in entries for field in entry)]
    drawn = VALUES[type_of(definition).name] if not definition.values else st.sampled_from(sorted(definition.values))
    return [(member.tag, draw(drawn).encode(ENCODING))]


def _data(length_tag: int, tag: int) -> st.SearchStrategy[Any]:
    return DATA.map(lambda data: [(length_tag, b"%d" % len(data)), (tag, data)])


def whole(dictionary: Dictionary, msg_type: str, body: Fields) -> bytes:
    """The message on the wire."""
    head = wire(f"35={msg_type}|34=7|49=MM1|52={format_timestamp(NOW)}|56=ROMER")
    return encode(head + join(body), dictionary.begin_string.encode())


def block_of(tag: int, block: Block) -> bool:
    """Whether `tag` may stand in a group of `block`, however deep."""
    return any(tag in group.members or block_of(tag, group) for group in block.groups.values())


def is_ambiguous(definition: MessageDefinition, body: Fields) -> bool:
    """Whether a field right after a group would be taken for one of the group's: FIX itself cannot tell."""
    return any(tag in definition.body.members and block_of(tag, definition.body) for tag, _ in body)
