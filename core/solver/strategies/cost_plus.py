"""Bids what it costs plus a margin, wherever the limit allows: the honest professional."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.kernel.rng import Stream
from core.solver.pricing import affordable_input, meets_limit, rate_at
from core.solver.problem import CostPlus, Problem
from core.solver.protocol import Bid
from core.units import SECOND

VALIDITY: Final = 2 * SECOND
"""Beyond the bid deadline: long enough to take over from a winner or two that did not pay."""


def cost_plus(problem: Problem, params: CostPlus, draws: Stream) -> tuple[Bid, ...]:
    """A bid for each order that can be served at cost plus margin within its limit, while capital lasts."""
    return bids_at(problem, params.cost_bps + params.margin_bps, params.noise_bps, draws)


def bids_at(problem: Problem, worse_bps: int, noise_bps: int, draws: Stream) -> tuple[Bid, ...]:
    """Bids that are worse than the reference price by `worse_bps` and a noise drawn for each order."""
    prices, capital = dict(problem.prices), dict(problem.capital)
    bids = []
    for number, offer in enumerate(problem.orders, start=1):
        noise = noise_bps * draws.uniform()
        if offer.symbol not in prices:
            continue
        rate = rate_at(offer, prices[offer.symbol], worse_bps + noise)
        taken = affordable_input(offer, rate, capital) if rate > 0 and meets_limit(offer, rate) else Decimal(0)
        if taken > 0:
            bid_id = f"{problem.height}.{number}"
            bids.append(Bid(bid_id, offer.order_id, taken, rate, problem.bid_deadline + VALIDITY))
    return tuple(bids)
