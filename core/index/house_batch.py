"""House batches: tasks of rebalances, delistings and surplus as a plan like any other.

A task is engaged as an order for an index of its one asset, so batches, fills and invariants are those of users'
orders. Tasks are served one after the other in the order of their urgency, each as far as liquidity, lots that are held
and the batch's cap go; what opposite tasks can give each other is crossed.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import Final

from msgspec import structs

from core.index.basket import Basket, BasketAsset
from core.index.fit_corrected import Supplies, claims, fit_corrected
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
    house's own sales of what would have to pass to the house, being too little for an exchange order.
    """
    with localcontext(MONEY):
        limits = structs.replace(problem.limits, mode=Mode.CORRECTED, index_decimals=FINEST)
        room = limits.max_total_volley_size - problem.outstanding_volley
        if room < limits.min_total_volley_available:
            return NoRoom(room, limits.min_total_volley_available)
        cap = min(limits.max_volley_size, room)
        waiting = queue(tasks, now)
        planned = _planned(problem, limits, waiting, cap, room)
        to_itself = {one.asset for one in planned.crossings if one.to_house}
        vain = [task for task in waiting if not task.symbol and task.side == "sell" and task.asset in to_itself]
        if not vain:
            return planned
        rest = _planned(problem, limits, [task for task in waiting if task not in vain], cap, room)
        deferred = (NotPlanned(task.task_id, PlanReason.TOO_SMALL, task.asset) for task in vain)
        return structs.replace(rest, deferred=(*rest.deferred, *deferred))


def _planned(problem: PlanProblem, limits: PlanLimits, waiting: list[HouseTask], cap: Decimal, room: Decimal) -> Plan:
    asked = structs.replace(
        problem,
        demands=tuple(_demand(problem, task) for task in waiting),
        baskets=tuple(_alone(asset) for asset in dict.fromkeys(task.asset for task in waiting)),
        limits=structs.replace(limits, max_order_volley_size=cap),
    )
    return fit_corrected(asked, cap, room, one_after_the_other)


def one_after_the_other(_problem: PlanProblem, ready: tuple[Wish, ...], supplies: Supplies) -> dict[str, Decimal]:
    """Each order as far as what is left goes, in their order: the first are served best."""
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
