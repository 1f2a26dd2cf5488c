"""SimpleSolver: one batch from many orders, and what an index order would get right now.

`plan` first asks whether running batches leave room for another; `problem.limits.mode` then says which of two ways
orders are fitted to books and caps (`fit_corrected`, `fit_reference`). A quote looks at prices alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext

from core.index.basket import Basket
from core.index.fit_corrected import Fitter, fit_corrected, progressive
from core.index.fit_reference import fit_reference
from core.index.limits import unit_price, worst_price
from core.index.planning import Mode, NoRoom, Plan, PlanLimits, PlanProblem
from core.kernel.record import Record
from core.market.orders import Side
from core.units import MONEY


class Quote(Record, frozen=True):
    """What an amount would buy or bring: index tokens of a buy, money of a sell, at `price` for one token."""

    quantity_possible: Decimal
    price: Decimal


def plan(problem: PlanProblem) -> Plan | NoRoom:
    """One batch of the problem's orders, or NoRoom. Each order is engaged, deferred or failed, never dropped."""
    return plan_with(problem, progressive)


def plan_with(problem: PlanProblem, fitter: Fitter) -> Plan | NoRoom:
    """The same, with quantities by `fitter`, which reference mode has no use for."""
    with localcontext(MONEY):
        limits = problem.limits
        room = limits.max_total_volley_size - problem.outstanding_volley
        if room < limits.min_total_volley_available:
            return NoRoom(room, limits.min_total_volley_available)
        cap = min(limits.max_volley_size, room)
        if limits.mode is Mode.REFERENCE:
            return fit_reference(problem, cap)
        return fit_corrected(problem, cap, room, fitter)


def quote(basket: Basket, best: Mapping[str, Decimal], limits: PlanLimits, *, side: Side, amount: Decimal) -> Quote:
    """What `amount` of collateral would buy, or `amount` index tokens would bring. Looks at no book and at no cap.

    `best` is by asset what it can be bought or sold for, as `side` says. Raises Unpriced naming every asset without.
    """
    worst = {asset: worst_price(price, side, limits) for asset, price in best.items() if price > 0}
    price = unit_price(basket, worst)
    if side == "sell":
        return Quote(amount * price / limits.fee_factor, price)
    return Quote(amount / limits.fee_factor / price, price)
