"""Baskets: how much of each asset is in one unit of an index, and what such a unit is worth.

A basket never changes: a new one takes its place as a whole. The quantity of an asset in one unit is
`target_price * weight / price`, so that at the prices it was made with a unit is worth the target price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from core.errors import InputError
from core.kernel.record import Record
from core.market.orders import Name
from core.units import is_number

_ZERO: Final = Decimal(0)


class Unpriced(InputError):
    """Assets of a basket have no price; `assets` names all of them, in the basket's order."""

    def __init__(self, symbol: str, assets: tuple[str, ...]) -> None:
        super().__init__(f"{symbol}: no price for {', '.join(assets)}", "wait for their market data, or leave them out")
        self.symbol, self.assets = symbol, assets


class BasketAsset(Record, frozen=True):
    """One asset of a basket. `quantity` is for one unit of the index; `weight` is its share of the value."""

    asset: Name
    weight: Decimal
    quantity: Decimal


class Basket(Record, frozen=True):
    """What one unit of the index `symbol` is made of, in the order in which it was given."""

    symbol: Name
    assets: tuple[BasketAsset, ...]

    def has(self, asset: str) -> bool:
        """Whether the asset is one of the basket's."""
        return any(part.asset == asset for part in self.assets)

    def quantities(self) -> dict[str, Decimal]:
        """The quantity of each asset in one unit, in the basket's order."""
        return {part.asset: part.quantity for part in self.assets}


def normalised(weights: Iterable[tuple[str, Decimal]]) -> tuple[tuple[str, Decimal], ...]:
    """The weights scaled so that they sum to 1.

    Raises InputError for no weights, an asset named twice, or a weight that is not a positive finite number.
    """
    given = tuple(weights)
    names = [asset for asset, _ in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    wrong = [asset for asset, weight in given if not is_number(weight) or weight <= 0]
    if not given:
        raise InputError("an index without weights", "give each asset a positive weight")
    if twice:
        raise InputError(f"weights name {', '.join(twice)} more than once", "name each asset once")
    if wrong:
        raise InputError(f"weights of {', '.join(wrong)} are not positive numbers", "leave such assets out")
    total = sum((weight for _, weight in given), _ZERO)
    return tuple((asset, weight / total) for asset, weight in given)


def basket_from_weights(
    symbol: str, weights: Iterable[tuple[str, Decimal]], prices: Mapping[str, Decimal], target_price: Decimal
) -> Basket:
    """A basket of which one unit is worth `target_price` at `prices`. Weights need not sum to 1.

    Raises Unpriced naming every asset whose price is missing or not positive, and InputError for unusable weights or
    a target that is not positive.
    """
    shares = normalised(weights)
    if not is_number(target_price) or target_price <= 0:
        raise InputError(f"{symbol}: a target price of {target_price}", "give a positive one")
    _refuse_unpriced(symbol, (asset for asset, _ in shares), prices)
    return Basket(
        symbol,
        tuple(BasketAsset(asset, share, target_price / prices[asset] * share) for asset, share in shares),
    )


def basket_from_quantities(
    symbol: str, quantities: Iterable[tuple[str, Decimal]], weights: Mapping[str, Decimal] | None = None
) -> Basket:
    """A basket of these quantities as they are; weights are carried along and not used.

    Raises InputError for no assets, an asset named twice, or a quantity that is not positive.
    """
    given = tuple(quantities)
    normalised(given)
    known = weights or {}
    return Basket(symbol, tuple(BasketAsset(asset, known.get(asset, _ZERO), quantity) for asset, quantity in given))


def index_price(basket: Basket, prices: Mapping[str, Decimal]) -> Decimal:
    """What one unit is worth: the sum of price times quantity.

    Raises Unpriced naming every asset whose price is missing or not positive.
    """
    _refuse_unpriced(basket.symbol, (part.asset for part in basket.assets), prices)
    return sum((prices[part.asset] * part.quantity for part in basket.assets), _ZERO)


def _refuse_unpriced(symbol: str, assets: Iterable[str], prices: Mapping[str, Decimal]) -> None:
    missing = tuple(asset for asset in assets if (price := prices.get(asset)) is None or not price > 0)
    if missing:
        raise Unpriced(symbol, missing)
