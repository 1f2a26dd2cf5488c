"""How many signatures of each owner may wait for their checks, and whose are not taken for a while.

Checks cost the venue more than they cost who brings them about, above all those of bad signatures: one makes the check
of its whole block take two to four times as long. So an owner whose backlog is long is refused at the door, and one
that was found out, for longer each time; nobody else is, whatever they do. An owner is found out by nothing but a check
of what came on its own session: no other can bring it about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

import msgspec

from core.sequencer.reasons import Reason, Refusal
from core.units import MILLISECOND, SECOND, Nanos

UNCHECKED_MAX: Final = 500
"""Signed messages of one owner that wait for their checks at a time; those beyond are refused."""
DISTRUST: Final = 250 * MILLISECOND
"""How long an owner is not trusted for each culprit of a check, where it was not found out lately; with each time that
it was, twice as long,"""
DISTRUST_MAX: Final = 60 * SECOND
"""and at most; and in any case until all that it has sent is checked."""
LAPSES_MAX: Final = 9
"""Times that count, as many as make the shortest distrust the longest."""
LAPSE_SPAN: Final = 60 * SECOND
"""How long it takes until one of them counts no longer. So in the long run nobody is found out more often than that."""


class Trust(msgspec.Struct):
    """By owner, what waits and who is not trusted."""

    unchecked: dict[str, int] = {}
    distrusted: dict[str, Nanos] = {}
    """Until when at least."""
    lapses: dict[str, tuple[int, Nanos]] = {}
    """How often each was found out lately, and when that was counted last."""

    def objection(self, owner: str, now: Nanos) -> Refusal | None:
        """Why no further signed message of this owner is taken, if none is."""
        waiting = self.unchecked.get(owner, 0)
        if owner in self.distrusted:
            if waiting or now < self.distrusted[owner]:
                return Refusal(Reason.SIGNATURES_DISTRUSTED, "an order of yours was signed badly; wait, up to a minute")
            del self.distrusted[owner]
        if waiting >= UNCHECKED_MAX:
            return Refusal(Reason.CHECKS_BEHIND, f"{waiting} of your signatures wait for their checks")
        return None

    def wait_for(self, owner: str) -> None:
        """A signed message of this owner has its place."""
        self.unchecked[owner] = self.unchecked.get(owner, 0) + 1

    def settle(self, owners: Collection[str]) -> None:
        """Messages of these owners, one each time, wait no longer."""
        for owner in owners:
            self.unchecked[owner] -= 1
            if not self.unchecked[owner]:
                del self.unchecked[owner]

    def distrust(self, now: Nanos, culprits: Collection[str]) -> None:
        """Messages of these owners, one each time, were signed badly. Who is distrusted already sent them before that:
        it is the same lapse.
        """
        for owner, count in Counter(culprits).items():
            times, counted_at = self.lapses.get(owner, (0, now))
            if owner not in self.distrusted:
                times = min(LAPSES_MAX, max(0, times - (now - counted_at) // LAPSE_SPAN) + 1)
                self.lapses[owner] = times, now
            span = min(DISTRUST_MAX, DISTRUST * count * 2 ** (times - 1))
            self.distrusted[owner] = max(self.distrusted.get(owner, 0), now + span)
