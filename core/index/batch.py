"""A batch: exchange orders for many index orders at once, and whole baskets handed to them as trades arrive.

A position is what the batch has of one asset on one side: lots it was given from stock, crossings, trades. Each order
may use its fraction of every position, up to what it wants; it is filled as far as the scarcest of its assets allows,
because only whole baskets count (`allocation`). A batch ends when all its exchange orders have; what is left of lots
goes back to stock, and what is left of collateral is carried by its order into the next batch. Its states are a table
(`states`), and what comes at another time than the table says is refused.

Everything here is plain data and functions on it. Sums of quantities are exact:
    carried in + traded + crossed = assigned + left, for each position, always
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from core.errors import DefectError
from core.index.allocation import (
    BatchRules,
    BatchState,
    Engaged,
    ExchangeOrder,
    OrderFill,
    Position,
    allocate,
    volley_of,
)
from core.index.lot_names import of_crossing
from core.index.planning import Amounts, AssetPlan, Crossing, Engagement, HeldLot, Mode, Plan, key
from core.index.rounding import LEAST, cut
from core.index.states import IndexBatchState, IndexBatchStep
from core.index.stock import Lot, Stock, add_house, shelve, take, total_of, unit_cost
from core.kernel.record import Record
from core.market.orders import Side
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)


class Trade(Record, frozen=True):
    """What an exchange order traded. `fee` is money; `lot_id` is that of its lot, unique. `quantity` is what
    the desk has of it, and `withheld` what the exchange has kept on top."""

    lot_id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    at: Nanos
    withheld: Decimal = _ZERO


class Placement(Record, frozen=True):
    """An exchange order to place."""

    order_id: str
    asset: str
    side: Side
    price: Decimal
    quantity: Decimal


class HouseTrade(Record, frozen=True):
    """The house bought `quantity` from a batch's sells; `closed` of it settled what the house had sold before."""

    lot_id: str
    asset: str
    price: Decimal
    quantity: Decimal
    closed: Decimal


class Opened(msgspec.Struct, frozen=True):
    """A batch that has begun: what to place, what stock and crossings have filled already, what the house bought."""

    batch: BatchState
    placements: tuple[Placement, ...]
    fills: tuple[OrderFill, ...]
    house: tuple[HouseTrade, ...]


class Leftover(Record, frozen=True):
    """Lots that a batch left of one position."""

    asset: str
    side: Side
    carried: Decimal
    house: Decimal


class Completed(Record, frozen=True):
    """How a batch ended."""

    carried: tuple[tuple[str, Decimal], ...]
    """By index order: collateral (of a sell, index tokens) that was locked and not used."""
    leftovers: tuple[Leftover, ...]


def open_batch(
    plan: Plan, stock: Stock, rules: BatchRules, *, batch_id: str, now: Nanos, next_order_id: Callable[[], str]
) -> Opened:
    """Begin a batch: lots out of stock, crossings, and exchange orders, with an id for each of its assets."""
    batch = BatchState(batch_id, rules, now, {one.order_id: _engaged(one) for one in plan.engagements})
    placements = []
    for row in plan.assets:
        order_id = next_order_id()
        batch.positions[key(row.asset, row.side)] = _position(batch, stock, row)
        if row.quantity > rules.nothing:
            placements.append(Placement(order_id, row.asset, row.side, row.limit, row.quantity))
            batch.orders[order_id] = ExchangeOrder(row.asset, row.side, row.limit, row.quantity)
    batch.volley = volley_of(batch)
    house = [trade for one in plan.crossings for trade in _cross(batch, stock, one, now)]
    fills = allocate(batch, now)
    batch.step(IndexBatchStep.PLACED if placements else IndexBatchStep.COVERED)
    return Opened(batch, tuple(placements), fills, tuple(house))


