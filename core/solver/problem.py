"""What a solver is asked and what it answers; and the parameters of each strategy, as data.

A problem holds everything that the answer may depend on, so `solve` is a pure function that runs
inline in a simulation and in a worker process in production, with the same result.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, TypeAlias

from msgspec import Meta

from core.kernel.record import Record
from core.solver.protocol import Bid, Offer
from core.units import Nanos

PerMille: TypeAlias = Annotated[int, Meta(ge=0, le=1000)]
Bps: TypeAlias = Annotated[int, Meta(gt=-10_000, lt=10_000)]
"""Less than all of a price, either way."""
Width: TypeAlias = Annotated[int, Meta(ge=0, lt=10_000)]
"""Basis points between which something is drawn."""


class Random(Record, frozen=True, tag="random", forbid_unknown_fields=True):
    """Bids on each order with a probability, at a random rate and validity. The reference's solver."""

    bid_per_mille: PerMille = 700
    spread_bps: Width = 50
    """The rate is uniform within this much of the reference price, either side."""


class CostPlus(Record, frozen=True, tag="cost_plus", forbid_unknown_fields=True):
    """Bids its cost plus a margin wherever the limit allows it.

    Cost is the reference price worsened by `cost_bps` and a uniform noise of up to `noise_bps`.
    """

    cost_bps: Bps = 3
    noise_bps: Width = 4
    margin_bps: Bps = 2


class Unreliable(Record, frozen=True, tag="unreliable", forbid_unknown_fields=True):
    """Bids as `cost_plus` does, better by `edge_bps`, and does not pay `default_per_mille` of its awards."""

    default_per_mille: PerMille = 300
    edge_bps: Bps = 3
    cost_bps: Bps = 3
    noise_bps: Width = 4
    margin_bps: Bps = 2


Params: TypeAlias = Random | CostPlus | Unreliable


class Problem(Record, frozen=True):
    """One batch as a solver sees it. `seed` and `solver` name the stream that the strategy draws from."""

    solver: str
    seed: int
    height: int
    opened_at: Nanos
    bid_deadline: Nanos
    orders: tuple[Offer, ...]
    prices: tuple[tuple[str, Decimal], ...]
    """Latest reference price (quote per base) the solver knows, by symbol."""
    capital: tuple[tuple[str, Decimal], ...]
    """What the solver may still commit, by token."""
    params: Params


class Solution(Record, frozen=True):
    """The bids that answer a problem."""

    height: int
    bids: tuple[Bid, ...]
