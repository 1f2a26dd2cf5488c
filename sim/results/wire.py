"""What FIX engines write to their connections, and when it reaches the other end."""

from __future__ import annotations

from typing import Final

import msgspec

from core.kernel.record import Bytes, Effect, Event, Transmit
from core.units import Nanos

FIX: Final = "fix"


class Carried(msgspec.Struct):
    """One FIX message and its way; `received_at` stays None if it never arrived."""

    sent_at: Nanos
    data: bytes
    received_at: Nanos | None = None


class FixTap:
    """A kernel observer for the nodes of a run: `carried` is every message between their FIX engines, as sent.

    An engine writes one message at a time, and the simulated network neither joins nor splits what it carries.
    """

    def __init__(self) -> None:
        self.carried: list[Carried] = []
        self._under_way: dict[bytes, list[Carried]] = {}

    def __call__(self, _node: str, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        if dst != FIX:
            return
        if isinstance(event, Bytes) and event.data in self._under_way:
            self._arrive(now, event.data)
        for effect in effects:
            if isinstance(effect, Transmit):
                message = Carried(now, effect.data)
                self.carried.append(message)
                self._under_way.setdefault(effect.data, []).append(message)

    def _arrive(self, now: Nanos, data: bytes) -> None:
        waiting = self._under_way[data]
        waiting.pop(0).received_at = now
        if not waiting:
            del self._under_way[data]
