"""Named streams: fixed for ever, independent of each other, and distributed as they say."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.rng import Stream, stream


def test_the_first_draws_are_pinned_for_every_python_and_platform() -> None:
    draws = stream(1, "solver.s1")
    assert [draws.bits64() for _ in range(3)] == [8735276836617511189, 16242531126888112239, 12949061705880205946]
    assert [stream(1, "x").exponential(10**9), str(stream(1, "x").normal())] == [4857538233, "2.14149202630421485"]


def test_streams_of_different_name_or_seed_differ() -> None:
    firsts = {stream(seed, name).bits64() for seed in range(10) for name in ("a", "b", "a.b")}
    assert len(firsts) == 30


@given(st.integers(1, 1 << 64), st.integers(0, 100))
def test_below_stays_in_range(n: int, seed: int) -> None:
    assert 0 <= stream(seed, "t").below(n) < n


def test_a_restored_stream_continues_where_the_original_does() -> None:
    draws = stream(3, "t")
    for _ in range(11):
        draws.bits64()
    twin = msgspec.msgpack.decode(msgspec.msgpack.encode(draws), type=Stream)
    assert [twin.bits64() for _ in range(20)] == [draws.bits64() for _ in range(20)]


def test_moments_are_those_of_the_distributions() -> None:
    draws, n = stream(5, "moments"), 4000
    exponential = sum(draws.exponential(1000) for _ in range(n)) / n
    normals = [float(draws.normal()) for _ in range(n)]
    assert abs(exponential - 1000) < 4 * 1000 / n**0.5
    assert abs(sum(normals) / n) < 4 / n**0.5
    assert abs(sum(x * x for x in normals) / n - 1) < 4 * 2**0.5 / n**0.5
    assert abs(sum(draws.chance(700) for _ in range(n)) - 0.7 * n) < 4 * (n * 0.21) ** 0.5


def test_shuffle_reaches_every_order_about_equally() -> None:
    draws = stream(9, "shuffle")
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(6000):
        items = [1, 2, 3]
        draws.shuffle(items)
        counts[tuple(items)] = counts.get(tuple(items), 0) + 1
    assert len(counts) == 6
    assert all(850 < count < 1150 for count in counts.values())


def test_choice_gives_every_item() -> None:
    draws = stream(2, "choice")
    assert {draws.choice("abc") for _ in range(50)} == set("abc")
