"""Which numbers have been seen, in the memory of their gaps: numbers may come twice, late, or in any order."""

from __future__ import annotations

from bisect import bisect_right
from math import inf

import msgspec

from core.units import is_integer


def is_numbered(number: int) -> bool:
    """Whether a number from outside counts something: from 0, below 2**63."""
    return number >= 0 and is_integer(number)


class SeenNumbers(msgspec.Struct):
    """A set of integers as disjoint, rising, inclusive ranges that do not touch."""

    ranges: list[tuple[int, int]] = []

    def __contains__(self, number: int) -> bool:
        before = bisect_right(self.ranges, (number, inf)) - 1
        return before >= 0 and self.ranges[before][1] >= number

    def add(self, number: int) -> bool:
        """Take a number in; False when it is there already."""
        after = bisect_right(self.ranges, (number, number))
        low = high = number
        start = stop = after
        if after < len(self.ranges):
            first, last = self.ranges[after]
            if first == number:
                return False
            if first == number + 1:
                high, stop = last, after + 1
        if after > 0:
            first, last = self.ranges[after - 1]
            if last >= number:
                return False
            if last == number - 1:
                low, start = first, after - 1
        self.ranges[start:stop] = [(low, high)]
        return True
