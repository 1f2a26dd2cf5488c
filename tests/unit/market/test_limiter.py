"""Sliding windows never let more through than a limit allows within any of its periods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.market.exchange import RateLimit
from core.market.limiter import Limiter, Window
from core.units import SECOND


def window(period: int) -> Window:
    """5 were sent at 3 s, and 3 at 6 s."""
    made = Window(10, period * SECOND)
    made.put(3 * SECOND, 5)
    made.put(6 * SECOND, 3)
    return made


@pytest.mark.parametrize(
    ("period", "at", "weight"), [(10, 9, 8), (5, 9, 3), (1, 9, 0), (10, 12, 8), (5, 12, 0), (10, 15, 3), (10, 18, 0)]
)
def test_what_is_younger_than_the_period_weighs(period: int, at: int, weight: int) -> None:
    assert window(period).weight(at * SECOND) == weight


@pytest.mark.parametrize(
    ("period", "release", "wait"),
    [(20, 1, 14), (20, 5, 14), (20, 6, 17), (20, 9, 17), (5, 1, 2), (5, 5, 2), (5, 9, 2), (20, 0, 0), (20, -3, 0)],
)
def test_the_wait_ends_when_enough_of_the_oldest_has_left(period: int, release: int, wait: int) -> None:
    assert window(period).wait(9 * SECOND, release) == wait * SECOND


def test_all_limits_hold_at_once() -> None:
    limiter = Limiter([Window(2, SECOND), Window(3, 10 * SECOND)])
    for now in (0, 1):
        assert limiter.wait(now * SECOND) == 0
        limiter.put(now * SECOND)
    assert limiter.wait(SECOND) == 0
    limiter.put(SECOND)
    assert limiter.wait(SECOND) == 9 * SECOND
    assert limiter.wait(10 * SECOND) == 0


def test_more_than_a_limit_allows_may_begin_when_it_is_unused() -> None:
    limiter = Limiter([Window(10, 10 * SECOND)])
    assert limiter.wait(0, 81) == 0
    limiter.put(SECOND)
    assert limiter.wait(SECOND, 81) == 10 * SECOND


def test_what_is_queued_counts_from_when_it_may_leave() -> None:
    limiter = Limiter([Window(10, 10 * SECOND)])
    assert limiter.queue(SECOND, 25) == 21 * SECOND
    assert limiter.span(25) == 20 * SECOND
    assert limiter.wait(21 * SECOND, 5) == 0
    assert limiter.wait(21 * SECOND, 6) == 10 * SECOND


@pytest.mark.parametrize(("count", "span"), [(0, 0), (1, 0), (10, 0), (11, 10), (20, 10), (21, 20)])
def test_the_span_of_many_is_what_the_tightest_limit_needs(count: int, span: int) -> None:
    assert Limiter([Window(10, 10 * SECOND), Window(1000, SECOND)]).span(count) == span * SECOND
    assert Limiter().span(count) == 0


@pytest.mark.parametrize("broken", [RateLimit(0, SECOND), RateLimit(-1, SECOND), RateLimit(5, 0)])
def test_a_limit_that_cannot_be_is_none(broken: RateLimit) -> None:
    limiter = Limiter()
    limiter.adopt(0, (broken, RateLimit(5, SECOND)))
    assert [each.limit for each in limiter.windows] == [5]


def test_without_limits_everything_may_be_sent() -> None:
    assert Limiter().wait(0, 1000) == 0


def test_what_the_exchange_has_counted_beyond_ours_counts_as_sent_now() -> None:
    limiter = Limiter([Window(10, SECOND)])
    limiter.put(0, 2)
    limiter.adopt(5, (RateLimit(8, SECOND, used=6), RateLimit(100, 10 * SECOND, used=1)))
    assert [(each.limit, each.weight(5)) for each in limiter.windows] == [(8, 6), (100, 1)]
    limiter.adopt(6, (RateLimit(8, SECOND, used=1),))
    assert [(each.limit, each.weight(6)) for each in limiter.windows] == [(8, 6)]


@pytest.mark.parametrize("limits", [(2, 5), (5, 2), (2, 2), (5, 2, 3)])
def test_of_several_limits_within_one_period_the_strictest_counts(limits: tuple[int, ...]) -> None:
    limiter = Limiter()
    for now in range(3):
        limiter.adopt(now, (*(RateLimit(limit, SECOND) for limit in limits), RateLimit(9, 10 * SECOND)))
        assert [(each.limit, each.period_ns) for each in limiter.windows] == [(2, SECOND), (9, 10 * SECOND)]
    sent = 0
    while limiter.wait(3) == 0:
        limiter.put(3)
        sent += 1
    assert sent == 2
    limiter.adopt(4, (RateLimit(4, SECOND, used=1), RateLimit(5, SECOND, used=3)))
    assert [(each.limit, each.weight(4)) for each in limiter.windows] == [(4, 3)]


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 4)), max_size=200),
    st.integers(4, 20),
    st.sampled_from([50, 1000, 12_345]),
)
def test_no_period_ever_holds_more_than_the_limit_and_memory_is_bounded(
    sends: list[tuple[int, int]], limit: int, period: int
) -> None:
    limiter, now, sent = Limiter([Window(limit, period)]), 0, list[tuple[int, int]]()
    for after, weight in sends:
        now += after
        now += limiter.wait(now, weight)
        assert limiter.wait(now, weight) == 0
        limiter.put(now, weight)
        sent.append((now, weight))
        assert sum(each for at, each in sent if now - at < period) <= limit
        assert len(limiter.windows[0].sent) <= 102
