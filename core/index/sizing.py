"""From what a batch wants of each asset to its exchange orders: stock first, then crossing, then the market.

    demand = from stock + crossed with the other side + net, which the market has to provide

What is crossed needs no market, so as much is engaged as stock, market and the other side allow. A side that could do
without the other, for it has lots enough, crosses all the same what the other has no market for, and keeps its lots.
Both sides trade in the middle between best bid and best ask, so each does better than at its limit, and neither pays an
exchange fee.

A buy of `net` is padded: up to the smallest exchange order, then up to a whole step of money, and up to the least that
the exchange's filters let through, never beyond the liquidity; what that is too much becomes house inventory. A sell is
never padded, which would sell what others own: one that is too small for the market, or for the exchange, goes to the
house at the best bid. Both count against what the house may hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Final, NamedTuple

from core.index.engaging import Fitted
from core.index.limits import AssetMarket, asset_order, limit_price, market
from core.index.planning import AssetPlan, AssetView, Crossing, HeldLot, PlanLimits, PlanProblem, key
from core.index.rounding import LEAST, ROUNDING, cut, raised
from core.index.wishes import Markets, total_demand
from core.market.orders import Side

_ZERO: Final = Decimal(0)
_TWO: Final = Decimal(2)


class Sized(NamedTuple):
    """A batch's use of stock, crossings and exchange orders, and what they do to the house."""

    assets: tuple[AssetPlan, ...]
    crossings: tuple[Crossing, ...]
    house_change: Mapping[str, Decimal]
    """By asset: what the house would hold more afterwards, in money at limits."""
    raised: str = ""
    """The asset whose order the exchange's filters raise most, if they raise any by more than a step of money."""

    @property
    def volley(self) -> Decimal:
        """Sum of limit times quantity."""
        return sum((one.limit * one.quantity for one in self.assets), _ZERO)

    @property
    def house_growth(self) -> Decimal:
        """What the house would hold more afterwards in all."""
        return sum(self.house_change.values(), _ZERO)


def padded(net: Decimal, one: AssetMarket, limits: PlanLimits) -> Decimal:
    """The quantity of an exchange order for `net`: worth at least the smallest order, and a whole step of money."""
    value, step = max(net * one.limit, limits.min_asset_volley_size), limits.asset_volley_step_size
    if step > 0:
        value = whole_steps_up(value / step) * step
    return value / one.limit


def whole_steps_up(steps: Decimal) -> Decimal:
    """The next whole number, unless `steps` is one but for rounding: 10100 steps must not become 10101."""
    nearest = steps.to_integral_value()
    return nearest if abs(steps - nearest) <= steps * ROUNDING else steps.to_integral_value(ROUND_CEILING)


def offered(one: AssetMarket, limits: PlanLimits) -> Decimal:
    """What exchange orders can get: a market that is too thin for the smallest one offers nothing."""
    return one.liquidity if one.depth >= limits.min_asset_volley_size and one.liquidity >= one.least else _ZERO


def usable(lot: HeldLot, one: AssetMarket | None) -> bool:
    """Whether a lot is no worse for an order than the market might be: its price is within the limit. The fee does not
    matter, for the exchange would take it once more."""
    if one is None:
        return False
    return lot.price <= one.limit if lot.side == "buy" else lot.price >= one.limit


def usable_stock(problem: PlanProblem, found: Markets) -> dict[tuple[str, Side], Decimal]:
    """How much of each asset and side is held and usable. What is worth nothing, within the tolerance, is not there."""
    total: dict[tuple[str, Side], Decimal] = {}
    for lot in problem.held:
        if usable(lot, found[lot.side].get(lot.asset)):
            key = (lot.asset, lot.side)
            total[key] = total.get(key, _ZERO) + lot.quantity
    nothing = problem.limits.collateral_tolerance
    return {(asset, side): held for (asset, side), held in total.items() if held * found[side][asset].limit > nothing}


def size(problem: PlanProblem, found: Markets, fitted: tuple[Fitted, ...], *, stepped: bool) -> Sized:
    """The exchange orders for fitted orders. Unless `stepped`, values are not rounded up to whole steps."""
    sizer = _Sizer(problem, found, stepped)
    wanted = total_demand(one.contributions for one in fitted)
    for asset in asset_order(problem):
        sizer.add(asset, wanted.get(key(asset, "buy"), _ZERO), wanted.get(key(asset, "sell"), _ZERO))
    raised = max(sizer.raised, key=lambda asset: sizer.raised[asset], default="")
    return Sized(tuple(sizer.buys + sizer.sells), tuple(sizer.crossings), sizer.house_change, raised)


