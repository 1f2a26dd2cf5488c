"""Handing out what a batch has: whole baskets only, first lots first, nobody beyond his share or his collateral.

    avail_i = min(position_i * fraction_i, contribution_i)        what the order may use of asset i
    r       = min(1, min over i of avail_i / contribution_i)      how far it can be filled
    filled  = r * engaged quantity                                in whole units of the index token

What a plan takes for covered may be short by no more than LEAST, for lots are handed over no finer than that. Except in
reference mode such a position is whole.

The difference to what it was filled before is consumed lot by lot; a slice carries the lot's fee pro rata. A buy's cost
is the sum of slices at price plus fee and, except in reference mode, never more than the collateral that the batch has
locked for it; a sell's proceeds are the sum at price less fee.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from core.errors import DefectError
from core.index.planning import Mode, Part, key
from core.index.rounding import DOWN, LEAST, ROUNDING, cut, rounded, whole
from core.index.states import INDEX_BATCHES, IndexBatchState, IndexBatchStep
from core.index.stock import Lot, unit_cost
from core.kernel.record import Record
from core.market.orders import Side
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


class BatchRules(Record, frozen=True, kw_only=True):
    """What a batch needs to know of the desk's settings."""

    mode: Mode = Mode.CORRECTED
    quantity_tolerance: Decimal = Decimal("1e-18")
    """In reference mode: of assets no more than this is nothing, and of index tokens less progress waits for more."""
    collateral_tolerance: Decimal = Decimal("1e-6")
    """Except in reference mode: progress that is worth no more than this at limits waits for more."""
    index_decimals: int = 18

    @property
    def nothing(self) -> Decimal:
        """Of an asset, no more than this is nothing. Whatever a unit costs, nobody pays for more than he gets."""
        return self.quantity_tolerance if self.mode is Mode.REFERENCE else LEAST

    def covers(self, quantity: Decimal, contribution: Decimal) -> bool:
        """Whether so much of an asset is all that was wanted of it, but for what a plan may leave uncovered."""
        short = contribution - quantity
        return short <= (_ZERO if self.mode is Mode.REFERENCE else LEAST + contribution * ROUNDING)

    def is_dust(self, tokens: Decimal, price: Decimal) -> bool:
        """Whether so many index tokens more are not worth a fill, and a report."""
        if self.mode is Mode.REFERENCE:
            return tokens < self.quantity_tolerance
        return tokens * price <= self.collateral_tolerance


class Slice(Record, frozen=True):
    """What an index order got of a lot: `quantity`, and `fee` of its `original_fee` pro rata."""

    lot_id: str
    asset: str
    side: Side
    price: Decimal
    original_quantity: Decimal
    remaining_quantity: Decimal
    original_fee: Decimal
    quantity: Decimal
    fee: Decimal
    created_at: Nanos
    assigned_at: Nanos

    @property
    def cost(self) -> Decimal:
        """What a buy pays for it, or what a sell gets."""
        value = rounded(self.quantity * self.price)
        return value + self.fee if self.side == "buy" else value - self.fee


class OrderFill(Record, frozen=True):
    """`quantity` index tokens more of an order, for `cost` (a sell: bringing `cost`), made of `slices`."""

    order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    cost: Decimal
    slices: tuple[Slice, ...]


class Engaged(msgspec.Struct, kw_only=True):
    """An index order in a batch. `collateral` is what is still locked: money of a buy, index tokens of a sell."""

    order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    collateral: Decimal
    parts: tuple[Part, ...]
    filled: Decimal = _ZERO
    spent: Decimal = _ZERO
    """Sum of costs; of a sell, of proceeds."""
    assigned: dict[str, Decimal] = {}
    """By asset: the sum of its slices in this batch."""
    steps: int = 0
    """In how many steps it was filled."""
    scarce: int = 0
    """The part that stopped it last: until there is more of that, nothing else needs to be looked at."""
    stopped: bool = False


