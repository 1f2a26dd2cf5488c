"""Rules that any plan keeps, whoever made it; and rules that a running batch keeps, whatever happens to it.

They are looked at from outside: nothing here calls what makes plans or hands out lots. Rounding to MONEY's digits may
leave a relative error of `ROUNDING`, which is allowed; everything else is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from typing import Final

from core.index.allocation import BatchState, volley_of
from core.index.limits import limit_price, markets
from core.index.planning import (
    AssetPlan,
    AssetView,
    Engagement,
    HeldLot,
    Mode,
    Plan,
    PlanProblem,
    key,
)
from core.index.rounding import LEAST, ROUNDING
from core.index.states import IndexBatchState
from core.market.orders import Side
from core.units import EXACT, MONEY

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_SIDES: Final[tuple[Side, ...]] = ("buy", "sell")
_LIVE: Final = frozenset({IndexBatchState.TRADING, IndexBatchState.CANCELLING})


def violations(problem: PlanProblem, plan: Plan) -> list[str]:
    """What a plan breaks of liquidity, caps, collateral, fractions, stock and the house's limit; nothing, if valid.

    In corrected mode: the reference's plans break caps and fractions by design.
    """
    with localcontext(MONEY):
        return [
            *_everyone_once(problem, plan),
            *_orders(problem, plan),
            *_caps(problem, plan),
            *_balance(plan),
            *fraction_violations(plan.engagements),
            *_assets(problem, plan),
            *_crossings(problem, plan),
            *_passed(plan),
            *_house(problem, plan),
        ]


def fraction_violations(engagements: Iterable[Engagement]) -> list[str]:
    """I8: the fractions of each side of each asset sum to exactly 1, and none is negative."""
    sums: dict[str, Decimal] = {}
    found = []
    for one in engagements:
        for part in one.parts:
            at = key(part.asset, one.side)
            sums[at] = EXACT.add(sums.get(at, _ZERO), part.fraction)
            if part.fraction < 0:
                found.append(f"I8 {one.order_id}: fraction {part.fraction} of {part.asset}")
    return found + [f"I8 {at}: fractions sum to {total}" for at, total in sums.items() if total != _ONE]


def batch_violations(batch: BatchState) -> list[str]:
    """I5, I7, I8 and I9 in a running batch, and whether its state is that of its exchange orders."""
    found = list(_conservation(batch)) + list(_whole_baskets(batch))
    if (batch.state in _LIVE) != any(not order.reason for order in batch.orders.values()):
        found.append(f"{batch.batch_id}: is {batch.state}, which its exchange orders are not")
    if batch.volley != volley_of(batch):
        found.append(f"I9 {batch.batch_id}: volley is {batch.volley}, exchange orders are worth {volley_of(batch)}")
    if batch.rules.mode is not Mode.REFERENCE:
        sums: dict[str, Decimal] = {}
        for one in batch.engaged.values():
            for part in one.parts:
                at = key(part.asset, one.side)
                sums[at] = EXACT.add(sums.get(at, _ZERO), part.fraction)
        found += [f"I8 {batch.batch_id} {at}: fractions sum to {total}" for at, total in sums.items() if total != _ONE]
    return found


def _conservation(batch: BatchState) -> Iterator[str]:
    for at, position in batch.positions.items():
        left = _ZERO
        for lot in position.lots:
            left = EXACT.add(left, lot.remaining)
        if EXACT.add(position.assigned, left) != position.quantity:
            yield f"I5 {batch.batch_id} {at}: {position.quantity} came in, {position.assigned} assigned, {left} left"
        assigned = _ZERO
        for one in batch.engaged.values():
            if one.side == position.side:
                assigned = EXACT.add(assigned, one.assigned.get(position.asset, _ZERO))
        if assigned != position.assigned:
            yield f"I5 {batch.batch_id} {at}: orders were assigned {assigned}, the position gave {position.assigned}"


def _whole_baskets(batch: BatchState) -> Iterator[str]:
    """Each allocation may be off by the tolerance, so an order by that many times it; slices say how many."""
    for one in batch.engaged.values():
        allowed = (batch.rules.nothing + LEAST) * max(one.steps, 1)
        for part in one.parts:
            if key(part.asset, one.side) in batch.positions:
                wanted, got = part.per_unit * one.filled, one.assigned.get(part.asset, _ZERO)
                if abs(wanted - got) > allowed + wanted * ROUNDING:
                    yield f"I7 {batch.batch_id} {one.order_id}: {wanted} {part.asset} make its fill, it was given {got}"


def _everyone_once(problem: PlanProblem, plan: Plan) -> Iterator[str]:
    named = [one.order_id for one in plan.engagements] + [one.order_id for one in (*plan.deferred, *plan.failed)]
    asked = [demand.order_id for demand in problem.demands]
    if sorted(named) != sorted(asked):
        yield f"orders asked {asked}, answered {named}"


def _orders(problem: PlanProblem, plan: Plan) -> Iterator[str]:
    limits, demands = problem.limits, {demand.order_id: demand for demand in problem.demands}
    baskets = {basket.symbol: basket.quantities() for basket in problem.baskets}
    for one in plan.engagements:
        demand = demands.get(one.order_id)
        if demand is None:
            continue
        if {part.asset: part.per_unit for part in one.parts} != baskets[one.symbol]:
            yield f"{one.order_id}: is not made of what {one.symbol} is"
        available = demand.remaining + demand.carried
        worth = one.price * one.quantity
        if one.quantity <= 0 or _exceeds(worth, limits.max_order_volley_size):
            yield f"{one.order_id}: engaged for {worth}, one order may be {limits.max_order_volley_size}"
        if _exceeds(one.collateral, available):
            yield f"{one.order_id}: locks {one.collateral} of {available}"
        needed = worth * limits.fee_factor if one.side == "buy" else one.quantity
        if _differs(one.collateral, needed) or _differs(one.new_collateral + demand.carried, needed):
            yield f"{one.order_id}: locks {one.collateral}, needs {needed}"


def _caps(problem: PlanProblem, plan: Plan) -> Iterator[str]:
    limits = problem.limits
    room = limits.max_total_volley_size - problem.outstanding_volley
    worth = sum((one.price * one.quantity for one in plan.engagements), _ZERO)
    if _exceeds(worth, min(limits.max_volley_size, room)):
        yield f"batch is worth {worth}, it may be {min(limits.max_volley_size, room)}"
    volley = sum((row.limit * row.quantity for row in plan.assets), _ZERO)
    if _exceeds(volley, room) or _differs(volley, plan.volley):
        yield f"exchange orders are worth {volley} (stated {plan.volley}), they may be {room}"


def _balance(plan: Plan) -> Iterator[str]:
    """Each asset's demand is what orders want of it, and stock, crossing and exchange order cover it."""
    wanted: dict[str, Decimal] = {}
    for one in plan.engagements:
        for part in one.parts:
            at = key(part.asset, one.side)
            wanted[at] = wanted.get(at, _ZERO) + part.contribution
    rows = {key(row.asset, row.side): row for row in plan.assets}
    for at, demand in wanted.items():
        planned = rows[at].demand if at in rows else _ZERO
        if abs(planned - demand) > LEAST + demand * ROUNDING:
            yield f"{at}: orders want {demand}, planned is {planned}"
    for at, row in rows.items():
        covered = row.stock + row.crossed + row.quantity
        if row.demand - covered > LEAST + row.demand * ROUNDING:
            yield f"{at}: demand {row.demand} is covered for {covered}"


