"""FIX's value types: how each is read from bytes, strictly, and written as text.

A reader raises ValueError for what is not of its type. Text is Latin-1, one character a byte, so that
every value a peer sends goes back as the same bytes; text with characters beyond is not sent at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from core.fix.timestamps import format_timestamp, parse_timestamp
from core.units import Nanos

ENCODING: Final = "latin-1"
DIGITS_MAX: Final = 28
"""Significant digits of a number, as many as money has."""
_FLOAT: Final = re.compile(rb"-?(\d+\.?\d*|\.\d+)")
_FLOAT_CHARS_MAX: Final = 64
_INT_DIGITS_MAX: Final = 18


class ValueType(msgspec.Struct, frozen=True):
    """One type of values: its name in FIX's dictionaries, its reader and its writer.

    `pattern` matches text that `convert` turns into the same value as `read` does from its bytes, or refuses with
    ValueError. It need not match all that `read` takes, only what is common.
    """

    name: str
    read: Callable[[bytes], Any]
    write: Callable[[Any], str]
    pattern: str
    convert: Callable[[str], Any]
    is_text: bool = False
    """Values are str, and a writer has to see to it that they hold no SOH."""
    is_loose: bool = False
    """`convert` may refuse what `pattern` matches."""


def _read_text(value: bytes) -> str:
    return value.decode(ENCODING)


def read_int(value: bytes) -> int:
    """Digits with an optional minus; no plus, no blanks, at most 18 digits, so that it fits 64 bits."""
    digits = value[1:] if value.startswith(b"-") else value
    if len(digits) > _INT_DIGITS_MAX or not digits.isdigit():
        raise ValueError(f"no int: {value!r}")
    return int(value)


def _read_float(value: bytes) -> Decimal:
    if len(value) > DIGITS_MAX:
        _check_long_float(value)
    if not value.replace(b".", b"", 1).isdigit() and not _FLOAT.fullmatch(value):
        raise ValueError(f"no float: {value!r}")
    return Decimal(value.decode("ascii"))


def _check_long_float(value: bytes) -> None:
    significant = value.replace(b".", b"").lstrip(b"-0")
    if len(value) > _FLOAT_CHARS_MAX or len(significant) > DIGITS_MAX:
        raise ValueError(f"more than {DIGITS_MAX} digits")


def _write_float(value: Decimal) -> str:
    text = str(value)
    return format(value, "f") if "E" in text else text


_BOOLEANS: Final = {b"Y": True, b"N": False}


def read_boolean(value: bytes) -> bool:
    """`Y` or `N`."""
    if value not in _BOOLEANS:
        raise ValueError(f"no boolean: {value!r}")
    return _BOOLEANS[value]


def _write_boolean(value: bool) -> str:
    return "Y" if value else "N"


def _read_timestamp(value: bytes) -> Nanos:
    return parse_timestamp(value.decode(ENCODING))


STRING: Final = ValueType("STRING", _read_text, str, r"[^\x01]+", str, is_text=True)
INT: Final = ValueType("INT", read_int, str, r"-?[0-9]{1,18}", int)
FLOAT: Final = ValueType("FLOAT", _read_float, _write_float, r"-?[0-9]{1,14}(?:\.[0-9]{0,14})?", Decimal)
BOOLEAN: Final = ValueType("BOOLEAN", read_boolean, _write_boolean, r"[YN]", "Y".__eq__)
UTC_TIMESTAMP: Final = ValueType(
    "UTCTIMESTAMP",
    _read_timestamp,
    format_timestamp,
    r"[0-9]{8}-[0-9:]{8}(?:\.[0-9]+)?",
    parse_timestamp,
    is_loose=True,
)
