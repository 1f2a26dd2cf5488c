"""What the exchange allows: filters that plans keep to, and how many exchange orders may leave.

A batch begins when all of its exchange orders can leave at once, for their limits are of the same books; one that has
more than a limit allows, when the limit is unused. Until then its orders keep their places, and nothing is engaged.
What is counted here is what the desk has sent: whoever else uses the account only makes execution's line longer.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from core.execution.records import ExchangeRulesReported
from core.index.planning import Plan, PlanLimits
from core.market.exchange import USUAL_LIMITS, Instrument
from core.market.limiter import Limiter
from core.units import Nanos


def _usual() -> Limiter:
    limiter = Limiter()
    limiter.adopt(0, USUAL_LIMITS)
    return limiter


class Room(msgspec.Struct):
    """What may be sent, and what was."""

    instruments: dict[str, Instrument] = {}
    """By symbol, those that have a filter."""
    limiter: Limiter = msgspec.field(default_factory=_usual)
    held_until: Nanos = 0
    """No batch begins before."""
    queued_until: Nanos = 0
    """When the last that was sent may leave."""

    def adopt(self, now: Nanos, rules: ExchangeRulesReported) -> None:
        """The exchange has said what it allows."""
        self.instruments = {each.symbol: each for each in rules.instruments}
        self.limiter.adopt(now, rules.limits)
        self.held_until = self.queued_until = now

    def of(self, assets: Iterable[str]) -> tuple[Instrument, ...]:
        """The filters of these assets."""
        return tuple(self.instruments[asset] for asset in assets if asset in self.instruments)

    def hold_back(self, now: Nanos, planned: Plan, limits: PlanLimits) -> None:
        """Let no batch begin before all exchange orders of this one can leave."""
        count = sum(row.quantity > limits.nothing for row in planned.assets)
        start = max(now, self.queued_until)
        self.held_until = start + self.limiter.wait(start, count) if count else now

    def is_held(self, now: Nanos) -> bool:
        """Whether no batch may begin yet."""
        return now < self.held_until

    def sent(self, now: Nanos, count: int) -> None:
        """So many exchange orders are in execution's line."""
        self.queued_until = self.limiter.queue(max(now, self.queued_until), count)