def _assets(problem: PlanProblem, plan: Plan) -> Iterator[str]:
    limits, views = problem.limits, {view.asset: view for view in problem.views}
    found = {side: markets(problem, side) for side in _SIDES}
    for row in plan.assets:
        at, one = key(row.asset, row.side), found[row.side].get(row.asset)
        if one is None:
            yield f"{at}: is planned at {row.limit}, and has no price"
            continue
        liquidity = min(one.liquidity, _offered(problem, views[row.asset], row))
        is_worse = row.limit > one.limit if row.side == "buy" else row.limit < one.limit
        if row.quantity and (row.quantity > liquidity or is_worse):
            yield f"{at}: orders {row.quantity} at {row.limit}, the book has {liquidity} to {one.limit}"
        if row.quantity and _exceeds(limits.min_asset_volley_size, row.quantity * row.limit):
            yield f"{at}: orders {row.quantity * row.limit}, the least is {limits.min_asset_volley_size}"
        if row.side == "sell" and _exceeds(row.quantity, row.demand):
            yield f"{at}: sells {row.quantity}, orders want {row.demand}"
        held = sum((lot.quantity for lot in problem.held if _is_usable(lot, row)), _ZERO)
        if row.stock > held:
            yield f"{at}: takes {row.stock} out of stock, there is {held}"


