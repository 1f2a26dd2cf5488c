"""Random baskets, books, stocks and orders: every plan of either solver keeps every rule."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from core.index import fitting, matrix
from core.index.basket import Basket, BasketAsset
from core.index.house_batch import house_plan
from core.index.planning import (
    AssetOrdering,
    AssetView,
    Demand,
    HeldLot,
    Mode,
    NoRoom,
    Plan,
    PlanLimits,
    PlanProblem,
    PlanReason,
)
from core.index.rebalance import HouseTask, Priority
from core.index.validate import violations
from core.index.wishes import both_markets, wishes
from core.market.orders import Side

D = Decimal
ASSETS = ["AW", "AX", "AY", "AZ"]
SIDES: st.SearchStrategy[Side] = st.sampled_from(["buy", "sell"])


def amounts(least: str, most: str, places: int = 6) -> st.SearchStrategy[Decimal]:
    """Numbers between, with that many decimals."""
    return st.decimals(min_value=D(least), max_value=D(most), allow_nan=False, places=places)


QUANTITIES = st.one_of(amounts("5", "500", 2), amounts("0.000001", "5"))


@st.composite
def views(draw: st.DrawFn, asset: str) -> AssetView:
    """A market: at times stale, one-sided or empty."""
    bid = draw(amounts("0.01", "5000", 2))
    ask = bid + draw(amounts("0.01", "5", 2))
    steps = draw(
        st.lists(st.tuples(amounts("0.01", "20", 2), QUANTITIES), min_size=draw(st.sampled_from([3, 1, 0])), max_size=5)
    )
    asks, bids, up, down = [], [], ask, bid
    for step, quantity in steps:
        asks.append((up, quantity))
        bids.append((down, quantity))
        up, down = up + step, max(down - step, D("0.001"))
    bids = [level for n, level in enumerate(bids) if n == 0 or level[0] < bids[n - 1][0]]
    odd = draw(st.integers(0, 30))
    return AssetView(
        asset,
        None if odd == 30 else bid,
        None if odd == 29 else ask,
        tuple(bids),
        tuple(asks),
        fresh=odd != 28,
    )


@st.composite
def baskets(draw: st.DrawFn, symbol: str) -> Basket:
    """Some of the assets."""
    assets = draw(st.lists(st.sampled_from(ASSETS), min_size=1, max_size=3, unique=True))
    quantities = st.one_of(amounts("0.1", "9", 1), amounts("0.000001", "50"))
    return Basket(symbol, tuple(BasketAsset(asset, D(0), draw(quantities)) for asset in assets))


@st.composite
def limits(draw: st.DrawFn) -> PlanLimits:
    """Caps that bind now and then."""
    return PlanLimits(
        price_threshold=draw(st.sampled_from([D(0), D("0.001"), D("0.01"), D("0.1")])),
        max_levels=draw(st.integers(1, 5)),
        fee_factor=draw(st.sampled_from([D(1), D("1.001"), D("1.002"), D("1.05")])),
        max_order_volley_size=draw(st.one_of(st.just(D(5000)), amounts("1", "5000", 2))),
        max_volley_size=draw(st.one_of(st.just(D(10_000)), amounts("1", "10000", 2))),
        min_asset_volley_size=draw(st.sampled_from([D(0), D(1), D(5), D(50)])),
        asset_volley_step_size=draw(st.sampled_from([D(0), D("0.1"), D("0.2"), D(7)])),
        max_total_volley_size=draw(st.one_of(st.just(D(20_000)), amounts("1", "20000", 2))),
        min_total_volley_available=D(1),
        house_exposure_max=draw(st.sampled_from([D(10**6), D(20), D(0)])),
        ordering=draw(st.sampled_from(list(AssetOrdering))),
        fairness=draw(st.sampled_from([D(0), D("0.5"), D(5)])),
    )


@st.composite
def problems(draw: st.DrawFn) -> PlanProblem:
    """Orders of two indexes, or of none, over four assets."""
    count = draw(st.integers(1, 6))
    demands = []
    for number in range(count):
        symbol, side = draw(st.sampled_from(["IX", "IY", "NO"][: 3 if number == 5 else 2])), draw(SIDES)
        size = amounts("10", "5000", 2) if side == "buy" else amounts("0.1", "5")
        carried = st.one_of(st.just(D(0)), amounts("0", "5"))
        demands.append(Demand(f"I-{number}", symbol, side, draw(st.one_of(size, carried)), draw(carried)))
    held = draw(
        st.lists(
            st.builds(
                HeldLot,
                asset=st.sampled_from(ASSETS),
                side=SIDES,
                quantity=amounts("0.000001", "50"),
                price=st.one_of(st.just(D("0.01")), amounts("0.01", "5000", 2)),
                unit_cost=st.one_of(st.just(D("0.01")), amounts("0.01", "5000", 2)),
                house=st.booleans(),
            ),
            max_size=4,
        )
    )
    coming = st.builds(
        HeldLot,
        asset=st.sampled_from(ASSETS),
        side=st.just("buy"),
        quantity=amounts("0.01", "5"),
        price=amounts("1", "9"),
        unit_cost=amounts("1", "9"),
        house=st.just(True),
    )
    reserved = st.lists(
        st.tuples(st.sampled_from(ASSETS), amounts("0", "50")), max_size=3, unique_by=lambda one: one[0]
    )
    return PlanProblem(
        demands=tuple(demands),
        baskets=(draw(baskets("IX")), draw(baskets("IY"))),
        views=tuple(draw(views(asset)) for asset in ASSETS if draw(st.integers(0, 30)) < 30),
        limits=draw(limits()),
        outstanding_volley=draw(st.sampled_from([D(0), D(0), D(500)])),
        reserved_asks=tuple(draw(reserved)),
        reserved_bids=tuple(draw(reserved)),
        held=tuple(held),
        tied=tuple(draw(st.lists(coming, max_size=2))),
    )


@given(problems())
@settings(max_examples=300)
def test_every_plan_keeps_every_rule(problem: PlanProblem) -> None:
    made = fitting.plan(problem)
    if isinstance(made, Plan):
        assert violations(problem, made) == []


@given(problems())
def test_every_plan_of_the_program_keeps_the_same_rules(problem: PlanProblem) -> None:
    made = matrix.plan(problem)
    assert isinstance(made, type(fitting.plan(problem)))
    if isinstance(made, Plan):
        assert violations(problem, made) == []


@given(problems())
def test_whoever_is_not_engaged_has_a_reason_that_is_true(problem: PlanProblem) -> None:
    made = fitting.plan(problem)
    if isinstance(made, NoRoom):
        return
    markets = both_markets(problem)
    sides = {demand.order_id: demand.side for demand in problem.demands}
    for one in made.deferred:
        if one.reason is PlanReason.NO_PRICE:
            assert one.asset not in markets[sides[one.order_id]]
        if one.reason is PlanReason.NO_LIQUIDITY:
            assert markets[sides[one.order_id]][one.asset].depth < max(problem.limits.min_asset_volley_size, D("1e-9"))
    assert all(one.reason is PlanReason.UNKNOWN_INDEX for one in made.failed)


@given(problems())
def test_nobody_gets_less_than_by_the_reference(problem: PlanProblem) -> None:
    """Where nothing but books binds: no caps of the batch, nothing in stock, nothing reserved, no house."""
    free = structs.replace(
        problem.limits,
        max_volley_size=D(10**9),
        max_total_volley_size=D(10**12),
        house_exposure_max=D(10**12),
    )
    corrected = structs.replace(problem, limits=free, held=(), reserved_asks=(), reserved_bids=())
    reference = fitting.plan(structs.replace(corrected, limits=structs.replace(free, mode=Mode.REFERENCE)))
    made = fitting.plan(corrected)
    assert isinstance(reference, Plan)
    assert isinstance(made, Plan)
    got = {one.order_id: one.quantity for one in made.engagements}
    for one in reference.engagements:
        assert got.get(one.order_id, D(0)) >= one.quantity * (1 - D("1e-12")) - D("1e-17")


@given(problems())
def test_fractions_of_the_reference_sum_to_its_cap_factor(problem: PlanProblem) -> None:
    made = fitting.plan(structs.replace(problem, limits=structs.replace(problem.limits, mode=Mode.REFERENCE)))
    if isinstance(made, NoRoom) or not made.engagements or made.deferred:
        return
    worth = sum((one.price * one.quantity for one in made.engagements), D(0))
    assert worth <= problem.limits.max_volley_size * (1 + D("1e-20"))
    sums: dict[tuple[Side, str], Decimal] = {}
    for one in made.engagements:
        for part in one.parts:
            sums[one.side, part.asset] = sums.get((one.side, part.asset), D(0)) + part.fraction
    assert max(sums.values()) - min(sums.values()) <= D("1e-20")
    assert max(sums.values()) <= 1 + D("1e-20")


@given(problems(), st.lists(st.tuples(st.sampled_from(ASSETS), SIDES, amounts("0.000001", "50")), max_size=6))
def test_house_batches_keep_the_rules_and_never_do_more_than_a_task(
    problem: PlanProblem, wanted: list[tuple[str, Side, Decimal]]
) -> None:
    tasks = {
        f"R-{n}": HouseTask(
            task_id=f"R-{n}",
            symbol="IX",
            asset=asset,
            side=side,
            quantity=quantity,
            priority=Priority.REBALANCE,
            created_at=0,
            deadline=n,
        )
        for n, (asset, side, quantity) in enumerate(wanted)
    }
    made = house_plan(problem, tasks.values(), 3)
    if isinstance(made, Plan):
        asked = structs.replace(problem, demands=())
        assert [one for one in violations(asked, made) if not one.startswith("orders asked")] == []
        assert all(one.quantity <= tasks[one.order_id].quantity for one in made.engagements)
        assert {one.order_id for one in (*made.engagements,)} | {one.order_id for one in made.deferred} == tasks.keys()


@given(problems(), st.sampled_from([fitting.plan, matrix.plan]))
def test_both_sides_of_one_asset_trade_what_they_have_in_common_where_the_market_has_nothing(
    problem: PlanProblem, planner: Callable[[PlanProblem], Plan | NoRoom]
) -> None:
    baskets = tuple(Basket(one.symbol, one.assets[:1]) for one in problem.baskets)
    same = tuple(structs.replace(one, assets=baskets[0].assets) for one in baskets)
    free = structs.replace(
        problem.limits,
        max_order_volley_size=D(10**9),
        max_volley_size=D(10**9),
        max_total_volley_size=D(10**12),
        house_exposure_max=D(10**12),
    )
    empty = tuple(structs.replace(view, bids=(), asks=()) for view in problem.views)
    alone = structs.replace(problem, limits=free, baskets=same, views=empty, held=(), tied=(), reserved_asks=())
    made = planner(structs.replace(alone, outstanding_volley=D(0)))
    assert isinstance(made, Plan)
    assert violations(alone, made) == []
    wished = {
        side: [one for one in wishes(alone, both_markets(alone)).ready if one.side == side] for side in ("buy", "sell")
    }
    total = {side: sum((one.quantity for one in each), D(0)) for side, each in wished.items()}
    got = {side: sum((one.quantity for one in made.engagements if one.side == side), D(0)) for side in total}
    price = max((one.price for each in wished.values() for one in each), default=D(0))
    most = 2 * alone.limits.collateral_tolerance * len(alone.demands) + price * alone.limits.share_step * min(
        total.values()
    )
    for side in total:
        assert abs(got[side] - min(total.values())) * price <= most


@given(problems(), amounts("10", "5000", 2), st.integers(2, 4), st.sampled_from([D("0.1"), D("0.5"), D(5)]))
def test_equal_orders_get_equal_parts_of_the_program_whoever_is_there_besides(
    problem: PlanProblem, amount: Decimal, count: int, fairness: Decimal
) -> None:
    alike = tuple(Demand(f"E-{number}", "IX", "buy", amount) for number in range(count))
    limits = structs.replace(problem.limits, fairness=fairness, min_asset_volley_size=D(0), house_exposure_max=D(10**9))
    made = matrix.plan(structs.replace(problem, demands=(*problem.demands[:4], *alike), limits=limits))
    if isinstance(made, NoRoom):
        return
    got = {one.order_id: one.price * one.quantity for one in made.engagements}
    parts = [got.get(one.order_id, D(0)) for one in alike]
    assert max(parts) - min(parts) <= amount * limits.share_step * 4 + D("1e-5")
