from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fix.timestamps import format_timestamp, parse_timestamp
from core.units import MILLISECOND, SECOND

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fraction", "nanos"), [("", 0), (".123", 123_000_000), (".123456", 123_456_000), (".123456789", 123_456_789)]
)
def test_seconds_milliseconds_microseconds_and_nanoseconds_are_read(fraction: str, nanos: int) -> None:
    assert parse_timestamp(f"20240229-12:00:00{fraction}") == 1_709_208_000 * SECOND + nanos


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20240229",
        "20240230-12:00:00",
        "20230229-12:00:00",
        "20241301-12:00:00",
        "20240001-12:00:00",
        "20240101-24:00:00",
        "20240101-23:60:00",
        "20240101-23:59:61",
        "20240101 12:00:00",
        "20240101-12:00:00.",
        "20240101-12:00:00.1",
        "20240101-12:00:00.1234",
        "20240101-12:00:00,123",
        "20240101-12:00:00.12 ",
        "20240101-12:00:00.-12",
        "+2240101-12:00:00",
        "20240101-12:00:00.1234567890",
        "٢0240101-12:00:00",
    ],
)
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no UTCTimestamp|no such date"):
        parse_timestamp(text)


def test_a_leap_second_is_the_second_after_it() -> None:
    assert parse_timestamp("20161231-23:59:60") == parse_timestamp("20170101-00:00:00")


def test_instants_beyond_64_bits_become_the_last_ones_within() -> None:
    assert 0 < 2**63 - parse_timestamp("99991231-23:59:59") < 2 * SECOND
    assert 0 < parse_timestamp("00010101-00:00:00") + 2**63 < 2 * SECOND


@given(st.datetimes(datetime(1700, 1, 1), datetime(2262, 1, 1)))  # noqa: DTZ001  # the strategy wants naive bounds
def test_dates_agree_with_the_standard_library(when: datetime) -> None:
    exact = (when.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) * 1000
    text = when.strftime("%Y%m%d-%H:%M:%S.") + f"{when.microsecond:06d}"
    assert parse_timestamp(text) == exact
    assert format_timestamp(exact) == text[:-3]


@given(st.integers(-(2**62), 2**62))
def test_writing_rounds_down_to_the_millisecond(instant: int) -> None:
    assert parse_timestamp(format_timestamp(instant)) == instant // MILLISECOND * MILLISECOND
