"""Bids better than it should and then does not always pay: what bonds and reassignment are for."""

from __future__ import annotations

from core.kernel.rng import Stream
from core.solver.problem import Problem, Unreliable
from core.solver.protocol import Bid
from core.solver.strategies.cost_plus import bids_at


def unreliable_bids(problem: Problem, params: Unreliable, draws: Stream) -> tuple[Bid, ...]:
    """As `cost_plus`, better for the owner by `edge_bps`."""
    return bids_at(problem, params.cost_bps + params.margin_bps - params.edge_bps, params.noise_bps, draws)


def unreliable_pays(params: Unreliable, draws: Stream) -> bool:
    """No for `default_per_mille` of the awards."""
    return not draws.chance(params.default_per_mille)
