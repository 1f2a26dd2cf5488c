"""SimpleSolver as the reference system has it, with its defects: to compare with, and to reproduce its figures.

    q   = usable collateral / limit price of the index
    A_i = demand of all orders for asset i;  q' = q times the least of 1 and liquidity_i / A_i over its assets
    V   = value of all q' at limits;         q'' = q' times min(1, cap / V)

Exchange orders are sized for q' though orders are engaged for q'', so fractions sum to cap / V. An asset that has no
price puts off the whole batch; one that is illiquid fails the orders that need it. An asset of which lots are carried
is not bought. Buys only had a reference; sells here follow the same formulas without padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from core.index.engaging import Fitted, engagements, is_nothing
from core.index.limits import asset_order
from core.index.planning import AssetPlan, NotPlanned, Plan, PlanProblem, PlanReason, key
from core.index.sizing import padded
from core.index.wishes import Markets, Wish, Wishes, both_markets, total_demand, wishes
from core.market.orders import Side

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_SIDES: Final[tuple[Side, ...]] = ("buy", "sell")


def fit_reference(problem: PlanProblem, cap: Decimal) -> Plan:
    """The reference's plan of a batch that may be worth `cap`."""
    found = both_markets(problem)
    wished = wishes(problem, found)
    if wished.unpriced:
        return _put_off(problem, wished)
    fitting, failed = _illiquid(wished.ready, found, problem.limits.min_asset_volley_size)
    fitted = _to_liquidity(wished.ready, fitting, found)
    sized = total_demand(one.contributions for one in fitted)
    volley = sum((one.wish.price * one.quantity for one in fitted), _ZERO)
    factor = cap / volley if volley >= cap else _ONE
    capped = [Fitted.of(one.wish, one.quantity * factor) for one in fitted]
    limits = problem.limits
    kept = tuple(one for one in capped if not is_nothing(one.wish, one.quantity, limits))
    fractions = {
        one.wish.order_id: {at: quantity / sized[at] for at, quantity in one.contributions.items()} for one in kept
    }
    assets = _orders(problem, found, sized)
    small = tuple(NotPlanned(one.wish.order_id, PlanReason.TOO_SMALL) for one in capped if one not in kept)
    return Plan(
        engagements=engagements(kept, fractions, limits),
        assets=assets if kept else (),
        deferred=small,
        failed=wished.unknown + failed,
        volley=sum((one.limit * one.quantity for one in assets), _ZERO) if kept else _ZERO,
    )


def _put_off(problem: PlanProblem, wished: Wishes) -> Plan:
    blamed = wished.unpriced[0].asset
    unknown = {one.order_id for one in wished.unknown}
    waiting = (demand.order_id for demand in problem.demands if demand.order_id not in unknown)
    deferred = tuple(NotPlanned(order_id, PlanReason.NO_PRICE, blamed) for order_id in waiting)
    return Plan(engagements=(), assets=(), deferred=deferred, failed=wished.unknown)


def _illiquid(
    ready: tuple[Wish, ...], found: Markets, smallest: Decimal
) -> tuple[tuple[Wish, ...], tuple[NotPlanned, ...]]:
    fitting, failed = [], []
    for wish in ready:
        thin = next((asset for asset in wish.quantities if found[wish.side][asset].depth < smallest), None)
        if thin is None:
            fitting.append(wish)
        else:
            failed.append(NotPlanned(wish.order_id, PlanReason.NO_LIQUIDITY, thin))
    return tuple(fitting), tuple(failed)


def _to_liquidity(ready: tuple[Wish, ...], fitting: tuple[Wish, ...], found: Markets) -> tuple[Fitted, ...]:
    """Each order limited by its scarcest asset. Orders that failed still count in the demand that is shared."""
    demand = total_demand(wish.uses for wish in ready)
    return tuple(Fitted.of(wish, _possible(wish, found, demand)) for wish in fitting)


def _possible(wish: Wish, found: Markets, demand: Mapping[str, Decimal]) -> Decimal:
    possible = wish.quantity
    for asset in wish.quantities:
        wanted = demand[key(asset, wish.side)]
        if wanted > 0:
            possible = min(possible, found[wish.side][asset].liquidity * wish.quantity / wanted)
    return possible


def _orders(problem: PlanProblem, found: Markets, sized: Mapping[str, Decimal]) -> tuple[AssetPlan, ...]:
    limits, rows = problem.limits, []
    for side in _SIDES:
        for asset in asset_order(problem):
            demand = sized.get(key(asset, side), _ZERO)
            if demand <= limits.quantity_tolerance:
                continue
            one = found[side][asset]
            held = sum((lot.quantity for lot in problem.held if (lot.asset, lot.side) == (asset, side)), _ZERO)
            quantity = _ZERO if held > 0 else padded(demand, one, limits) if side == "buy" else demand
            rows.append(
                AssetPlan(
                    asset=asset,
                    side=side,
                    limit=one.limit,
                    liquidity=one.liquidity,
                    demand=demand,
                    stock=held,
                    crossed=_ZERO,
                    quantity=quantity,
                )
            )
    return tuple(rows)
