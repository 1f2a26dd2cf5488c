"""What the desk owns, trade by trade: positions of open lots, what closed them, and whom they were bought for.

Every trade is a lot. It first closes open lots of the other side, first in, first out, however many it takes; what is
left of it stays open, and is short if it was a sell. A close realises, for its quantity q,

    (closing price - original price) * q - original fee * q / original quantity - closing fee * q / closing quantity

with the sign of the first term turned round where a buy closes a sell. Fees are pro rata, so that over the whole life
of a lot each of its fees is counted exactly once, to the last digit of MONEY. Closed lots are kept up to a number and
counted beyond it, and so is what closed a lot; open lots beyond a number are merged, the oldest two at a time, at what
they cost together. So memory stays flat, and so does the sum of what is realised.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import Final

import msgspec
from msgspec import structs

from core.errors import DefectError
from core.index.inventory_lots import Assignment, InventoryFill, InventoryLot, LotClose
from core.kernel.record import Record
from core.market.orders import Side
from core.units import EXACT

_ZERO: Final = Decimal(0)


class Holding(msgspec.Struct):
    """One asset. Open lots are all of one side, oldest first; keys are `side:lot_id`."""

    asset: str
    balance: Decimal = _ZERO
    """What is owned; below zero, what is owed."""
    realised: Decimal = _ZERO
    """Money, over its whole life."""
    lots: dict[str, InventoryLot] = {}
    closed: dict[str, InventoryLot] = {}
    """The latest ones to be closed."""
    forgotten: int = 0
    """How many closed lots had to make room."""
    merged: int = 0
    """How many open lots were merged into others."""


class Inventory(msgspec.Struct):
    """Holdings by asset. Part of the desk's state."""

    closed_lots_max: int = 1000
    """So many closed lots are kept of each asset."""
    open_lots_max: int = 1000
    """So many lots may be open of each asset before the oldest are merged."""
    steps_max: int = 1000
    """So many closes, and as many assignments, are kept of each lot; older ones are in its sums alone."""
    holdings: dict[str, Holding] = {}
    cash: Decimal = _ZERO
    """Money that all trades brought, less what they cost, fees included."""


class Booked(Record, frozen=True):
    """What a trade did: `opened` of it is open now, the rest closed others. `realised` is the sum over them."""

    asset: str
    opened: Decimal
    closes: tuple[LotClose, ...]
    realised: Decimal


def book(inventory: Inventory, fill: InventoryFill) -> Booked:
    """Book a trade. Raises DefectError for a quantity or price that is not positive, or a trade booked before."""
    if fill.quantity <= 0 or fill.price <= 0:
        raise DefectError(f"trade {fill.trade_id} of {fill.quantity} {fill.asset} at {fill.price}")
    if find(inventory, fill.asset, fill.side, fill.trade_id) is not None:
        raise DefectError(f"trade {fill.trade_id} of {fill.asset} is booked already")
    holding = inventory.holdings.setdefault(fill.asset, Holding(fill.asset))
    left, closes = fill.quantity, []
    while left > 0 and (lot := _oldest(holding)) is not None and lot.side != fill.side:
        closes.append(_close(lot, fill, min(lot.remaining, left)))
        left = EXACT.subtract(left, closes[-1].quantity)
        lot = lot.close(closes[-1], inventory.steps_max)
        holding.lots[_key(lot.side, lot.lot_id)] = lot
        if not lot.remaining:
            _retire(inventory, holding, holding.lots.pop(_key(lot.side, lot.lot_id)))
    _open(inventory, holding, fill, left)
    inventory.cash = EXACT.add(inventory.cash, fill.money)
    holding.balance = EXACT.add(holding.balance, fill.quantity if fill.side == "buy" else fill.quantity.copy_negate())
    realised = sum((close.realised for close in closes), _ZERO)
    holding.realised += realised
    return Booked(fill.asset, left, tuple(closes), realised)


