"""Fitting as it should be: caps scale everything, freed liquidity is shared out again, one asset stops nobody else.

Orders are raised together, as shares of what they want, until an asset they need or the batch's cap is used up
(`waterfill`). Each asset offers its liquidity, less what running batches mean to take, and the lots that are held; the
rest of this module is what can still stand in the way of exchange orders: what the house may hold, and what may be
outstanding. Then steps are given up first, and then the orders that came last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from core.index.engaging import Fitted, engagements, exact_fractions, is_nothing
from core.index.planning import NotPlanned, Plan, PlanProblem, PlanReason, key
from core.index.rounding import cut
from core.index.sizing import Sized, house_value, size, usable_stock
from core.index.waterfill import water_fill
from core.index.wishes import Markets, Wish, both_markets, wishes

_ZERO: Final = Decimal(0)
CAP: Final = "cap"
"""The resource that all orders use, in money; the others are `side:asset`."""


class Supplies(NamedTuple):
    """What orders share."""

    cap: Decimal
    """Money that the batch may be worth."""
    market: Mapping[str, Decimal]
    """By `side:asset`: what exchange orders can get."""
    stock: Mapping[str, Decimal]
    """By `side:asset`: lots that are held and usable."""

    def all(self) -> dict[str, Decimal]:
        """By resource."""
        assets = {key: amount + self.stock.get(key, _ZERO) for key, amount in self.market.items()}
        return {CAP: self.cap} | assets


Fitter: TypeAlias = Callable[[PlanProblem, tuple[Wish, ...], Supplies], dict[str, Decimal]]
"""How many index tokens of each order, by order; within what they wish and what there is."""


def progressive(_problem: PlanProblem, ready: tuple[Wish, ...], supplies: Supplies) -> dict[str, Decimal]:
    """Max-min fair in shares of what orders want."""
    shares = water_fill({wish.order_id: claims(wish) for wish in ready}, supplies.all())
    return {wish.order_id: wish.quantity * shares[wish.order_id] for wish in ready}


def claims(wish: Wish) -> dict[str, Decimal]:
    """What all of an order would use of each resource."""
    return {CAP: wish.price * wish.quantity, **wish.uses}


def fit_corrected(problem: PlanProblem, cap: Decimal, room: Decimal, fitter: Fitter = progressive) -> Plan:
    """A plan of a batch that may be worth `cap` and whose exchange orders may be worth `room`."""
    found = both_markets(problem)
    wished = wishes(problem, found)
    supplies = _supplies(problem, found, cap)
    ready, deferred = _liquid(wished.ready, supplies)
    deferred = (*wished.unpriced, *deferred)
    while True:
        fitted, small = _fit(problem, ready, supplies, fitter)
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
    """A market that is too thin for the smallest exchange order offers nothing."""
    smallest = problem.limits.min_asset_volley_size
    market = {
        key(asset, side): one.liquidity if one.depth >= smallest and one.liquidity >= one.least else _ZERO
        for side, by_asset in found.items()
        for asset, one in by_asset.items()
    }
    stock = {key(asset, side): held for (asset, side), held in usable_stock(problem, found).items()}
    return Supplies(cap, market, stock)


def _liquid(ready: tuple[Wish, ...], supplies: Supplies) -> tuple[tuple[Wish, ...], tuple[NotPlanned, ...]]:
    """Orders that need an asset of which there is nothing wait; the others do not wait for them."""
    offered, fitting, deferred = supplies.all(), [], []
    for wish in ready:
        none = next((at for at in wish.uses if not offered[at]), None)
        if none is None:
            fitting.append(wish)
        else:
            deferred.append(NotPlanned(wish.order_id, PlanReason.NO_LIQUIDITY, none.partition(":")[2]))
    return tuple(fitting), tuple(deferred)


def _fit(
    problem: PlanProblem, ready: tuple[Wish, ...], supplies: Supplies, fitter: Fitter
) -> tuple[tuple[Fitted, ...], tuple[NotPlanned, ...]]:
    """Whole units of index tokens; engagements for nothing, within the tolerance, are none."""
    limits = problem.limits
    quantities = fitter(problem, ready, supplies) if ready else {}
    fitted, small = [], []
    for wish in ready:
        quantity = cut(quantities[wish.order_id], limits.index_decimals)
        if is_nothing(wish, quantity, limits):
            small.append(NotPlanned(wish.order_id, PlanReason.TOO_SMALL))
        else:
            fitted.append(Fitted.of(wish, quantity))
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
    growth = sized.house_growth
    if growth > 0 and house_value(problem) + growth > problem.limits.house_exposure_max:
        return PlanReason.HOUSE_EXPOSURE
    return PlanReason.NO_VOLLEY if sized.volley > (cap if sized.raised else room) else None
