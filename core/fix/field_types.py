"""The types of FIX dictionaries, each with its reader: what a value of a field must look like.

Beyond the types that typed messages have (`core.fix.values`) these are single characters, counts, days,
times of day, months and lists of values. Types that no engine checks are texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from core.fix.dictionary import FieldDefinition
from core.fix.timestamps import parse_timestamp
from core.fix.values import BOOLEAN, ENCODING, FLOAT, INT, STRING, UTC_TIMESTAMP, ValueType, read_int

_MIDNIGHT: Final = "-00:00:00"
_SOME_DAY: Final = "20000101-"
_DATE_CHARS: Final = 8
_DAY_OF_MONTH_MAX: Final = 31
_TEXT: Final = r"[^\x01]+"


def _checked(check: Callable[[str], object]) -> tuple[Callable[[bytes], str], Callable[[str], str]]:
    """Readers, from bytes and from text, of a value that stays text once `check` has not raised ValueError."""

    def convert(value: str) -> str:
        check(value)
        return value

    return (lambda value: convert(value.decode(ENCODING))), convert


def _text_type(name: str, pattern: str, check: Callable[[str], object]) -> ValueType:
    read, convert = _checked(check)
    return ValueType(name, read, str, pattern, convert, is_text=True, is_loose=True)


def _read_char(value: bytes) -> str:
    if len(value) != 1:
        raise ValueError(f"not one character: {value!r}")
    return value.decode(ENCODING)


def _check_date(value: str) -> None:
    if len(value) != _DATE_CHARS:
        raise ValueError(f"no date: {value!r}")
    parse_timestamp(value + _MIDNIGHT)


def _check_time(value: str) -> None:
    parse_timestamp(_SOME_DAY + value)


_MONTH_YEAR: Final = re.compile(r"(\d{6})(\d\d|w[1-5])?", re.ASCII)


def _check_month_year(value: str) -> None:
    match = _MONTH_YEAR.fullmatch(value)
    if match is None:
        raise ValueError(f"no month: {value!r}")
    _check_date(value if match[2] and match[2].isdigit() else f"{match[1]}01")


def _check_list(value: str) -> None:
    if "" in value.split(" "):
        raise ValueError(f"not values with one blank between them: {value!r}")


def _read_count(value: bytes) -> int:
    count = read_int(value)
    if count < 0 or value.startswith(b"-"):
        raise ValueError(f"less than nothing: {value!r}")
    return count


def _read_day_of_month(value: bytes) -> int:
    day = read_int(value)
    if not 1 <= day <= _DAY_OF_MONTH_MAX:
        raise ValueError(f"no day of a month: {value!r}")
    return day


def _day_of_month(value: str) -> int:
    return _read_day_of_month(value.encode(ENCODING))


CHAR: Final = ValueType("CHAR", _read_char, str, r"[^\x01]", str, is_text=True)
COUNT: Final = ValueType("NUMINGROUP", _read_count, str, r"[0-9]{1,18}", int)
DATA: Final = ValueType(
    "DATA", bytes, lambda value: value.decode(ENCODING), r"(?s:.*)", lambda text: text.encode(ENCODING)
)
DATE: Final = _text_type("UTCDATE", r"[0-9]{8}", _check_date)
DAY_OF_MONTH: Final = ValueType("DAYOFMONTH", _read_day_of_month, str, r"[0-9]{1,2}", _day_of_month, is_loose=True)
MONTH_YEAR: Final = _text_type("MONTHYEAR", r"[0-9]{6}(?:[0-9]{2}|w[1-5])?", _check_month_year)
TIME: Final = _text_type("UTCTIMEONLY", r"[0-9:]{8}(?:\.[0-9]+)?", _check_time)
VALUE_LIST: Final = _text_type("MULTIPLEVALUESTRING", _TEXT, _check_list)

FIELD_TYPES: Final[Mapping[str, ValueType]] = {
    "AMT": FLOAT,
    "BOOLEAN": BOOLEAN,
    "CHAR": CHAR,
    "DATA": DATA,
    "DATE": DATE,
    "DAYOFMONTH": DAY_OF_MONTH,
    "FLOAT": FLOAT,
    "INT": INT,
    "LENGTH": COUNT,
    "LOCALMKTDATE": DATE,
    "MONTHYEAR": MONTH_YEAR,
    "MULTIPLECHARVALUE": VALUE_LIST,
    "MULTIPLESTRINGVALUE": VALUE_LIST,
    "MULTIPLEVALUESTRING": VALUE_LIST,
    "NUMINGROUP": COUNT,
    "PERCENTAGE": FLOAT,
    "PRICE": FLOAT,
    "PRICEOFFSET": FLOAT,
    "QTY": FLOAT,
    "QUANTITY": FLOAT,
    "SEQNUM": COUNT,
    "TIME": UTC_TIMESTAMP,
    "UTCDATE": DATE,
    "UTCDATEONLY": DATE,
    "UTCTIMEONLY": TIME,
    "UTCTIMESTAMP": UTC_TIMESTAMP,
    "XMLDATA": DATA,
}
"""By the names of FIX's dictionaries. What is not here is text."""


def type_of(field: FieldDefinition) -> ValueType:
    """How values of `field` are read."""
    return FIELD_TYPES.get(field.type, STRING)


class Check(msgspec.Struct, frozen=True):
    """What a value of one field must be: readable, and one of `values` (each of a list), if there are any."""

    kind: ValueType
    values: frozenset[bytes]
    is_list: bool

    def is_allowed(self, value: bytes) -> bool:
        """Whether the enumeration, if there is one, has `value`."""
        if not self.values or value in self.values:
            return True
        return self.is_list and self.values.issuperset(value.split(b" "))

    def read(self, value: bytes) -> Any:
        """`value` as its type has it. Raises ValueError."""
        return self.kind.read(value)


@lru_cache(maxsize=8192)
def _check(kind: ValueType, values: frozenset[str]) -> Check:
    return Check(kind, frozenset(value.encode(ENCODING, "replace") for value in values), kind is VALUE_LIST)


def check_of(field: FieldDefinition) -> Check:
    """How values of `field` are judged."""
    return _check(type_of(field), frozenset(field.values))
