"""What each order of a batch would trade if books and caps allowed: the step before anything is fitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from core.index.basket import Basket
from core.index.limits import AssetMarket, markets, unit_price
from core.index.planning import Demand, NotPlanned, PlanLimits, PlanProblem, PlanReason, key
from core.index.rounding import DOWN
from core.market.orders import Side

Markets: TypeAlias = dict[Side, dict[str, AssetMarket]]
_ZERO: Final = Decimal(0)


class Wish(NamedTuple):
    """An order with the limit price of one index token and how many of them it would trade, within its own cap."""

    demand: Demand
    quantities: Mapping[str, Decimal]
    """Of each asset in one index token."""
    price: Decimal
    quantity: Decimal
    uses: Mapping[str, Decimal]
    """By `side:asset`, what all of it needs."""

    @property
    def order_id(self) -> str:
        """Of the index order."""
        return self.demand.order_id

    @property
    def side(self) -> Side:
        """Of the index order."""
        return self.demand.side


class Wishes(NamedTuple):
    """What can be fitted, and what cannot be for want of an index or of a price."""

    ready: tuple[Wish, ...]
    unpriced: tuple[NotPlanned, ...]
    unknown: tuple[NotPlanned, ...]


def both_markets(problem: PlanProblem) -> Markets:
    """The markets that the problem's orders need, by side."""
    sides: tuple[Side, ...] = ("buy", "sell")
    wanted = {demand.side for demand in problem.demands}
    return {side: markets(problem, side) if side in wanted else {} for side in sides}


def wishes(problem: PlanProblem, found: Markets) -> Wishes:
    """The problem's orders, in their order."""
    baskets = {basket.symbol: basket for basket in problem.baskets}
    limits = {side: {asset: one.limit for asset, one in by_asset.items()} for side, by_asset in found.items()}
    priced: dict[tuple[str, Side], Decimal] = {}
    quantities: dict[tuple[str, Side], dict[str, Decimal]] = {}
    ready, unpriced, unknown = [], [], []
    for demand in problem.demands:
        basket = baskets.get(demand.symbol)
        if basket is None:
            unknown.append(NotPlanned(demand.order_id, PlanReason.UNKNOWN_INDEX))
            continue
        missing = _first_missing(basket, limits[demand.side])
        if missing is not None:
            unpriced.append(NotPlanned(demand.order_id, PlanReason.NO_PRICE, missing))
            continue
        which = (demand.symbol, demand.side)
        if which not in priced:
            priced[which] = unit_price(basket, limits[demand.side])
            quantities[which] = basket.quantities()
        quantity = wished_quantity(demand, priced[which], problem.limits)
        uses = needs(demand.side, quantities[which], quantity)
        ready.append(Wish(demand, quantities[which], priced[which], quantity, uses))
    return Wishes(tuple(ready), tuple(unpriced), tuple(unknown))


def wished_quantity(demand: Demand, price: Decimal, limits: PlanLimits) -> Decimal:
    """Index tokens that an order would trade at `price`, within the cap of one order."""
    available = max(DOWN.add(demand.remaining, demand.carried), _ZERO)
    if demand.side == "sell":
        return min(available, limits.max_order_volley_size / price)
    return min(available / limits.fee_factor, limits.max_order_volley_size) / price


def needs(side: Side, quantities: Mapping[str, Decimal], tokens: Decimal) -> dict[str, Decimal]:
    """By `side:asset`, what so many index tokens are made of."""
    return {key(asset, side): per_unit * tokens for asset, per_unit in quantities.items()}


def total_demand(uses: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """By `side:asset`, what orders need together."""
    total: dict[str, Decimal] = {}
    for one in uses:
        for at, quantity in one.items():
            total[at] = total[at] + quantity if at in total else quantity
    return total


def _first_missing(basket: Basket, limits: Mapping[str, Decimal]) -> str | None:
    return next((part.asset for part in basket.assets if part.asset not in limits), None)