class ExchangeOrder(msgspec.Struct):
    """One of a batch's exchange orders. It has ended when there is a `reason`."""

    asset: str
    side: Side
    price: Decimal
    quantity: Decimal
    filled: Decimal = _ZERO
    reason: str = ""
    value: Decimal = _ZERO
    """Money: price times quantity over its trades."""
    fee: Decimal = _ZERO


class Position(msgspec.Struct, kw_only=True):
    """What a batch has, and has had, of one asset on one side."""

    asset: str
    side: Side
    quantity: Decimal
    """All that came in: carried, traded, crossed."""
    lots: list[Lot]
    """What is left of them, oldest first; empty ones are gone."""
    assigned: Decimal = _ZERO


class BatchState(msgspec.Struct):
    """A running batch. Positions by `side:asset`, exchange orders and index orders by their ids."""

    batch_id: str
    rules: BatchRules
    opened_at: Nanos
    engaged: dict[str, Engaged]
    positions: dict[str, Position] = {}
    orders: dict[str, ExchangeOrder] = {}
    volley: Decimal = _ZERO
    """Sum of limit times quantity over its exchange orders."""
    state: IndexBatchState = IndexBatchState.OPENED

    def step(self, step: IndexBatchStep) -> None:
        """Take the batch along its table. Raises IllegalTransition where the table has no such step."""
        self.state = INDEX_BATCHES.after(self.state, step, self.batch_id)


def volley_of(batch: BatchState) -> Decimal:
    """Limit times quantity, summed over exchange orders: what `volley` has to be."""
    return sum((order.price * order.quantity for order in batch.orders.values()), _ZERO)


def allocate(batch: BatchState, now: Nanos) -> tuple[OrderFill, ...]:
    """What every index order of the batch can have more, in their order, and take it out of the lots."""
    filled = (_advance(batch, one, now) for one in batch.engaged.values() if not one.stopped)
    return tuple(fill for fill in filled if fill is not None)


def consume(lots: list[Lot], quantity: Decimal, tolerance: Decimal, now: Nanos) -> tuple[Slice, ...]:
    """Take `quantity` out of lots, first in, first out, dropping those that are used up.

    A lot of which no more than `tolerance` would be left is taken whole. Raises DefectError when lots hold less than
    `quantity` by more than `tolerance` and rounding.
    """
    slices: list[Slice] = []
    short_max = tolerance + quantity * ROUNDING
    while lots and quantity > 0:
        lot = lots[0]
        whole = lot.remaining - quantity < tolerance
        taken = lot.remaining if whole else quantity
        lot.remaining = EXACT.subtract(lot.remaining, taken)
        slices.append(_slice(lot, taken, now))
        quantity = EXACT.subtract(quantity, taken)
        if not lot.remaining:
            lots.pop(0)
    if quantity > short_max:
        raise DefectError(f"lots are short by {quantity}")
    return tuple(slices)


def _advance(batch: BatchState, one: Engaged, now: Nanos) -> OrderFill | None:
    step = DOWN.subtract(_reachable(batch, one), one.filled)
    if step <= 0:
        return None
    if one.side == "buy" and batch.rules.mode is not Mode.REFERENCE:
        step = _affordable(batch, one, step)
    step = _available(batch, one, step)
    if step <= 0 or batch.rules.is_dust(step, one.price):
        return None
    slices: list[Slice] = []
    for part in one.parts:
        position = batch.positions.get(key(part.asset, one.side))
        if position is None:
            continue
        taken = consume(position.lots, cut(part.per_unit * step), batch.rules.nothing, now)
        total = _exact_sum(piece.quantity for piece in taken)
        position.assigned = EXACT.add(position.assigned, total)
        one.assigned[part.asset] = EXACT.add(one.assigned.get(part.asset, _ZERO), total)
        slices += taken
    cost = _exact_sum(piece.cost for piece in slices)
    one.filled = EXACT.add(one.filled, step)
    one.steps += 1
    one.spent = EXACT.add(one.spent, cost)
    one.collateral = EXACT.subtract(one.collateral, cost if one.side == "buy" else step)
    return OrderFill(one.order_id, one.symbol, one.side, step, cost, tuple(slices))


