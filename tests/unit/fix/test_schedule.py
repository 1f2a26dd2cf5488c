"""When a session is up: windows by the clocks of a zone, over every change of these clocks in a decade."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.fix.schedule import Schedule, Shift, Window, Zone, window_at
from core.units import SECOND, Nanos
from live.zones import compile_zone

HOUR = 3600
DAY = 24 * HOUR
ZONES = sorted(name for name in available_timezones() if name.count("/") == 1 and not name.startswith("Etc/"))
PECULIAR = {"America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/Caracas"}
EVERYWHERE = [
    pytest.param(name, marks=[] if nth % 7 == 0 or name in PECULIAR else pytest.mark.slow)
    for nth, name in enumerate(ZONES)
]


def at(text: str) -> Nanos:
    """An instant in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def shown(window: Window) -> tuple[str, str]:
    """A window in UTC, for people."""
    opens, closes = (datetime.fromtimestamp(instant // SECOND, UTC).strftime("%a %d %H:%M") for instant in window)
    return opens, closes


DAILY = Schedule(start_time=8 * HOUR, end_time=17 * HOUR)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2024-05-06 07:59:59", "2024-05-06 08:00"),
        ("2024-05-06 08:00:00", "2024-05-06 08:00"),
        ("2024-05-06 16:59:59", "2024-05-06 08:00"),
        ("2024-05-06 17:00:00", "2024-05-07 08:00"),
    ],
)
def test_a_window_is_open_from_its_start_until_before_its_end(now: str, opens: str) -> None:
    assert window_at(DAILY, at(now)).opens == at(opens)


def test_a_window_may_go_on_over_midnight() -> None:
    nightly = Schedule(start_time=22 * HOUR, end_time=6 * HOUR)
    assert shown(window_at(nightly, at("2024-05-07 05:00"))) == ("Mon 06 22:00", "Tue 07 06:00")


def test_windows_that_start_when_they_end_follow_each_other_without_a_break() -> None:
    always = Schedule(start_time=0, end_time=0)
    assert shown(window_at(always, at("2024-05-06 23:59:59"))) == ("Mon 06 00:00", "Tue 07 00:00")
    assert shown(window_at(always, at("2024-05-07 00:00"))) == ("Tue 07 00:00", "Wed 08 00:00")


@pytest.mark.parametrize(
    ("start_day", "end_day", "now", "window"),
    [
        (6, 4, "2024-05-06 12:00", ("Sun 05 17:00", "Fri 10 16:00")),
        (6, 4, "2024-05-11 12:00", ("Sun 12 17:00", "Fri 17 16:00")),
        (0, 0, "2024-05-06 16:30", ("Mon 06 17:00", "Mon 13 16:00")),
        (0, 0, "2024-05-06 17:30", ("Mon 06 17:00", "Mon 13 16:00")),
    ],
)
def test_a_weekly_window_lasts_from_day_to_day(start_day: int, end_day: int, now: str, window: tuple[str, str]) -> None:
    weekly = Schedule(start_time=17 * HOUR, end_time=16 * HOUR, start_day=start_day, end_day=end_day)
    assert shown(window_at(weekly, at(now))) == window


def test_a_weekly_window_may_end_on_the_day_of_its_start() -> None:
    mondays = Schedule(start_time=9 * HOUR, end_time=17 * HOUR, start_day=0, end_day=0)
    assert shown(window_at(mondays, at("2024-05-08 12:00"))) == ("Mon 13 09:00", "Mon 13 17:00")


def test_windows_may_open_on_some_days_of_the_week_only() -> None:
    weekdays = Schedule(start_time=22 * HOUR, end_time=6 * HOUR, weekdays=(0, 1, 2, 3, 4))
    assert shown(window_at(weekdays, at("2024-05-11 05:00"))) == ("Fri 10 22:00", "Sat 11 06:00")
    assert shown(window_at(weekdays, at("2024-05-11 07:00"))) == ("Mon 13 22:00", "Tue 14 06:00")


BERLIN = compile_zone("Europe/Berlin", 2020, 2029)


def test_a_window_keeps_to_the_clocks_of_its_zone_when_they_change() -> None:
    daily = Schedule(start_time=8 * HOUR, end_time=17 * HOUR, zone=BERLIN)
    assert shown(window_at(daily, at("2024-03-30 12:00"))) == ("Sat 30 07:00", "Sat 30 16:00")
    assert shown(window_at(daily, at("2024-03-31 12:00"))) == ("Sun 31 06:00", "Sun 31 15:00")


