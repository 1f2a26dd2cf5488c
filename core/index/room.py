"""What the exchange allows: filters that plans keep to, and how many exchange orders may leave.

A batch begins when all of its exchange orders can leave at once, for their limits are of the same books; one that has
more than a limit allows, when the limit is unused. Until then its orders keep their places, and nothing is engaged.
What is counted here is what the desk has sent: whoever else uses the account only makes execution's line longer.

Users and the house take turns: whose batch has to wait has the turn, and no batch of the other that needs exchange
orders begins before, or small ones could keep the limits used for ever. A delisting ahead of its date needs no turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from core.execution.records import ExchangeRulesReported
from core.index.planning import Plan, PlanLimits
from core.market.exchange import USUAL_LIMITS, Instrument
from core.market.limiter import Limiter
from core.units import Nanos


class Turn(StrEnum):
    """Whose batch begins next."""

    ANYBODY = ""
    USERS = "users"
    HOUSE = "house"


def _usual() -> Limiter:
    limiter = Limiter()
    limiter.adopt(0, USUAL_LIMITS)
    return limiter


class Room(msgspec.Struct):
    """What may be sent, and what was."""

    instruments: dict[str, Instrument] = {}
    """By symbol, those that have a filter."""
    limiter: Limiter = msgspec.field(default_factory=_usual)
    turn: Turn = Turn.ANYBODY
    """Whose batch has to wait until its exchange orders can leave."""
    held_until: Nanos = 0
    """It does not begin before."""
    queued_until: Nanos = 0
    """When the last that was sent may leave."""

    def adopt(self, now: Nanos, rules: ExchangeRulesReported) -> None:
        """The exchange has said what it allows."""
        self.instruments = {each.symbol: each for each in rules.instruments}
        self.limiter.adopt(now, rules.limits)
        self.held_until = self.queued_until = now
        self.turn = Turn.ANYBODY

    def of(self, assets: Iterable[str]) -> tuple[Instrument, ...]:
        """The filters of these assets."""
        return tuple(self.instruments[asset] for asset in assets if asset in self.instruments)

    def admits(self, now: Nanos, planned: Plan, limits: PlanLimits, turn: Turn, *, is_urgent: bool = False) -> bool:
        """Whether a batch may begin: all of its exchange orders can leave, and nobody else has the turn, or it is
        urgent. One that has to wait has the turn, if nobody else has."""
        count = sum(row.quantity > limits.nothing for row in planned.assets)
        if not count:
            self.pass_on(turn)
            return True
        start = max(now, self.queued_until)
        until = start + self.limiter.wait(start, count)
        if self.turn not in {Turn.ANYBODY, turn}:
            return is_urgent and now >= until
        self.turn, self.held_until = (turn if now < until else Turn.ANYBODY), until
        return now >= until

    def pass_on(self, turn: Turn) -> None:
        """Who had the turn has no batch that needs it."""
        if self.turn is turn:
            self.turn = Turn.ANYBODY

    def is_held(self, now: Nanos) -> bool:
        """Whether it is somebody's turn whose batch may not begin yet."""
        return self.turn is not Turn.ANYBODY and now < self.held_until

    def open_at(self, now: Nanos) -> Nanos:
        """When it is no more."""
        return self.held_until if self.is_held(now) else now

    def sent(self, now: Nanos, count: int) -> None:
        """So many exchange orders are in execution's line."""
        self.queued_until = self.limiter.queue(max(now, self.queued_until), count)
