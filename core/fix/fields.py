"""How the attributes of a typed message say which fields they are: annotations, and how to read them back.

`core.fix.messages`, and whatever else `romer-live fix codegen` writes, annotates attributes with `Field`s.
"""

from __future__ import annotations

from functools import lru_cache
from typing import get_args, get_type_hints

import msgspec

from core.fix.values import ValueType
from core.kernel.record import Record


class Field(msgspec.Struct, frozen=True):
    """A tag, and how its value is read and written.

    `entry` is the record of a group's entries, if the field counts a group. `length_tag` is the length of a data
    field; it has no attribute of its own.
    """

    tag: int
    kind: ValueType
    entry: type[Record] | None = None
    length_tag: int = 0


class Entry(msgspec.Struct, frozen=True):
    """One attribute of a record: its name, its field, and whether a message must have it."""

    attribute: str
    field: Field
    required: bool


@lru_cache(maxsize=1024)
def entries_of(record: type[Record]) -> tuple[Entry, ...]:
    """The fields of `record`, in the order of its attributes."""
    hints = get_type_hints(record, include_extras=True)
    return tuple(
        Entry(info.encode_name, _field_of(hints[info.name]), info.required) for info in msgspec.structs.fields(record)
    )


def _field_of(hint: object) -> Field:
    """The `Field` in `Annotated[...]` or `Annotated[...] | None`."""
    found = _search(hint)
    if found is None:
        raise TypeError(f"{hint} names no field")
    return found


def _search(hint: object) -> Field | None:
    for part in get_args(hint):
        found = part if isinstance(part, Field) else _search(part)
        if found is not None:
            return found
    return None
