"""Strategies by name: the parameters each takes, how it bids, and whether it pays what it has won.

A strategy draws only from the stream it is handed, so what it does depends on nothing but the problem.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import localcontext
from typing import Any, Final, NamedTuple

from core.kernel.record import Record
from core.kernel.rng import Stream, stream
from core.solver.problem import CostPlus, Params, Problem, Random, Solution, Unreliable
from core.solver.protocol import Bid
from core.solver.strategies.cost_plus import cost_plus
from core.solver.strategies.random_bids import random_bids
from core.solver.strategies.unreliable import unreliable_bids, unreliable_pays
from core.units import MONEY


def always(_params: Params, _draws: Stream) -> bool:
    """Pays every award."""
    return True


class Strategy(NamedTuple):
    """`bids` and `pays` take parameters of type `params`."""

    params: type[Record]
    bids: Callable[[Problem, Any, Stream], tuple[Bid, ...]]
    pays: Callable[[Any, Stream], bool] = always


STRATEGIES: Final[dict[str, Strategy]] = {
    "random": Strategy(Random, random_bids),
    "cost_plus": Strategy(CostPlus, cost_plus),
    "unreliable": Strategy(Unreliable, unreliable_bids, unreliable_pays),
}
_BY_PARAMS: Final = {strategy.params: strategy for strategy in STRATEGIES.values()}


def solve(problem: Problem) -> Solution:
    """The bids with which the solver answers a batch."""
    draws = stream(problem.seed, f"solver.{problem.solver}.{problem.height}")
    with localcontext(MONEY):
        return Solution(problem.height, _BY_PARAMS[type(problem.params)].bids(problem, problem.params, draws))


def pays(params: Params, seed: int, solver: str, commitment_id: str) -> bool:
    """Whether the solver pays for a commitment."""
    return _BY_PARAMS[type(params)].pays(params, stream(seed, f"solver.{solver}.{commitment_id}"))