class _Sizer:
    """Collects what `size` returns, asset by asset."""

    def __init__(self, problem: PlanProblem, found: Markets, stepped: bool) -> None:
        self.limits, self.found, self.stepped = problem.limits, found, stepped
        self.views = {view.asset: view for view in problem.views}
        self.stock = usable_stock(problem, found)
        self.house = _house_stock(problem, found)
        self.buys: list[AssetPlan] = []
        self.sells: list[AssetPlan] = []
        self.crossings: list[Crossing] = []
        self.house_change: dict[str, Decimal] = {}
        self.raised: dict[str, Decimal] = {}

    def add(self, asset: str, buy: Decimal, sell: Decimal) -> None:
        """One asset, with what buys and sells want of it."""
        crossed = min(raised(self._crossed(asset, buy, sell)), cut(buy), cut(sell))
        view = self.views.get(asset)
        if crossed > LEAST and view is not None:
            self.crossings.append(Crossing(asset, crossed, middle(view)))
        else:
            crossed = _ZERO
        if buy > LEAST:
            self._buy(asset, buy, self._stock(asset, "buy", buy - crossed), crossed)
        if sell > LEAST and view is not None:
            self._sell(view, sell, self._stock(asset, "sell", sell - crossed), crossed)

    def _crossed(self, asset: str, buy: Decimal, sell: Decimal) -> Decimal:
        """What both sides want beyond lots at hand, and what of either neither these nor the market cover."""
        if not buy or not sell:
            return _ZERO
        buy_left = buy - self._stock(asset, "buy", buy)
        sell_left = sell - self._stock(asset, "sell", sell)
        lacking = (
            buy_left - offered(self.found["buy"][asset], self.limits),
            sell_left - offered(self.found["sell"][asset], self.limits),
        )
        return min(max(min(buy_left, sell_left), *lacking), buy, sell)

    def _stock(self, asset: str, side: Side, wanted: Decimal) -> Decimal:
        """What lots at hand give of what is wanted."""
        return cut(min(wanted, self.stock.get((asset, side), _ZERO)))

    def _buy(self, asset: str, demand: Decimal, stock: Decimal, crossed: Decimal) -> None:
        one, net = self.found["buy"][asset], _uncovered(demand, stock + crossed)
        quantity = _ZERO
        if net:
            wanted = padded(net, one, self.limits) if self.stepped else self.limits.min_asset_volley_size / one.limit
            quantity = min(max(wanted, net), one.liquidity)
            if quantity < one.least:
                self._raise(asset, (one.least - quantity) * one.limit)
                quantity = one.least
        row = AssetPlan(asset, "buy", one.limit, one.liquidity, demand, stock, crossed, quantity)
        self.buys.append(row)
        between_batches = self.stock.get((asset, "buy"), _ZERO) - self.house.get(asset, _ZERO)
        self._change(asset, (row.surplus - max(stock - between_batches, _ZERO)) * one.limit)

    def _sell(self, view: AssetView, demand: Decimal, stock: Decimal, crossed: Decimal) -> None:
        asset = view.asset
        one, net = self.found["sell"][asset], _uncovered(demand, stock + crossed)
        small = net * one.limit < self.limits.min_asset_volley_size or net < one.least or not one.liquidity
        if net and small and view.best_bid is not None:
            self.crossings.append(Crossing(asset, net, view.best_bid, to_house=True))
            self._change(asset, net * view.best_bid)
            crossed, net = crossed + net, _ZERO
        quantity = min(net, one.liquidity)
        self.sells.append(AssetPlan(asset, "sell", one.limit, one.liquidity, demand, stock, crossed, quantity))

    def _raise(self, asset: str, value: Decimal) -> None:
        if value > self.limits.asset_volley_step_size:
            self.raised[asset] = value

    def _change(self, asset: str, value: Decimal) -> None:
        self.house_change[asset] = self.house_change.get(asset, _ZERO) + value


def middle(view: AssetView) -> Decimal:
    """The price between best bid and best ask, fair to both sides of a crossing; or the one that there is."""
    if view.best_bid is None or view.best_ask is None:
        known = view.best_bid if view.best_ask is None else view.best_ask
        assert known is not None, "a market was found for it"
        return known
    return (view.best_bid + view.best_ask) / _TWO


def _uncovered(demand: Decimal, covered: Decimal) -> Decimal:
    """What is left of a demand; nothing, if it is less than any token and rounding."""
    left = demand - covered
    return left if left > LEAST + demand * ROUNDING else _ZERO


def house_value(problem: PlanProblem) -> Decimal:
    """What the house has and will get, at what buying it now may cost, or has cost. What was carried and no order may
    take any more it will get. Sold assets count against held ones."""
    return sum(house_values((*problem.held, *problem.tied), problem.views, problem.limits).values(), _ZERO)


def house_values(held: Iterable[HeldLot], views: Iterable[AssetView], limits: PlanLimits) -> dict[str, Decimal]:
    """What is the house's of these lots, or comes to it because no order may take it, is worth that by asset."""
    by_asset = {view.asset: view for view in views}
    found = {asset: market(view, "buy", limits) for asset, view in by_asset.items()}
    values: dict[str, Decimal] = {}
    for lot in held:
        one = found.get(lot.asset)
        if lot.house or (lot.side == "buy" and one is not None and not usable(lot, one)):
            price = limit_price(by_asset[lot.asset], "buy", limits) if one is not None else None
            value = lot.quantity * (lot.unit_cost if price is None else price)
            values[lot.asset] = values.get(lot.asset, _ZERO) + (value if lot.side == "buy" else -value)
    return values


def _house_stock(problem: PlanProblem, found: Markets) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for lot in problem.held:
        if lot.house and lot.side == "buy" and usable(lot, found["buy"].get(lot.asset)):
            total[lot.asset] = total.get(lot.asset, _ZERO) + lot.quantity
    return total
