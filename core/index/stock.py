"""Lots that no order owns yet: those between two batches, and the house's own.

A batch leaves lots behind because only whole baskets count and because exchange orders are padded. What orders that go
on still want is *carried* to the next batch; the rest is *house* inventory, and so is what was carried for orders that
do not go on after all (`carrying`). Both are used before anything is bought, carried lots first, each first in, first
out. Amounts are exact: nothing is lost between batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from core.index.lot_names import of_merged
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
    offered: dict[str, list[Lot]] = {}
    """Of the house, too: what its own tasks trade away in a running batch, and nobody else may use meanwhile."""
    house_lots_max: int = 100
    """So many lots may be on a shelf of the house before the oldest two are merged, at what they cost together."""
    merges: int = 0
    """How often that was done."""


def held(stock: Stock) -> tuple[HeldLot, ...]:
    """All lots as a planner needs them, carried ones first."""
    shelves = ((stock.carried, False), (stock.house, True))
    return tuple(
        HeldLot(lot.asset, lot.side, lot.remaining, lot.price, unit_cost(lot), house)
        for shelf, house in shelves
        for lots in shelf.values()
        for lot in lots
    )


def on_offer(stock: Stock) -> tuple[HeldLot, ...]:
    """What the house has put up for sale, as a planner needs it: its own until it is sold.

    What it had sold and is buying back counts as bought, so nothing stands against that any more.
    """
    lots = (lot for shelf in stock.offered.values() for lot in shelf if lot.side == "buy")
    return tuple(HeldLot(lot.asset, lot.side, lot.remaining, lot.price, unit_cost(lot), house=True) for lot in lots)


def unit_cost(lot: Lot) -> Decimal:
    """What a unit costs whoever gets it, or brings him: price and fee."""
    fee = lot.fee / lot.original
    return lot.price + fee if lot.side == "buy" else lot.price - fee


def cost(stock: Stock) -> Decimal:
    """What the house paid for its inventory, fees included; less what sales brought of which it owned nothing."""
    total = _ZERO
    for lot in _of_house(stock):
        paid = lot.remaining * unit_cost(lot)
        total += paid if lot.side == "buy" else -paid
    return total


def cost_of(stock: Stock, asset: str) -> Decimal:
    """What the house paid for what it holds of an asset, fees included."""
    return sum((lot.remaining * unit_cost(lot) for lot in stock.house.get(key(asset, "buy"), ())), _ZERO)


def has_worth(stock: Stock, tolerance: Decimal) -> bool:
    """Whether a lot of the house has cost, or brought, more than that: what rounding leaves over has not."""
    lots = (lot for shelf in stock.house.values() for lot in shelf)
    return any(lot.remaining * unit_cost(lot) > tolerance for lot in lots)


def house_quantities(stock: Stock) -> dict[str, Decimal]:
    """What the house holds of each asset, less what it has sold and not owned."""
    total: dict[str, Decimal] = {}
    for lot in _of_house(stock):
        signed = lot.remaining if lot.side == "buy" else lot.remaining.copy_negate()
        total[lot.asset] = EXACT.add(total.get(lot.asset, _ZERO), signed)
    return {asset: quantity for asset, quantity in total.items() if quantity}


def held_assets(stock: Stock) -> dict[str, None]:
    """Every asset of which there are lots that no order owns, or that was sold and not owned."""
    shelves = (stock.house, stock.carried)
    return dict.fromkeys(lot.asset for shelf in shelves for lots in shelf.values() for lot in lots[:1])


def take(shelf: dict[str, list[Lot]], at: str, quantity: Decimal, worst: Decimal | None = None) -> list[Lot]:
    """Take `quantity` off a shelf, or what there is, oldest first; lots whose price is beyond `worst` stay."""
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
    """Whether a lot was bought for no more than `worst` a unit, or sold for no less."""
    return lot.price <= worst if lot.side == "buy" else lot.price >= worst


def put(shelf: dict[str, list[Lot]], *lots: Lot) -> None:
    """Put lots back, in the order of age; parts of one become one lot again. All are of one side of one asset."""
    if not lots:
        return
    there = shelf.setdefault(key(lots[0].asset, lots[0].side), [])
    whole: dict[str, Lot] = {}
    for lot in (*there, *lots):
        same = whole.setdefault(lot.lot_id, lot)
        if same is not lot:
            same.remaining = EXACT.add(same.remaining, lot.remaining)
    there[:] = sorted(whole.values(), key=lambda lot: lot.created_at)


def offer(stock: Stock, asset: str, side: Side, quantity: Decimal, worst: Decimal | None = None) -> None:
    """Put so many lots of the house aside for a task of its own that trades them away; those beyond `worst` first."""
    at = key(asset, side)
    taken = stock.offered.setdefault(at, [])
    for lot in sorted(stock.house.get(at, ()), key=lambda lot: worst is None or within(lot, worst)):
        part = lot.split(min(lot.remaining, quantity))
        quantity = EXACT.subtract(quantity, part.remaining)
        if part.remaining:
            taken.append(part)
    _drop_empty(stock.house, at)


def take_back(stock: Stock) -> None:
    """What the house's tasks did not trade away is its inventory as before."""
    shelves, stock.offered = stock.offered, {}
    for lot in (lot for lots in shelves.values() for lot in lots):
        add_house(stock, lot)


