"""A circuit breaker: what is refused again and again is not asked for, for a while."""

from __future__ import annotations

import msgspec

from core.execution.settings import ExecutionSettings
from core.units import Nanos


class Breaker(msgspec.Struct):
    """Refusals in a row for one symbol. Open after `refusals_max`; after each cooldown one order may try.

    The first that is accepted closes it, by having the breaker forgotten.
    """

    refusals: int = 0
    shut_until: Nanos = 0

    def lets_through(self, now: Nanos, settings: ExecutionSettings) -> bool:
        """Whether an order may be sent now."""
        return self.refusals < settings.refusals_max or now >= self.shut_until

    def sending(self, now: Nanos, settings: ExecutionSettings) -> None:
        """An order is sent; if it is the one that tries, no other follows before it has been answered or had time."""
        if self.refusals >= settings.refusals_max:
            self.shut_until = now + settings.cooldown_ns

    def refused(self, now: Nanos, settings: ExecutionSettings) -> bool:
        """An order was refused; whether that opens the circuit, or keeps it open."""
        self.refusals += 1
        if self.refusals < settings.refusals_max:
            return False
        self.shut_until = now + settings.cooldown_ns
        return True
