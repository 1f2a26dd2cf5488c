"""What an index token is worth, by the basket and by what is held for it, and what was paid for it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from core.index.basket import Basket, Unpriced, index_price
from core.kernel.record import Record
from core.units import Nanos

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


class NavPoint(Record, frozen=True, kw_only=True):
    """One index at one instant. Money per token unless said otherwise; shares are of NAV, 0.01 being 1 %."""

    symbol: str
    at: Nanos
    nav: Decimal
    """The basket at these prices."""
    tokens: Decimal
    """How many exist: minted and not burned."""
    backed: Decimal
    """For how many assets are held: those that exist, and what orders in progress have bought more, or sold."""
    held_value: Decimal
    """Money in all: what is held for the backed tokens, at these prices."""
    tracking_difference: Decimal | None
    """By what share what is held for a token is worth more than the basket; None while the backed tokens are worth
    nothing, or next to nothing."""
    paid: Decimal | None
    """What the last buyer paid for one, or the last seller got."""
    premium: Decimal | None
    """By what share that is above NAV; below zero it is a discount. None if nobody has traded."""


def nav_point(
    basket: Basket,
    prices: Mapping[str, Decimal],
    *,
    at: Nanos,
    tokens: Decimal,
    backed: Decimal,
    held: Mapping[str, Decimal],
    cash: Decimal = _ZERO,
    paid: Decimal | None = None,
    nothing: Decimal = _ZERO,
) -> NavPoint:
    """The point of an index for which `held` of each asset and `cash` are kept. No more money than `nothing` is none.

    Raises Unpriced naming assets of the basket, or held ones, that have no price.
    """
    nav = index_price(basket, prices)
    missing = tuple(asset for asset, quantity in held.items() if quantity and not prices.get(asset, _ZERO) > 0)
    if missing:
        raise Unpriced(basket.symbol, missing)
    value = cash + sum((prices[asset] * quantity for asset, quantity in held.items() if quantity), _ZERO)
    return NavPoint(
        symbol=basket.symbol,
        at=at,
        nav=nav,
        tokens=tokens,
        backed=backed,
        held_value=value,
        tracking_difference=value / (backed * nav) - _ONE if backed * nav > nothing else None,
        paid=paid,
        premium=paid / nav - _ONE if paid is not None else None,
    )
