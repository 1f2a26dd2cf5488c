"""Progressive filling, by hand."""

from __future__ import annotations

from decimal import Decimal

from core.index.waterfill import water_fill

D = Decimal


def shares(claims: dict[str, dict[str, int]], **supply: int) -> list[Decimal]:
    """The share of each claim."""
    exact = {name: {key: D(used) for key, used in uses.items()} for name, uses in claims.items()}
    return list(water_fill(exact, {key: D(amount) for key, amount in supply.items()}).values())


def test_enough_for_all_is_all() -> None:
    assert shares({"a": {"x": 3}, "b": {"x": 4}}, x=7) == [1, 1]
    assert shares({"a": {"x": 3}, "b": {}}) == [1, 1]
    assert shares({}) == []


def test_scarcity_is_shared_in_proportion_to_what_is_asked() -> None:
    assert shares({"a": {"x": 100}, "b": {"x": 300}}, x=200) == [D("0.5"), D("0.5")]


def test_what_one_cannot_use_is_for_the_others() -> None:
    # b and c are stopped at a quarter by y; a has the 150 of x that they leave of 200
    assert shares({"a": {"x": 160}, "b": {"x": 100, "y": 4}, "c": {"x": 100, "y": 4}}, x=200, y=2) == [
        D("0.9375"),
        D("0.25"),
        D("0.25"),
    ]


def test_nothing_there_stops_only_those_who_need_it() -> None:
    assert shares({"a": {"x": 1, "y": 1}, "b": {"y": 1}, "c": {"x": 0, "y": 2}}, x=0, y=3) == [0, 1, 1]
    assert shares({"a": {"x": 1}}, x=-5) == [0]
