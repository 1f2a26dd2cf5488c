"""Weights become baskets: the first ones make an index, later ones are handed to the rebalance.

Weights that name assets without a price wait for it. An index takes new ones at most once in `rebalance_interval_ns`;
while a rebalance is under way the newest wait for its end. A delisting takes an asset out of every index, whenever.
"""

from __future__ import annotations

from core.errors import InputError
from core.index.base import DeskBase
from core.index.basket import (
    Basket,
    Unpriced,
    basket_from_quantities,
    basket_from_weights,
    normalised,
)
from core.index.composition import follow, publish
from core.index.facts import WeightsRefused
from core.index.indexes import LiveIndex, Weighing
from core.index.reasons import WeightsRefusal
from core.index.rebalance import rebalanced, weights_without
from core.index.rebalancing import start_rebalance
from core.index.records import CuratorWeightsSet, DelistAsset
from core.index.settings import IndexSettings
from core.market.prices import PriceType
from core.units import Nanos


def set_up(desk: DeskBase, now: Nanos, index: IndexSettings) -> None:
    """An index of the settings: with its quantities as they are, or with weights as a curator's."""
    if index.quantities:
        follow(desk, now, (asset for asset, _ in index.quantities))
        _establish(desk, now, basket_from_quantities(index.symbol, index.quantities, dict(index.weights)))
    else:
        take_weights(desk, now, CuratorWeightsSet(index.symbol, index.weights, index.target_price))


def take_weights(desk: DeskBase, now: Nanos, said: CuratorWeightsSet) -> None:
    """Use a curator's weights as soon as they can be, or say why not."""
    index = desk.state.indexes.live.get(said.symbol)
    try:
        normalised(said.weights)
    except InputError as error:
        desk.note(WeightsRefused(said.symbol, WeightsRefusal.MALFORMED, str(error)))
        return
    if said.target_price is not None and not (said.target_price.is_finite() and said.target_price > 0):
        text = f"{said.symbol}: a target price of {said.target_price} (give a positive one)"
        desk.note(WeightsRefused(said.symbol, WeightsRefusal.MALFORMED, text))
        return
    interval = desk.settings.rebalance_interval_ns
    if index is not None and index.rebalanced and now < index.weighed_at + interval:
        desk.note(
            WeightsRefused(said.symbol, WeightsRefusal.TOO_SOON, f"the last ones came less than {interval} ns ago")
        )
        return
    desk.state.indexes.weighing[said.symbol] = Weighing(said.symbol, said.weights, said.target_price)
    follow(desk, now, (asset for asset, _ in said.weights))
    _weigh(desk, now, said.symbol, say_why_not=True)


def delist(desk: DeskBase, now: Nanos, said: DelistAsset) -> None:
    """Take an asset out of every index that has it, in time to sell it before its deadline."""
    holders = [index for index in desk.state.indexes.live.values() if said.asset in index.basket.quantities()]
    if said.deadline <= now:
        desk.note(WeightsRefused(said.asset, WeightsRefusal.DEADLINE_PASSED, f"{said.asset} is delisted already"))
        return
    if not holders:
        desk.note(WeightsRefused(said.asset, WeightsRefusal.UNKNOWN_ASSET, f"no index has {said.asset}"))
    for index in holders:
        prices = desk.prices(now, index.basket.quantities(), PriceType.VOLUME_WEIGHTED)
        try:
            kept = weights_without(index.basket, said.asset, prices)
        except Unpriced as error:
            desk.note(WeightsRefused(index.symbol, WeightsRefusal.UNPRICED, str(error)))
        except InputError as error:
            desk.note(WeightsRefused(index.symbol, WeightsRefusal.LAST_ASSET, str(error)))
        else:
            desk.state.indexes.weighing[index.symbol] = Weighing(index.symbol, kept, None, said.deadline)
            _weigh(desk, now, index.symbol, say_why_not=True)


def weigh_again(desk: DeskBase, now: Nanos) -> None:
    """Something has changed: use weights that have waited, if they can be now."""
    for symbol in list(desk.state.indexes.weighing):
        _weigh(desk, now, symbol)


def _weigh(desk: DeskBase, now: Nanos, symbol: str, *, say_why_not: bool = False) -> None:
    weighing, index = desk.state.indexes.weighing[symbol], desk.state.indexes.live.get(symbol)
    if symbol in desk.state.indexes.rebalances:
        if say_why_not:
            desk.note(WeightsRefused(symbol, WeightsRefusal.REBALANCING, "kept until the rebalance before has ended"))
        return
    try:
        basket = _basket(desk, now, weighing, index)
    except Unpriced as error:
        if say_why_not:
            desk.note(WeightsRefused(symbol, WeightsRefusal.UNPRICED, str(error)))
        return
    del desk.state.indexes.weighing[symbol]
    if index is None:
        _establish(desk, now, basket)
    else:
        start_rebalance(desk, now, index, basket, weighing.deadline)


def _basket(desk: DeskBase, now: Nanos, weighing: Weighing, index: LiveIndex | None) -> Basket:
    """The basket of new weights: worth what the one before is worth now, if there is one and nobody says otherwise."""
    held = index.basket.quantities() if index is not None else {}
    assets = dict.fromkeys((*held, *(asset for asset, _ in weighing.weights)))
    prices = desk.prices(now, assets, PriceType.VOLUME_WEIGHTED)
    if index is not None and weighing.target_price is None:
        return rebalanced(index.basket, weighing.weights, prices)
    target = weighing.target_price or desk.settings.target_price
    return basket_from_weights(weighing.symbol, weighing.weights, prices, target)


def _establish(desk: DeskBase, now: Nanos, basket: Basket) -> None:
    desk.state.indexes.live[basket.symbol] = LiveIndex(basket.symbol, basket, weighed_at=now)
    publish(desk, now, basket, 1)
