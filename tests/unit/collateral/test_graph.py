"""The cheapest way, by fee, then latency, then name, within limits that depend on the amount."""

from __future__ import annotations

from decimal import Decimal, localcontext
from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from core.collateral.graph import Graph, Route, fee_of, takes
from core.collateral.settings import HopSettings
from core.units import MONEY, SECOND
from tests.helpers.collateral import T1, T2, T3, T4, hop

PERCENT = Decimal("0.01")


def test_two_hops_of_one_percent_cost_less_than_two_percent() -> None:
    graph = Graph([hop(T1, T2, fee_rate=PERCENT), hop(T2, T3, fee_rate=PERCENT)])
    assert graph.route(T1, (T3,), Decimal("3521.0175")) == Route(
        ("T1-T2", "T2-T3"), Decimal("3450.94925175"), Decimal("70.06824825"), 0
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


def test_limits_hold_for_what_is_left_on_the_way() -> None:
    graph = Graph([hop(T1, T2, fee_rate=PERCENT), hop(T2, T3, amount_min=Decimal(100))])
    assert _hops(graph, T1, T3, 101) is None
    assert _hops(graph, T1, T3, 102) == ("T1-T2", "T2-T3")


def test_of_several_destinations_the_cheapest_is_reached() -> None:
    graph = Graph([hop(T1, T2, fee_flat=Decimal(2)), hop(T1, T3, fee_flat=Decimal(1))])
    found = graph.route(T1, (T2, T3), Decimal(10))
    assert found is not None
    assert found.hops == ("T1-T3",)


def test_who_is_there_already_needs_no_hop() -> None:
    assert Graph([]).route(T1, (T1,), Decimal(10)) == Route((), Decimal(10), Decimal(0), 0)


def test_a_way_without_a_hop_that_refuses_is_another_way() -> None:
    graph = Graph([hop(T1, T3), hop(T1, T2, fee_flat=Decimal(1)), hop(T2, T3)])
    assert _hops(graph, T1, T3, 10) == ("T1-T3",)
    found = graph.route(T1, (T3,), Decimal(10), ("T1-T3",))
    assert found is not None
    assert found.hops == ("T1-T2", "T2-T3")


def test_fees_that_eat_everything_are_no_way() -> None:
    assert _hops(Graph([hop(T1, T3, fee_flat=Decimal(10))]), T1, T3, 10) is None


def test_nothing_sets_out_over_a_hop_that_keeps_more_than_it_may_but_what_is_under_way_goes_on() -> None:
    graph = Graph([hop(T1, T3, fee_flat=Decimal(2), fee_share_max=Decimal("0.1"))])
    assert graph.plan(T1, (T3,), Decimal(19)) is None
    assert graph.plan(T1, (T3,), Decimal(20)) is not None
    assert graph.route(T1, (T3,), Decimal(19)) is not None


HOPS = st.builds(
    lambda number, ends, flat, rate, low: HopSettings(
        name=f"h{number}",
        source=ends[0],
        destination=ends[1],
        fee_flat=Decimal(flat),
        fee_rate=Decimal(rate) / 100,
        amount_min=Decimal(low),
    ),
    st.integers(0, 10**6),
    st.sampled_from(list(permutations((T1, T2, T3, T4), 2))),
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from([0, 0, 95]),
)


@given(st.lists(HOPS, max_size=7, unique_by=lambda each: each.name))
def test_no_way_delivers_more_than_the_one_that_is_found(hops: list[HopSettings]) -> None:
    amount = Decimal(100)
    with localcontext(MONEY):
        found = Graph(hops).route(T1, (T4,), amount)
        best = max((_delivered(path, amount) for path in _paths(hops)), default=Decimal(-1))
    assert (found.delivered if found is not None else Decimal(-1)) == best


def _paths(hops: list[HopSettings]) -> list[tuple[HopSettings, ...]]:
    chains = [chain for length in (1, 2, 3) for chain in permutations(hops, length)]
    return [c for c in chains if c[0].source == T1 and c[-1].destination == T4 and _joined(c)]


def _joined(chain: tuple[HopSettings, ...]) -> bool:
    return all(a.destination == b.source != T4 for a, b in pairwise(chain))


def _delivered(path: tuple[HopSettings, ...], amount: Decimal) -> Decimal:
    for each in path:
        if not takes(each, amount):
            return Decimal(-1)
        amount -= fee_of(each, amount)
        if amount <= 0:
            return Decimal(-1)
    return amount


def _hops(graph: Graph, source: str, target: str, amount: int | str) -> tuple[str, ...] | None:
    found = graph.route(source, (target,), Decimal(amount))
    return None if found is None else found.hops
