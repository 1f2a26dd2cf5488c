"""Named random streams of exact integers. A draw in one never moves another.

A stream is BLAKE2b in counter mode: draw n is word n % 8 of `blake2b(n // 8, key)`, where the key
hashes seed and name. So it is the same on every Python and platform, starts anywhere in O(1), and
its whole state is a key and a counter that a snapshot can hold.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from hashlib import blake2b
from typing import Final, TypeVar

import msgspec

T = TypeVar("T")

_WORDS: Final = 8
_RESOLUTION: Final = 1 << 53
_MATH: Final = Context(prec=18, rounding=ROUND_HALF_EVEN)
_ONE: Final = Decimal(1)
_TWO: Final = Decimal(2)
_MINUS_TWO: Final = Decimal(-2)


class Stream(msgspec.Struct):
    """One reproducible sequence of draws. Make it with `stream(seed, name)`."""

    key: bytes
    drawn: int = 0
    block: bytes = b""

    def bits64(self) -> int:
        """A uniform integer in [0, 2**64)."""
        word = self.drawn % _WORDS
        if word == 0:
            self.block = blake2b((self.drawn // _WORDS).to_bytes(8, "big"), key=self.key).digest()
        self.drawn += 1
        return int.from_bytes(self.block[8 * word : 8 * word + 8], "big")

    def below(self, n: int) -> int:
        """A uniform integer in [0, n), without modulo bias; 0 < n <= 2**64."""
        assert 0 < n <= 1 << 64
        limit = (1 << 64) - (1 << 64) % n
        while (value := self.bits64()) >= limit:
            pass
        return value % n

    def between(self, low: int, high: int) -> int:
        """A uniform integer in [low, high]."""
        return low + self.below(high - low + 1)

    def chance(self, per_mille: int) -> bool:
        """True `per_mille` times in a thousand."""
        assert 0 <= per_mille <= 1000
        return self.below(1000) < per_mille

    def choice(self, items: Sequence[T]) -> T:
        """One of `items`, each equally likely."""
        return items[self.below(len(items))]

    def shuffle(self, items: MutableSequence[T]) -> None:
        """Reorder in place; every order equally likely (Fisher-Yates)."""
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]

    def uniform(self) -> Decimal:
        """A uniform Decimal in (0, 1), never 0 or 1, on a grid of 2**-54."""
        return _MATH.divide(Decimal(2 * self.below(_RESOLUTION) + 1), Decimal(2 * _RESOLUTION))

    def exponential(self, mean: int) -> int:
        """An exponentially distributed integer with that mean, as between Poisson arrivals.

        Uses Decimal's logarithm, which is correctly rounded, so no platform's libm can change a run.
        """
        return int(_MATH.multiply(_MATH.minus(_MATH.ln(self.uniform())), Decimal(mean)))

    def normal(self) -> Decimal:
        """A standard normal Decimal (Marsaglia's polar method, one of each pair used)."""
        while True:
            u = _MATH.subtract(_MATH.multiply(_TWO, self.uniform()), _ONE)
            v = _MATH.subtract(_MATH.multiply(_TWO, self.uniform()), _ONE)
            s = _MATH.add(_MATH.multiply(u, u), _MATH.multiply(v, v))
            if 0 < s < 1:
                scale = _MATH.sqrt(_MATH.divide(_MATH.multiply(_MINUS_TWO, _MATH.ln(s)), s))
                return _MATH.multiply(u, scale)


def stream(seed: int, name: str) -> Stream:
    """The stream of that name under that seed; equal arguments give equal draws, for ever."""
    return Stream(blake2b(f"romer/{seed}/{name}".encode(), digest_size=32).digest())
