"""What commissions in an asset of their own are worth, and what is owned after those in the asset that was traded.

The worth is the volume-weighted price of a pair of the asset, as books have it. Execution is told before orders that
may be charged so. A commission that nobody could value when it was taken is valued here if that is possible by now, and
stated if it is not: then no lot bears it.

A commission in the asset that was traded is booked as what is owned. Of 1 that was bought for 0.001 of it the desk has
a lot of 0.999, which has cost as much as the 1: its fee is the worth of what is missing. Where 1 was sold for 0.001 on
top, the lot is what was sold, its fee is the same, and the 0.001 are sold by the house, which has that fee for them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec import structs

from core.execution.records import EXECUTION, AssetOrderFilled, CommissionRateSet
from core.index.base import DeskBase
from core.index.facts import CommissionUnpriced
from core.market.prices import PriceType
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)


def tell_rates(desk: DeskBase, now: Nanos) -> None:
    """Tell execution each rate that has changed. One without a fresh price stays as it was told last."""
    for asset, pair in desk.settings.commission_pairs.items():
        rate = desk.state.books.price(now, pair, PriceType.VOLUME_WEIGHTED)
        if rate is not None and rate != desk.state.rates.get(asset):
            desk.state.rates[asset] = rate
            desk.send(EXECUTION, CommissionRateSet(asset, rate))


def whole(desk: DeskBase, now: Nanos, said: AssetOrderFilled) -> AssetOrderFilled:
    """A trade whose fee is all that it cost, as far as that can be known."""
    if not said.commission:
        return said
    pair = desk.settings.commission_pairs.get(said.commission_asset, "")
    rate = desk.state.books.price(now, pair, PriceType.VOLUME_WEIGHTED) or desk.state.rates.get(said.commission_asset)
    if rate is None:
        desk.note(CommissionUnpriced(said.order_id, said.trade_id, said.commission_asset, said.commission))
        return said
    return structs.replace(said, fee=said.fee + said.commission * rate)


def apart(said: AssetOrderFilled) -> tuple[AssetOrderFilled, AssetOrderFilled | None]:
    """A trade as a lot of what is owned, or was sold, and the house's trade of what was taken, or given, besides. A
    commission of all that was bought, or of more, can only be money."""
    if not said.withheld or (said.side == "buy" and said.withheld >= said.quantity):
        return structs.replace(said, withheld=_ZERO), None
    if said.side == "buy":
        return structs.replace(said, quantity=EXACT.subtract(said.quantity, said.withheld)), None
    paid = structs.replace(
        said,
        trade_id=f"{said.trade_id}-commission",
        side="sell" if said.withheld > 0 else "buy",
        quantity=abs(said.withheld),
        fee=_ZERO,
    )
    return structs.replace(said, withheld=_ZERO), paid
