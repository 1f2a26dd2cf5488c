from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.sequencer.fairness import displacements, inversions

ORDERS = st.integers(0, 30).flatmap(lambda n: st.permutations(range(n)))


def test_the_order_of_arrival_displaces_nobody() -> None:
    assert displacements([0, 1, 2]) == [0, 0, 0]
    assert inversions([0, 1, 2]) == 0
    assert inversions([]) == 0


def test_who_jumps_the_queue_puts_each_of_the_others_back_by_one() -> None:
    assert displacements([2, 0, 1]) == [-2, 1, 1]
    assert inversions([2, 0, 1]) == 2


@given(ORDERS)
def test_displacements_cancel_out(order: list[int]) -> None:
    assert sum(displacements(order)) == 0


@given(ORDERS)
def test_inversions_are_the_pairs_that_stand_the_other_way_round(order: list[int]) -> None:
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    assert inversions(order) == sum(a > b for a, b in pairs)