def on_fill(batch: BatchState, order_id: str, trade: Trade) -> tuple[OrderFill, ...]:
    """A trade of one of the batch's exchange orders. Returns what its index orders got by it.

    The exchange may trade more than was asked, by its rounding. Raises DefectError for an order that is not the
    batch's, or a trade of nothing, and IllegalTransition when all of the batch's exchange orders have ended.
    """
    order = _order(batch, order_id)
    if trade.quantity <= 0:
        raise DefectError(f"{batch.batch_id}: trade {trade.lot_id} of {trade.quantity} {order.asset}")
    batch.step(IndexBatchStep.TRADED)
    traded = EXACT.add(trade.quantity, trade.withheld)
    order.filled = EXACT.add(order.filled, traded)
    order.value += trade.price * traded
    order.fee += trade.fee
    _add(batch, order.asset, order.side, trade)
    return allocate(batch, trade.at)


def on_end(batch: BatchState, order_id: str, reason: str) -> None:
    """An exchange order ended, whatever of it was traded. The first reason stays. Raises DefectError if not ours."""
    order = _order(batch, order_id)
    order.reason = order.reason or reason
    if not is_over(batch) and all(one.reason for one in batch.orders.values()):
        batch.step(IndexBatchStep.ENDED)


def adjust(batch: BatchState, order_id: str, price: Decimal, quantity: Decimal) -> None:
    """An exchange order was placed at another price and quantity, as the exchange's filters made it."""
    order = _order(batch, order_id)
    order.price, order.quantity = price, quantity
    batch.volley = volley_of(batch)


def cut_short(batch: BatchState) -> None:
    """What is left of the exchange orders is being cancelled. Raises IllegalTransition unless some may live."""
    batch.step(IndexBatchStep.CANCELLED)


def is_over(batch: BatchState) -> bool:
    """Whether every exchange order has ended: at once, if there are none."""
    return batch.state is IndexBatchState.SETTLING


def stop(batch: BatchState, order_id: str) -> None:
    """An index order takes no more from the batch, and nothing of what it leaves: it is full, or goes on no more."""
    if order_id in batch.engaged:
        batch.engaged[order_id].stopped = True


def complete(batch: BatchState, stock: Stock) -> Completed:
    """End a batch: lots that are left go to stock. Raises IllegalTransition unless it `is_over`."""
    batch.step(IndexBatchStep.COMPLETED)
    leftovers = [_leave(batch, stock, position) for position in batch.positions.values()]
    carried = tuple((order_id, one.collateral) for order_id, one in batch.engaged.items())
    return Completed(carried, tuple(one for one in leftovers if one.carried or one.house))


def outstanding(batches: Iterable[BatchState]) -> Decimal:
    """The most that running batches can trade for."""
    return sum((batch.volley for batch in batches), _ZERO)


def reserved(batches: Iterable[BatchState], side: Side) -> Amounts:
    """What live exchange orders of running batches still mean to take from the books, by asset."""
    total: dict[str, Decimal] = {}
    for batch in batches:
        for order in batch.orders.values():
            if order.side == side and not order.reason:
                left = max(order.quantity - order.filled, _ZERO)
                total[order.asset] = total.get(order.asset, _ZERO) + left
    return tuple((asset, quantity) for asset, quantity in total.items() if quantity)


def left_over(batches: Iterable[BatchState]) -> tuple[HeldLot, ...]:
    """What running batches will leave to the house when all they have ordered is bought, at what it may cost."""
    return tuple(lot for batch in batches for lot in _left_over(batch))


def filled_fraction(batch: BatchState) -> Decimal:
    """How much of its volley a batch has traded: beyond 1 where the exchange rounded up, 1 without exchange orders."""
    if not batch.volley:
        return Decimal(1)
    traded = sum((order.filled * order.price for order in batch.orders.values()), _ZERO)
    return traded / batch.volley


def _engaged(one: Engagement) -> Engaged:
    return Engaged(
        order_id=one.order_id,
        symbol=one.symbol,
        side=one.side,
        quantity=one.quantity,
        price=one.price,
        collateral=one.collateral,
        parts=one.parts,
    )


