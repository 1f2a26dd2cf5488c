"""How many orders may be sent, by sliding windows: never more than a limit within any period of its length.

What was sent weighs on a window while it is younger than the window's period. To bound what is remembered, events
within a hundredth of the period count as one, as of the newest of them: a window then frees up to a hundredth of its
period late, and never early. Events that lie further apart are exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from core.market.exchange import RateLimit
from core.units import Nanos

_GRAINS: Final = 100


class Sent(msgspec.Struct):
    """Weight that was sent from `since` to `at`, and counts as of `at`."""

    since: Nanos
    at: Nanos
    weight: int


class Window(msgspec.Struct):
    """At most `limit` within any `period_ns`."""

    limit: int
    period_ns: Nanos
    sent: list[Sent] = []
    """Oldest first."""
    total: int = 0
    """Of `sent`."""

    def weight(self, now: Nanos) -> int:
        """What was sent and is younger than the period. Costs as much as has left the window since `put`."""
        weight = self.total
        for each in self.sent:
            if now - each.at < self.period_ns:
                break
            weight -= each.weight
        return weight

    def wait(self, now: Nanos, release: int) -> Nanos:
        """How long until `release` of what weighs now has left the window, or all of it if that is less."""
        waited = 0
        for each in self.sent:
            if now - each.at >= self.period_ns:
                continue
            if release <= 0:
                break
            release -= each.weight
            waited = each.at + self.period_ns - now
        return waited

    def put(self, now: Nanos, weight: int) -> None:
        """Count what is sent now."""
        while self.sent and now - self.sent[0].at >= self.period_ns:
            self.total -= self.sent.pop(0).weight
        self.total += weight
        newest = self.sent[-1] if self.sent else None
        if newest is not None and (now - newest.since) * _GRAINS < self.period_ns:
            newest.at, newest.weight = now, newest.weight + weight
        else:
            self.sent.append(Sent(now, now, weight))


class Limiter(msgspec.Struct):
    """All limits together. Without any, everything may be sent."""

    windows: list[Window] = []

    def wait(self, now: Nanos, weight: int = 1) -> Nanos:
        """How long until `weight` may be sent, if nothing else is: 0 is now. More than a limit counts as all of it."""
        weights = ((each, each.weight(now) + min(weight, each.limit) - each.limit) for each in self.windows)
        return max((each.wait(now, release) for each, release in weights), default=0)

    def span(self, count: int) -> Nanos:
        """How long after the first the last of so many leaves, if nothing else is sent: 0 within every limit."""
        return max(((count - 1) // each.limit * each.period_ns for each in self.windows), default=0) if count else 0

    def queue(self, now: Nanos, count: int) -> Nanos:
        """Count so many that leave one after the other, each as soon as it may; when the last does.

        Until then no more may be asked of this limiter.
        """
        for _ in range(count):
            now += self.wait(now)
            self.put(now)
        return now

    def put(self, now: Nanos, weight: int = 1) -> None:
        """Count what is sent now."""
        for each in self.windows:
            each.put(now, weight)

    def adopt(self, now: Nanos, limits: tuple[RateLimit, ...]) -> None:
        """Take over the exchange's limits. What it has counted and we have not was sent now, for all we know.

        One that would let nothing through, or everything, is none. Of several within one period the strictest counts.
        """
        known = {each.period_ns: each for each in self.windows}
        strictest = _strictest(each for each in limits if each.limit > 0 and each.period_ns > 0)
        self.windows = [known.get(each.period_ns, Window(each.limit, each.period_ns)) for each in strictest]
        for window, limit in zip(self.windows, strictest, strict=True):
            window.limit = limit.limit
            unseen = limit.used - window.weight(now)
            if unseen > 0:
                window.put(now, unseen)


def _strictest(limits: Iterable[RateLimit]) -> list[RateLimit]:
    """One limit for each period: the least that is allowed of the most that is counted."""
    found: dict[Nanos, RateLimit] = {}
    for each in limits:
        other = found.get(each.period_ns, each)
        found[each.period_ns] = RateLimit(min(each.limit, other.limit), each.period_ns, max(each.used, other.used))
    return list(found.values())
