"""BLS signatures by each library: sign, verify, what a Logon costs, and a block of 500 signed orders.

    python -m tests.bench.bench_bls

Prints ratios within one run. The goal: one aggregate check of 500 orders, never 500 single ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any, Final, NamedTuple

from core.identity.checking import Signed, culprits
from core.identity.scheme import Scheme, key_gen
from tests.bench.command import run_bench
from tests.helpers.schemes import SCHEMES

MAKERS: Final = 10


class Sizes(NamedTuple):
    """How much is measured."""

    orders: int = 500
    single: int = 20
    """Times in a round that one message is signed, or verified."""
    rounds: int = 3


FULL, TINY = Sizes(), Sizes(orders=3, single=1, rounds=1)


def main(sizes: Sizes = FULL) -> None:
    """Measure each library in turn, and then one against the other."""
    signing = {scheme.LIBRARY: measure(scheme, sizes) for scheme in SCHEMES}
    if len(signing) == 2:
        (slow, slow_s), (fast, fast_s) = signing.items()
        print(f"{slow} takes {slow_s / fast_s:.1f} times as long as {fast} to sign")


def measure(scheme: Scheme[Any, Any], sizes: Sizes) -> float:
    """Print one library's table, and return the time of a signature."""
    count, rounds = sizes.orders, sizes.rounds
    secrets = [key_gen(bytes([maker]) * 32) for maker in range(MAKERS)]
    keys = [scheme.public_key(secret) for secret in secrets]
    signed: list[Signed] = [
        (keys[n % MAKERS], b"order %d" % n, scheme.sign(secrets[n % MAKERS], b"order %d" % n)) for n in range(count)
    ]
    key, message, signature = signed[0]
    spoil = scheme.sign(secrets[0], b"no order")
    sign_s = fastest(lambda: scheme.sign(secrets[0], message), sizes.single, rounds)
    verify_s = fastest(lambda: scheme.verify(key, message, signature), sizes.single, rounds)
    print(f"{scheme.LIBRARY}: sign {sign_s * 1e3:.2f} ms, verify {verify_s * 1e3:.2f} ms ({verify_s / sign_s:.1f} x)")
    block_s = fastest(lambda: expect(culprits(signed, scheme), ()), 1, rounds)
    single_s = fastest(lambda: all(scheme.verify(*each) for each in signed), 1, rounds)
    ratio = f"{single_s / block_s:.1f} times faster than {single_s * 1e3:.0f} ms for {count} single ones"
    print(f"  {count} orders of {MAKERS} keys: one aggregate check {block_s * 1e3:.0f} ms, {ratio}")
    apart = {((2 * n + 1) * count // 10 + n) % count for n in range(5)}
    for bad in ((count * 2 // 3,), tuple(sorted(apart)), tuple(range(count))):
        spoilt = [(*it[:2], spoil) if place in bad else it for place, it in enumerate(signed)]
        culprits_s = fastest(partial(_find, spoilt, bad, scheme), 1, rounds)
        print(f"  culprits among them, {len(bad)}: {culprits_s * 1e3:.0f} ms, {culprits_s / block_s:.1f} x")
    return sign_s


def _find(block: list[Signed], bad: tuple[int, ...], scheme: Scheme[Any, Any]) -> None:
    expect(culprits(block, scheme), bad)


def expect(found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """A wrong answer is not worth timing."""
    assert found == expected, found


def fastest(work: Callable[[], object], repeat: int, rounds: int) -> float:
    """The shortest mean of some rounds, in seconds."""
    best = float("inf")
    for _ in range(rounds):
        start = perf_counter()
        for _ in range(repeat):
            work()
        best = min(best, (perf_counter() - start) / repeat)
    return best


if __name__ == "__main__":
    run_bench(main, FULL, TINY)
