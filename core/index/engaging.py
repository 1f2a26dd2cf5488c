"""From quantities to engagements: what each order sets aside, and its share of what the batch gets of each asset."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from core.index.planning import Engagement, Mode, Part, PlanLimits
from core.index.rounding import DOWN
from core.index.wishes import Wish, needs, total_demand
from core.units import EXACT

_ONE: Final = Decimal(1)


class Fitted(NamedTuple):
    """An order and how many index tokens of it the batch works on."""

    wish: Wish
    quantity: Decimal
    contributions: Mapping[str, Decimal]
    """By `side:asset`, what it wants."""

    @classmethod
    def of(cls, wish: Wish, quantity: Decimal) -> Fitted:
        """The order, with so many tokens."""
        return cls(wish, quantity, needs(wish.side, wish.quantities, quantity))


def collateral_of(wish: Wish, quantity: Decimal, limits: PlanLimits) -> Decimal:
    """What an engagement locks: money of a buy, index tokens of a sell."""
    return quantity if wish.side == "sell" else wish.price * quantity * limits.fee_factor


def is_nothing(wish: Wish, quantity: Decimal, limits: PlanLimits) -> bool:
    """Whether an engagement of so many tokens is worth nothing, within the tolerance; in reference mode, or locks
    nothing, be it money or tokens."""
    worth = wish.price * quantity
    if limits.mode is Mode.REFERENCE:
        worth = min(worth, collateral_of(wish, quantity, limits))
    return worth <= limits.collateral_tolerance


def engagements(
    fitted: tuple[Fitted, ...], fractions: Mapping[str, Mapping[str, Decimal]], limits: PlanLimits
) -> tuple[Engagement, ...]:
    """The engagements of a batch, given each order's fraction of each `side:asset`."""
    return tuple(_engagement(one, fractions[one.wish.order_id], limits) for one in fitted)


def exact_fractions(fitted: tuple[Fitted, ...]) -> dict[str, dict[str, Decimal]]:
    """Each order's fraction of each `side:asset`, by order; over orders they sum to exactly 1.

    All are rounded down except that of the last order that needs the asset, which has the rest.
    """
    total = total_demand(one.contributions for one in fitted)
    last = {at: one.wish.order_id for one in fitted for at in one.contributions}
    left = dict.fromkeys(total, _ONE)
    found: dict[str, dict[str, Decimal]] = {}
    for one in fitted:
        order_id = one.wish.order_id
        found[order_id] = fractions = {}
        for at, quantity in one.contributions.items():
            if last[at] == order_id:
                fractions[at] = left[at]
            else:
                fractions[at] = DOWN.divide(quantity, total[at])
                left[at] = EXACT.subtract(left[at], fractions[at])
    return found


def _engagement(one: Fitted, fractions: Mapping[str, Decimal], limits: PlanLimits) -> Engagement:
    wish = one.wish
    collateral = collateral_of(wish, one.quantity, limits)
    wanted = zip(wish.quantities.items(), one.contributions.items(), strict=True)
    parts = tuple(Part(asset, per_unit, quantity, fractions[at]) for (asset, per_unit), (at, quantity) in wanted)
    return Engagement(
        order_id=wish.order_id,
        symbol=wish.demand.symbol,
        side=wish.side,
        quantity=one.quantity,
        price=wish.price,
        collateral=collateral,
        new_collateral=EXACT.subtract(collateral, wish.demand.carried),
        parts=parts,
    )
