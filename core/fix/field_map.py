"""Fields in order with their repeating groups: what a flat message looks like to somebody who has the dictionary.

An entry of a group begins with the group's first field, or where a field would come a second time; the
group ends at the first field that is none of its own. Nothing is lost on the way: `flat` gives back the
fields that came in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.fix.dictionary import Block

FieldText = tuple[int, str]
"""A field: its tag and its value as Latin-1 text, a character a byte."""


class FieldMap:
    """One level of a message: fields in order, and the entries of its groups by the tag of their count."""

    __slots__ = ("entries", "fields")

    def __init__(self, fields: Iterable[FieldText] = (), entries: Mapping[int, list[FieldMap]] | None = None) -> None:
        self.fields = list(fields)
        self.entries: dict[int, list[FieldMap]] = dict(entries or {})

    def __contains__(self, tag: int) -> bool:
        return any(own == tag for own, _ in self.fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldMap) and (self.fields, self.entries) == (other.fields, other.entries)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"FieldMap({self.fields!r}, {self.entries!r})"

    def get(self, tag: int) -> str | None:
        """The value of `tag` on this level, if it is there."""
        for own, value in self.fields:
            if own == tag:
                return value
        return None

    def flat(self) -> Iterator[FieldText]:
        """All fields, each group's after its count."""
        for field in self.fields:
            yield field
            for entry in self.entries.get(field[0], ()):
                yield from entry.flat()


def arrange(fields: Sequence[FieldText], groups: Mapping[int, Block]) -> FieldMap:
    """`fields` of a header or body whose groups are `groups`."""
    level, at = FieldMap(), 0
    while at < len(fields):
        tag = fields[at][0]
        level.fields.append(fields[at])
        at += 1
        if tag in groups and tag not in level.entries:
            level.entries[tag], at = _entries(fields, at, groups[tag])
    return level


def _entries(fields: Sequence[FieldText], at: int, group: Block) -> tuple[list[FieldMap], int]:
    """The entries that begin at `at`, and where they end."""
    found: list[FieldMap] = []
    here: set[int] = set()
    while at < len(fields) and (tag := fields[at][0]) in group.members:
        if tag == group.first or tag in here or not found:
            found.append(FieldMap())
            here = set()
        found[-1].fields.append(fields[at])
        here.add(tag)
        at += 1
        nested = group.groups.get(tag)
        if nested is not None:
            found[-1].entries[tag], at = _entries(fields, at, nested)
    return found, at


def group_counts(level: FieldMap) -> Iterator[tuple[int, int]]:
    """Of a level whose values are places: where the count of each group stands, and what it must be."""
    for tag, entries in level.entries.items():
        yield int(level.get(tag) or 0), len(entries)
        for entry in entries:
            yield from group_counts(entry)


def in_order(level: FieldMap, groups: Mapping[int, Block], lengths: Mapping[int, int]) -> Iterator[FieldText]:
    """The fields of a body or header as they are written: ascending, each group's in the dictionary's order.

    `lengths` are the data fields by the tags of their lengths, which they follow.
    """
    data = {data_tag: length for length, data_tag in lengths.items()}
    for tag, value in sorted(level.fields, key=lambda field: _rank(field[0], data)):
        yield tag, value
        yield from _entries_in_order(level, tag, groups.get(tag))


def _rank(tag: int, data: Mapping[int, int]) -> tuple[int, int]:
    return (data[tag], 1) if tag in data else (tag, 0)


def _entries_in_order(level: FieldMap, tag: int, group: Block | None) -> Iterator[FieldText]:
    for entry in level.entries.get(tag, ()):
        if group is None:
            yield from entry.flat()
            continue
        for field in sorted(entry.fields, key=lambda field: group.places[field[0]]):
            yield field
            yield from _entries_in_order(entry, field[0], group.groups.get(field[0]))
