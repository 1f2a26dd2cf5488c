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

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Final

import msgspec
from msgspec import structs

from core.errors import DefectError
from core.kernel.record import Record
from core.market.orders import Side
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)


class InventoryFill(Record, frozen=True, kw_only=True):
    """A trade to book. `fee` is money and of the whole trade; `trade_id` names the lot that it may open."""

    asset: str
    side: Side
    trade_id: str
    order_id: str
    batch_id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    at: Nanos


class Assignment(Record, frozen=True, kw_only=True):
    """`quantity` of a lot, with `fee` of its fee, belongs to an index order now."""

    order_id: str
    user: str
    seq_num: int
    side: Side
    quantity: Decimal
    fee: Decimal
    at: Nanos


class LotClose(Record, frozen=True, kw_only=True):
    """`quantity` of an open lot met a trade of the other side."""

    asset: str
    lot_id: str
    side: Side
    """Of the lot that was open."""
    closing_lot_id: str
    order_id: str
    batch_id: str
    """Of the trade that closed it, as are the order and the closing lot."""
    quantity: Decimal
    remaining: Decimal
    original_price: Decimal
    original_fee: Decimal
    """Pro rata."""
    closing_price: Decimal
    closing_fee: Decimal
    """Pro rata."""
    realised: Decimal
    """Profit in money, both fees deducted."""
    at: Nanos


class InventoryLot(msgspec.Struct, kw_only=True):
    """A trade that is open still, or was."""

    lot_id: str
    asset: str
    side: Side
    order_id: str
    batch_id: str
    price: Decimal
    original: Decimal
    remaining: Decimal
    fee: Decimal
    created_at: Nanos
    updated_at: Nanos
    matched: Decimal = _ZERO
    """What of it closed other lots when it was booked."""
    closes: list[LotClose] = []
    """What closed it since."""
    assignments: list[Assignment] = []
    closed_before: Decimal = _ZERO
    """The sum of closes that are not kept."""
    assigned_before: Decimal = _ZERO
    """The sum of assignments that are not kept."""

    def closed(self) -> Decimal:
        """The sum of what closed it."""
        return EXACT.add(self.closed_before, _total(close.quantity for close in self.closes))

    def assigned(self) -> Decimal:
        """The sum of what was assigned of it."""
        return EXACT.add(self.assigned_before, _total(one.quantity for one in self.assignments))

    def forget_steps(self, kept: int) -> None:
        """Keep the newest closes and assignments, so many of each."""
        while len(self.closes) > kept:
            self.closed_before = EXACT.add(self.closed_before, self.closes.pop(0).quantity)
        while len(self.assignments) > kept:
            self.assigned_before = EXACT.add(self.assigned_before, self.assignments.pop(0).quantity)


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
    """So many closes, and as many assignments, are kept of each lot; of older ones their sum."""
    holdings: dict[str, Holding] = {}


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
        lot.forget_steps(inventory.steps_max)
        left = EXACT.subtract(left, closes[-1].quantity)
        if not lot.remaining:
            _retire(inventory, holding, holding.lots.pop(_key(lot.side, lot.lot_id)))
    _open(inventory, holding, fill, left)
    holding.balance = EXACT.add(holding.balance, fill.quantity if fill.side == "buy" else -fill.quantity)
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
    if EXACT.add(lot.assigned(), assignment.quantity) > lot.original:
        raise DefectError(f"lot {lot_id}: {assignment.quantity} on top of {lot.assigned()} is more than {lot.original}")
    lot.assignments.append(assignment)
    lot.forget_steps(inventory.steps_max)
    lot.updated_at = assignment.at
    return True


def unrealised(inventory: Inventory, prices: Mapping[str, Decimal]) -> Decimal:
    """What closing all open lots at `prices` would realise, closing fees apart; lots without a price count as even."""
    total = _ZERO
    for holding in inventory.holdings.values():
        for lot in holding.lots.values():
            gain = (prices.get(lot.asset, lot.price) - lot.price) * lot.remaining
            total += (gain if lot.side == "buy" else -gain) - lot.fee * lot.remaining / lot.original
    return total


def inventory_violations(inventory: Inventory) -> list[str]:
    """I6: a lot is what remains and what was closed, no more of it is assigned than it was, lots add up to balances."""
    found = []
    for holding in inventory.holdings.values():
        for lot in (*holding.lots.values(), *holding.closed.values()):
            parts = EXACT.add(EXACT.add(lot.remaining, lot.matched), lot.closed())
            if parts != lot.original:
                found.append(f"I6 {lot.asset} lot {lot.lot_id}: parts of it are {parts}, it was {lot.original}")
            if lot.assigned() > lot.original:
                found.append(f"I6 {lot.asset} lot {lot.lot_id}: {lot.assigned()} is assigned of {lot.original}")
        held = _total(
            lot.remaining if lot.side == "buy" else lot.remaining.copy_negate() for lot in holding.lots.values()
        )
        if held != holding.balance:
            found.append(f"I6 {holding.asset}: lots hold {held}, the balance is {holding.balance}")
    return found


def _close(lot: InventoryLot, fill: InventoryFill, quantity: Decimal) -> LotClose:
    lot.remaining = EXACT.subtract(lot.remaining, quantity)
    lot.updated_at = fill.at
    gain = (fill.price - lot.price) * quantity
    original_fee, closing_fee = lot.fee * quantity / lot.original, fill.fee * quantity / fill.quantity
    close = LotClose(
        asset=lot.asset,
        lot_id=lot.lot_id,
        side=lot.side,
        closing_lot_id=fill.trade_id,
        order_id=fill.order_id,
        batch_id=fill.batch_id,
        quantity=quantity,
        remaining=lot.remaining,
        original_price=lot.price,
        original_fee=original_fee,
        closing_price=fill.price,
        closing_fee=closing_fee,
        realised=(gain if lot.side == "buy" else -gain) - original_fee - closing_fee,
        at=fill.at,
    )
    lot.closes.append(close)
    return close


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
        closes=[],
        assignments=[],
        closed_before=_ZERO,
        assigned_before=_ZERO,
    )
    holding.lots = {_key(merged.side, merged.lot_id): merged} | holding.lots
    holding.merged += 1


def _oldest(holding: Holding) -> InventoryLot | None:
    return next(iter(holding.lots.values()), None)


def _key(side: Side, lot_id: str) -> str:
    return f"{side}:{lot_id}"


def _total(amounts: Iterable[Decimal]) -> Decimal:
    total = _ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
