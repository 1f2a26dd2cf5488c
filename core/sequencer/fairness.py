"""How far a block's order is from the order of arrival: the fairness ledger's measures, as pure functions.

An order is a permutation: which arrival, from 0, stands in each place.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence


def displacements(order: Sequence[int]) -> list[int]:
    """For each place, how many places its message was put back; negative for one that was put forward."""
    return [place - arrival for place, arrival in enumerate(order)]


def inversions(order: Sequence[int]) -> int:
    """How many pairs of messages stand the other way round than they arrived; 0 for the order of arrival."""
    count, before = 0, list[int]()
    for arrival in order:
        count += len(before) - bisect_right(before, arrival)
        insort(before, arrival)
    return count