def _available(batch: BatchState, one: Engaged, step: Decimal) -> Decimal:
    """As much of `step` as lots are left for: each that was taken whole has taken a little from those after it."""
    tolerance = batch.rules.nothing
    for part in one.parts:
        position = batch.positions.get(key(part.asset, one.side))
        needed, there = part.per_unit * step * (_ONE - ROUNDING) - tolerance, _ZERO
        for lot in position.lots if position is not None else ():
            there = EXACT.add(there, lot.remaining)
            if there >= needed:
                break
        if position is not None and there < needed:
            step = whole(there / part.per_unit, batch.rules.index_decimals)
    return step


def _reachable(batch: BatchState, one: Engaged) -> Decimal:
    """How many index tokens of the order its share of every position makes; what it has, if that is no more.

    Looks at the last asset first, which is the last to be traded, as a rule.
    """
    decimals, least = batch.rules.index_decimals, _ONE
    for number in (one.scarce, *range(len(one.parts) - 1, -1, -1)):
        rate = _rate(batch, one, one.parts[number])
        if rate < least:
            least, one.scarce = rate, number
            if whole(rate * one.quantity, decimals) <= one.filled:
                return one.filled
    return whole(min(least * one.quantity, one.quantity), decimals)


def _rate(batch: BatchState, one: Engaged, part: Part) -> Decimal:
    """How far one asset would fill the order."""
    position = batch.positions.get(key(part.asset, one.side))
    if position is None or part.contribution <= 0:
        return _ONE
    share = position.quantity * part.fraction
    return _ONE if batch.rules.covers(share, part.contribution) else share / part.contribution


def _affordable(batch: BatchState, one: Engaged, step: Decimal) -> Decimal:
    """As much of `step` as the order's collateral pays for, lot by lot.

    Between the ends of lots the cost of a basket is constant, so each stretch is paid for as a whole or in part.
    """
    queues = {part.asset: iter(_lots_of(batch, one, part)) for part in one.parts}
    heads = {part.asset: next(queues[part.asset], None) for part in one.parts}
    left = {asset: lot.remaining if lot is not None else _ZERO for asset, lot in heads.items()}
    reached, money = _ZERO, one.collateral
    while reached < step:
        stocked = [part for part in one.parts if heads[part.asset] is not None]
        price = sum((part.per_unit * unit_cost(lot) for part in stocked if (lot := heads[part.asset])), _ZERO)
        stretch = min([step - reached, *(left[part.asset] / part.per_unit for part in stocked)])
        if price > 0 and price * stretch > money:
            return cut(reached + max(money, _ZERO) / price, batch.rules.index_decimals)
        reached, money = reached + stretch, money - price * stretch
        for part in stocked:
            left[part.asset] -= part.per_unit * stretch
            if left[part.asset] <= batch.rules.nothing:
                heads[part.asset] = lot = next(queues[part.asset], None)
                left[part.asset] = lot.remaining if lot is not None else _ZERO
    return step


def _lots_of(batch: BatchState, one: Engaged, part: Part) -> list[Lot]:
    position = batch.positions.get(key(part.asset, one.side))
    return position.lots if position is not None else []


def _slice(lot: Lot, quantity: Decimal, now: Nanos) -> Slice:
    return Slice(
        lot_id=lot.lot_id,
        asset=lot.asset,
        side=lot.side,
        price=lot.price,
        original_quantity=lot.original,
        remaining_quantity=lot.remaining,
        original_fee=lot.fee,
        quantity=quantity,
        fee=lot.fee_of(quantity),
        created_at=lot.created_at,
        assigned_at=now,
    )


def _exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    total = _ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
