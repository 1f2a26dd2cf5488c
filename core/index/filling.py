"""What exchanges trade becomes lots, lots become tokens of orders, and a batch that is over lets its orders go on."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from msgspec import structs

from core.execution.facts import ExecutionUnexpected
from core.execution.records import AssetOrderEnded, AssetOrderFilled, AssetOrderPlaced
from core.index import batch as batching
from core.index import cash, commissions
from core.index.allocation import BatchState, Engaged, OrderFill
from core.index.base import BATCH, MATURITY, REBALANCE, DeskBase
from core.index.batch import Trade
from core.index.carrying import release
from core.index.counting import house_is_due
from core.index.facts import (
    IndexBatchCompleted,
    IndexOrderDeferred,
    LotAssigned,
    LotClosed,
    LotOpened,
    StockLeft,
)
from core.index.forgoing import leave_shares
from core.index.house import fill_task, release_tasks
from core.index.inventory import book
from core.index.inventory_lots import InventoryFill
from core.index.lot_names import of_trade
from core.index.order import IndexOrder
from core.index.planning import PlanReason
from core.index.reasons import EndReason
from core.index.settling import part
from core.index.states import IndexOrderState, IndexOrderStep
from core.index.stock import Lot, add_house
from core.kernel.record import CancelTimer
from core.market.books import doubled
from core.units import Nanos

_ZERO: Final = Decimal(0)
_KNOWN: Final = "a trade of that id is a lot already"


def on_placed(desk: DeskBase, said: AssetOrderPlaced) -> None:
    """An exchange order was placed as the exchange's filters made it."""
    batch = desk.state.batches.of(said.order_id)
    if batch is not None:
        batching.adjust(batch, said.order_id, said.price, said.quantity)


def on_filled(desk: DeskBase, now: Nanos, said: AssetOrderFilled) -> None:
    """A trade: book it, and hand out what it makes possible. One that no batch waits for is the house's. One by the id
    of an older trade that is a lot still is disputed, and not booked."""
    if commissions.is_lot(desk, said):
        named = (said.order_id, said.symbol, said.side, said.trade_id)
        desk.note(ExecutionUnexpected(*named, said.price, said.quantity, _KNOWN))
        return
    said = commissions.whole(desk, now, said)
    taken = commissions.taken(desk, said)
    said, withheld = commissions.apart(said)
    said = structs.replace(said, trade_id=of_trade(said.trade_id))
    _book(desk, now, said)
    for paid in (taken, withheld):
        if paid is not None:
            _book(desk, now, paid)
            add_house(desk.state.stock, _lot(now, paid))
    batch = desk.state.batches.of(said.order_id)
    if batch is None:
        add_house(desk.state.stock, _lot(now, said))
        desk.state.indexes.attend |= house_is_due(desk, now)
        return
    trade = Trade(said.trade_id, said.price, said.quantity, said.fee, now, said.withheld)
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
            desk.note(LotAssigned(piece.lot_id, fill.order_id, batch.batch_id, piece.asset, piece.side, *amounts))
        task = desk.state.indexes.tasks.get(fill.order_id)
        if task is not None:
            fill_task(desk, task, fill)
            continue
        order = desk.state.orders.live[fill.order_id]
        order.take(now, fill)
        cash.pay(desk, fill)
        if order.side == "sell":
            cash.settle(desk, order, fill)
        desk.state.indexes.fill(fill)
        desk.note(order.report(desk.status(order)))
        if order.fill_rate > desk.settings.fill_threshold:
            batching.stop(batch, order.order_id)
            release(desk, now)