def test_a_time_that_clocks_leave_out_is_the_instant_of_the_change() -> None:
    early = Schedule(start_time=2 * HOUR + 1800, end_time=9 * HOUR, zone=BERLIN)
    assert shown(window_at(early, at("2024-03-31 03:00"))) == ("Sun 31 01:00", "Sun 31 07:00")


def test_a_time_that_clocks_show_twice_is_the_first_of_both() -> None:
    early = Schedule(start_time=2 * HOUR + 1800, end_time=9 * HOUR, zone=BERLIN)
    assert shown(window_at(early, at("2024-10-27 03:00"))) == ("Sun 27 00:30", "Sun 27 08:00")


def test_a_window_in_an_hour_that_does_not_exist_is_left_out() -> None:
    short = Schedule(start_time=2 * HOUR, end_time=3 * HOUR, zone=BERLIN)
    assert shown(window_at(short, at("2024-03-31 00:30"))) == ("Mon 01 00:00", "Mon 01 01:00")


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_compiled_zone_shows_what_its_clocks_show(name: str) -> None:
    zone, clocks = compile_zone(name, 2015, 2024), ZoneInfo(name)
    changes = [shift.at for shift in zone.shifts] or [at("2020-01-01 00:00") // SECOND]
    for second in [change + step for change in changes for step in (-1, 0, 1, 40 * DAY)]:
        if at("2015-01-01 00:00") <= second * SECOND < at("2024-12-30 00:00"):
            shown_by_clocks = datetime.fromtimestamp(second, clocks).utcoffset()
            assert shown_by_clocks == timedelta(seconds=zone.offset_at(second)), (name, second)


SCHEDULES = [
    Schedule(start_time=0, end_time=0),
    Schedule(start_time=2 * HOUR + 1800, end_time=2 * HOUR),
    Schedule(start_time=1 * HOUR, end_time=3 * HOUR),
    Schedule(start_time=17 * HOUR, end_time=16 * HOUR, start_day=6, end_day=4),
    Schedule(start_time=2 * HOUR, end_time=2 * HOUR, start_day=6, end_day=6),
    Schedule(start_time=23 * HOUR, end_time=1 * HOUR, weekdays=(5, 6)),
]


def wall(second: int, zone: Zone) -> int:
    """What the clocks show, as seconds."""
    return second + zone.offset_at(second)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_around_every_change_of_a_decade_windows_are_whole_and_keep_to_the_clocks(name: str) -> None:
    zone = compile_zone(name, 2015, 2024)
    for schedule in (Schedule(**{it: getattr(plan, it) for it in PLAN}, zone=zone) for plan in SCHEDULES):
        for shift in zone.shifts or (Shift(at("2020-03-01 00:00") // SECOND, 0),):
            instants = [(shift.at + quarter * 900) * SECOND for quarter in range(-100, 101)]
            windows = list(dict.fromkeys(window_at(schedule, instant) for instant in instants))
            for window in windows:
                for instant, time in zip(window, (schedule.start_time, schedule.end_time), strict=True):
                    second = instant // SECOND
                    exact = wall(second, zone) % DAY == time
                    assert exact or any(second == it.at for it in zone.shifts), (name, schedule, window)
                assert window.opens < window.closes
                assert window_at(schedule, window.opens) == window == window_at(schedule, window.closes - 1)
            assert all(before.closes <= after.opens for before, after in pairwise(windows))


PLAN = ("start_time", "end_time", "start_day", "end_day", "weekdays")


@given(
    st.integers(0, DAY - 1),
    st.integers(0, DAY - 1),
    st.integers(at("2020-01-01") // SECOND, at("2029-12-01") // SECOND),
)
def test_the_window_of_any_instant_has_not_closed(start: int, end: int, second: int) -> None:
    schedule = Schedule(start_time=start, end_time=end, zone=BERLIN)
    window = window_at(schedule, second * SECOND)
    assert second * SECOND < window.closes
    assert window.opens - second * SECOND <= 2 * DAY * SECOND


def test_a_zone_that_nobody_has_heard_of_is_an_error() -> None:
    with pytest.raises(InputError, match='no time zone "Europe/Atlantis"'):
        compile_zone("Europe/Atlantis")
