"""Reads data as a type and finds everything that does not fit, where msgspec stops at the first thing.

What does not fit is replaced by nothing to speak of (zero, an empty text, list or table), so that the rest can
be judged all the same. What is found wrong with that then is a fault of the replacement and no news.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, Generic, Literal, TypeGuard, TypeVar, Union, get_args, get_origin

import msgspec

from core.faults import Fault, Hook, KeyPath, bad_name, bare, inexact, missing_key, translate, unknown, unknown_key

T = TypeVar("T")
Struct = msgspec.Struct


class Reading(Generic[T]):
    """`value` is what was read, `faults` what did not fit. Making a struct of `kind` must not raise."""

    def __init__(self, data: Any, kind: type[T], hook: Hook) -> None:
        self.faults: list[Fault] = []
        self._hook = hook
        self._replaced: list[KeyPath] = []
        self.value: T = self._read(data, kind, ())

    def is_news(self, fault: Fault) -> bool:
        """Whether a fault of `value` is about nothing that was replaced."""
        return not any(_meet(path, place) for path in (fault.path, *fault.others) for place in self._replaced)

    def _read(self, data: Any, kind: Any, path: KeyPath) -> Any:
        plain, choices = bare(kind), _choices(kind)
        if isinstance(data, dict):
            if choices:
                return self._read_choice(data, choices, path)
            if _is_struct(plain):
                return self._read_struct(data, plain, path)
            if get_origin(plain) is dict:
                names, items = get_args(plain)
                return {key: self._read(data[key], items, (*path, key)) for key in self._names(data, names, path)}
        if get_origin(plain) is tuple and get_args(plain)[-1] is ... and isinstance(data, list | tuple):
            items = get_args(plain)[0]
            return tuple(self._read(item, items, (*path, index)) for index, item in enumerate(data))
        return self._read_leaf(data, kind, path)

    def _read_leaf(self, data: Any, kind: Any, path: KeyPath) -> Any:
        if isinstance(data, float):
            return self._replace(inexact(path, data, kind, self._hook), kind, path)
        try:
            return msgspec.convert(data, kind, dec_hook=self._hook)
        except msgspec.ValidationError as error:
            return self._replace(translate(error, kind, data, path, self._hook), kind, path)

    def _read_struct(self, data: Mapping[str, Any], kind: type[Struct], path: KeyPath) -> Struct:
        infos = {info.encode_name: info for info in msgspec.structs.fields(kind)}
        allowed = {*infos, kind.__struct_config__.tag_field}
        self.faults += [unknown_key(path, key, kind) for key in data if key not in allowed]
        values = {}
        for key, info in infos.items():
            if key in data:
                values[info.name] = self._read(data[key], info.type, (*path, key))
            elif info.required:
                values[info.name] = self._replace(missing_key(path, key), info.type, (*path, key))
        return kind(**values)

    def _read_choice(self, data: Mapping[str, Any], kinds: Mapping[str, type[Struct]], path: KeyPath) -> Any:
        """One of several structs, each with its own word at the same key."""
        first = next(iter(kinds.values()))
        key = first.__struct_config__.tag_field or ""
        if key not in data:
            return self._replace(missing_key(path, key), first, path)
        if data[key] not in list(kinds):
            return self._replace(unknown((*path, key), key, str(data[key]), kinds), first, path)
        return self._read_struct(data, kinds[data[key]], path)

    def _names(self, data: Mapping[str, Any], kind: Any, path: KeyPath) -> Iterator[str]:
        for key in data:
            try:
                yield msgspec.convert(key, kind)
            except msgspec.ValidationError:
                self.faults.append(bad_name(path, key))

    def _replace(self, fault: Fault, kind: Any, path: KeyPath) -> Any:
        self.faults.append(fault)
        self._replaced.append(path)
        return _nothing(kind)


def _nothing(kind: Any) -> Any:
    plain = bare(kind)
    if _is_struct(plain):
        return plain(**{info.name: _nothing(info.type) for info in msgspec.structs.fields(plain) if info.required})
    if get_origin(plain) is Literal:
        return get_args(plain)[0]
    return (get_origin(plain) or plain)()


def _choices(kind: Any) -> dict[str, type[Struct]]:
    """The structs of a union by their tags, if there are several."""
    structs = [each for each in get_args(kind) if _is_struct(each)] if get_origin(kind) in {Union, UnionType} else []
    return {str(each.__struct_config__.tag): each for each in structs} if len(structs) > 1 else {}


def _is_struct(kind: Any) -> TypeGuard[type[Struct]]:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _meet(one: KeyPath, other: KeyPath) -> bool:
    """Whether one of two places is in the other."""
    return all(left == right for left, right in zip(one, other, strict=False))
