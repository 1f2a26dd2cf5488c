"""What commissions in an asset of their own are worth: the volume-weighted price of a pair of it, as books have it.

Execution is told before orders that may be charged so. A commission that nobody could value when it was taken is valued
here if that is possible by now, and stated if it is not: then no lot bears it.
"""

from __future__ import annotations

from msgspec import structs

from core.execution.records import EXECUTION, AssetOrderFilled, CommissionRateSet
from core.index.base import DeskBase
from core.index.facts import CommissionUnpriced
from core.market.prices import PriceType
from core.units import Nanos


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
