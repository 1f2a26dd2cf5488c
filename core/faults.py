"""What is wrong with data that people wrote: where, what was expected and what was given, in one line each."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable
from enum import EnumType
from math import isfinite
from types import UnionType
from typing import Annotated, Any, Final, NamedTuple, TypeAlias, Union, get_args, get_origin

import msgspec

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where something is in nested tables and lists: `("solver", 1, "capital", "USDC")`."""
Hook: TypeAlias = Callable[[type, Any], Any]
"""A `dec_hook` of msgspec."""

_LINE_CHARS_MAX: Final = 400
_BRIEF_CHARS_MAX: Final = 80
_SHOWN_BITS_MAX: Final = 256
"""Python refuses to write an integer of thousands of digits."""
_WHERE: Final = re.compile(r" - at (`key` in )?`\$([^`]*)`$")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_EXPECTED: Final = re.compile(r"Expected `([^`]+)`((?: of length \d+| [<>]=? -?\d+)?)")
_NAME: Final = "expected a name of letters, digits, dots, dashes or underscores, a letter or digit first"
_WORDS: Final = {
    "int": "a whole number",
    "str": "text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "decimal": 'an amount such as "100.25"',
}


class Fault(NamedTuple):
    """What is wrong with the value at `path`, and how to mend it. `others` are further places that it is about."""

    path: KeyPath
    problem: str
    hint: str = ""
    others: tuple[KeyPath, ...] = ()


def unknown(path: KeyPath, what: str, name: str, known: Iterable[str], *others: KeyPath) -> Fault:
    """The fault of a name at `path` that names nothing; `others` say what there is to name."""
    return Fault(path, f'there is no {what} "{brief(name)}"', did_you_mean(name, known), others)


def dotted(path: KeyPath) -> str:
    """A path as people write it: `run.seed`, `pairs[0].lot`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{brief(key)}" for key in path).removeprefix(".")


def brief(text: str) -> str:
    """What somebody wrote, cut to a readable length."""
    return text if len(text) <= _BRIEF_CHARS_MAX else f"{text[:_BRIEF_CHARS_MAX]}..."


def shown(value: object) -> str:
    """A value as the file has it, cut to a readable length."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, int) and value.bit_length() > _SHOWN_BITS_MAX:
        return f"a whole number of {value.bit_length()} bits"
    return brief(json.dumps(value, ensure_ascii=False, default=str))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest of the known words, or else all of them."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}" if known else ""


def one_line(text: str, chars_max: int = _LINE_CHARS_MAX) -> str:
    """`text` as a terminal can show it in one line: no control characters, and no more than so many others."""
    text = "".join(char if char.isprintable() else " " for char in text[: 2 * chars_max])
    text = " ".join(text.split())
    return text if len(text) <= chars_max else f"{text[:chars_max]}..."


def translate(error: msgspec.ValidationError, kind: Any, data: Any, path: KeyPath, hook: Hook) -> Fault:
    """What msgspec says about `data` at `path`, which should have been a `kind`, in the words of those who wrote it."""
    text, steps, is_key = str(error), "", False
    if match := _WHERE.search(text):
        text, steps, is_key = text[: match.start()], match[2], match[1] is not None
    for name, index in _STEP.findall(steps):
        key = name or (_misfit(data, get_args(bare(kind))[1], hook) if index == "..." else int(index))
        data, kind, path = data[key], _child(kind, key), (*path, key)
    if is_key:
        key = next(key for key in data if not _fits(key, get_args(bare(kind))[0], hook))
        return bad_name(path, key)
    return _reworded(text, path, bare(kind), data)


def inexact(path: KeyPath, value: float, kind: Any, hook: Hook) -> Fault:
    """The fault of a float, which never stands for money or time, where a `kind` should be. The hint names nothing
    that would be refused as well.
    """
    problem, hint = f"{value} is a float, which is not exact", ""
    if isfinite(value):
        try:
            msgspec.convert(str(value), kind, dec_hook=hook)
            hint = "" if bare(kind) is Any else f'write it as a string: "{value}"'
        except msgspec.ValidationError as error:
            hint = translate(error, kind, str(value), path, hook).problem.rpartition(", got ")[0]
        if not hint.startswith("write") and value.is_integer() and _fits(int(value), kind, hook):
            hint = f"write it as a whole number: {int(value)}"
    return Fault(path, problem, hint)


def kind_at(kind: Any, path: KeyPath) -> Any:
    """The type of what is at `path` in a `kind`; Any where there should be nothing."""
    try:
        for key in path:
            kind = _child(kind, key)
    except (KeyError, IndexError):
        return Any
    return kind


def bad_name(path: KeyPath, name: object) -> Fault:
    """The fault of what cannot be a name."""
    return Fault(path, f"{_NAME}, got {shown(name)}")


def unknown_key(path: KeyPath, key: str, kind: type[msgspec.Struct]) -> Fault:
    """The fault of a key that the table at `path`, a `kind`, does not have."""
    known = [info.encode_name for info in msgspec.structs.fields(kind)]
    return Fault(path, f"unknown {'key' if path else 'section'} `{brief(key)}`", did_you_mean(key, known))


def missing_key(path: KeyPath, key: str) -> Fault:
    """The fault of a table at `path` that lacks a key."""
    return Fault(path, f"`{key}` is missing" if path else f"section [{key}] is missing")


def bare(kind: Any) -> Any:
    """A type without its annotations; of a union, the first that is not None."""
    if get_origin(kind) is Annotated:
        return bare(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        return bare(next(option for option in get_args(kind) if option is not type(None)))
    return kind


def _reworded(text: str, path: KeyPath, kind: Any, value: Any) -> Fault:
    if match := re.fullmatch(r"Object contains unknown field `(.*)`", text, re.DOTALL):
        return unknown_key(path, match[1], kind)
    if match := re.fullmatch(r"Object missing required field `(.*)`", text):
        return missing_key(path, match[1])
    if "matching regex" in text:
        return bad_name(path, value)
    if text.startswith("Invalid enum value"):
        members = kind.__members__.values() if isinstance(kind, EnumType) else get_args(kind)
        choices = " or ".join(str(choice) for choice in members)
        return Fault(path, f"expected {choices}, got {shown(value)}")
    if text.startswith("Expected `array") and get_origin(kind) is tuple and ... not in get_args(kind):
        items = get_args(kind)
        return Fault(path, f"expected a list of {len(items)} {items[0].__name__.lower()}s, got {shown(value)}")
    return Fault(path, _expectation(text, value))


def _expectation(text: str, value: Any) -> str:
    if text == "Invalid decimal string":
        return f"expected {_WORDS['decimal']}, got {shown(value)}"
    if match := _EXPECTED.match(text):
        kinds = (_WORDS.get(kind, kind) for kind in match[1].split(" | ") if kind != "null")
        return f"expected {' or '.join(kinds)}{match[2]}, got {shown(value)}"
    return text


def _child(kind: Any, key: str | int) -> Any:
    kind = bare(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {info.encode_name: info.type for info in msgspec.structs.fields(kind)}[str(key)]
    arguments = get_args(kind)
    return arguments[1] if get_origin(kind) is dict else arguments[0]


def _misfit(table: dict[str, Any], kind: Any, hook: Hook) -> str:
    return next(key for key, value in table.items() if not _fits(value, kind, hook))


def _fits(value: Any, kind: Any, hook: Hook) -> bool:
    try:
        msgspec.convert(value, kind, dec_hook=hook)
    except msgspec.ValidationError:
        return False
    return True
