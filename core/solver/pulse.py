"""Whether the other end of a connection still lives: silence is asked about once, and then taken for death.

TCP does not tell of a peer whose machine or network is gone, so that both ends ask. One timer a connection
suffices: it finds on firing what has been heard meanwhile.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from core.units import Nanos


class PulseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """After `interval` of silence a peer is asked, and has `timeout` to say anything. An interval of 0 never asks."""

    interval: Nanos = 0
    timeout: Nanos = 0


class Sign(StrEnum):
    """What a timer has found."""

    WELL = "well"
    SILENT = "silent"
    """It has to be asked."""
    DEAD = "dead"


class Pulse(msgspec.Struct):
    """When something was last heard, and whether the peer was asked since."""

    heard_at: Nanos = 0
    asked: bool = False

    def heard(self, now: Nanos) -> None:
        """Anything at all has arrived."""
        self.heard_at, self.asked = now, False

    def take(self, now: Nanos, settings: PulseSettings) -> Sign:
        """The timer has fired."""
        if self.asked:
            return Sign.DEAD
        self.asked = now >= self.heard_at + settings.interval
        return Sign.SILENT if self.asked else Sign.WELL

    def next_at(self, now: Nanos, settings: PulseSettings) -> Nanos:
        """When the timer has to fire again."""
        return now + settings.timeout if self.asked else self.heard_at + settings.interval
