"""Fitting as it should be: caps scale everything, freed liquidity is shared out again, one asset stops nobody else.

Orders are raised together, as shares of what they want, until an asset they need or the batch's cap is used up
(`waterfill`). Each asset offers its liquidity, less what running batches mean to take, the lots that are held, and what
orders of the other side bring (`crossing`); the rest of this module is what can still stand in the way of exchange
orders: what the house may hold, and what may be outstanding. Then steps are given up first, and then the orders that
came last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final, TypeAlias

from core.index.crossing import CAP, Supplies
from core.index.engaging import Fitted, engagements, exact_fractions, is_nothing
from core.index.planning import NotPlanned, Plan, PlanProblem, PlanReason, key
from core.index.rounding import cut, whole
from core.index.sizing import Sized, house_value, offered, size, usable_stock
from core.index.waterfill import water_fill
from core.index.wishes import Markets, Wish, both_markets, wishes

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)

Sharing: TypeAlias = Callable[[Supplies], dict[str, Decimal]]
"""How many index tokens of each order, by order; within what they wish and what there is."""
Fitter: TypeAlias = Callable[[PlanProblem, tuple[Wish, ...], Supplies], Sharing]
"""How orders share supplies, these or less."""


def progressive(_problem: PlanProblem, ready: tuple[Wish, ...], _supplies: Supplies) -> Sharing:
    """Max-min fair in shares of what orders want."""
    return partial(water_filled, ready, dict.fromkeys((wish.order_id for wish in ready), _ONE))


def water_filled(ready: tuple[Wish, ...], wanted: Mapping[str, Decimal], supplies: Supplies) -> dict[str, Decimal]:
    """Tokens of each order that wants a share of its wish: as much of that as there is."""
    used = {wish.order_id: {at: use * wanted[wish.order_id] for at, use in claims(wish).items()} for wish in ready}
    kept = water_fill(used, supplies.all())
    return {wish.order_id: wish.quantity * wanted[wish.order_id] * kept[wish.order_id] for wish in ready}


def claims(wish: Wish) -> dict[str, Decimal]:
    """What all of an order would use of each resource."""
    return {CAP: wish.price * wish.quantity, **wish.uses}


def fit_corrected(problem: PlanProblem, cap: Decimal, room: Decimal, fitter: Fitter = progressive) -> Plan:
    """A plan of a batch that may be worth `cap` and whose exchange orders may be worth `room`.

    Where somebody would be left out with what the sides bring each other, or everybody, they are fitted without that
    first: who has no market but the other side takes nothing from those who have one.
    """
    found = both_markets(problem)
    wished = wishes(problem, found)
    supplies = _supplies(problem, found, cap)
    ready, deferred = _liquid(wished.ready, supplies)
    deferred = (*wished.unpriced, *deferred)
    while True:
        fitted, small = fit(problem, ready, supplies, fitter)
        sized, blamed = _sized(problem, found, fitted, cap, room)
        if blamed is not None or not fitted:
            fitted, small = fit(problem, ready, supplies, fitter, is_crossed=False)
            sized, blamed = _sized(problem, found, fitted, cap, room)
        if blamed is None:
            break
        ready = tuple(wish for wish in ready if wish.order_id != blamed.order_id)
        deferred = (*deferred, blamed)
    return Plan(
        engagements=engagements(fitted, exact_fractions(fitted), problem.limits),
        assets=sized.assets,
        crossings=sized.crossings,
        deferred=(*deferred, *small),
        failed=wished.unknown,
        volley=sized.volley,
    )


def _supplies(problem: PlanProblem, found: Markets, cap: Decimal) -> Supplies:
    limits = problem.limits
    market = {key(one.asset, side): offered(one, limits) for side in found for one in found[side].values()}
    stock = {key(asset, side): held for (asset, side), held in usable_stock(problem, found).items()}
    tolerance = limits.collateral_tolerance
    dust = {key(one.asset, side): tolerance / one.limit for side in found for one in found[side].values()}
    return Supplies(cap, market, stock, dust, {})


def _liquid(ready: tuple[Wish, ...], supplies: Supplies) -> tuple[tuple[Wish, ...], tuple[NotPlanned, ...]]:
    """Orders that need an asset of which there is nothing wait; the others do not wait for them, nor count on them."""
    deferred: list[NotPlanned] = []
    while True:
        there = supplies.crossed_by(wish.uses for wish in ready).all()
        nothing = {wish.order_id: at for wish in ready if (at := _missing(wish, there))}
        if not nothing:
            return ready, tuple(deferred)
        deferred += [_illiquid(order_id, at) for order_id, at in nothing.items()]
        ready = tuple(wish for wish in ready if wish.order_id not in nothing)


def _missing(wish: Wish, there: Mapping[str, Decimal]) -> str:
    """The first `side:asset` that an order needs and of which there is nothing; none if there is of all."""
    return next((at for at in wish.uses if not there[at]), "")


def _illiquid(order_id: str, at: str) -> NotPlanned:
    return NotPlanned(order_id, PlanReason.NO_LIQUIDITY, at.partition(":")[2])


def fit(
    problem: PlanProblem, ready: tuple[Wish, ...], supplies: Supplies, fitter: Fitter, *, is_crossed: bool = True
) -> tuple[tuple[Fitted, ...], tuple[NotPlanned, ...]]:
    """Orders with what the batch works on, and those that it does not work on. What one side brings the other is part
    of the supplies as far as it is really there, if it `is_crossed`."""
    supplies = supplies.crossed_by(wish.uses for wish in ready) if is_crossed else supplies
    share_out = fitter(problem, ready, supplies)
    rounds = 0
    while True:
        fitted, small = _whole(problem, ready, share_out(supplies), supplies)
        rounds += 1
        lowered = supplies.lowered((one.contributions for one in fitted), rounds)
        if lowered is None:
            return fitted, small
        supplies = lowered


def _whole(
    problem: PlanProblem, ready: tuple[Wish, ...], quantities: Mapping[str, Decimal], supplies: Supplies
) -> tuple[tuple[Fitted, ...], tuple[NotPlanned, ...]]:
    """Whole units of index tokens; engagements for nothing, within the tolerance, are none."""
    limits, there = problem.limits, supplies.all()
    fitted, small = [], []
    for wish in ready:
        quantity = whole(quantities[wish.order_id], limits.index_decimals)
        quantity = min(quantity, cut(wish.quantity, limits.index_decimals))
        if not is_nothing(wish, quantity, limits):
            fitted.append(Fitted.of(wish, quantity))
        elif at := _missing(wish, there):
            small.append(_illiquid(wish.order_id, at))
        else:
            small.append(NotPlanned(wish.order_id, PlanReason.TOO_SMALL))
    return tuple(fitted), tuple(small)


def _sized(
    problem: PlanProblem, found: Markets, fitted: tuple[Fitted, ...], cap: Decimal, room: Decimal
) -> tuple[Sized, NotPlanned | None]:
    """The exchange orders, without steps if they are too much with them; and whom to do without, if they still are."""
    sized = size(problem, found, fitted, stepped=True)
    if _objection(problem, sized, cap, room) is not None:
        sized = size(problem, found, fitted, stepped=False)
    reason = _objection(problem, sized, cap, room)
    if reason is PlanReason.HOUSE_EXPOSURE:
        worst = max(sized.house_change, key=lambda asset: sized.house_change[asset])
        last = [one.wish.order_id for one in fitted if worst in one.wish.quantities][-1]
        return sized, NotPlanned(last, reason, worst)
    if reason is PlanReason.NO_VOLLEY:
        needing = [one.wish.order_id for one in fitted if sized.raised in (*one.wish.quantities, "")]
        return sized, NotPlanned(needing[-1], reason, sized.raised)
    return sized, None


def _objection(problem: PlanProblem, sized: Sized, cap: Decimal, room: Decimal) -> PlanReason | None:
    """The exchange's filters may raise orders as far as a batch may be worth; the desk's own padding, as room goes."""
    growth, limits = sized.house_growth, problem.limits
    if growth > limits.collateral_tolerance and house_value(problem) + growth > limits.house_exposure_max:
        return PlanReason.HOUSE_EXPOSURE
    return PlanReason.NO_VOLLEY if sized.volley > (cap if sized.raised else room) else None
