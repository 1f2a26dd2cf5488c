"""Reference mode against the reference's formulas, written down once more in exact fractions, as plainly as can be."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import NamedTuple

from hypothesis import given, settings
from msgspec import structs

from core.index.fitting import plan
from core.index.planning import AssetView, Mode, NoRoom, Plan, PlanLimits, PlanProblem, PlanReason
from tests.property.test_index_fitting import problems

F = Fraction
NEAR = F(1, 10**20)


class Expected(NamedTuple):
    """What section by section comes out: tokens by order, exchange orders by asset, and who fails."""

    quantities: dict[str, F]
    orders: dict[str, F]
    failed: set[str]


def limit_and_liquidity(view: AssetView, limits: PlanLimits) -> tuple[F, F]:
    """Of a buy."""
    assert view.best_ask is not None
    limit = F(view.best_ask) * (1 + F(limits.price_threshold))
    book = [(F(price), F(quantity)) for price, quantity in view.asks]
    liquidity = sum((quantity for price, quantity in book if price <= limit + F(limits.quantity_tolerance)), F(0))
    first = book[: limits.max_levels]
    depth = sum((quantity for _, quantity in first), F(0))
    if first and depth < liquidity and first[-1][0] * depth >= F(limits.min_asset_volley_size):
        return first[-1][0], depth
    return limit, liquidity


def expected(problem: PlanProblem) -> Expected:
    """Buys alone, all of them priced."""
    limits = problem.limits
    market = {view.asset: limit_and_liquidity(view, limits) for view in problem.views}
    baskets = {basket.symbol: {asset: F(q) for asset, q in basket.quantities().items()} for basket in problem.baskets}
    smallest, step = F(limits.min_asset_volley_size), F(limits.asset_volley_step_size)
    price = {s: sum((market[asset][0] * q for asset, q in of.items()), F(0)) for s, of in baskets.items()}
    wished, total = {}, dict.fromkeys(market, F(0))
    for one in problem.demands:
        usable = min((F(one.remaining) + F(one.carried)) / F(limits.fee_factor), F(limits.max_order_volley_size))
        wished[one.order_id] = usable / price[one.symbol]
        for asset, q in baskets[one.symbol].items():
            total[asset] += wished[one.order_id] * q
    fitted, failed = {}, set()
    for one in problem.demands:
        assets = baskets[one.symbol]
        if any(market[asset][0] * market[asset][1] < smallest for asset in assets):
            failed.add(one.order_id)
            continue
        scarce = [market[asset][1] / total[asset] for asset in assets if total[asset]]
        fitted[one.order_id] = wished[one.order_id] * min([F(1), *scarce])
    symbols = {one.order_id: one.symbol for one in problem.demands}
    sized = dict.fromkeys(market, F(0))
    for order_id, tokens in fitted.items():
        for asset, q in baskets[symbols[order_id]].items():
            sized[asset] += tokens * q
    volley = sum((market[asset][0] * quantity for asset, quantity in sized.items()), F(0))
    room = F(limits.max_total_volley_size) - F(problem.outstanding_volley)
    cap = min(F(limits.max_volley_size), room)
    factor = cap / volley if volley >= cap else F(1)
    carried = {lot.asset for lot in problem.held if lot.side == "buy"}
    orders = {}
    for asset, quantity in sized.items():
        if quantity > F(limits.quantity_tolerance) and asset not in carried:
            money = max(quantity * market[asset][0], smallest)
            orders[asset] = (ceil(money / step) * step if step else money) / market[asset][0]
    return Expected({order_id: tokens * factor for order_id, tokens in fitted.items()}, orders, failed)


def near(one: F, other: F) -> bool:
    """Equal but for the rounding of 28 digits."""
    return abs(one - other) <= abs(other) * NEAR


@given(problems())
@settings(max_examples=300)
def test_the_planner_computes_the_formulas_of_the_reference(problem: PlanProblem) -> None:
    buys = tuple(structs.replace(one, side="buy") for one in problem.demands if one.symbol != "NO")
    limits = structs.replace(problem.limits, mode=Mode.REFERENCE)
    asked = structs.replace(problem, demands=buys, limits=limits)
    named = {part.asset for basket in problem.baskets for part in basket.assets}
    priced = {view.asset for view in problem.views if view.fresh and view.best_ask is not None}
    made = plan(asked)
    if isinstance(made, NoRoom) or not named <= priced:
        return
    assert isinstance(made, Plan)
    views = tuple(view for view in problem.views if view.asset in priced)
    wanted = expected(structs.replace(asked, views=views))
    assert {one.order_id for one in made.failed} == wanted.failed
    tiny = {one.order_id for one in made.deferred}
    assert all(one.reason is PlanReason.TOO_SMALL for one in made.deferred)
    assert {one.order_id for one in made.engagements} == wanted.quantities.keys() - tiny
    for one in made.engagements:
        assert near(F(one.quantity), wanted.quantities[one.order_id])
    if made.engagements:
        sent = {row.asset: F(row.quantity) for row in made.assets if row.quantity}
        assert sent.keys() == wanted.orders.keys()
        step = F(limits.asset_volley_step_size)
        for row in made.assets:
            if row.quantity:
                # A value that is a whole number of steps may be seen on either side of it
                edge = step / F(row.limit) if step else F(0)
                other = abs(F(row.quantity) - wanted.orders[row.asset])
                assert other <= F(row.quantity) * NEAR or abs(other - edge) <= edge * NEAR
