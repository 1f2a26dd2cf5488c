"""The planners side by side on the same problem: what is engaged, how evenly, and what the house is left with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from typing import Final, TypeAlias

from core.index import fitting, matrix
from core.index.planning import NoRoom, Plan, PlanProblem
from core.index.validate import violations
from core.index.wishes import both_markets, wishes
from core.kernel.record import Record
from core.units import MONEY

Planner: TypeAlias = Callable[[PlanProblem], Plan | NoRoom]
PLANNERS: Final[Mapping[str, Planner]] = {"simple": fitting.plan, "matrix": matrix.plan}
_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


class Score(Record, frozen=True, kw_only=True):
    """How a planner did on a problem. Money at limits; shares are of what orders wished, within their own caps."""

    planner: str
    wished: Decimal
    engaged: Decimal
    fill_rate: Decimal
    """Engaged over wished."""
    least_share: Decimal
    """Of the order that got least; 0 if one got nothing."""
    volley: Decimal
    surplus: Decimal
    """What the house would hold on top."""
    from_stock: Decimal
    """What held lots cover."""
    left_over: Decimal
    """What of the held lots is still there, at cost, and the surplus."""
    orders: int
    deferred: int
    violations: int


def score(planner: str, problem: PlanProblem) -> Score:
    """One planner on one problem."""
    with localcontext(MONEY):
        made = PLANNERS[planner](problem)
        plan = made if isinstance(made, Plan) else Plan(engagements=(), assets=())
        ready = wishes(problem, both_markets(problem)).ready
        engaged = {one.order_id: one.price * one.quantity for one in plan.engagements}
        wished = {wish.order_id: wish.price * wish.quantity for wish in ready}
        total, got = sum(wished.values(), _ZERO), sum(engaged.values(), _ZERO)
        shares = [engaged.get(order_id, _ZERO) / worth for order_id, worth in wished.items() if worth]
        surplus = sum((row.surplus * row.limit for row in plan.assets), _ZERO)
        used = sum((row.stock * row.limit for row in plan.assets), _ZERO)
        held = sum((lot.quantity * lot.unit_cost for lot in problem.held), _ZERO)
        return Score(
            planner=planner,
            wished=total,
            engaged=got,
            fill_rate=got / total if total else _ONE,
            least_share=min(shares, default=_ONE),
            volley=plan.volley,
            surplus=surplus,
            from_stock=used,
            left_over=max(held - used, _ZERO) + surplus,
            orders=len(plan.engagements),
            deferred=len(plan.deferred),
            violations=len(violations(problem, plan)) if isinstance(made, Plan) else 0,
        )


def compare(problem: PlanProblem) -> tuple[Score, ...]:
    """Every planner on one problem: rows of a table."""
    return tuple(score(planner, problem) for planner in PLANNERS)
