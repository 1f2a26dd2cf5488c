"""Lots that no order owns yet: those between two batches, and the house's own.

A batch leaves lots behind because only whole baskets count and because exchange orders are padded. What orders that go
on still want is *carried* to the next batch; the rest is *house* inventory. Both are used before anything is bought,
carried lots first, each first in, first out. Amounts are exact: nothing is lost between batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from core.index.planning import HeldLot, key
from core.index.rounding import rounded
from core.market.orders import Side
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)


class Lot(msgspec.Struct, kw_only=True):
    """One trade of an asset, or the part of it that is here. A sell's lot is a sale whose proceeds nobody has yet."""

    lot_id: str
    asset: str
    side: Side
    price: Decimal
    original: Decimal
    """The whole trade."""
    remaining: Decimal
    """The part that is here and unassigned."""
    fee: Decimal
    """Of the whole trade, in money."""
    batch_id: str
    """The batch that traded it."""
    created_at: Nanos

    def fee_of(self, quantity: Decimal) -> Decimal:
        """The fee of a part, pro rata."""
        return rounded(self.fee * quantity / self.original)

    def split(self, quantity: Decimal) -> Lot:
        """Take a part out of this lot, as a lot of its own with the same identity."""
        part = msgspec.structs.replace(self, remaining=quantity)
        self.remaining = EXACT.subtract(self.remaining, quantity)
        return part


class Stock(msgspec.Struct):
    """Lots by `key`, oldest first. Part of the desk's state."""

    carried: dict[str, list[Lot]] = {}
    house: dict[str, list[Lot]] = {}
    house_lots_max: int = 100
    """So many lots may be on a shelf of the house before the oldest two are merged, at what they cost together."""


def held(stock: Stock) -> tuple[HeldLot, ...]:
    """All lots as a planner needs them, carried ones first."""
    shelves = ((stock.carried, False), (stock.house, True))
    return tuple(
        HeldLot(lot.asset, lot.side, lot.remaining, unit_cost(lot), house)
        for shelf, house in shelves
        for lots in shelf.values()
        for lot in lots
    )


def unit_cost(lot: Lot) -> Decimal:
    """What a unit costs whoever gets it, or brings him: price and fee."""
    fee = lot.fee / lot.original
    return lot.price + fee if lot.side == "buy" else lot.price - fee


def value(stock: Stock, prices: Mapping[str, Decimal]) -> Decimal:
    """House inventory at `prices`; at its own price where there is none. What was sold and not owned counts against."""
    total = _ZERO
    for lots in stock.house.values():
        for lot in lots:
            worth = lot.remaining * prices.get(lot.asset, lot.price)
            total += worth if lot.side == "buy" else -worth
    return total


def cost(stock: Stock) -> Decimal:
    """What the house paid for its inventory, fees included; `value` less this is its unrealised profit."""
    total = _ZERO
    for lots in stock.house.values():
        for lot in lots:
            paid = lot.remaining * unit_cost(lot)
            total += paid if lot.side == "buy" else -paid
    return total


def house_quantities(stock: Stock) -> dict[str, Decimal]:
    """What the house holds of each asset, less what it has sold and not owned."""
    total: dict[str, Decimal] = {}
    for lots in stock.house.values():
        for lot in lots:
            signed = lot.remaining if lot.side == "buy" else lot.remaining.copy_negate()
            total[lot.asset] = EXACT.add(total.get(lot.asset, _ZERO), signed)
    return {asset: quantity for asset, quantity in total.items() if quantity}


def carried_quantity(stock: Stock, asset: str, side: Side) -> Decimal:
    """What is carried of an asset from batch to batch."""
    return total_of(stock.carried.get(key(asset, side), ()))


def take(shelf: dict[str, list[Lot]], at: str, quantity: Decimal, worst: Decimal | None = None) -> list[Lot]:
    """Take `quantity` off a shelf, or what there is, oldest first; lots whose unit cost is beyond `worst` stay."""
    taken: list[Lot] = []
    for lot in shelf.get(at, ()):
        if quantity <= 0:
            break
        if worst is None or within(lot, worst):
            taken.append(lot.split(min(lot.remaining, quantity)))
            quantity = EXACT.subtract(quantity, taken[-1].remaining)
    _drop_empty(shelf, at)
    return taken


def within(lot: Lot, worst: Decimal) -> bool:
    """Whether a lot costs no more than `worst` a unit, or brings no less."""
    return unit_cost(lot) <= worst if lot.side == "buy" else unit_cost(lot) >= worst


def put(shelf: dict[str, list[Lot]], lot: Lot) -> None:
    """Put a lot back, in the order of age; parts of one trade become one lot again."""
    lots = shelf.setdefault(key(lot.asset, lot.side), [])
    same = next((other for other in lots if other.lot_id == lot.lot_id), None)
    if same is not None:
        same.remaining = EXACT.add(same.remaining, lot.remaining)
        return
    place = len(lots)
    while place and lots[place - 1].created_at > lot.created_at:
        place -= 1
    lots.insert(place, lot)


def add_house(stock: Stock, lot: Lot) -> Decimal:
    """Give a lot to the house. It closes lots of the other side first; returns how much of it did."""
    other: Side = "sell" if lot.side == "buy" else "buy"
    closed = total_of(take(stock.house, key(lot.asset, other), lot.remaining))
    lot.remaining = EXACT.subtract(lot.remaining, closed)
    if lot.remaining:
        put(stock.house, lot)
        shelf = stock.house[key(lot.asset, lot.side)]
        while len(shelf) > stock.house_lots_max:
            shelf[:2] = [_merged(*shelf[:2])]
    return closed


def total_of(lots: Iterable[Lot]) -> Decimal:
    """What is left in lots together."""
    total = _ZERO
    for lot in lots:
        total = EXACT.add(total, lot.remaining)
    return total


def _merged(older: Lot, younger: Lot) -> Lot:
    """No trade has its name, so nobody takes it for one."""
    remaining = EXACT.add(older.remaining, younger.remaining)
    paid = older.price * older.remaining + younger.price * younger.remaining
    return msgspec.structs.replace(
        younger,
        lot_id=f"merged-{younger.lot_id.removeprefix('merged-')}",
        price=paid / remaining,
        original=remaining,
        remaining=remaining,
        fee=older.fee_of(older.remaining) + younger.fee_of(younger.remaining),
    )


def _drop_empty(shelf: dict[str, list[Lot]], at: str) -> None:
    left = [lot for lot in shelf.get(at, ()) if lot.remaining]
    if left:
        shelf[at] = left
    else:
        shelf.pop(at, None)
