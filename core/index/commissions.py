"""What commissions in an asset of their own are worth, and what is owned after those in the asset that was traded.

The worth is the volume-weighted price of a pair of the asset, as books have it: the one that the settings name, or one
that commissions were taken of before. Execution is told before orders that may be charged so. A commission that it
could not value is valued here if that is possible by now, and stated if it is not: then no lot bears it.

A commission in the asset that was traded is booked as what is owned. Of 1 that was bought for 0.001 of it the desk has
a lot of 0.999, which has cost as much as the 1: its fee is the worth of what is missing. Where 1 was sold for 0.001 on
top, the lot is what was sold, its fee is the same, and the 0.001 are sold by the house, which has that fee for them.

One in an asset that other symbols trade is sold by the house as well: lots bear what it is worth in money, which the
house has for it. What nobody could value the house has nothing for.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec import structs

from core.execution.records import EXECUTION, AssetOrderFilled, CommissionRateSet
from core.index.base import DeskBase
from core.index.facts import CommissionUnpriced
from core.index.inventory import find
from core.index.lot_names import of_commission, of_trade
from core.market.orders import Side
from core.market.prices import PriceType
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)
_SIDES: Final[tuple[Side, ...]] = ("buy", "sell")


def tell_rates(desk: DeskBase, now: Nanos) -> None:
    """Tell execution each rate that has changed. One without a fresh price stays as it was told last."""
    for asset, pair in {**desk.state.charged, **desk.settings.commission_pairs}.items():
        rate = desk.state.books.price(now, pair, PriceType.VOLUME_WEIGHTED)
        if rate is not None and rate != desk.state.rates.get(asset):
            desk.state.rates[asset] = rate
            desk.send(EXECUTION, CommissionRateSet(asset, rate))


def whole(desk: DeskBase, now: Nanos, said: AssetOrderFilled) -> AssetOrderFilled:
    """A trade whose fee is all that it cost, as far as that can be known."""
    if not said.commission:
        return said
    if said.taken:
        desk.state.charged[said.commission_asset] = said.taken_symbol
    pair = desk.settings.commission_pairs.get(said.commission_asset, said.taken_symbol)
    rate = desk.state.books.price(now, pair, PriceType.VOLUME_WEIGHTED) or desk.state.rates.get(said.commission_asset)
    if rate is None:
        desk.note(CommissionUnpriced(said.order_id, said.trade_id, said.commission_asset, said.commission))
        return said
    return structs.replace(said, fee=said.fee + said.commission * rate)


def is_lot(desk: DeskBase, said: AssetOrderFilled) -> bool:
    """Whether the inventory keeps a lot by the name that a trade would have, or what was taken of it. That is of an
    older trade, by an id that the exchange gives once more."""
    inventory, name = desk.state.inventory, _name(said)
    if find(inventory, said.symbol, said.side, of_trade(said.trade_id)) is not None:
        return True
    assets = (said.symbol, said.taken_symbol)
    return any(find(inventory, asset, side, name) is not None for asset in assets for side in _SIDES)


def taken(desk: DeskBase, said: AssetOrderFilled) -> AssetOrderFilled | None:
    """The house's trade of what the exchange has taken of another asset, for what the lot of `said`, a `whole` trade,
    bears of it. If that is nothing, the house gets nothing for it, at the price of its newest lot; what there is no lot
    of is left to the comparison with the account."""
    if not said.taken:
        return None
    price, fee = said.fee / said.taken, _ZERO
    if not price:
        holding = desk.state.inventory.holdings.get(said.taken_symbol)
        newest = next(reversed(holding.lots.values()), None) if holding is not None else None
        if newest is None:
            return None
        price, fee = newest.price, newest.price * said.taken
    return structs.replace(
        said,
        trade_id=_name(said),
        symbol=said.taken_symbol,
        side="sell" if said.taken > 0 else "buy",
        price=price,
        quantity=abs(said.taken),
        fee=fee,
    )


def apart(said: AssetOrderFilled) -> tuple[AssetOrderFilled, AssetOrderFilled | None]:
    """A trade as a lot of what is owned, or was sold, and the house's trade of what was taken, or given, besides. A
    commission of all that was bought, or of more, can only be money."""
    if not said.withheld or (said.side == "buy" and said.withheld >= said.quantity):
        return structs.replace(said, withheld=_ZERO), None
    if said.side == "buy":
        return structs.replace(said, quantity=EXACT.subtract(said.quantity, said.withheld)), None
    paid = structs.replace(
        said,
        trade_id=_name(said),
        side="sell" if said.withheld > 0 else "buy",
        quantity=abs(said.withheld),
        fee=_ZERO,
    )
    return structs.replace(said, withheld=_ZERO), paid


def _name(said: AssetOrderFilled) -> str:
    return of_commission(said.symbol, said.side, said.trade_id)