def close_batch(desk: DeskBase, now: Nanos, batch: BatchState) -> None:
    """End a batch: what is left of lots goes to stock, and each of its orders goes on or is done."""
    state = desk.state
    for order_id in batch.engaged:
        if not _goes_on(desk, state.orders.live.get(order_id)):
            batching.stop(batch, order_id)
    completed = batching.complete(batch, state.stock)
    state.batches.remove(batch)
    state.orders.ready.wake_all()
    for left in completed.leftovers:
        desk.note(StockLeft(batch.batch_id, left.asset, left.side, left.carried, left.house))
    orders = [state.orders.live[order_id] for order_id in batch.engaged if order_id in state.orders.live]
    for order in orders:
        order.disengage()
        _go_on(desk, now, order)
    release(desk, now)
    continued = tuple(order.order_id for order in orders if order.order_id in state.orders.ready)
    sent = batch.orders.values()
    value, fee = sum((one.value for one in sent), _ZERO), sum((one.fee for one in sent), _ZERO)
    desk.note(IndexBatchCompleted(batch.batch_id, batching.filled_fraction(batch), value, fee, continued))
    for order_id in continued:
        _rest(desk, now, state.orders.live[order_id], batch)
    if batch.orders and state.indexes.house_batch != batch.batch_id:
        desk.emit(CancelTimer(BATCH + batch.batch_id))
    _let_the_house_go_on(desk, now, batch, has_left=bool(completed.leftovers))


def mature(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """Nothing has happened to a partly mintable order for the mint wait: it is minted as it is."""
    if order.state is IndexOrderState.PARTLY_MINTABLE:
        order.end_reason = EndReason.IDLE
        desk.move(now, order, IndexOrderStep.FILLED)
        release(desk, now)


def _let_the_house_go_on(desk: DeskBase, now: Nanos, batch: BatchState, *, has_left: bool) -> None:
    """Have the house look at its tasks again if the end of a batch may have changed something for them.

    One of its own that has traded nothing changes nothing, but that what could not be done while it ran now can.
    """
    indexes = desk.state.indexes
    was_its_own = release_tasks(desk, now, batch)
    if indexes.house_batch == batch.batch_id:
        indexes.house_batch = ""
        desk.emit(CancelTimer(REBALANCE))
        leave_shares(desk, now)
    rebalances = indexes.rebalances.values()
    waited = any(one.deadline is None or now >= one.deadline for one in rebalances if one.is_closed)
    may_go_on = indexes.has_tasks() and (not was_its_own or _achieved(batch) or waited)
    indexes.attend |= may_go_on or (has_left and house_is_due(desk, now))


def _achieved(batch: BatchState) -> bool:
    """Whether a batch has done anything."""
    return any(one.filled for one in batch.orders.values()) or any(one.filled for one in batch.engaged.values())


def _rest(desk: DeskBase, now: Nanos, order: IndexOrder, batch: BatchState) -> None:
    """Let an order that a batch got nothing rest, longer each time: what is refused is not tried again at every tick.

    A rest ends at the next whole multiple of its length, where those of others do: many orders that rest make few
    batches, and meet in them.
    """
    settings, since = desk.settings, now - desk.state.anchor
    order.misses = 0 if _got_something(batch, batch.engaged[order.order_id]) else order.misses + 1
    if not order.misses:
        return
    length = doubled(settings.order_retry_ns, order.misses, settings.order_retry_ns_max)
    desk.state.orders.ready.rest(order.order_id, now + length - since % length)
    order.deferral = PlanReason.NOT_TRADED
    desk.note(IndexOrderDeferred(order.order_id, PlanReason.NOT_TRADED))


def _got_something(batch: BatchState, one: Engaged) -> bool:
    """Whether an order has got tokens of a batch, or lots of it that are carried for it."""
    traded = {(order.asset, order.side) for order in batch.orders.values() if order.filled}
    return bool(one.filled) or any((part.asset, one.side) in traded for part in one.parts)


def _goes_on(desk: DeskBase, order: IndexOrder | None) -> bool:
    """Whether one that a batch has engaged comes to the next. What house batches leave is the house's."""
    return order is not None and not order.leaving and not _is_full(desk, order)


def _is_full(desk: DeskBase, order: IndexOrder) -> bool:
    return order.filled > 0 and (order.fill_rate > desk.settings.fill_threshold or order.open_amount <= 0)


def _go_on(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    settings = desk.settings
    idle_at = order.filled_at + settings.mint_wait_ns
    if order.state is IndexOrderState.LEAVING:
        part(desk, now, order)
    elif _is_full(desk, order):
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
    cash.trade(desk, fill)
    for close in book(desk.state.inventory, fill).closes:
        prices = (close.quantity, close.original_price, close.closing_price, close.realised)
        desk.note(LotClosed(close.lot_id, close.closing_lot_id, said.symbol, close.side, *prices))


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
