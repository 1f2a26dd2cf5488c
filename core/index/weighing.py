"""Weights become baskets: the first ones make an index, later ones are handed to the rebalance.

Weights that name assets without a price wait for it. An index takes new ones at most once in `rebalance_interval_ns`;
while a rebalance keeps it closed the newest wait for it.

A delisting takes an asset out of whatever an index aims at, whenever, and out of weights that wait: the others' shares
grow in proportion, which leaves a curator's wish as it is but for what cannot be. It is remembered, and tried again
while prices are missing. Weights that name a delisted asset when they come are refused instead: a curator who does not
know of the delisting has meant something else, and can say what.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from core.errors import InputError
from core.index import rebalancing
from core.index.base import DeskBase
from core.index.basket import (
    Basket,
    Unpriced,
    basket_from_quantities,
    basket_from_weights,
    index_price,
    normalised,
)
from core.index.composition import follow, publish
from core.index.facts import WeightsRefused
from core.index.indexes import Leaving, LiveIndex, Weighing
from core.index.reasons import WeightsRefusal
from core.index.rebalance import rebalanced, weights_without
from core.index.rebalance_states import TaskState
from core.index.records import CuratorWeightsSet, DelistAsset
from core.index.settings import IndexSettings
from core.index.stock import house_quantities
from core.index.validation import is_name
from core.market.prices import PriceType
from core.units import Nanos, as_text, is_number

_ZERO: Final = Decimal(0)
_CALLED: Final = "called {!r} (at most 32 letters, digits, dots, dashes or underscores, a letter or digit first)"


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
    if text := _malformed(said):
        desk.note(WeightsRefused(as_text(said.symbol), WeightsRefusal.MALFORMED, text))
        return
    gone = [asset for asset, _ in said.weights if asset in desk.state.indexes.delisted]
    if gone:
        text = f"{said.symbol}: {', '.join(gone)} delisted (leave such assets out)"
        desk.note(WeightsRefused(said.symbol, WeightsRefusal.DELISTED, text))
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
    """Take an asset out of every index that has it or will, in time to sell it before its deadline."""
    indexes = desk.state.indexes
    if not is_name(said.asset):
        asset = as_text(said.asset)
        desk.note(WeightsRefused(asset, WeightsRefusal.MALFORMED, f"no asset can be {_CALLED.format(asset)}"))
        return
    if said.deadline <= now:
        desk.note(WeightsRefused(said.asset, WeightsRefusal.DEADLINE_PASSED, f"{said.asset} is delisted already"))
        return
    if not _is_known(desk, said.asset):
        desk.note(WeightsRefused(said.asset, WeightsRefusal.UNKNOWN_ASSET, f"no index has {said.asset}"))
    indexes.delisted[said.asset] = said.deadline
    indexes.attend = True
    rebalancing.cut_short(desk)
    for symbol in indexes.live:
        leaving = indexes.leaving.get(symbol) or Leaving(indexes.aim(symbol))
        if leaving.aim.has(said.asset):
            indexes.leaving[symbol] = leaving
            _take_out(desk, now, symbol, say_why_not=True)


def weigh_again(desk: DeskBase, now: Nanos) -> None:
    """Something has changed: use weights and delistings that have waited, if they can be now."""
    for symbol in list(desk.state.indexes.leaving):
        _take_out(desk, now, symbol)
    for symbol in list(desk.state.indexes.weighing):
        _weigh(desk, now, symbol)


def _malformed(said: CuratorWeightsSet) -> str:
    """What is wrong with weights, whatever the desk knows; nothing, if they can be used or kept."""
    if not is_name(said.symbol):
        return f"no index can be {_CALLED.format(as_text(said.symbol))}"
    unnamed = [asset for asset, _ in said.weights if not is_name(asset)]
    if unnamed:
        return f"{said.symbol}: no asset can be {_CALLED.format(as_text(unnamed[0]))}"
    try:
        normalised(said.weights)
    except InputError as error:
        return str(error)
    target = said.target_price
    if target is not None and not (is_number(target) and target > 0):
        return f"{said.symbol}: a target price of {target} (give a positive one)"
    return ""


def _is_known(desk: DeskBase, asset: str) -> bool:
    """Whether anything of an asset is held, or aimed at."""
    indexes = desk.state.indexes
    weighed = any(asset == name for weighing in indexes.weighing.values() for name, _ in weighing.weights)
    held = any(asset in index.held for index in indexes.live.values())
    aimed_at = any(indexes.aim(symbol).has(asset) for symbol in indexes.live)
    return weighed or held or aimed_at or asset in house_quantities(desk.state.stock)


def _take_out(desk: DeskBase, now: Nanos, symbol: str, *, say_why_not: bool = False) -> None:
    """Have an index aim at what it does without the assets that are delisted.

    Without prices for that it sells them, and keeps what it has of the others until there are.
    """
    indexes = desk.state.indexes
    aim = indexes.leaving[symbol].aim
    gone = [asset for asset in aim.quantities() if asset in indexes.delisted]
    prices = desk.prices(now, aim.quantities(), PriceType.VOLUME_WEIGHTED)
    try:
        weights = weights_without(aim, gone, prices)
        basket = basket_from_weights(symbol, weights, prices, _worth(desk, now, symbol, prices))
    except Unpriced as error:
        if say_why_not:
            desk.note(WeightsRefused(symbol, WeightsRefusal.UNPRICED, str(error)))
        if any(indexes.aim(symbol).has(asset) for asset in gone):
            rest = Basket(symbol, tuple(part for part in aim.assets if part.asset not in gone))
            rebalancing.aim_at(desk, now, indexes.live[symbol], rest, at_once=True)
        return
    except InputError as error:
        desk.note(WeightsRefused(symbol, WeightsRefusal.LAST_ASSET, str(error)))
    else:
        rebalancing.aim_at(desk, now, indexes.live[symbol], basket, at_once=True)
    del indexes.leaving[symbol]


def _worth(desk: DeskBase, now: Nanos, symbol: str, prices: Mapping[str, Decimal]) -> Decimal:
    """What a token is worth: what is there by its prices, or by its best bid without one, what was sold since by what
    that brought. What has left its venue, and nobody bids for any more, is worth nothing."""
    indexes, books = desk.state.indexes, desk.state.books
    leaving, known = indexes.leaving[symbol], dict(prices)
    for asset in leaving.aim.quantities():
        bid = books.price(now, asset, PriceType.BEST_BID)
        if asset not in prices and bid is not None:
            known[asset] = bid
        is_out = asset not in known and indexes.delisted.get(asset, now) < now
        if is_out and books.has_nobody(now, asset) and not _is_sold(desk, symbol, asset):
            known[asset] = _ZERO
    for asset, sold in leaving.sold.items():
        left = max(indexes.live[symbol].held.get(asset, _ZERO), _ZERO)
        if left * sold.brought <= desk.settings.limits.collateral_tolerance * sold.quantity:
            known[asset] = sold.brought / sold.quantity
        elif asset in known:
            known[asset] = (sold.brought + left * known[asset]) / (sold.quantity + left)
    lost = {asset for asset, price in known.items() if price <= 0}
    return index_price(Basket(symbol, tuple(part for part in leaving.aim.assets if part.asset not in lost)), known)


def _is_sold(desk: DeskBase, symbol: str, asset: str) -> bool:
    """Whether a running batch sells an asset for an index: what it brings is not known yet."""
    tasks = desk.state.indexes.tasks.values()
    return any((one.symbol, one.asset, one.state) == (symbol, asset, TaskState.ENGAGED) for one in tasks)


def _weigh(desk: DeskBase, now: Nanos, symbol: str, *, say_why_not: bool = False) -> None:
    indexes = desk.state.indexes
    weighing, index, rebalance = indexes.weighing[symbol], indexes.live.get(symbol), indexes.rebalances.get(symbol)
    weighing.weights = tuple(one for one in weighing.weights if one[0] not in indexes.delisted)
    if not weighing.weights:
        del indexes.weighing[symbol]
        desk.note(WeightsRefused(symbol, WeightsRefusal.LAST_ASSET, "all of its assets were delisted meanwhile"))
        return
    if rebalance is not None and rebalance.is_closed:
        if say_why_not:
            desk.note(WeightsRefused(symbol, WeightsRefusal.REBALANCING, "kept until the rebalance before has ended"))
        return
    try:
        basket = _basket(desk, now, weighing, index)
    except Unpriced as error:
        if say_why_not:
            desk.note(WeightsRefused(symbol, WeightsRefusal.UNPRICED, str(error)))
        return
    del indexes.weighing[symbol]
    if index is None:
        _establish(desk, now, basket)
        return
    index.weighed_at, index.rebalanced = now, True
    rebalancing.aim_at(desk, now, index, basket)


def _basket(desk: DeskBase, now: Nanos, weighing: Weighing, index: LiveIndex | None) -> Basket:
    """The basket of new weights. What a token is worth stays as it is once there are any, whatever target price comes
    with later weights: tokens are their holders'."""
    held = index.basket.quantities() if index is not None else {}
    assets = dict.fromkeys((*held, *(asset for asset, _ in weighing.weights)))
    prices = desk.prices(now, assets, PriceType.VOLUME_WEIGHTED)
    if index is not None:
        return rebalanced(index.basket, weighing.weights, prices)
    target = weighing.target_price or desk.settings.target_price
    return basket_from_weights(weighing.symbol, weighing.weights, prices, target)


def _establish(desk: DeskBase, now: Nanos, basket: Basket) -> None:
    desk.state.indexes.live[basket.symbol] = LiveIndex(basket.symbol, basket, weighed_at=now)
    publish(desk, now, basket, 1)
