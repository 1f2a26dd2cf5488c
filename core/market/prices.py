"""The prices that a market can be asked for, as pure functions of what is known of it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

Top: TypeAlias = tuple[Decimal, Decimal]
"""(price, quantity) of the best level of a side."""

_TWO: Final = Decimal(2)


class PriceType(StrEnum):
    """Which price of a market is meant."""

    BEST_BID = "best_bid"
    BEST_ASK = "best_ask"
    LAST_TRADE = "last_trade"
    MID_POINT = "mid_point"
    """Halfway between best bid and best ask."""
    VOLUME_WEIGHTED = "volume_weighted"
    """Best bid and best ask, each weighted by its own quantity."""


def mid_point(bid: Top, ask: Top) -> Decimal:
    """(bid + ask) / 2."""
    return (bid[0] + ask[0]) / _TWO


def volume_weighted(bid: Top, ask: Top) -> Decimal:
    """(bid * bid quantity + ask * ask quantity) / (bid quantity + ask quantity)."""
    return (bid[0] * bid[1] + ask[0] * ask[1]) / (bid[1] + ask[1])


def price_of_top(kind: PriceType, bid: Top | None, ask: Top | None) -> Decimal | None:
    """The price of that kind, LAST_TRADE aside; None where a side that it needs is empty."""
    if kind is PriceType.BEST_BID:
        return bid[0] if bid is not None else None
    if kind is PriceType.BEST_ASK:
        return ask[0] if ask is not None else None
    if bid is None or ask is None:
        return None
    return mid_point(bid, ask) if kind is PriceType.MID_POINT else volume_weighted(bid, ask)
