"""When a session is up, as a pure function of time: windows that open and close by the clocks of a time zone.

A zone is a table of when its clocks were set to what; whoever makes the configuration compiles it from the
tz database, so that a run depends on its configuration alone. A wall-clock time means the first instant at
which the clocks show it or later: where they are set forward over it, that is the instant of the change; where
they show it twice, the first time counts. So windows never overlap, and one that lies inside an hour that
does not exist is left out.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, NamedTuple

import msgspec

from core.units import SECOND, Nanos

_DAY: Final = 86_400
_THURSDAY: Final = 3
"""1970-01-01; days of the week are counted from Monday, 0."""
_DAYS_BACK: Final = 9
_DAYS_AHEAD: Final = 23
"""A window lasts a week at most, and at most two in a row do not exist."""


class Shift(msgspec.Struct, frozen=True, array_like=True):
    """From `at` (seconds since the epoch) on, clocks are `offset` seconds ahead of UTC."""

    at: int
    offset: int


class Zone(msgspec.Struct, frozen=True):
    """A time zone: its offset before all `shifts`, and these in the order of time."""

    name: str = "UTC"
    offset: int = 0
    shifts: tuple[Shift, ...] = ()

    def offset_at(self, second: int) -> int:
        """How far clocks are ahead of UTC."""
        nth = bisect_right(self.shifts, second, key=_at)
        return self.shifts[nth - 1].offset if nth else self.offset

    def first_instant(self, wall: int) -> int:
        """The first second since the epoch at which clocks show `wall`, or later."""
        first, offset = bisect_right(self.shifts, wall - 2 * _DAY, key=_at), self.offset_at(wall - 2 * _DAY)
        for shift in self.shifts[first:]:
            if wall - offset < shift.at:
                break
            offset = shift.offset
            if shift.at + offset >= wall:
                return shift.at
        return wall - offset


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Opens at `start_time` and closes at `end_time`, seconds of the day: of each day, of `weekdays`, or once a week.

    A window that does not end later than it starts goes on to the next day; a weekly one, that starts and
    ends on the same day of the week, to the next week.
    """

    start_time: int
    end_time: int
    start_day: int | None = None
    end_day: int | None = None
    """Days of the week from Monday, 0; both or neither."""
    weekdays: tuple[int, ...] = ()
    """The days of the week on which a window of a day opens; empty is all."""
    zone: Zone = Zone()


class Window(NamedTuple):
    """Open from one instant on until before the other."""

    opens: Nanos
    closes: Nanos


def window_at(schedule: Schedule, now: Nanos) -> Window:
    """The window that is open at `now`, or else the next one."""
    second = now // SECOND
    today = (second + schedule.zone.offset_at(second)) // _DAY
    for day in range(today - _DAYS_BACK, today + _DAYS_AHEAD):
        if _begins_on(schedule, (day + _THURSDAY) % 7):
            window = _window(schedule, day)
            if window.closes > max(now, window.opens):
                return window
    raise AssertionError(f"no window within {_DAYS_AHEAD} days of {now}: {schedule}")


def _begins_on(schedule: Schedule, weekday: int) -> bool:
    if schedule.start_day is not None:
        return weekday == schedule.start_day
    return not schedule.weekdays or weekday in schedule.weekdays


def _window(schedule: Schedule, day: int) -> Window:
    days = 0
    if schedule.start_day is not None and schedule.end_day is not None:
        days = (schedule.end_day - schedule.start_day) % 7
    if days == 0 and schedule.end_time <= schedule.start_time:
        days = 1 if schedule.start_day is None else 7
    opens = schedule.zone.first_instant(day * _DAY + schedule.start_time)
    closes = schedule.zone.first_instant((day + days) * _DAY + schedule.end_time)
    return Window(opens * SECOND, closes * SECOND)


def _at(shift: Shift) -> int:
    return shift.at
