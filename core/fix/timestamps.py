"""UTCTimestamp: `20240229-23:59:59` with none, 3, 6 or 9 digits of fraction, to and from nanoseconds.

Integer arithmetic only. Days and dates convert by Howard Hinnant's algorithms ("chrono-compatible
low-level date algorithms"). Results are cached, as messages come in bunches, with several equal times each.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from core.units import MILLISECOND, SECOND, Nanos

_SECONDS: Final = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d\d):(\d\d):(\d\d)", re.ASCII)
_SECONDS_CHARS: Final = 17
_DAY: Final = 86_400
_FIRST: Final = -(2**63) // SECOND + 1
_LAST: Final = 2**63 // SECOND - 1
_SCALES: Final = {4: MILLISECOND, 7: 1_000, 10: 1}
"""Length of the fraction with its point, to nanoseconds per unit."""


@lru_cache(maxsize=1024)
def parse_timestamp(value: str) -> Nanos:
    """The instant that `value` names. Instants outside 64 bits (before 1678, after 2261) become the nearest inside.

    A leap second is read as the second after it. Raises ValueError for anything else than a UTCTimestamp.
    """
    instant = _parse_second(value[:_SECONDS_CHARS]) * SECOND
    if len(value) == _SECONDS_CHARS:
        return instant
    fraction = value[_SECONDS_CHARS:]
    scale = _SCALES.get(len(fraction))
    digits = fraction[1:]
    if scale is None or fraction[0] != "." or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"no UTCTimestamp: {value!r}")
    return instant + int(digits) * scale


@lru_cache(maxsize=1024)
def format_timestamp(instant: Nanos) -> str:
    """`instant` to the millisecond, rounded down."""
    second, rest = divmod(instant, SECOND)
    return f"{_format_second(second)}.{rest // MILLISECOND:03d}"


def format_seconds(instant: Nanos) -> str:
    """`instant` to the second, rounded down, for versions of FIX that know no fractions."""
    return _format_second(instant // SECOND)


@lru_cache(maxsize=1024)
def _parse_second(value: str) -> int:
    match = _SECONDS.fullmatch(value)
    if match is None:
        raise ValueError(f"no UTCTimestamp: {value!r}")
    year, month, day, hour, minute, second = map(int, match.groups())
    leap = second == 60
    total = _days(year, month, day) * _DAY + hour * 3600 + minute * 60 + second - leap
    if _format_second(total)[:15] != value[:15]:
        raise ValueError(f"no such date or time: {value!r}")
    return max(_FIRST, min(_LAST, total + leap))


@lru_cache(maxsize=1024)
def _format_second(second: int) -> str:
    days, rest = divmod(second, _DAY)
    year, month, day = _date(days)
    return f"{year:04d}{month:02d}{day:02d}-{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def _date(days: int) -> tuple[int, int, int]:
    """The inverse of `_days`."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = (shifted_month + 2) % 12 + 1
    return era * 400 + year_of_era + (month <= 2), month, day
