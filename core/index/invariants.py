"""What must hold between any two events, whatever users, exchanges, hops and crashes have done.

I1  An order's money is in one place: original = remaining + engaged + carried + spent + removed, none below zero; what
    is engaged is what its batch has locked.
I2-I4 are the collateral's (`core.collateral.invariants`).
I5  Each position of a batch: carried in + traded + crossed = assigned + left. And over the whole desk: what the
    inventory owns of an asset is held for index tokens, or is stock, or is in a batch.
I6  Each inventory lot: original = remaining + closed, and no more is assigned than it was.
I7  What an order was given of each asset makes the tokens that it was filled with.
I8  The fractions of each asset of a batch sum to 1 (to the batch cap in reference mode, where nothing is checked).
I9  The outstanding volume is that of the batches that run; an order is in one of them at most; with none, it is zero.
I10 An order is alive or has ended, never both; every client id leads to one order, and none is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from core.collateral import invariants as collateral_invariants
from core.collateral.vault import CollateralState
from core.execution.tracker import ExecutionState
from core.index.base import DeskState
from core.index.batch import outstanding
from core.index.inventory import inventory_violations
from core.index.order import ENGAGEABLE, IndexOrder
from core.index.rounding import ROUNDING
from core.index.settings import DeskSettings
from core.index.states import IndexOrderState
from core.index.stock import Lot
from core.index.validate import batch_violations
from core.units import EXACT

_ZERO: Final = Decimal(0)
_IN_BATCH: Final = frozenset({IndexOrderState.ENGAGED, IndexOrderState.LEAVING})


def violations(
    desk: DeskState,
    settings: DeskSettings,
    execution: ExecutionState | None = None,
    collateral: CollateralState | None = None,
) -> list[str]:
    """What does not hold, one line each with the evidence; empty when all is well.

    Of the other components only those that are given are looked at.
    """
    orders = (*desk.orders.live.values(), *desk.orders.ended.values())
    return [
        *order_violations(desk, settings, orders),
        *(found for batch in desk.batches.running.values() for found in batch_violations(batch)),
        *stock_violations(desk),
        *inventory_violations(desk.inventory),
        *basket_violations(desk, settings, desk.orders.live.values()),
        *batches_violations(desk, execution),
        *count_violations(desk),
        *(found for order in orders for found in ending_violations(desk, order)),
        *(collateral_invariants.violations(collateral) if collateral is not None else ()),
    ]


def local_violations(
    desk: DeskState, settings: DeskSettings, order_ids: Iterable[str], execution: ExecutionState | None = None
) -> list[str]:
    """Those of `violations` that a change of these orders or of running batches can cause, but for the sums over all
    stock: as much work as there is in batches, however many orders and lots there are."""
    known = (desk.orders.live.get(order_id) or desk.orders.ended.get(order_id) for order_id in dict.fromkeys(order_ids))
    orders = [order for order in known if order is not None]
    return [
        *order_violations(desk, settings, orders),
        *(found for batch in desk.batches.running.values() for found in batch_violations(batch)),
        *basket_violations(desk, settings, orders),
        *batches_violations(desk, execution),
        *count_violations(desk),
        *(found for order in orders for found in ending_violations(desk, order)),
    ]


def size(desk: DeskState) -> int:
    """How many orders and lots `violations` looks at."""
    holdings = sum(len(holding.lots) + len(holding.closed) for holding in desk.inventory.holdings.values())
    shelves = sum(len(lots) for shelf in (desk.stock.carried, desk.stock.house) for lots in shelf.values())
    return len(desk.orders.live) + len(desk.orders.ended) + holdings + shelves


def order_violations(desk: DeskState, settings: DeskSettings, orders: Iterable[IndexOrder]) -> Iterator[str]:
    """I1."""
    tolerance = settings.limits.collateral_tolerance
    for order in orders:
        whole = order.remaining + order.engaged + order.carried + order.spent + order.removed
        if abs(whole - order.original) > tolerance:
            yield f"I1 {order.order_id}: {order.original} ordered, {whole} accounted for"
        if min(order.remaining, order.engaged, order.carried, order.spent, order.removed) < -tolerance:
            yield f"I1 {order.order_id}: an amount is below zero: {_places(order)}"
        batch = desk.batches.running.get(order.batch_id)
        if batch is not None and order.house_paid == 0:
            locked = batch.engaged[order.order_id].collateral
            if abs(max(locked, _ZERO) - order.engaged) > tolerance:
                yield f"I1 {order.order_id}: {order.engaged} engaged, {batch.batch_id} has locked {locked}"


def stock_violations(desk: DeskState) -> Iterator[str]:
    """I5, over the whole desk."""
    owned = {asset: holding.balance for asset, holding in desk.inventory.holdings.items()}
    found: dict[str, Decimal] = {}
    for index in desk.indexes.live.values():
        for asset, quantity in index.held.items():
            _add(found, asset, quantity)
    shelves = (*desk.stock.carried.values(), *desk.stock.house.values())
    positions = (position.lots for batch in desk.batches.running.values() for position in batch.positions.values())
    for lots in (*shelves, *positions):
        for lot in lots:
            _add(found, lot.asset, _signed(lot))
    for asset in dict.fromkeys((*owned, *found)):
        has, accounted = owned.get(asset, _ZERO), found.get(asset, _ZERO)
        if has != accounted:
            yield f"I5 {asset}: {has} owned, {accounted} held for tokens, in stock or in batches"


def basket_violations(desk: DeskState, settings: DeskSettings, orders: Iterable[IndexOrder]) -> Iterator[str]:
    """I7, over all batches that an order was in, as long as its index has one basket."""
    for order in orders:
        index = desk.indexes.live.get(order.symbol)
        if order.ended or index is None or not order.filled or order.version != index.version:
            continue
        given: dict[str, Decimal] = {}
        for lot in order.lots.values():
            _add(given, lot.asset, lot.quantity)
        allowed = settings.limits.quantity_tolerance * max(order.steps, 1)
        for asset, per_unit in index.basket.quantities().items():
            wanted = per_unit * order.filled
            if abs(wanted - given.get(asset, _ZERO)) > allowed + wanted * ROUNDING:
                yield f"I7 {order.order_id}: {wanted} {asset} make its fill, it was given {given.get(asset, _ZERO)}"


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
        if desk.indexes.task(order_id) is None and (order is None or order.state not in _IN_BATCH):
            yield f"I9 {order_id}: in a batch, and {order.state if order is not None else 'gone'}"
    yield from _strangers(desk, execution)


def count_violations(desk: DeskState) -> Iterator[str]:
    """I10, that no order was lost."""
    orders = desk.orders
    if orders.count != len(orders.live) + orders.ended_count:
        yield f"I10: {orders.count} orders came, {len(orders.live)} live, {orders.ended_count} ended"


def ending_violations(desk: DeskState, order: IndexOrder) -> Iterator[str]:
    """I10, of one order."""
    orders, order_id = desk.orders, order.order_id
    if order_id not in orders.live:
        if not order.ended:
            yield f"I10 {order_id}: put away, and {order.state}"
        return
    if order.ended or order_id in orders.ended:
        yield f"I10 {order_id}: alive, and {order.state}"
    if (order.state in ENGAGEABLE) != (order_id in orders.ready):
        yield f"I10 {order_id}: {order.state}, and {'' if order_id in orders.ready else 'not '}in line"
    if orders.client_ids.get(order.user, {}).get(order.client_order_id) != order_id:
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


def _places(order: IndexOrder) -> str:
    names = ("remaining", "engaged", "carried", "spent", "removed")
    return ", ".join(f"{name} {getattr(order, name)}" for name in names)


def _signed(lot: Lot) -> Decimal:
    return lot.remaining if lot.side == "buy" else lot.remaining.copy_negate()


def _add(sums: dict[str, Decimal], asset: str, quantity: Decimal) -> None:
    sums[asset] = EXACT.add(sums.get(asset, _ZERO), quantity)
