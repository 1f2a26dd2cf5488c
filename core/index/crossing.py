"""What the two sides of a batch bring each other: a buy needs no market for what a sell of the same batch gives.

    supply of a side = market + its lots that are held + what the other side is fitted for

Each side depends on the other, so both are fitted to what the other wishes first. Where that was too much it is lowered
to what the other was fitted for, and both are fitted again. Supplies never rise, so this comes to an end, as a rule
after one or two rounds; where each round only lowers both a little more, the asset is not crossed beyond the market.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from core.index.rounding import LEAST, ROUNDING
from core.index.wishes import total_demand

_ZERO: Final = Decimal(0)
CAP: Final = "cap"
"""The resource that all orders use, in money; the others are `side:asset`."""
ROUNDS_MAX: Final = 8
"""So often the supplies of a batch are lowered before what is still too much is given up."""


class Supplies(NamedTuple):
    """What orders share."""

    cap: Decimal
    """Money that the batch may be worth."""
    market: Mapping[str, Decimal]
    """By `side:asset`: what exchange orders can get."""
    stock: Mapping[str, Decimal]
    """By `side:asset`: lots that are held and usable."""
    dust: Mapping[str, Decimal]
    """By `side:asset`: so little is worth nothing, within the tolerance."""
    crossing: Mapping[str, Decimal]
    """By `side:asset`: what the other side of the batch brings."""

    def all(self) -> dict[str, Decimal]:
        """By resource."""
        return {CAP: self.cap} | {at: self.of(at) for at in self.market}

    def of(self, at: str) -> Decimal:
        """What there is of one side of an asset."""
        return self.market[at] + self.stock.get(at, _ZERO) + self.crossing.get(at, _ZERO)

    def covers(self, at: str, wanted: Decimal) -> bool:
        """Whether so much of one side of an asset is there. What a sell has too much, and is worth nothing, the house
        takes over; of a buy nothing may be lacking."""
        lacking = wanted - self.of(at)
        is_dust = at.startswith("sell:") and not self.market[at] and lacking <= self.dust[at]
        return is_dust or lacking <= LEAST + wanted * ROUNDING

    def crossed_by(self, uses: Iterable[Mapping[str, Decimal]]) -> Supplies:
        """The same, with what orders that use so much bring the other side. A side without a market gets nothing."""
        if len({at.partition(":")[0] for at in self.market}) == 1:
            return self
        return self._replace(crossing=self._brought(total_demand(uses)))

    def lowered(self, uses: Iterable[Mapping[str, Decimal]], rounds: int) -> Supplies | None:
        """What there really is for the other side if orders are fitted for so much, after that many rounds; None if
        that is enough."""
        if not self.crossing:
            return None
        wanted = total_demand(uses)
        brought = self._brought(wanted)
        there = self._replace(crossing=brought)
        lacking = [at for at in self.crossing if at in wanted and not there.covers(at, wanted[at])]
        if not lacking:
            return None
        if rounds < ROUNDS_MAX:
            least = {at: min(amount, brought.get(at, _ZERO)) for at, amount in self.crossing.items()}
        else:
            least = {at: amount for at, amount in self.crossing.items() if at not in lacking}
        return self._replace(crossing=least)

    def _brought(self, wanted: Mapping[str, Decimal]) -> dict[str, Decimal]:
        return {other: amount for at, amount in wanted.items() if (other := opposite(at)) in self.market}


def opposite(at: str) -> str:
    """The other side of the same asset."""
    side, _, asset = at.partition(":")
    return f"sell:{asset}" if side == "buy" else f"buy:{asset}"
