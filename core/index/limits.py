"""Price limits and the liquidity up to them: what the books would let a batch trade.

A buy goes no higher than `best_ask * (1 + threshold)`, a sell no lower than `best_bid * (1 - threshold)`. Where the
book's first `max_levels` levels hold less than that, the last of them is the limit, unless they are worth less than
the smallest exchange order.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from msgspec import structs

from core.index.basket import Basket, Unpriced
from core.index.planning import AssetOrdering, AssetView, Levels, Mode, PlanLimits, PlanProblem
from core.kernel.record import Record
from core.market.filters import least
from core.market.orders import Side

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


class AssetMarket(Record, frozen=True):
    """One side of one asset: `liquidity` of it trades at `limit` or better."""

    asset: str
    side: Side
    limit: Decimal
    liquidity: Decimal
    least: Decimal = _ZERO
    """The smallest quantity that the exchange takes at the limit."""

    @property
    def depth(self) -> Decimal:
        """What the liquidity is worth at the limit: what the smallest exchange order is compared with."""
        return self.limit * self.liquidity


def limit_price(view: AssetView, side: Side, limits: PlanLimits) -> Decimal | None:
    """The worst price that a batch may trade at by the threshold alone; None without a fresh price."""
    best = view.best_ask if side == "buy" else view.best_bid
    if not view.fresh or best is None or best <= 0:
        return None
    return worst_price(best, side, limits)


def worst_price(best: Decimal, side: Side, limits: PlanLimits) -> Decimal:
    """The limit that the threshold makes of a best price."""
    return best * (_ONE + limits.price_threshold if side == "buy" else _ONE - limits.price_threshold)


def market(view: AssetView, side: Side, limits: PlanLimits, reserved: Decimal = _ZERO) -> AssetMarket | None:
    """The limit and the liquidity up to it, less what is `reserved`; None without a fresh price."""
    limit = limit_price(view, side, limits)
    if limit is None:
        return None
    levels = view.asks if side == "buy" else view.bids
    liquidity = _liquidity_to(levels, side, limit, limits.quantity_tolerance)
    first = levels[: limits.max_levels]
    quantity = sum((size for _, size in first), _ZERO)
    if first and quantity < liquidity and first[-1][0] * quantity >= limits.min_asset_volley_size:
        limit, liquidity = first[-1][0], quantity
    return AssetMarket(view.asset, side, limit, max(liquidity - reserved, _ZERO))


def markets(problem: PlanProblem, side: Side) -> dict[str, AssetMarket]:
    """The markets of one side by asset; those without a fresh price are missing.

    What running batches mean to take is not there for this one, except in reference mode.
    """
    reserved = problem.reserved_asks if side == "buy" else problem.reserved_bids
    taken = {} if problem.limits.mode is Mode.REFERENCE else dict(reserved)
    found = (market(view, side, problem.limits, taken.get(view.asset, _ZERO)) for view in problem.views)
    by_asset = {one.asset: one for one in found if one is not None}
    if problem.limits.mode is not Mode.REFERENCE:
        for each in problem.instruments:
            if (one := by_asset.get(each.symbol)) is not None:
                by_asset[each.symbol] = structs.replace(one, least=least(each, side, one.limit))
    return by_asset


def unit_price(basket: Basket, limits_by_asset: Mapping[str, Decimal]) -> Decimal:
    """The limit price of one index token: the sum of limit times quantity. Raises Unpriced naming what has none."""
    missing = tuple(part.asset for part in basket.assets if part.asset not in limits_by_asset)
    if missing:
        raise Unpriced(basket.symbol, missing)
    return sum((limits_by_asset[part.asset] * part.quantity for part in basket.assets), _ZERO)


def asset_order(problem: PlanProblem) -> list[str]:
    """Every asset of every basket once, in the order in which the batch goes through them."""
    named = list(dict.fromkeys(part.asset for basket in problem.baskets for part in basket.assets))
    return sorted(named) if problem.limits.ordering is AssetOrdering.SYMBOL else named


def _liquidity_to(levels: Levels, side: Side, limit: Decimal, tolerance: Decimal) -> Decimal:
    total = _ZERO
    for price, quantity in levels:
        if (price - limit if side == "buy" else limit - price) > tolerance:
            break
        total += quantity
    return total
