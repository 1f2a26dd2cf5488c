"""What indexes and house are worth, stated at an interval while there is anything: the series that analyses draw."""

from __future__ import annotations

from typing import Final

from core.index.base import DeskBase
from core.index.basket import Unpriced
from core.index.counting import house_is_due
from core.index.facts import HouseValued
from core.index.nav import nav_point
from core.index.stock import has_worth, house_quantities
from core.market.prices import PriceType
from core.units import Nanos

VALUE: Final = "value"


def watch(desk: DeskBase, now: Nanos) -> None:
    """Have everything valued an interval from now, if there is something: orders, tokens, or inventory of the house."""
    interval = desk.settings.nav_interval_ns
    if interval and not desk.state.valuing and _has_value(desk):
        desk.state.valuing = True
        desk.wake(VALUE, now + interval)


def _has_value(desk: DeskBase) -> bool:
    state = desk.state
    if state.orders.live or has_worth(state.stock, desk.settings.limits.collateral_tolerance):
        return True
    return any(index.supply or index.backed for index in state.indexes.live.values())


def state_values(desk: DeskBase, now: Nanos, _of: str = "") -> None:
    """State each index's NAV and each of the house's holdings, as far as there are prices.

    Prices alone may have made these more than the house keeps, or have spoiled what it has sold; then it is to trade.
    """
    desk.state.valuing = False
    for index in desk.state.indexes.live.values():
        prices = desk.prices(now, {**index.held, **index.basket.quantities()}, PriceType.MID_POINT)
        try:
            point = nav_point(
                index.basket,
                prices,
                at=now,
                tokens=index.supply,
                backed=index.backed,
                held=index.held,
                cash=index.cash,
                paid=index.last_price,
                nothing=desk.settings.limits.collateral_tolerance,
            )
        except Unpriced:
            continue
        desk.note(point)
    house = house_quantities(desk.state.stock)
    prices = desk.prices(now, house, PriceType.MID_POINT)
    desk.note(*(HouseValued(asset, house[asset], prices[asset] * house[asset]) for asset in prices))
    desk.state.indexes.attend |= house_is_due(desk, now)