def find(inventory: Inventory, asset: str, side: Side, lot_id: str) -> InventoryLot | None:
    """A lot by the side and id of its trade, open or among the closed ones that are kept."""
    holding = inventory.holdings.get(asset)
    if holding is None:
        return None
    at = _key(side, lot_id)
    return holding.lots.get(at) or holding.closed.get(at)


def assign(inventory: Inventory, asset: str, lot_id: str, assignment: Assignment) -> bool:
    """Write down whose part of a lot is, whether the lot is open or closed. False when it is no longer kept.

    Raises DefectError when more of it would be assigned than it ever was.
    """
    lot = find(inventory, asset, assignment.side, lot_id)
    if lot is None:
        return False
    if EXACT.add(lot.assigned, assignment.quantity) > lot.original:
        raise DefectError(f"lot {lot_id}: {assignment.quantity} on top of {lot.assigned} is more than {lot.original}")
    holding, at = inventory.holdings[asset], _key(lot.side, lot_id)
    there = holding.lots if at in holding.lots else holding.closed
    there[at] = lot.assign(assignment, inventory.steps_max)
    return True


def _close(lot: InventoryLot, fill: InventoryFill, quantity: Decimal) -> LotClose:
    gain = (fill.price - lot.price) * quantity
    original_fee, closing_fee = lot.fee * quantity / lot.original, fill.fee * quantity / fill.quantity
    return LotClose(
        asset=lot.asset,
        lot_id=lot.lot_id,
        side=lot.side,
        closing_lot_id=fill.trade_id,
        order_id=fill.order_id,
        batch_id=fill.batch_id,
        quantity=quantity,
        remaining=EXACT.subtract(lot.remaining, quantity),
        original_price=lot.price,
        original_fee=original_fee,
        closing_price=fill.price,
        closing_fee=closing_fee,
        realised=(gain if lot.side == "buy" else -gain) - original_fee - closing_fee,
        at=fill.at,
    )


def _open(inventory: Inventory, holding: Holding, fill: InventoryFill, left: Decimal) -> None:
    lot = InventoryLot(
        lot_id=fill.trade_id,
        asset=fill.asset,
        side=fill.side,
        order_id=fill.order_id,
        batch_id=fill.batch_id,
        price=fill.price,
        original=fill.quantity,
        remaining=left,
        fee=fill.fee,
        created_at=fill.at,
        updated_at=fill.at,
        matched=EXACT.subtract(fill.quantity, left),
    )
    if left:
        holding.lots[_key(lot.side, lot.lot_id)] = lot
        if len(holding.lots) > inventory.open_lots_max:
            _merge_oldest(holding)
    else:
        _retire(inventory, holding, lot)


def _retire(inventory: Inventory, holding: Holding, lot: InventoryLot) -> None:
    holding.closed[_key(lot.side, lot.lot_id)] = lot
    while len(holding.closed) > inventory.closed_lots_max:
        del holding.closed[next(iter(holding.closed))]
        holding.forgotten += 1


def _merge_oldest(holding: Holding) -> None:
    """The oldest two lots become one, by the younger one's name, of what is left of both and cost together."""
    first, second = (holding.lots.pop(at) for at in list(islice(holding.lots, 2)))
    remaining = EXACT.add(first.remaining, second.remaining)
    value = first.price * first.remaining + second.price * second.remaining
    fee = first.fee * first.remaining / first.original + second.fee * second.remaining / second.original
    merged = structs.replace(
        second,
        price=value / remaining,
        original=remaining,
        remaining=remaining,
        fee=fee,
        matched=_ZERO,
        closed=_ZERO,
        assigned=_ZERO,
        closes=(),
        assignments=(),
    )
    holding.lots = {_key(merged.side, merged.lot_id): merged} | holding.lots
    holding.merged += 1


def _oldest(holding: Holding) -> InventoryLot | None:
    return next(iter(holding.lots.values()), None)


def _key(side: Side, lot_id: str) -> str:
    return f"{side}:{lot_id}"
