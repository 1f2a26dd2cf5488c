"""What a simulated exchange is made of: its markets, its manners, and what goes wrong there."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import msgspec

from core.market.exchange import Instrument, Levels, RateLimit
from core.units import MILLISECOND, SECOND, Nanos
from sim.latency import Constant, Latency
from sim.scenario.models import Gbm


class ScriptedFill(msgspec.Struct, frozen=True):
    """A trade of `share` of an order's quantity, at `factor` times its limit price."""

    share: Decimal
    factor: Decimal


Script: TypeAlias = tuple[tuple[ScriptedFill, ...], ...]
"""By order, in the order in which they come, the trades that it has; the last entry serves all that follow."""


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody else: a ladder of orders around a price that moves, and now and then one who takes from it."""

    path: Gbm
    """Every tick of it, the ladder is drawn anew."""
    levels: int = 5
    spread_bps: int = 10
    """From the price to the first level of each side ..."""
    step_bps: int = 10
    """... and from each level to the next."""
    quantity: Decimal
    """The most that stands at a level; each draws between a quarter of it and all."""
    takers_per_mille: int = 100
    """How often a tick brings somebody who takes up to half a level."""


class SimMarket(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol that is traded, and what stands there at the start."""

    instrument: Instrument
    bids: Levels = ()
    asks: Levels = ()
    last: Decimal | None = None
    """The price of a trade at the start, if one is told of."""
    last_quantity: Decimal = Decimal(1)
    flow: Flow | None = None


class Outage(msgspec.Struct, frozen=True):
    """From `at` after the start, for `span`, there is no session, and what is said is lost."""

    at: Nanos
    span: Nanos


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """How often, in a thousand, something goes wrong that an exchange or a line may do."""

    rejects: int = 0
    """An order is refused for no reason of its own."""
    lost_requests: int = 0
    lost_replies: int = 0
    """The request was obeyed."""
    bare_replies: int = 0
    """The reply to an order does not list its trades yet."""
    lost_messages: int = 0
    """Of the streams."""
    repeated_messages: int = 0


class ExchangeModel(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated exchange. Balances are kept, and no order is refused for want of them: the account has credit."""

    markets: tuple[SimMarket, ...]
    latency: Latency = Constant(MILLISECOND)
    """Each way, of requests, replies and messages."""
    maker_bps: Decimal = Decimal(0)
    taker_bps: Decimal = Decimal(10)
    balances: dict[str, Decimal] = {}
    limits: tuple[RateLimit, ...] = (RateLimit(100, 10 * SECOND), RateLimit(200_000, 86_400 * SECOND))
    faults: Faults = Faults()
    outages: tuple[Outage, ...] = ()
    script: Script = ()
    """If there is one, orders trade by it, not against the book. What is left of one expires with its last trade."""
    script_gap_ns: Nanos = MILLISECOND
    """Between an order and its first scripted trade, and between its trades."""
