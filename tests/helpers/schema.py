"""A scenario's schema as reference tables have it: which tables there are, and each key's type and default in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from core.config import Clock, Duration
from sim.scenario.custom import Instant, encode_custom


class Key(NamedTuple):
    """What a key may be, and what it is when left out (empty: it may not be)."""

    kind: str
    default: str


def keys(table: type[msgspec.Struct]) -> dict[str, Key]:
    """The keys of a table."""
    return {field.encode_name: Key(_kind(field.type), _default(field)) for field in _fields(table)}


def tables(table: type[msgspec.Struct], path: str = "") -> Iterator[tuple[type[msgspec.Struct], str]]:
    """Every table below `table`, with its path; one that is used in several places comes as often."""
    for field in _fields(table):
        below = f"{path}.{field.encode_name}".removeprefix(".")
        kind = _bare(field.type)
        if isinstance(kind, inspect.VarTupleType):
            kind = kind.item_type
        if isinstance(kind, inspect.StructType):
            yield kind.cls, below
            yield from tables(kind.cls, below)


def _fields(table: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(table)
    assert isinstance(info, inspect.StructType)
    return info.fields


def _bare(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        return next(option for option in kind.types if not isinstance(option, inspect.NoneType))
    return kind


def _kind(kind: inspect.Type) -> str:
    words = "table"
    match _bare(kind):
        case inspect.CustomType(cls=cls):
            words = {Clock: "time of day", Duration: "duration", Instant: "instant"}[cls]
        case inspect.BoolType():
            words = "boolean"
        case inspect.DecimalType():
            words = "amount"
        case inspect.StrType(pattern=pattern):
            words = "name" if pattern else "text"
        case inspect.IntType() as number:
            words = _integer(number)
        case inspect.EnumType() | inspect.LiteralType() as choice:
            words = " or ".join(f"`{value}`" for value in _values(choice))
        case inspect.VarTupleType(item_type=item):
            one = _kind(item)
            words = f"list of lists{one.removeprefix('list')}" if one.startswith("list") else f"list of {one}s"
        case inspect.TupleType(item_types=(first, _)):
            words = f"list of two {_kind(first)}s"
        case inspect.DictType(value_type=inspect.DecimalType()):
            words = "amounts by token"
    return words


def _values(choice: inspect.EnumType | inspect.LiteralType) -> list[Any]:
    return [each.value for each in choice.cls] if isinstance(choice, inspect.EnumType) else list(choice.values)


def _integer(number: inspect.IntType) -> str:
    least = number.ge if number.gt is None else number.gt + 1
    most = number.le if number.lt is None else number.lt - 1
    if least is None:
        return "integer"
    return f"integer ≥ {least}" if most is None else f"integer {least}..{most}"


def _default(field: inspect.Field) -> str:
    if field.required:
        return ""
    value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return "none" if value is None else f"`{json.dumps(_plain(value), default=str)}`"


def _plain(value: Any) -> Any:
    """As a file has it: of a table what differs from its own defaults, of a constant latency the duration."""
    if isinstance(value, msgspec.Struct):
        own = {field.name: field.default for field in _fields(type(value))}
        given = {name: _plain(getattr(value, name)) for name in own if getattr(value, name) != own[name]}
        return given.get("constant", given)
    return msgspec.to_builtins(value, builtin_types=(Decimal,), enc_hook=encode_custom)
