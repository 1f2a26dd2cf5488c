"""The best way by cost, then latency, then name, within limits that depend on the amount, in time."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.collateral.graph import PATH_HOPS_MAX, Given, Graph, Route, fee_of, suits
from core.collateral.settings import HopSettings
from core.units import EXACT, SECOND, Nanos
from tests.helpers.collateral import T1, T2, T3, T4, hop

PERCENT = Decimal("0.01")
HOUR = 3600 * SECOND


def test_two_hops_of_one_percent_cost_less_than_two_percent() -> None:
    graph = Graph([hop(T1, T2, fee_rate=PERCENT), hop(T2, T3, fee_rate=PERCENT)])
    fee = Decimal("70.06824825")
    assert graph.plan(T1, (T3,), Decimal("3521.0175")) == Route(
        ("T1-T2", "T2-T3"), Decimal("3450.94925175"), fee, 0, fee
    )


def test_the_cheapest_way_depends_on_the_amount() -> None:
    graph = Graph([hop(T1, T3, "flat", fee_flat=Decimal(5)), hop(T1, T3, "rate", fee_rate=PERCENT)])
    assert [_hops(graph, T1, T3, amount) for amount in (400, 600)] == [("rate",), ("flat",)]


def test_of_two_as_cheap_the_faster_is_taken_then_the_first_by_name() -> None:
    slow, fast, also = (hop(T1, T3, name, latency=span) for name, span in (("a", 2 * SECOND), ("c", 1), ("b", 1)))
    assert _hops(Graph([slow, fast, also]), T1, T3, 10) == ("b",)


def test_a_hop_takes_no_more_and_no_less_than_it_may() -> None:
    graph = Graph(
        [
            hop(T1, T3, "large", amount_min=Decimal(100)),
            hop(T1, T3, "small", fee_flat=Decimal(1), amount_max=Decimal(99)),
        ]
    )
    assert [_hops(graph, T1, T3, amount) for amount in (100, 99, "99.5")] == [("large",), ("small",), None]


def _parts(graph: Graph, *amounts: int) -> list[Decimal | None]:
    found = [graph.plan_part(T1, (T3,), Decimal(amount)) for amount in amounts]
    return [part and part[0] for part in found]


def test_what_does_not_go_at_once_is_cut_into_equal_parts_that_all_go() -> None:
    further = hop(T2, T3, fee_flat=Decimal(1), amount_max=Decimal(80))
    graph = Graph([hop(T1, T2, amount_max=Decimal(100)), further, hop(T1, T3, "dear", fee_rate=PERCENT * 50)])
    assert _parts(graph, 70, 80, 90, 1000) == [70, 80, 45, Decimal("76.923077")]
    assert graph.plan_part(T1, (T4,), Decimal(1000)) is None
    assert _parts(Graph([hop(T1, T3, amount_min=Decimal(60), amount_max=Decimal(100))]), 130, 110) == [65, 100]


def test_parts_are_as_many_as_cost_the_least() -> None:
    dear = hop(T1, T3, "dear", fee_flat=Decimal("9.9"), amount_max=Decimal(100))
    cheap = hop(T1, T3, "cheap", fee_flat=Decimal("0.01"), amount_max=Decimal(50))
    assert _parts(Graph([dear, cheap]), 400, 100) == [50, 100]


def test_what_cannot_be_cut_into_equal_parts_goes_as_far_as_it_meets_a_limit_behind_fees() -> None:
    exact = hop(T2, T3, amount_min=Decimal(100), amount_max=Decimal(100))
    graph = Graph([hop(T1, T2, fee_flat=Decimal(1)), exact])
    assert _parts(graph, 101, 202, 250, 90) == [101, 101, 101, None]
    assert _parts(Graph([hop(T1, T3, amount_max=Decimal(10))]), 1000) == [10]


def test_no_way_keeps_more_in_all_than_a_transfer_may_lose() -> None:
    hops = [hop(T1, T2, fee_rate=PERCENT * 6), hop(T2, T3, fee_rate=PERCENT * 6), hop(T2, T4)]
    graph = Graph(hops, fee_share_max=Decimal("0.1"))
    assert [_hops(graph, T1, T3, 100), _hops(Graph(hops), T1, T3, 100)] == [None, ("T1-T2", "T2-T3")]
    assert graph.plan(T2, (T3,), Decimal(94), Given(floor=Decimal(90))) is None
    assert graph.plan(T2, (T4,), Decimal(80), Given(floor=Decimal(90))) is not None


def test_limits_hold_for_what_is_left_on_the_way() -> None:
    graph = Graph([hop(T1, T2, fee_rate=PERCENT), hop(T2, T3, amount_min=Decimal(100))])
    assert _hops(graph, T1, T3, 101) is None
    assert _hops(graph, T1, T3, 102) == ("T1-T2", "T2-T3")


def test_a_hop_that_never_has_room_for_an_amount_is_no_way_for_it() -> None:
    cheap, dear = hop(T1, T3, "cheap", capacity=Decimal(100)), hop(T1, T3, "dear", fee_flat=Decimal(1))
    graph = Graph([cheap, dear])
    assert [_hops(graph, T1, T3, amount) for amount in (100, 101)] == [("cheap",), ("dear",)]


def test_of_several_destinations_the_cheapest_is_reached() -> None:
    graph = Graph([hop(T1, T2, fee_flat=Decimal(1)), hop(T1, T3, fee_flat=Decimal("0.5"))])
    found = graph.plan(T1, (T2, T3), Decimal(10))
    assert found is not None
    assert found.hops == ("T1-T3",)


def test_who_is_there_already_needs_no_hop() -> None:
    assert Graph([]).plan(T1, (T1,), Decimal(10)) == Route((), Decimal(10), Decimal(0), 0, Decimal(0))


def test_a_way_without_a_hop_that_refuses_is_another_way() -> None:
    graph = Graph([hop(T1, T3), hop(T1, T2, fee_flat=Decimal(1)), hop(T2, T3)])
    assert _hops(graph, T1, T3, 10) == ("T1-T3",)
    assert _hops(graph, T1, T3, 10, Given(without=("T1-T3",))) == ("T1-T2", "T2-T3")


def test_fees_that_eat_everything_are_no_way() -> None:
    assert _hops(Graph([hop(T1, T3, fee_flat=Decimal(10), fee_share_max=Decimal(1))]), T1, T3, 10) is None


def test_no_way_leads_over_a_hop_that_keeps_more_than_it_may() -> None:
    graph = Graph([hop(T1, T3, fee_flat=Decimal(2), fee_share_max=Decimal("0.1"))])
    assert graph.plan(T1, (T3,), Decimal(19)) is None
    assert graph.plan(T1, (T3,), Decimal(20)) is not None


def test_a_way_that_is_too_slow_is_no_way() -> None:
    slow = [hop(T1, T2, latency=30 * SECOND), hop(T2, T3, latency=31 * SECOND)]
    fast = hop(T1, T3, "fast", fee_flat=Decimal(1), latency=60 * SECOND)
    assert _hops(Graph(slow), T1, T3, 100, Given(within=60 * SECOND)) is None
    assert _hops(Graph([*slow, fast]), T1, T3, 100, Given(within=61 * SECOND)) == ("T1-T2", "T2-T3")
    assert _hops(Graph([*slow, fast]), T1, T3, 100, Given(within=60 * SECOND)) == ("fast",)


def test_an_hour_is_worth_what_the_settings_say() -> None:
    hops = [hop(T1, T3, "slow", latency=HOUR), hop(T1, T3, "fast", fee_flat=Decimal("1.5"))]
    assert [_hops(Graph(hops, bps), T1, T3, 100) for bps in (0, 149, 151)] == [("slow",), ("slow",), ("fast",)]
    found = Graph(hops, 149).plan(T1, (T3,), Decimal(100))
    assert found is not None
    assert (found.fee, found.cost) == (Decimal(0), Decimal("1.49"))


def test_a_hop_that_is_delayed_is_taken_if_waiting_costs_less() -> None:
    hops = [hop(T1, T3, "full"), hop(T1, T3, "free", fee_flat=Decimal(1))]
    graph = Graph(hops, 100)
    assert [_hops(graph, T1, T3, 100, Given(delays={"full": span})) for span in (HOUR // 2, 2 * HOUR)] == [
        ("full",),
        ("free",),
    ]


def test_a_dearer_way_is_taken_where_only_less_fits_further_on() -> None:
    to_t2 = [hop(T1, T2, "cheap", fee_flat=Decimal(1)), hop(T1, T2, "dear", fee_flat=Decimal(2))]
    graph = Graph([*to_t2, hop(T2, T3, amount_max=Decimal(98))])
    assert [_hops(graph, T1, T3, amount) for amount in (99, 100, 101)] == [
        ("cheap", "T2-T3"),
        ("dear", "T2-T3"),
        None,
    ]


@pytest.mark.parametrize(
    ("hops", "why"),
    [
        ([hop(T1, T2)], "no way of 8 hops or less leads there"),
        (
            [
                hop(T1, T2, fee_flat=Decimal(1)),
                hop(T2, T3, amount_max=Decimal(60)),
                hop(T1, T3, amount_max=Decimal(50)),
            ],
            "at most 61.000000 goes there at once, by the limits of hops; it is not split",
        ),
        (
            [hop(T1, T3, capacity=Decimal(7))],
            "at most 7.000000 goes there at once, by the limits of hops; it is not split",
        ),
        ([hop(T1, T3, latency=HOUR)], "no way is expected to take 60 s or less"),
        (
            [hop(T1, T3, amount_min=Decimal(101))],
            "hops on the way take no such amount, or would keep more of it than they may",
        ),
    ],
)
def test_where_there_is_no_way_it_is_said_what_stands_in_it(hops: list[HopSettings], why: str) -> None:
    assert Graph(hops).obstacle(T1, (T3,), Decimal(100), 60 * SECOND) == why


@pytest.mark.parametrize("limit", [100, 990, 996, 999])
def test_among_many_linked_chains_few_paths_are_looked_at(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hops = [hop(f"C{a}", f"C{b}", fee_rate=Decimal((7 * a + b) % 11) / 10_000) for a, b in permutations(range(20), 2)]
    hops += [hop("C19", T1, fee_rate=Decimal("0.005"), amount_max=Decimal(limit))]
    looked = 0

    def counted(each: HopSettings, amount: Decimal) -> bool:
        nonlocal looked
        looked += 1
        return suits(each, amount)

    monkeypatch.setattr("core.collateral.graph.suits", counted)
    Graph(hops).plan("C0", (T1,), Decimal(1000))
    assert looked < 100 * len(hops)


HOPS = st.builds(
    lambda number, ends, fee, bounds, times: HopSettings(
        name=f"h{number}",
        source=ends[0],
        destination=ends[1],
        fee_flat=Decimal(fee[0]),
        fee_rate=Decimal(fee[1]) / 100,
        fee_share_max=Decimal(fee[2]) / 100,
        amount_min=Decimal(bounds[0]),
        amount_max=None if bounds[1] is None else Decimal(bounds[1]),
        capacity=None if bounds[2] is None else Decimal(bounds[2]),
        latency=times * 60 * SECOND,
    ),
    st.integers(0, 10**6),
    st.sampled_from(list(permutations((T1, T2, T3, T4), 2))),
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([100, 100, 5])),
    st.tuples(
        st.sampled_from([0, 0, 95]), st.sampled_from([None, None, 98, 96, 94, 90]), st.sampled_from([None, None, 97])
    ),
    st.integers(0, 3),
)
CHANCES = st.builds(
    Given,
    st.lists(st.integers(0, 6), max_size=1).map(tuple),
    st.sampled_from([None, None, 240 * SECOND, 420 * SECOND]),
    st.dictionaries(st.integers(0, 6), st.sampled_from([60 * SECOND, 180 * SECOND]), max_size=2),
)


@settings(max_examples=300)
@given(st.lists(HOPS, max_size=9, unique_by=lambda each: each.name), CHANCES, st.sampled_from([0, 0, 100, 5000]))
def test_no_path_is_better_than_the_one_that_is_found(hops: list[HopSettings], chances: Any, bps: int) -> None:
    names = dict(enumerate(each.name for each in hops))
    given_now = Given(
        tuple(names.get(n, "") for n in chances.without),
        chances.within,
        {names.get(n, ""): span for n, span in chances.delays.items()},
    )
    graph, amount = Graph(hops, bps), Decimal(100)
    with localcontext(EXACT):
        found = graph.plan(T1, (T4,), amount, given_now)
        best = min(_paths(graph, amount, given_now), default=None)
    assert (None if found is None else (found.cost, found.latency, found.hops)) == best


def _paths(graph: Graph, amount: Decimal, now: Given) -> Iterator[tuple[Decimal, Nanos, tuple[str, ...]]]:
    """Every simple path from T1 to T4, with what it costs and takes."""
    whole = amount
    paths: list[tuple[str, Decimal, Nanos, tuple[str, ...], tuple[str, ...]]] = [(T1, amount, 0, (), (T1,))]
    while paths:
        at, left, latency, names, passed = paths.pop()
        if at == T4:
            yield whole - left + graph.worth(whole, latency), latency, names
            continue
        for each in graph.hops.values():
            if each.source != at or each.destination in passed or each.name in now.without or not suits(each, left):
                continue
            onward, later = left - fee_of(each, left), latency + each.latency + now.delays.get(each.name, 0)
            if onward > 0 and (now.within is None or later <= now.within) and len(names) < PATH_HOPS_MAX:
                paths.append((each.destination, onward, later, (*names, each.name), (*passed, each.destination)))


def _hops(
    graph: Graph, source: str, target: str, amount: int | str, given_now: Given | None = None
) -> tuple[str, ...] | None:
    found = graph.plan(source, (target,), Decimal(amount), given_now or Given())
    return None if found is None else found.hops
