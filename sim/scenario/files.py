"""Reads one scenario file as plain TOML data. Every way in which that fails is one clear InputError."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import tomllib
from collections.abc import Iterable
from errno import EINVAL
from pathlib import Path
from typing import Any, Final, TypeGuard

from core.errors import InputError
from core.faults import brief

_BYTES_MAX: Final = 1 << 20
_LEVELS_MAX: Final = 16
_KEY: Final = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DEEP_KEY: Final = re.compile(rf"(?:^|[\[{{,=])[ \t]*+(?:{_KEY}[ \t]*+\.[ \t]*+){{{_LEVELS_MAX}}}", re.MULTILINE)
"""Found before it is parsed: that takes time as the square of the dots in a key."""
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class TooDeep(ValueError):
    """A TOML text goes deeper than any scenario."""

    def __init__(self) -> None:
        super().__init__(f"nested too deeply: more than {_LEVELS_MAX} levels")


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file."""
    text = _read_text(path)
    if not text.strip():
        raise InputError(f"{path}: the file is empty", "scenarios/quickstart.toml is an example to start from")
    try:
        return parse_toml(text)
    except TooDeep as error:
        raise InputError(f"{path}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        match = _PLACE.search(str(error))
        place = f"line {match[1]}, column {match[2]}" if match and match[1] else "end of file"
        raise InputError(f"{path}: {place}: {_PLACE.sub('', str(error))}") from None
    except ValueError:
        raise InputError(f"{path}: an integer of thousands of digits") from None


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises ValueError for what is not TOML, or goes deeper than any scenario."""
    if _DEEP_KEY.search(text):
        raise TooDeep
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise TooDeep from None
    level: list[Any] = [data]
    for _ in range(_LEVELS_MAX):
        level = [child for each in level for child in _children(each)]
    if level:
        raise TooDeep
    return data


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def path_of(what: str, value: object) -> Path:
    """`value` as a path. Raises InputError for what is none; `what` says what it should lead to."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not is_text(text) or "\0" in text:
        raise InputError(f"{what}: expected a path, got {brief(repr(value))}")
    return Path(text)


def is_text(value: object) -> TypeGuard[str]:
    """Whether `value` can be written to a file: a command line may hold what is not UTF-8."""
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)


def header_comment(path: Path) -> str:
    """The first line of the comment that a scenario file begins with, or nothing."""
    first = _read_text(path).lstrip().partition("\n")[0]
    return first.lstrip("# ").rstrip() if first.startswith("#") else ""


def absent(path: Path) -> InputError:
    """The error for a file that is not there, with the most similar name that is."""
    folder = path.parent
    if not folder.is_dir():
        return InputError(f'no such file "{path}"', f'there is no folder "{folder}"')
    names = {entry.stem: entry.name for entry in sorted(folder.iterdir()) if entry.suffix == path.suffix}
    near = difflib.get_close_matches(path.stem, names, n=1)
    return InputError(f'no such file "{path}"', f"did you mean `{names[near[0]]}`?" if near else "")


def file_digest(path: Path) -> str:
    """BLAKE2b of a file's bytes, in hex.

    Raises OSError where it cannot be read, also where reading might never end, and ValueError for an impossible name.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(EINVAL, "a pipe or a device, not a file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32)).hexdigest()


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_BYTES_MAX + 1)
    except FileNotFoundError:
        raise absent(path) from None
    except IsADirectoryError:
        raise InputError(f"{path}: a folder, not a scenario file", f"try: romer-sim list {path}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > _BYTES_MAX:
        raise InputError(f"{path}: larger than {_BYTES_MAX} bytes; not a scenario file")
    if b"\0" in data:
        raise InputError(f"{path}: a binary file, not a scenario file")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text at byte {error.start}") from None
