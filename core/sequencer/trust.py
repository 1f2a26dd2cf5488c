"""Whose signatures were good, how many of each owner may wait for their checks, and whose are not taken for a while.

Checks cost the venue more than they cost who brings them about, above all those of bad signatures. So an owner whose
backlog is long, and one that was found out, is refused at the door; nobody else is, whatever they do. An owner is found
out by nothing but a check of what came on its own session: no other can bring it about.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from core.sequencer.reasons import Reason, Refusal
from core.units import MILLISECOND, SECOND, Nanos

UNCHECKED_MAX: Final = 500
"""Signed messages of one owner that wait for their checks at a time; those beyond are refused."""
DISTRUST: Final = 250 * MILLISECOND
"""How long an owner is not trusted for each culprit of a block,"""
DISTRUST_MAX: Final = 10 * SECOND
"""and at most; and in any case until all that it has sent is checked."""


class Trust(msgspec.Struct):
    """By owner, what waits and who is not trusted."""

    unchecked: dict[str, int] = {}
    distrusted: dict[str, Nanos] = {}
    """Until when at least."""
    proven: dict[str, None] = {}
    """Those whose last check was good."""

    def objection(self, owner: str, now: Nanos) -> Refusal | None:
        """Why no further signed message of this owner is taken, if none is."""
        waiting = self.unchecked.get(owner, 0)
        if owner in self.distrusted:
            if waiting or now < self.distrusted[owner]:
                return Refusal(Reason.SIGNATURES_DISTRUSTED, "an order of yours was signed badly; wait some seconds")
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

    def prove(self, owners: Collection[str]) -> None:
        """What was checked of these was good."""
        self.proven.update((owner, None) for owner in dict.fromkeys(owners) if owner not in self.distrusted)

    def distrust(self, now: Nanos, culprits: Collection[str]) -> None:
        """Messages of these owners, one each time, were signed badly."""
        for owner in dict.fromkeys(culprits):
            self.proven.pop(owner, None)
            span = min(DISTRUST_MAX, DISTRUST * sum(1 for it in culprits if it == owner))
            self.distrusted[owner] = max(self.distrusted.get(owner, 0), now + span)
