"""Time zones as tables: the one place where schedules meet the tz database of the machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import InputError
from core.fix.schedule import Shift, Zone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = 12 * 3600
"""No zone has changed its clocks twice in so short a time."""


def compile_zone(name: str, first_year: int = 2000, last_year: int = 2099) -> Zone:
    """The zone `name` with every change of its clocks in these years. The same name and database, the same zone.

    Raises InputError for a name that the tz database does not have.
    """
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f'no time zone "{name}": give a name of the tz database, such as "Europe/Berlin"') from error
    start, end = (
        int((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) for year in (first_year, last_year + 1)
    )
    before, shifts = _offset(zone, start), []
    offset = before
    for second in range(start + _STEP, end, _STEP):
        if _offset(zone, second) != offset:
            at = _first_after(zone, second - _STEP, second)
            offset = _offset(zone, at)
            shifts.append(Shift(at, offset))
    return Zone(name, before, tuple(shifts))


def _offset(zone: ZoneInfo, second: int) -> int:
    ahead = (_EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
    assert ahead is not None
    return int(ahead.total_seconds())


def _first_after(zone: ZoneInfo, low: int, high: int) -> int:
    """The first second after `low` at which clocks show what they show at `high`."""
    new = _offset(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(zone, middle) == new else (middle, high)
    return high
