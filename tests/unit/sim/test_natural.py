"""Names in the order in which people count."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sim.natural import natural

NAMES = st.text("ab01239.-", max_size=8)


def test_numbers_inside_names_count_as_numbers() -> None:
    names = ["s10", "s2", "s1", "mm", "s1-10", "s1-9", "10", "9", "s", "s02"]
    assert sorted(names, key=natural) == ["9", "10", "mm", "s", "s1", "s1-9", "s1-10", "s02", "s2", "s10"]


def test_a_number_of_thousands_of_digits_is_one_too() -> None:
    assert natural("s" + "9" * 5_000) < natural("s1" + "0" * 5_000)


@given(st.lists(NAMES, unique=True), st.randoms())
def test_the_order_does_not_depend_on_where_names_come_from(names: list[str], random: Random) -> None:
    mixed = random.sample(names, len(names))
    assert sorted(names, key=natural) == sorted(mixed, key=natural)


@given(NAMES, st.integers(0, 10**9), st.integers(0, 10**9))
def test_of_names_that_differ_in_a_number_the_smaller_is_first(prefix: str, one: int, other: int) -> None:
    prefix = prefix.rstrip("0123456789")
    assert (natural(f"{prefix}{one}") < natural(f"{prefix}{other}")) == (one < other)
