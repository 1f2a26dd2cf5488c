"""A plan that breaks a rule is seen, whoever made it: each rule is broken once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec import structs

from core.index.planning import Crossing, Plan, PlanProblem
from core.index.validate import violations
from tests.unit.index.test_fitting import LIMITS, buy, held, planned, problem, sell

D = Decimal
PROBLEM = problem(
    buy(1, "IX", 1000),
    buy(2, "IX", 1000),
    sell(3, "IZ", 1),
    limits=structs.replace(LIMITS, max_volley_size=D(3000), house_exposure_max=D(100)),
    held=(held("AX", 1, 100, house=True),),
)


def row(at: int, **changes: object) -> Callable[[Plan], Plan]:
    """Another row for an asset."""
    return lambda plan: structs.replace(
        plan, assets=(*plan.assets[:at], structs.replace(plan.assets[at], **changes), *plan.assets[at + 1 :])
    )


def first(**changes: object) -> Callable[[Plan], Plan]:
    """Another first engagement."""
    return lambda plan: structs.replace(
        plan, engagements=(structs.replace(plan.engagements[0], **changes), *plan.engagements[1:])
    )


def fraction(plan: Plan) -> Plan:
    """Another first fraction."""
    one = plan.engagements[0]
    return first(parts=(structs.replace(one.parts[0], fraction=D("-0.5")), *one.parts[1:]))(plan)


def crossing(price: Decimal, asset: str = "AX") -> Callable[[Plan], Plan]:
    """A crossing more."""
    return lambda plan: structs.replace(plan, crossings=(*plan.crossings, Crossing(asset, D(1), price)))


def without_one(plan: Plan) -> Plan:
    """An order forgotten."""
    return structs.replace(plan, engagements=plan.engagements[1:])


def test_the_plan_itself_breaks_none() -> None:
    assert violations(PROBLEM, planned(PROBLEM)) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (row(0, quantity=D(500)), "buy:AX: orders 500 at 100, the book has 100"),
        (row(0, limit=D(101)), "buy:AX: orders 10.0 at 101"),
        (row(1, quantity=D("0.01")), "buy:AZ: orders 2.00, the least is 5"),
        (row(0, quantity=D(9)), "buy:AX: demand 16.000000000000000000 is covered for 15"),
        (row(0, demand=D(17)), "buy:AX: orders want 16.000000000000000000, planned is 17"),
        (row(0, stock=D(2)), "buy:AX: takes 2 out of stock, there is 1"),
        (row(2, quantity=D(60)), "sell:AW: sells 60, orders want 50"),
        (row(0, quantity=D(30)), "the house would hold"),
        (first(quantity=D(0)), "I-1: engaged for 0"),
        (first(quantity=D(1001)), "batch is worth"),
        (first(collateral=D(1001)), "I-1: locks 1001 of 1000"),
        (first(new_collateral=D(999)), "I-1: locks 1000"),
        (fraction, "I8 I-1: fraction -0.5 of AX"),
        (fraction, "I8 buy:AX: fractions sum to 0.0"),
        (without_one, "orders asked"),
        (row(0, limit=D(90)), "buy:AX: orders 10.0 at 90, the book has 0 to 100"),
        (crossing(D(101)), "AX: crosses 1 at 101, the market is"),
        (crossing(D(100)), "buy:AX: planned to cross is 5.000000000000000000, crossings are of 6"),
        (crossing(D(100), "AW"), "buy:AW: 1 is crossed, and nobody wants it"),
        (row(0, stock=D(1), crossed=D(16)), "buy:AX: demand 16.000000000000000000 is covered for 17"),
        (row(2, quantity=D(50), crossed=D(1)), "sell:AW: demand 50.000000000000000000 is covered for 51"),
        (first(symbol="IZ"), "I-1: is not made of what IZ is"),
        (lambda plan: structs.replace(plan, volley=D(1)), "exchange orders are worth"),
    ],
)
def test_a_broken_rule_is_named(broken: Callable[[Plan], Plan], said: str) -> None:
    plan = planned(PROBLEM)
    assert any(found.startswith(said) for found in violations(PROBLEM, broken(plan))), violations(PROBLEM, broken(plan))


def test_a_plan_is_seen_to_be_of_a_market_that_is_gone() -> None:
    gone = tuple(structs.replace(view, fresh=view.asset != "AX") for view in PROBLEM.views)
    found = violations(structs.replace(PROBLEM, views=gone), planned(PROBLEM))
    assert "buy:AX: is planned at 100, and has no price" in found


def test_a_lower_limit_than_might_be_is_none_the_worse_if_the_book_bears_it() -> None:
    views = tuple(
        structs.replace(view, best_ask=D(101), asks=((D(100), D(100)), (D(101), D(5)))) if view.asset == "AX" else view
        for view in PROBLEM.views
    )
    assert violations(structs.replace(PROBLEM, views=views), planned(PROBLEM)) == []


def test_lots_that_are_too_dear_for_a_plan_are_no_stock() -> None:
    dear = structs.replace(PROBLEM, held=(held("AX", 1, 102, house=True),))
    assert any("takes 1" in found for found in violations(dear, planned(PROBLEM)))


def test_a_plan_that_adds_to_a_house_that_will_be_full_is_seen() -> None:
    padded = problem(buy(1, "IZ", "1.1"), limits=structs.replace(LIMITS, house_exposure_max=D(100)))
    full = structs.replace(padded, tied=(held("AX", 1, 100, house=True),))
    assert violations(padded, planned(padded)) == []
    assert violations(full, planned(padded)) == ["the house would hold 108.900000000000000000, it may hold 100"]


def test_an_order_beyond_its_own_cap_is_seen() -> None:
    tight: PlanProblem = structs.replace(PROBLEM, limits=structs.replace(PROBLEM.limits, max_order_volley_size=D(900)))
    assert any("one order may be 900" in found for found in violations(tight, planned(PROBLEM)))