def _offered(problem: PlanProblem, view: AssetView, row: AssetPlan) -> Decimal:
    """What a book has at a row's limit or better, less what running batches mean to take."""
    is_buy, tolerance = row.side == "buy", problem.limits.quantity_tolerance
    levels, reserved = (view.asks, problem.reserved_asks) if is_buy else (view.bids, problem.reserved_bids)
    beyond = ((price - row.limit if is_buy else row.limit - price, quantity) for price, quantity in levels)
    offered = sum((quantity for worse, quantity in beyond if worse <= tolerance), _ZERO)
    return max(offered - dict(reserved).get(row.asset, _ZERO), _ZERO)


def _is_usable(lot: HeldLot, row: AssetPlan) -> bool:
    """Whether a lot was bought for no more than the limit, or sold for no less."""
    if (lot.asset, lot.side) != (row.asset, row.side):
        return False
    return lot.price <= row.limit if lot.side == "buy" else lot.price >= row.limit


def _crossings(problem: PlanProblem, plan: Plan) -> Iterator[str]:
    """What does not go to the market has a price of the market all the same."""
    views = {view.asset: view for view in problem.views}
    for one in plan.crossings:
        best = [price for price in (views[one.asset].best_bid, views[one.asset].best_ask) if price is not None]
        if not best or not min(best) <= one.price <= max(best):
            yield f"{one.asset}: crosses {one.quantity} at {one.price}, the market is {', '.join(map(str, best))}"


def _passed(plan: Plan) -> Iterator[str]:
    """What passes between users comes from the sells and goes to the buys, and is no more than either side wants."""
    rows = {key(row.asset, row.side): row for row in plan.assets}
    passed: dict[str, Decimal] = {}
    for one in plan.crossings:
        for side in ("sell",) if one.to_house else _SIDES:
            at = key(one.asset, side)
            passed[at] = passed.get(at, _ZERO) + one.quantity
            if at not in rows:
                yield f"{at}: {one.quantity} is crossed, and nobody wants it"
    for at, row in rows.items():
        if _differs(row.crossed, passed.get(at, _ZERO)):
            yield f"{at}: planned to cross is {row.crossed}, crossings are of {passed.get(at, _ZERO)}"
        covered = row.stock + row.crossed + (row.quantity if row.side == "sell" else _ZERO)
        if covered - row.demand > LEAST + row.demand * ROUNDING:
            yield f"{at}: demand {row.demand} is covered for {covered}"


def _house(problem: PlanProblem, plan: Plan) -> Iterator[str]:
    """Surplus and what the house buys of sells, less the house's lots that are used, on top of all that it has and will
    get, carried lots that no order may take included; only growth is limited."""
    limits, growth, before = problem.limits, _ZERO, _ZERO
    for row in plan.assets:
        if row.side == "buy":
            carried = (lot for lot in problem.held if not lot.house and _is_usable(lot, row))
            usable = sum((lot.quantity for lot in carried), _ZERO)
            growth += (row.surplus - max(row.stock - usable, _ZERO)) * row.limit
    growth += sum((one.quantity * one.price for one in plan.crossings if one.to_house), _ZERO)
    prices = {view.asset: limit_price(view, "buy", limits) for view in problem.views}
    found = markets(problem, "buy")
    for lot in (*problem.held, *problem.tied):
        is_dear = lot.side == "buy" and lot.asset in found and lot.price > found[lot.asset].limit
        if lot.house or is_dear:
            worth = lot.quantity * (prices.get(lot.asset) or lot.unit_cost)
            before += worth if lot.side == "buy" else -worth
    if growth > limits.collateral_tolerance and _exceeds(before + growth, limits.house_exposure_max):
        yield f"the house would hold {before + growth}, it may hold {limits.house_exposure_max}"


def _exceeds(amount: Decimal, most: Decimal) -> bool:
    return amount - most > abs(most) * ROUNDING


def _differs(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) > abs(other) * ROUNDING
