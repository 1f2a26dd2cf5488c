"""What tokens are made of, as everybody else learns it: books of the assets, and the composition on the chain."""

from __future__ import annotations

from collections.abc import Iterable

from core.index.base import DeskBase
from core.index.basket import Basket, Unpriced, index_price
from core.index.chain import SetSolverWeights
from core.index.facts import BasketSet
from core.market.prices import PriceType
from core.units import Nanos


def follow(desk: DeskBase, now: Nanos, assets: Iterable[str]) -> None:
    """Keep books of these assets."""
    for asset in assets:
        desk.state.books.follow(asset)
    for effect in desk.state.books.due(now):
        desk.emit(effect)


def publish(desk: DeskBase, now: Nanos, basket: Basket, version: int) -> None:
    """Say, here and on the chain, what a token is made of from now on."""
    quantities = tuple(basket.quantities().items())
    prices = desk.prices(now, basket.quantities(), PriceType.VOLUME_WEIGHTED)
    try:
        price = index_price(basket, prices)
    except Unpriced:
        price = desk.settings.target_price
    desk.note(BasketSet(basket.symbol, quantities, price, version))
    desk.ask_chain(
        now, SetSolverWeights(f"weights:{basket.symbol}:{version}", basket.symbol, version, quantities, price)
    )
