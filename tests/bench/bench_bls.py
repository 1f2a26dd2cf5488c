"""BLS signatures by each library: sign, verify, what a Logon costs, and a block of 500 signed orders.

    python -m tests.bench.bench_bls

Prints ratios within one run. The goal: one aggregate check of 500 orders, never 500 single ones.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from core.identity.checking import Signed, culprits
from core.identity.scheme import Scheme, key_gen
from tests.helpers.schemes import SCHEMES

ORDERS = 500
MAKERS = 10
ROUNDS = 3


def main() -> None:
    """Measure each library in turn, and then one against the other."""
    signing = {scheme.LIBRARY: measure(scheme) for scheme in SCHEMES}
    if len(signing) == 2:
        (slow, slow_s), (fast, fast_s) = signing.items()
        print(f"{slow} takes {slow_s / fast_s:.1f} times as long as {fast} to sign")


def measure(scheme: Scheme[Any, Any]) -> float:
    """Print one library's table, and return the time of a signature."""
    secrets = [key_gen(bytes([maker]) * 32) for maker in range(MAKERS)]
    keys = [scheme.public_key(secret) for secret in secrets]
    signed: list[Signed] = [
        (keys[n % MAKERS], b"order %d" % n, scheme.sign(secrets[n % MAKERS], b"order %d" % n)) for n in range(ORDERS)
    ]
    key, message, signature = signed[0]
    sign_s = fastest(lambda: scheme.sign(secrets[0], message), 20)
    verify_s = fastest(lambda: scheme.verify(key, message, signature), 20)
    print(f"{scheme.LIBRARY}: sign {sign_s * 1e3:.2f} ms, verify {verify_s * 1e3:.2f} ms ({verify_s / sign_s:.1f} x)")
    block_s = fastest(lambda: expect(culprits(signed, scheme), ()), 1)
    single_s = fastest(lambda: all(scheme.verify(*each) for each in signed), 1)
    ratio = f"{single_s / block_s:.1f} times faster than {single_s * 1e3:.0f} ms for {ORDERS} single ones"
    print(f"  {ORDERS} orders of {MAKERS} keys: one aggregate check {block_s * 1e3:.0f} ms, {ratio}")
    spoilt = [*signed]
    spoilt[321] = (*signed[321][:2], signature)
    culprit_s = fastest(lambda: expect(culprits(spoilt, scheme), (321,)), 1)
    print(f"  with one culprit among them {culprit_s * 1e3:.0f} ms, {culprit_s / block_s:.1f} x")
    return sign_s


def expect(found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """A wrong answer is not worth timing."""
    assert found == expected, found


def fastest(work: Callable[[], object], repeat: int) -> float:
    """The shortest mean of some rounds, in seconds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = perf_counter()
        for _ in range(repeat):
            work()
        best = min(best, (perf_counter() - start) / repeat)
    return best


if __name__ == "__main__":
    main()
