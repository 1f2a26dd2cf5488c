"""Tables of a scenario that mirror the settings of a component: the same keys, with durations as people write them.

A key loses the `_ns` that it has in the settings: `tick_ns` there is `tick = "100ms"` here. What the scenario
decides otherwise (names of components, what is listed elsewhere) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from inspect import get_annotations
from typing import Any, TypeVar, get_type_hints

import msgspec
from msgspec import NODEFAULT

from core.config import Duration, Section
from core.units import Nanos

S = TypeVar("S", bound=msgspec.Struct)


def mirror(settings: type[msgspec.Struct], name: str, *, without: Iterable[str] = ()) -> type[Section]:
    """The table `name` for `settings`, without the fields that are listed."""
    hints = get_type_hints(settings)
    fields: list[Any] = []
    for info in msgspec.structs.fields(settings):
        if info.name not in set(without):
            written = _written(settings, info.name)
            kind, default = _mirrored(hints[info.name], written, _default(info), f"{name}{info.name.title()}")
            fields.append((key_of(info.name), kind, *_given(default)))
    made = msgspec.defstruct(name, fields, bases=(Section,), frozen=True, kw_only=True, module=__name__)
    made.__doc__ = settings.__doc__
    assert issubclass(made, Section)
    return made


def settings_of(section: Section, settings: type[S], **given: Any) -> S:
    """The settings that a mirrored table means, with what it leaves out `given`."""
    values = _values(section, settings)
    return msgspec.convert(values | given, settings, builtin_types=(Decimal,), strict=True)


def key_of(field: str) -> str:
    """What a field of settings is called in a file."""
    return field.replace("_ns_", "_").removesuffix("_ns")


def _values(section: Section, settings: type[msgspec.Struct]) -> dict[str, Any]:
    names = {key_of(info.name): info.name for info in msgspec.structs.fields(settings)}
    plain = msgspec.to_builtins(section, builtin_types=(Decimal,), enc_hook=int)
    return {names[key]: _renamed(value, get_type_hints(settings)[names[key]]) for key, value in plain.items()}


def _renamed(value: Any, kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
        hints = get_type_hints(kind)
        names = {key_of(info.name): info.name for info in msgspec.structs.fields(kind)}
        return {names[key]: _renamed(item, hints[names[key]]) for key, item in value.items()}
    return value


def _mirrored(kind: Any, written: str, default: Any, name: str) -> tuple[Any, Any]:
    """The type and the default of a field in a file."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        section = mirror(kind, name)
        return section, (default if default is NODEFAULT else _as_section(default, section))
    if "Nanos" in written:
        return _spans(kind, written), _as_spans(default)
    return kind, default


def _spans(kind: Any, written: str) -> Any:
    if kind is Nanos:
        return Duration
    return dict[str, tuple[Duration, ...]] if written.startswith("dict") else tuple[Duration, ...]


def _as_spans(default: Any) -> Any:
    if isinstance(default, dict):
        return {str(key): _as_spans(value) for key, value in default.items()}
    if isinstance(default, tuple):
        return tuple(Duration(span) for span in default)
    return default if default is NODEFAULT else Duration(default)


def _as_section(default: msgspec.Struct, section: type[Section]) -> Section:
    keys = {key_of(info.name): getattr(default, info.name) for info in msgspec.structs.fields(type(default))}
    spans = {info.name for info in msgspec.structs.fields(section) if info.type is Duration}
    return section(**{key: Duration(value) if key in spans else value for key, value in keys.items()})


def _given(default: Any) -> tuple[Any, ...]:
    """The default as `defstruct` takes it: none for a required key, and a table copied for each use."""
    if isinstance(default, dict):
        return (msgspec.field(default_factory=partial(dict, default)),)
    return () if default is NODEFAULT else (default,)


def _default(info: msgspec.structs.FieldInfo) -> Any:
    return info.default if info.default_factory is NODEFAULT else info.default_factory()


def _written(settings: type[msgspec.Struct], field: str) -> str:
    """The annotation of a field as its source has it: spans of time are plain ints otherwise."""
    for base in settings.__mro__:
        written = get_annotations(base).get(field)
        if written is not None:
            return str(written)
    raise KeyError(field)
