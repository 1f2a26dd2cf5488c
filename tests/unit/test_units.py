"""Durations and money are exact."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.units import (
    EXACT,
    MILLISECOND,
    SECOND,
    as_text,
    format_duration,
    is_number,
    is_text,
    nearest,
    parse_duration,
    round_down,
    round_up,
    whole_steps,
)


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("250ms", 250 * MILLISECOND),
        ("1.5s", 1_500_000_000),
        ("2h", 7200 * SECOND),
        ("0.25us", 250),
        ("0s", 0),
        (" 3 m ", 180 * SECOND),
    ],
)
def test_durations_are_read_exactly(text: str, nanos: int) -> None:
    assert parse_duration(text) == nanos


@pytest.mark.parametrize("text", ["", "5", "ms", "-5ms", "1e3ms", "5 parsecs", "1.s", ".5s", "0.5ns"])
def test_what_is_not_a_duration_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration such as|finer than one nanosecond"):
        parse_duration(text)


@given(st.integers(0, 10**18))
def test_a_formatted_duration_reads_back_as_itself(nanos: int) -> None:
    assert parse_duration(format_duration(nanos)) == nanos


def test_formatted_durations_are_short_and_signed() -> None:
    spans = [500 * MILLISECOND, 1_500_000_000, 1_234_567, 90 * SECOND, -2 * SECOND, 0]
    assert [format_duration(span) for span in spans] == ["500ms", "1.5s", "1234.567us", "90s", "-2s", "0s"]


def test_rounding_favours_the_side_it_says() -> None:
    assert round_down(Decimal("1.0059"), 3) == Decimal("1.005")
    assert round_up(Decimal("1.0051"), 3) == Decimal("1.006")


def test_whole_steps_are_written_as_the_step_is_and_never_above_the_amount() -> None:
    assert str(whole_steps(Decimal("1.2399999999"), Decimal("0.05"))) == "1.20"
    assert str(whole_steps(Decimal(7), Decimal(7))) == "7"
    assert str(whole_steps(Decimal("0.0499"), Decimal("0.05"))) == "0.00"


def test_the_nearest_multiple_of_a_step_is_even_where_two_are_equally_near() -> None:
    step = Decimal("0.05")
    near = [nearest(Decimal(amount), step) for amount in ("1.02", "1.03", "1.025", "1.075")]
    assert near == [Decimal("1.00"), Decimal("1.05"), Decimal("1.00"), Decimal("1.10")]


@pytest.mark.parametrize(
    "text",
    ["NaN", "sNaN", "Infinity", "-Infinity", "1E+24", "-9E+999999", "0E+999999", "0E-90", "1E-37", f"1.{'0' * 52}1"],
)
def test_what_exact_sums_have_no_room_for_is_no_number(text: str) -> None:
    assert not is_number(Decimal(text))


numbers = st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(map(int, str(digits))), exponent)),
    st.integers(0, 1),
    st.integers(1, 10**28 - 1),
    st.integers(-52, 23),
).filter(lambda number: -36 <= number.adjusted() < 24)


@given(st.lists(numbers, max_size=20))
def test_numbers_with_all_digits_of_money_add_up_exactly(given: list[Decimal]) -> None:
    total = Decimal(0)
    for number in given:
        assert is_number(number)
        total = EXACT.add(total, number)
    for number in given:
        total = EXACT.subtract(total, number)
    assert total == 0


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "x" * 257])
def test_what_cannot_be_written_or_is_endless_is_no_text_and_is_stated_as_such(text: str) -> None:
    assert not is_text(text)
    assert is_text(as_text(text))


@given(st.text(max_size=256))
def test_text_is_stated_as_it_is(text: str) -> None:
    assert is_text(text)
    assert as_text(text) == text
