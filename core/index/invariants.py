"""What must hold between any two events, whatever users, exchanges, hops and crashes have done.

I1  An order's money is in one place: original = remaining + engaged + carried + spent + removed, none below zero; what
    is engaged is what its batch has locked.
I2-I4 are the collateral's (`core.collateral.invariants`).
I5  Each position of a batch: carried in + traded + crossed = assigned + left. And over the whole desk: what the
    inventory owns of an asset is held for index tokens, or is stock, or is in a batch.
I6  Each inventory lot: original = remaining + closed, and no more is assigned than it was.
I7  What an order was given of each asset makes the tokens that it was filled with, and is the sum of its lots.
I8  The fractions of each asset of a batch sum to 1 (to the batch cap in reference mode, where nothing is checked).
I9  The outstanding volume is that of the batches that run; an order is in one of them at most; with none, it is zero.
I10 An order is alive or has ended, never both; every client id leads to one order, and none is lost.
I11-I12 are of what is held for index tokens (`core.index.backing_invariants`).
I13 Nothing stays in custody for good (`core.index.token_invariants`).
I15 is of the money of trades and orders (`core.index.money_invariants`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Final

from core.collateral import invariants as collateral_invariants
from core.collateral.vault import CollateralState
from core.execution.tracker import ExecutionState
from core.index.backing_invariants import backing_violations
from core.index.base import DeskState
from core.index.batch import outstanding
from core.index.carrying import is_wanted
from core.index.inventory_invariants import InventoryWatch
from core.index.money_invariants import MoneyWatch
from core.index.order import COMING, ENGAGEABLE, IndexOrder
from core.index.planning import Mode
from core.index.rounding import LEAST, ROUNDING
from core.index.settings import DeskSettings
from core.index.states import IndexOrderState
from core.index.token_invariants import custody_violations
from core.index.validate import batch_violations
from core.units import EXACT

_ZERO: Final = Decimal(0)
_IN_BATCH: Final = frozenset({IndexOrderState.ENGAGED, IndexOrderState.LEAVING})


class Watches:
    """What is remembered from one look to the next."""

    def __init__(self) -> None:
        self.inventory, self.money = InventoryWatch(), MoneyWatch()


def violations(
    desk: DeskState,
    settings: DeskSettings,
    execution: ExecutionState | None = None,
    collateral: CollateralState | None = None,
) -> list[str]:
    """What does not hold, one line each with the evidence; empty when all is well.

    Of the other components only those that are given are looked at.
    """
    return [
        *living_violations(desk, settings, execution, Watches(), ended=desk.orders.ended.values()),
        *lots_violations(desk.orders.live.values()),
        *(collateral_invariants.violations(collateral) if collateral is not None else ()),
    ]


def living_violations(
    desk: DeskState,
    settings: DeskSettings,
    execution: ExecutionState | None,
    watches: Watches,
    *,
    ended: Iterable[IndexOrder],
) -> list[str]:
    """Those of `violations` that changes since the last look can cause, if of orders that had ended none has changed.

    So these are all that live, those that have `ended` since, and what `watches` were not shown before. The lots of
    an order, of which it may have any number, are looked at when it has ended.
    """
    live = desk.orders.live.values()
    over = tuple(ended)
    orders = (*live, *over)
    return [
        *order_violations(desk, settings, orders),
        *(found for batch in desk.batches.running.values() for found in batch_violations(batch)),
        *stock_violations(desk),
        *carried_violations(desk, settings),
        *watches.inventory.look(desk.inventory),
        *watches.money.look(desk, settings, over),
        *basket_violations(desk, settings, live),
        *lots_violations(over),
        *backing_violations(desk.indexes, live, settings.limits.nothing),
        *batches_violations(desk, execution),
        *count_violations(desk),
        *custody_violations(desk, settings),
        *ending_violations(desk, orders),
    ]


def order_violations(desk: DeskState, settings: DeskSettings, orders: Iterable[IndexOrder]) -> Iterator[str]:
    """I1."""
    tolerance, least = settings.limits.collateral_tolerance, -settings.limits.collateral_tolerance
    is_reference = settings.limits.mode is Mode.REFERENCE
    for order in orders:
        places = (order.remaining, order.engaged, order.carried, order.spent, order.removed)
        whole = sum(places)
        if whole != order.original and abs(whole - order.original) > tolerance:
            yield f"I1 {order.order_id}: {order.original} ordered, {whole} accounted for"
        if min(places) < least:
            yield f"I1 {order.order_id}: an amount is below zero: {_places(order)}"
        if order.house_paid > tolerance and not is_reference:
            yield f"I1 {order.order_id}: its lots cost {order.house_paid} more than its collateral"
        batch = desk.batches.running.get(order.batch_id)
        if batch is not None and not (order.house_paid and is_reference):
            locked = batch.engaged[order.order_id].collateral
            if abs(max(locked, _ZERO) - order.engaged) > tolerance:
                yield f"I1 {order.order_id}: {order.engaged} engaged, {batch.batch_id} has locked {locked}"


def stock_violations(desk: DeskState) -> Iterator[str]:
    """I5, over the whole desk."""
    owned = {asset: holding.balance for asset, holding in desk.inventory.holdings.items()}
    found = _accounted(desk)
    for asset in dict.fromkeys((*owned, *found)):
        has, accounted = owned.get(asset, _ZERO), found.get(asset, _ZERO)
        if has != accounted:
            yield f"I5 {asset}: {has} owned, {accounted} held for tokens, in stock or in batches"


def carried_violations(desk: DeskState, settings: DeskSettings) -> Iterator[str]:
    """I5: what is between two batches is there for somebody. In reference mode it waits for whoever comes."""
    if not desk.stock.carried or settings.limits.mode is Mode.REFERENCE:
        return
    for at, lots in desk.stock.carried.items():
        if not is_wanted(desk, lots[0].asset, lots[0].side):
            yield f"I5 {at}: {sum(lot.remaining for lot in lots)} carried, and no order goes on that wants any"


def basket_violations(desk: DeskState, settings: DeskSettings, orders: Iterable[IndexOrder]) -> Iterator[str]:
    """I7, over all batches that an order was in, as long as its index has one basket."""
    for order in orders:
        if not order.filled or order.ended:
            continue
        index = desk.indexes.live.get(order.symbol)
        if index is None or order.version != index.version:
            continue
        allowed = (settings.limits.nothing + LEAST) * max(order.steps, 1)
        for asset, per_unit in index.basket.quantities().items():
            wanted, given = per_unit * order.filled, order.assigned.get(asset, _ZERO)
            if abs(wanted - given) > allowed + wanted * ROUNDING:
                yield f"I7 {order.order_id}: {wanted} {asset} make its fill, it was given {given}"


def lots_violations(orders: Iterable[IndexOrder]) -> Iterator[str]:
    """I7, of the lots that make up what an order was given."""
    for order in orders:
        sums: dict[str, Decimal] = {}
        for lot in order.lots.values():
            sums[lot.asset] = EXACT.add(sums.get(lot.asset, _ZERO), lot.quantity)
        if sums != order.assigned:
            yield f"I7 {order.order_id}: it was given {_listed(order.assigned)}, its lots are {_listed(sums)}"


def batches_violations(desk: DeskState, execution: ExecutionState | None) -> Iterator[str]:
    """I9."""
    running = desk.batches.running
    volley = sum((one.price * one.quantity for batch in running.values() for one in batch.orders.values()), _ZERO)
    stated = outstanding(running.values())
    if abs(stated - volley) > volley * ROUNDING:
        yield f"I9: {stated} outstanding, exchange orders of running batches are worth {volley}"
    if desk.batches.of_order.keys() != {order_id for batch in running.values() for order_id in batch.orders}:
        yield f"I9: exchange orders {list(desk.batches.of_order)} are not those of the running batches"
    engaged = [order_id for batch in running.values() for order_id in batch.engaged]
    if len(engaged) != len(set(engaged)):
        yield f"I9: an order is in two batches: {engaged}"
    for order_id in engaged:
        order = desk.orders.live.get(order_id)
        if order_id not in desk.indexes.tasks and (order is None or order.state not in _IN_BATCH):
            yield f"I9 {order_id}: in a batch, and {order.state if order is not None else 'gone'}"
    yield from _strangers(desk, execution)


def count_violations(desk: DeskState) -> Iterator[str]:
    """I10, that no order was lost."""
    orders = desk.orders
    if orders.count != len(orders.live) + orders.ended_count:
        yield f"I10: {orders.count} orders came, {len(orders.live)} live, {orders.ended_count} ended"


def ending_violations(desk: DeskState, orders: Iterable[IndexOrder]) -> Iterator[str]:
    """I10, of each of these orders."""
    live, ended, ready, ids = desk.orders.live, desk.orders.ended, desk.orders.ready, desk.orders.client_ids
    for order in orders:
        order_id = order.order_id
        if order_id not in live:
            if not order.ended:
                yield f"I10 {order_id}: put away, and {order.state}"
            continue
        if order.ended or order_id in ended:
            yield f"I10 {order_id}: alive, and {order.state}"
        if (order.state in ENGAGEABLE) != (order_id in ready):
            yield f"I10 {order_id}: {order.state}, and {'' if order_id in ready else 'not '}in line"
        listed = (order_id in desk.orders.coming.get(order.kind, {}), order_id in desk.orders.going_on)
        if listed != (order.state in COMING, order.goes_on):
            yield f"I10 {order_id}: {order.state}, and not among those that it belongs to"
        if ids.get(order.user, {}).get(order.client_order_id) != order_id:
            yield f"I10 {order_id}: not what {order.user} calls {order.client_order_id}"


def answer_violations(accepted: Iterable[str], ended: Iterable[str], *, over: bool = False) -> Iterator[str]:
    """I10, as users hear it: order ids that were accepted, and those that a last word was said on.

    `over` says that nothing is to come any more.
    """
    known = dict.fromkeys(accepted, 0)
    for order_id in ended:
        if order_id not in known:
            yield f"I10 {order_id}: ended, and was never accepted"
            continue
        known[order_id] += 1
        if known[order_id] > 1:
            yield f"I10 {order_id}: ended {known[order_id]} times"
    if over:
        yield from (f"I10 {order_id}: never ended" for order_id, times in known.items() if not times)


def _strangers(desk: DeskState, execution: ExecutionState | None) -> Iterator[str]:
    """Orders that live at the exchange have to be of a batch that runs."""
    for order_id in execution.orders if execution is not None else ():
        if order_id not in desk.batches.of_order:
            yield f"I9 {order_id}: at the exchange, and of no batch"


def _accounted(desk: DeskState) -> dict[str, Decimal]:
    """What should be owned of each asset."""
    sums: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for index in desk.indexes.live.values():
            for asset, quantity in index.held.items():
                sums[asset] = sums.get(asset, _ZERO) + quantity
        shelves = (*desk.stock.carried.values(), *desk.stock.house.values(), *desk.stock.offered.values())
        positions = (position.lots for batch in desk.batches.running.values() for position in batch.positions.values())
        for lot in (lot for lots in (*shelves, *positions) for lot in lots):
            sums[lot.asset] = sums.get(lot.asset, _ZERO) + (lot.remaining if lot.side == "buy" else -lot.remaining)
    return sums


def _listed(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{amount} {asset}" for asset, amount in amounts.items()) or "nothing"


def _places(order: IndexOrder) -> str:
    names = ("remaining", "engaged", "carried", "spent", "removed")
    return ", ".join(f"{name} {getattr(order, name)}" for name in names)
