"""Numbers are seen once, in whatever order they come, and remembered by their gaps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.collateral.seen import SeenNumbers


@given(st.lists(st.integers(0, 30)))
def test_a_number_is_new_once(numbers: list[int]) -> None:
    seen, known = SeenNumbers(), set[int]()
    for number in numbers:
        assert seen.add(number) is (number not in known)
        known.add(number)
    assert known == {number for number in range(-1, 32) if number in seen}
    assert known == {number for low, high in seen.ranges for number in range(low, high + 1)}
    assert all(high + 1 < low for (_, high), (low, _) in zip(seen.ranges, seen.ranges[1:], strict=False))


def test_numbers_without_a_gap_are_one_range_whatever_their_order() -> None:
    seen = SeenNumbers()
    for number in (3, 0, 2, 1, 4):
        seen.add(number)
    assert seen.ranges == [(0, 4)]
