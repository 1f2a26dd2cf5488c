"""How much there may be at a designation at most, for what is ahead of it to take it.

Hops keep a part of what they move, so a limit further on allows for more than itself. What is left after a hop rises
with what was given to it; so the most that may be given is found by going back from the limit, hop by hop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from core.collateral.settings import HopSettings
from core.units import MONEY

NO_LIMIT: Final = Decimal("Infinity")
_ONE: Final = Decimal(1)
_ROUNDED: Final = Decimal("1.000000000000000000000001")
"""Going back rounds. A ceiling may be too high by as little as this, never too low."""


def most_of(hop: HopSettings) -> Decimal:
    """The most that a hop ever moves at once."""
    limits = [limit for limit in (hop.amount_max, hop.capacity) if limit is not None]
    return min(limits, default=NO_LIMIT)


def ceilings(hops: Iterable[HopSettings], ahead: Mapping[str, Decimal], hops_max: int) -> dict[str, Decimal]:
    """By designation, the most from which no more than one of `ahead` can be left there, after that many hops.

    A designation from which none of them is reached is missing.
    """
    found, known = dict(ahead), list(hops)
    for _ in range(hops_max):
        nearer = dict(found)
        for hop in known:
            if hop.destination in nearer:
                most = _before(hop, nearer[hop.destination])
                found[hop.source] = max(most, found.get(hop.source, most))
        if found == nearer:
            break
    return found


def _before(hop: HopSettings, left: Decimal) -> Decimal:
    """The most of which a hop leaves no more than that."""
    given = MONEY.divide(MONEY.add(left, hop.fee_flat), MONEY.subtract(_ONE, hop.fee_rate))
    return min(most_of(hop), MONEY.multiply(given, _ROUNDED))
