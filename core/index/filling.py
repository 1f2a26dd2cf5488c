"""What exchanges trade becomes lots, lots become tokens of orders, and a batch that is over lets its orders go on."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from core.execution.records import AssetOrderEnded, AssetOrderFilled, AssetOrderPlaced
from core.index import batch as batching
from core.index import commissions
from core.index.allocation import BatchState, OrderFill
from core.index.base import MATURITY, DeskBase
from core.index.batch import Trade
from core.index.facts import IndexBatchCompleted, LotAssigned, LotClosed, LotOpened, StockLeft
from core.index.inventory import InventoryFill, book
from core.index.order import IndexOrder
from core.index.reasons import EndReason
from core.index.settling import part
from core.index.states import IndexOrderState, IndexOrderStep
from core.index.stock import Lot, add_house
from core.units import Nanos

_ZERO: Final = Decimal(0)


def on_placed(desk: DeskBase, said: AssetOrderPlaced) -> None:
    """An exchange order was placed as the exchange's filters made it."""
    batch = desk.state.batches.of(said.order_id)
    if batch is not None:
        batching.adjust(batch, said.order_id, said.price, said.quantity)


def on_filled(desk: DeskBase, now: Nanos, said: AssetOrderFilled) -> None:
    """A trade: book it, and hand out what it makes possible. One that no batch waits for is the house's."""
    said = commissions.whole(desk, now, said)
    _book(desk, now, said)
    batch = desk.state.batches.of(said.order_id)
    if batch is None:
        add_house(desk.state.stock, _lot(now, said))
        return
    trade = Trade(said.trade_id, said.price, said.quantity, said.fee, now)
    book_fills(desk, now, batch, batching.on_fill(batch, said.order_id, trade))


def on_ended(desk: DeskBase, now: Nanos, said: AssetOrderEnded) -> None:
    """An exchange order has ended; the last one ends its batch."""
    batch = desk.state.batches.of(said.order_id)
    if batch is None:
        return
    batching.on_end(batch, said.order_id, said.reason)
    if batching.is_over(batch):
        close_batch(desk, now, batch)


def book_fills(desk: DeskBase, now: Nanos, batch: BatchState, fills: Iterable[OrderFill]) -> None:
    """Give orders what a batch has for them, and tell their owners. A full order takes no more."""
    for fill in fills:
        for piece in fill.slices:
            amounts = (piece.price, piece.quantity, piece.fee)
            desk.note(LotAssigned(piece.lot_id, fill.order_id, batch.batch_id, piece.asset, *amounts))
        task = desk.state.indexes.task(fill.order_id)
        if task is not None:
            desk.state.indexes.fill_task(task, fill, desk.settings.limits.quantity_tolerance)
            continue
        order = desk.state.orders.live[fill.order_id]
        order.take(now, fill)
        desk.state.indexes.fill(fill)
        desk.note(order.report(desk.status(order)))
        if order.fill_rate > desk.settings.fill_threshold:
            batching.stop(batch, order.order_id)


def close_batch(desk: DeskBase, now: Nanos, batch: BatchState) -> None:
    """End a batch: what is left of lots goes to stock, and each of its orders goes on or is done."""
    state = desk.state
    completed = batching.complete(batch, state.stock)
    state.batches.remove(batch)
    for left in completed.leftovers:
        desk.note(StockLeft(batch.batch_id, left.asset, left.side, left.carried, left.house))
    orders = [state.orders.live[order_id] for order_id in batch.engaged if order_id in state.orders.live]
    for order in orders:
        order.disengage()
        _go_on(desk, now, order)
    continued = tuple(order.order_id for order in orders if order.order_id in state.orders.ready)
    positions = batch.positions.values()
    value, fee = sum((one.value for one in positions), _ZERO), sum((one.fee for one in positions), _ZERO)
    desk.note(IndexBatchCompleted(batch.batch_id, batching.filled_fraction(batch), value, fee, continued))
    state.orders.tried = {} if _achieved(batch) else dict.fromkeys(continued)
    if orders or _achieved(batch):
        state.indexes.attend = state.indexes.has_tasks()
    if state.indexes.house_batch == batch.batch_id:
        state.indexes.house_batch = ""


def mature(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """Nothing has happened to a partly mintable order for the mint wait: it is minted as it is."""
    if order.state is IndexOrderState.PARTLY_MINTABLE:
        order.end_reason = EndReason.IDLE
        desk.move(now, order, IndexOrderStep.FILLED)


def _achieved(batch: BatchState) -> bool:
    """Whether a batch has done anything. Orders of one that has not wait for a change: markets have not, so far."""
    return any(one.filled for one in batch.orders.values()) or any(one.filled for one in batch.engaged.values())


def _go_on(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    settings = desk.settings
    idle_at = order.filled_at + settings.mint_wait_ns
    if order.state is IndexOrderState.LEAVING:
        part(desk, now, order)
    elif order.filled > 0 and (order.fill_rate > settings.fill_threshold or order.open_amount <= 0):
        desk.move(now, order, IndexOrderStep.FILLED)
    elif order.filled > 0 and order.fill_rate > settings.mint_threshold:
        desk.move(now, order, IndexOrderStep.MATURED)
        desk.wake(MATURITY + order.order_id, max(idle_at, now))
    else:
        desk.move(now, order, IndexOrderStep.CONTINUED)


def _book(desk: DeskBase, now: Nanos, said: AssetOrderFilled) -> None:
    fill = InventoryFill(
        asset=said.symbol,
        side=said.side,
        trade_id=said.trade_id,
        order_id=said.order_id,
        batch_id=said.batch_id,
        price=said.price,
        quantity=said.quantity,
        fee=said.fee,
        at=now,
    )
    amounts = (said.price, said.quantity, said.fee)
    desk.note(LotOpened(said.trade_id, said.batch_id, said.order_id, said.symbol, said.side, *amounts))
    for close in book(desk.state.inventory, fill).closes:
        prices = (close.quantity, close.original_price, close.closing_price, close.realised)
        desk.note(LotClosed(close.lot_id, close.closing_lot_id, said.symbol, *prices))


def _lot(now: Nanos, said: AssetOrderFilled) -> Lot:
    return Lot(
        lot_id=said.trade_id,
        asset=said.symbol,
        side=said.side,
        price=said.price,
        original=said.quantity,
        remaining=said.quantity,
        fee=said.fee,
        batch_id=said.batch_id,
        created_at=now,
    )