def leave_to_house(stock: Stock, asset: str, side: Side, worst: Decimal | None = None) -> Decimal:
    """Nobody will want what is carried of an asset, or of it what was bought for more, or sold for less, than `worst`:
    it is the house's. Returns how much."""
    lots = stock.carried.pop(key(asset, side), [])
    kept, left = [], _ZERO
    for lot in lots:
        if worst is None or not within(lot, worst):
            left = EXACT.add(left, lot.remaining)
            add_house(stock, lot)
        else:
            kept.append(lot)
    put(stock.carried, *kept)
    return left


def spoiled(stock: Stock, asset: str, worst: Decimal) -> Decimal:
    """What was sold of an asset for less than `worst`: no order will take it, and it has to be bought back."""
    shelves = (stock.carried, stock.house, stock.offered)
    lots = (lot for shelf in shelves for lot in shelf.get(key(asset, "sell"), ()))
    return total_of(lot for lot in lots if not within(lot, worst))


def add_house(stock: Stock, lot: Lot) -> Decimal:
    """Give a lot to the house. It closes lots of the other side first; returns how much of it did."""
    other: Side = "sell" if lot.side == "buy" else "buy"
    closed = total_of(take(stock.house, key(lot.asset, other), lot.remaining))
    lot.remaining = EXACT.subtract(lot.remaining, closed)
    if lot.remaining:
        put(stock.house, lot)
        shelf = stock.house[key(lot.asset, lot.side)]
        while len(shelf) > stock.house_lots_max:
            older, younger = shelf[:2]
            stock.merges += 1
            shelf[:2] = [_merged(older, younger, of_merged(stock.merges))]
    return closed


def shelve(stock: Stock, lots: Iterable[Lot], wanted: Decimal) -> Decimal:
    """Put lots away that are no order's: the oldest, up to what is `wanted`, to carry; returns what is the house's."""
    house, parts = _ZERO, list[Lot]()
    for lot in lots:
        if wanted > 0:
            parts.append(lot.split(min(lot.remaining, wanted)))
            wanted = EXACT.subtract(wanted, parts[-1].remaining)
        if lot.remaining:
            house = EXACT.add(house, lot.remaining)
            add_house(stock, lot)
    put(stock.carried, *parts)
    return house


def keep(stock: Stock, at: str, wanted: Decimal) -> Decimal:
    """Carry no more on a shelf than is `wanted`, the oldest of it; returns what is the house's."""
    lots = stock.carried[at]
    if total_of(lots) <= wanted:
        return _ZERO
    stock.carried[at] = []
    house = shelve(stock, lots, wanted)
    _drop_empty(stock.carried, at)
    return house


def total_of(lots: Iterable[Lot]) -> Decimal:
    """What is left in lots together."""
    total = _ZERO
    for lot in lots:
        total = EXACT.add(total, lot.remaining)
    return total


def _of_house(stock: Stock) -> Iterator[Lot]:
    return (lot for lots in (*stock.house.values(), *stock.offered.values()) for lot in lots)


def _merged(older: Lot, younger: Lot, lot_id: str) -> Lot:
    """No trade and no other lot has its name, so nobody takes it for one."""
    remaining = EXACT.add(older.remaining, younger.remaining)
    paid = older.price * older.remaining + younger.price * younger.remaining
    return msgspec.structs.replace(
        younger,
        lot_id=lot_id,
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
