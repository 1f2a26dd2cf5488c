"""House batches: tasks of rebalances, delistings and surplus as a plan like any other.

A task is engaged as an order for an index of its one asset, so batches, fills and invariants are those of users'
orders. Tasks are served one after the other in the order of their urgency, each as far as liquidity, lots that are held
and the batch's cap go; what opposite tasks can give each other is crossed.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from functools import partial
from typing import Final

from msgspec import structs

from core.index.basket import Basket, BasketAsset
from core.index.crossing import Supplies
from core.index.fit_corrected import Sharing, claims, fit_corrected
from core.index.limits import market
from core.index.planning import Demand, Mode, NoRoom, NotPlanned, Plan, PlanLimits, PlanProblem, PlanReason
from core.index.rebalance import HouseTask, queue
from core.index.rounding import FINEST
from core.index.wishes import Wish
from core.units import MONEY, Nanos

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


def house_plan(problem: PlanProblem, tasks: Iterable[HouseTask], now: Nanos) -> Plan | NoRoom:
    """A batch of tasks. Of `problem`, markets, limits, stock and what is outstanding count; its demands do not.

    Engagements are named by task, in units of the asset. Tasks without a price or liquidity are deferred. So are the
    house's own sales that are smaller than the smallest exchange order; where nothing else can be done, they are made
    all the same, as far as the exchange takes them.
    """
    with localcontext(MONEY):
        limits = structs.replace(problem.limits, mode=Mode.CORRECTED, index_decimals=FINEST)
        room = limits.max_total_volley_size - problem.outstanding_volley
        if room < limits.min_total_volley_available:
            return NoRoom(room, limits.min_total_volley_available)
        cap = min(limits.max_volley_size, room)
        planned, small = _sellable(problem, limits, queue(tasks, now), cap, room)
        if planned.engagements or not small:
            return _deferring(planned, small)
        smaller = structs.replace(limits, min_asset_volley_size=_ZERO)
        alone, small = _sellable(problem, smaller, small, cap, room)
        return _deferring(structs.replace(alone, deferred=(*planned.deferred, *alone.deferred)), small)


def _sellable(
    problem: PlanProblem, limits: PlanLimits, waiting: list[HouseTask], cap: Decimal, room: Decimal
) -> tuple[Plan, list[HouseTask]]:
    """A batch of tasks, but for the house's own sales that are too little for an exchange order: those apart.

    They would pass to the house, or be refused as more than it may hold.
    """
    planned = _planned(problem, limits, waiting, cap, room)
    to_itself = {one.asset for one in planned.crossings if one.to_house}
    to_itself |= {one.asset for one in planned.deferred if one.reason is PlanReason.HOUSE_EXPOSURE}
    small = [task for task in waiting if not task.symbol and task.side == "sell" and task.asset in to_itself]
    if small:
        planned = _planned(problem, limits, [task for task in waiting if task not in small], cap, room)
    return planned, small


def _deferring(planned: Plan, small: list[HouseTask]) -> Plan:
    deferred = (NotPlanned(task.task_id, PlanReason.TOO_SMALL, task.asset) for task in small)
    return structs.replace(planned, deferred=(*planned.deferred, *deferred))


def _planned(problem: PlanProblem, limits: PlanLimits, waiting: list[HouseTask], cap: Decimal, room: Decimal) -> Plan:
    asked = structs.replace(
        problem,
        demands=tuple(_demand(problem, task) for task in waiting),
        baskets=tuple(_alone(asset) for asset in dict.fromkeys(task.asset for task in waiting)),
        limits=structs.replace(limits, max_order_volley_size=cap),
    )
    return fit_corrected(asked, cap, room, one_after_the_other)


def one_after_the_other(_problem: PlanProblem, ready: tuple[Wish, ...], _supplies: Supplies) -> Sharing:
    """Each order as far as what is left goes, in their order: the first are served best."""
    return partial(_in_turn, ready)


def _in_turn(ready: tuple[Wish, ...], supplies: Supplies) -> dict[str, Decimal]:
    left, found = supplies.all(), {}
    for wish in ready:
        uses = {at: used for at, used in claims(wish).items() if used > 0}
        share = min([_ONE, *(left[at] / used for at, used in uses.items())])
        for at, used in uses.items():
            left[at] = max(left[at] - used * share, _ZERO)
        found[wish.order_id] = wish.quantity * share
    return found


def _demand(problem: PlanProblem, task: HouseTask) -> Demand:
    """A buy asks for the money that its quantity may cost, as users' do."""
    if task.side == "sell":
        return Demand(task.task_id, task.asset, "sell", task.quantity)
    view = next((view for view in problem.views if view.asset == task.asset), None)
    one = market(view, "buy", problem.limits) if view is not None else None
    limit = one.limit if one is not None else _ZERO
    return Demand(task.task_id, task.asset, "buy", task.quantity * limit * problem.limits.fee_factor)


def _alone(asset: str) -> Basket:
    return Basket(asset, (BasketAsset(asset, _ONE, _ONE),))
