"""What a simulated exchange is made of: its markets, its manners, and what goes wrong there."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from core.market.exchange import USUAL_LIMITS, Instrument, Levels, RateLimit
from core.units import MILLISECOND, Nanos
from sim.latency import Constant, Latency
from sim.scenario.models import Gbm

QUOTE: Final = "quote"
"""Commissions are in the quote token,"""
BASE: Final = "base"
"""or in the asset that is traded."""
FINEST: Final = Decimal("0.00000001")
"""What prices and quantities are multiples of where an instrument does not say."""


class ScriptedFill(msgspec.Struct, frozen=True):
    """A trade of `share` of an order's quantity, at `factor` times its limit price; of a sell, at the limit over it."""

    share: Decimal
    factor: Decimal


Script: TypeAlias = tuple[tuple[ScriptedFill, ...], ...]
"""By order, in the order in which they come, the trades that it has; the last entry serves all that follow."""


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded price, looked at every `tick`: of the latest row by then, and of the last one for ever after."""

    rows: Sequence[tuple[Nanos, Decimal]]
    """How long after the start, and the price; at least one, the first at 0."""
    tick: Nanos


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody else: a ladder of orders around a price that moves, and now and then one who takes from it."""

    path: Gbm | Played
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


class Transfer(msgspec.Struct, frozen=True):
    """At `at` after the start, somebody who is not the desk brings `quantity` of an asset in, or takes it out."""

    at: Nanos
    asset: str
    quantity: Decimal
    """Below zero if it is taken."""


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
    reordered_messages: int = 0
    """A message of a stream is late, and those after it are not."""


class ExchangeModel(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated exchange. It keeps balances."""

    markets: tuple[SimMarket, ...]
    latency: Latency = Constant(MILLISECOND)
    """Each way, of requests, replies and messages."""
    maker_bps: Decimal = Decimal(0)
    taker_bps: Decimal = Decimal(10)
    commission: str = QUOTE
    """What it takes its fees in: `QUOTE`, `BASE`, or an asset that it trades, while there is a price for that."""
    balances: dict[str, Decimal] = {}
    credit: bool = True
    """Whether no order is refused for want of a balance."""
    limits: tuple[RateLimit, ...] = USUAL_LIMITS
    faults: Faults = Faults()
    outages: tuple[Outage, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    script: Script = ()
    """If there is one, orders trade by it, not against the book. What is left of one expires with its last trade, or
    when the first would have been if it has none."""
    script_gap_ns: Nanos = MILLISECOND
    """Between an order and its first scripted trade, and between its trades."""
