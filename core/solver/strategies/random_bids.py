"""Bids on a whim: some orders, near the reference price, for a while. The reference's solver, and a fuzzer."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.kernel.rng import Stream
from core.solver.pricing import affordable_input, rate_at
from core.solver.problem import Problem, Random
from core.solver.protocol import Bid
from core.units import MILLISECOND

VALIDITY_MS_MAX: Final = 2_000


def random_bids(problem: Problem, params: Random, draws: Stream) -> tuple[Bid, ...]:
    """A bid with probability `bid_per_mille` for each order whose price is known, limit or no limit.

    Each order takes the same draws whether or not it gets a bid, so one order does not move the next.
    """
    prices, capital = dict(problem.prices), dict(problem.capital)
    bids = []
    for number, offer in enumerate(problem.orders, start=1):
        chosen = draws.chance(params.bid_per_mille)
        worse_bps = params.spread_bps * (1 - 2 * draws.uniform())
        validity = draws.between(1, VALIDITY_MS_MAX) * MILLISECOND
        if not chosen or offer.symbol not in prices:
            continue
        rate = rate_at(offer, prices[offer.symbol], worse_bps)
        taken = affordable_input(offer, rate, capital) if rate > 0 else Decimal(0)
        if taken > 0:
            bid_id = f"{problem.height}.{number}"
            bids.append(Bid(bid_id, offer.order_id, taken, rate, problem.bid_deadline + validity))
    return tuple(bids)