def _position(batch: BatchState, stock: Stock, row: AssetPlan) -> Position:
    """In reference mode all carried lots come along; else as many as were planned, at prices within the limit."""
    at = key(row.asset, row.side)
    if batch.rules.mode is Mode.REFERENCE:
        lots = stock.carried.pop(at, [])
    else:
        lots = take(stock.carried, at, row.stock, row.limit)
        lots += take(stock.house, at, row.stock - total_of(lots), row.limit)
    held = total_of(lots)
    return Position(asset=row.asset, side=row.side, quantity=held, lots=lots)


def crossing_id(batch_id: str, crossing: Crossing) -> str:
    """The lot that a crossing makes, on both sides."""
    return of_crossing(batch_id, crossing.asset, to_house=crossing.to_house)


def _cross(batch: BatchState, stock: Stock, crossing: Crossing, now: Nanos) -> list[HouseTrade]:
    lot_id = crossing_id(batch.batch_id, crossing)
    trade = Trade(lot_id, crossing.price, crossing.quantity, _ZERO, now)
    _add(batch, crossing.asset, "sell", trade)
    if not crossing.to_house:
        _add(batch, crossing.asset, "buy", trade)
        return []
    closed = add_house(stock, _lot(batch, crossing.asset, "buy", trade))
    return [HouseTrade(lot_id, crossing.asset, crossing.price, crossing.quantity, closed)]


def _add(batch: BatchState, asset: str, side: Side, trade: Trade) -> None:
    position = batch.positions[key(asset, side)]
    position.quantity = EXACT.add(position.quantity, trade.quantity)
    position.lots.append(_lot(batch, asset, side, trade))


def _lot(batch: BatchState, asset: str, side: Side, trade: Trade) -> Lot:
    return Lot(
        lot_id=trade.lot_id,
        asset=asset,
        side=side,
        price=trade.price,
        original=trade.quantity,
        remaining=trade.quantity,
        fee=trade.fee,
        batch_id=batch.batch_id,
        created_at=trade.at,
    )


def _leave(batch: BatchState, stock: Stock, position: Position) -> Leftover:
    """Lots go to stock: as much as orders that go on still want is carried, the rest is the house's."""
    total = total_of(position.lots)
    wanted = total if batch.rules.mode is Mode.REFERENCE else cut(_still_wanted(batch, position))
    house = shelve(stock, position.lots, wanted)
    position.lots = []
    return Leftover(position.asset, position.side, EXACT.subtract(total, house), house)


def _still_wanted(batch: BatchState, position: Position) -> Decimal:
    wanted = _ZERO
    for one in batch.engaged.values():
        if one.side == position.side and not one.stopped:
            parts = (part for part in one.parts if part.asset == position.asset)
            wanted += sum((max(part.per_unit * (one.quantity - one.filled), _ZERO) for part in parts), _ZERO)
    return wanted


def _left_over(batch: BatchState) -> Iterator[HeldLot]:
    """Orders that take no more leave what they have not got."""
    wanted: dict[str, Decimal] = {}
    for one in batch.engaged.values():
        for part in one.parts if one.side == "buy" else ():
            amount = one.assigned.get(part.asset, _ZERO) if one.stopped else part.contribution
            wanted[part.asset] = wanted.get(part.asset, _ZERO) + amount
    coming = dict(reserved((batch,), "buy"))
    prices = {order.asset: order.price for order in batch.orders.values() if order.side == "buy"}
    for position in batch.positions.values():
        left = position.quantity + coming.get(position.asset, _ZERO) - wanted.get(position.asset, _ZERO)
        if position.side == "buy" and left > LEAST:
            limit = prices.get(position.asset, _ZERO)
            worst = max((limit, *(unit_cost(lot) for lot in position.lots)))
            yield HeldLot(position.asset, "buy", left, limit, worst, house=True)


def _order(batch: BatchState, order_id: str) -> ExchangeOrder:
    if order_id not in batch.orders:
        raise DefectError(f"{batch.batch_id}: exchange order {order_id} is not of this batch")
    return batch.orders[order_id]
