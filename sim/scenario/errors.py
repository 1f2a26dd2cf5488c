"""Turns what is wrong with a scenario into one line that says where, what was expected, and what was given."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Any, Final, NamedTuple, TypeAlias, Union, get_args, get_origin

import msgspec

from core.errors import InputError
from sim.scenario.custom import decode_custom

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where something is in a scenario: `("solver", 1, "capital", "USDC")`."""

IDS: Final = {"token": "id", "pair": "symbol", "market_maker": "id", "solver": "id"}
"""The arrays of tables, and the key that names an entry of each."""

_LINE_CHARS_MAX: Final = 400
_VALUE_CHARS_MAX: Final = 60
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
    """What is wrong with the value at `path`, and how to mend it."""

    path: KeyPath
    problem: str
    hint: str = ""


def input_error(source: str, data: dict[str, Any], fault: Fault) -> InputError:
    """The error to raise for a fault in `data`, which came from `source`."""
    where = describe(data, fault.path)
    return InputError(one_line(": ".join(filter(None, (source, where, fault.problem)))), one_line(fault.hint))


def describe(data: Any, path: KeyPath) -> str:
    """A path for people: `run.seed`, `solver "s2": capital.USDC`."""
    if len(path) > 2 and path[-1] == "constant" and path[-2] in {"latency", "compute"}:
        path = path[:-1]
    if len(path) > 1 and path[0] in IDS:
        (array, index), rest = path[:2], path[2:]
        entry = data[array][index]
        name = entry.get(IDS[str(array)]) if isinstance(entry, dict) else None
        label = f'{array} "{name}"' if isinstance(name, str) else f"{array}[{index}]"
        return f"{label}: {_dotted(rest)}" if rest else label
    return _dotted(path)


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value in nested tables and lists that is neither, and where it is."""
    if isinstance(value, dict | list | tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path, value


def shown(value: object) -> str:
    """A value as the file has it, cut to a readable length."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _VALUE_CHARS_MAX else f"{text[:_VALUE_CHARS_MAX]}..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest of the known words, or else all of them."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}" if known else ""


def one_line(text: str) -> str:
    """`text` as a terminal can show it in one line: no control characters, no more than a few hundred others."""
    text = "".join(char if char.isprintable() else " " for char in text[: 2 * _LINE_CHARS_MAX])
    text = " ".join(text.split())
    return text if len(text) <= _LINE_CHARS_MAX else f"{text[:_LINE_CHARS_MAX]}..."


def translate(error: msgspec.ValidationError, kind: Any, data: Any, path: KeyPath = ()) -> Fault:
    """What msgspec says about `data` at `path`, which should have been a `kind`, in the words of a scenario file."""
    text, steps, is_key = str(error), "", False
    if match := _WHERE.search(text):
        text, steps, is_key = text[: match.start()], match[2], match[1] is not None
    for name, index in _STEP.findall(steps):
        key = name or (_misfit(data, get_args(_bare(kind))[1]) if index == "..." else int(index))
        data, kind, path = data[key], _child(kind, key), (*path, key)
    if is_key:
        key = next(key for key in data if not _fits(key, get_args(_bare(kind))[0]))
        return Fault(
            path,
            f"{_NAME}, got {shown(key)}",
        )
    return _reworded(text, path, _bare(kind), data)


def _reworded(text: str, path: KeyPath, kind: Any, value: Any) -> Fault:
    if match := re.fullmatch(r"Object contains unknown field `(.*)`", text, re.DOTALL):
        known = [info.encode_name for info in msgspec.structs.fields(kind)]
        what = "key" if path else "section"
        return Fault(path, f"unknown {what} `{match[1]}`", did_you_mean(match[1], known))
    if match := re.fullmatch(r"Object missing required field `(.*)`", text):
        return Fault(path, f"`{match[1]}` is missing" if path else f"section [{match[1]}] is missing")
    if text.startswith("Invalid enum value"):
        choices = " or ".join(str(choice) for choice in get_args(kind))
        return Fault(path, f"expected {choices}, got {shown(value)}")
    return Fault(path, _expectation(text, value))


def _expectation(text: str, value: Any) -> str:
    if "matching regex" in text:
        return f"{_NAME}, got {shown(value)}"
    if text == "Invalid decimal string":
        return f"expected {_WORDS['decimal']}, got {shown(value)}"
    if match := _EXPECTED.match(text):
        kinds = (_WORDS.get(kind, kind) for kind in match[1].split(" | ") if kind != "null")
        return f"expected {' or '.join(kinds)}{match[2]}, got {shown(value)}"
    return text


def _dotted(path: KeyPath) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def _bare(kind: Any) -> Any:
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        return _bare(next(option for option in get_args(kind) if option is not type(None)))
    return kind


def _child(kind: Any, key: str | int) -> Any:
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {info.encode_name: info.type for info in msgspec.structs.fields(kind)}[str(key)]
    arguments = get_args(kind)
    return arguments[1] if get_origin(kind) is dict else arguments[0]


def _misfit(table: dict[str, Any], kind: Any) -> str:
    return next(key for key, value in table.items() if not _fits(value, kind))


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind, dec_hook=decode_custom)
    except msgspec.ValidationError:
        return False
    return True
