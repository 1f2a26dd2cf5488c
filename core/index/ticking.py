"""The desk's clock: ticks that come while there is work, and the timers of orders, books and calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from core.index import (
    filling,
    funding,
    house,
    minting,
    quoting,
    rebalancing,
    reconciling,
    returning,
    rounds,
    settling,
    valuing,
    weighing,
)
from core.index.base import BATCH, EXPIRY, HOUSE, MATURITY, REBALANCE, DeskBase
from core.index.chain_calls import TIMER as CHAIN_TIMER
from core.index.ready import of_asset, of_index
from core.index.reasons import EndReason
from core.index.records import Outcome
from core.index.room import Turn
from core.units import Nanos

_TICK: Final = "tick"
_BOOKS: Final = "books"


def fall_due(desk: DeskBase, now: Nanos, key: str) -> None:
    """A timer has fired; what is before its first colon says what for, the rest for which."""
    kind, _, of = key.partition(":")
    _TIMERS[kind](desk, now, of)


def arm(desk: DeskBase, now: Nanos) -> None:
    """Have the tick come when there is something for it, and not before."""
    valuing.watch(desk, now)
    due = _next_work(desk, now)
    if due is None:
        return
    state, length = desk.state, desk.settings.tick_ns
    ticks = max(-(-(due - state.anchor) // length), (now - state.anchor) // length + 1)
    at = state.anchor + ticks * length
    if state.tick_at is None or at < state.tick_at:
        state.tick_at = at
        desk.wake(_TICK, at)


def keep_books(desk: DeskBase, now: Nanos, _of: str = "") -> None:
    """Ask for books that are missing or old, and look again when the next one may be."""
    desk.state.books_at = None
    for effect in desk.state.books.due(now):
        desk.emit(effect)
    _watch_books(desk)


def market_moved(desk: DeskBase, now: Nanos, asset: str) -> None:
    """A book has changed: what could not be planned or weighed for want of it may be possible now."""
    _wake_orders(desk, asset)
    indexes = desk.state.indexes
    indexes.attend |= indexes.has_tasks() or asset in indexes.delisted or asset in indexes.unseen
    weighing.weigh_again(desk, now)
    _watch_books(desk)


def _tick(desk: DeskBase, now: Nanos, _of: str) -> None:
    desk.state.tick_at = None
    funding.serve_orders(desk, now)
    minting.mint_ready(desk, now)
    _rebalance(desk, now)
    rounds.plan_round(desk, now)
    quoting.answer_quotes(desk, now)


def _rebalance(desk: DeskBase, now: Nanos) -> None:
    if _house_is_due(desk):
        desk.state.indexes.attend = False
        rebalancing.attend(desk, now)
        weighing.weigh_again(desk, now)


def _house_is_due(desk: DeskBase) -> bool:
    """Whether the house has something to look at, and can: while a batch of its own runs, that has to wait for it."""
    indexes = desk.state.indexes
    return indexes.attend and not indexes.house_batch and not desk.state.stopping


def _next_work(desk: DeskBase, now: Nanos) -> Nanos | None:
    state = desk.state
    if state.orders.mintable:
        return now
    lines = (state.line.next_due(), state.quotes.line.next_due(), state.orders.ready.next_ripe())
    return min((at for at in (*lines, _next_batch(desk, now)) if at is not None), default=None)


def _next_batch(desk: DeskBase, now: Nanos) -> Nanos | None:
    """When a batch may begin. A delisting ahead of its date waits for no turn, nobody for one that no user needs."""
    batches, house_is_due, users_are_due = desk.state.batches, _house_is_due(desk), rounds.is_due(desk)
    if not users_are_due and batches.job is None:
        batches.room.pass_on(Turn.USERS)
    if house_is_due and any(at > now for at in desk.state.indexes.delisted.values()):
        return now
    return batches.room.open_at(now) if house_is_due or users_are_due else None


def _wake_orders(desk: DeskBase, asset: str) -> None:
    indexes, ready = desk.state.indexes, desk.state.orders.ready
    if ready.parked:
        holders = (symbol for symbol, index in indexes.live.items() if index.basket.has(asset))
        ready.wake(of_asset(asset), *(of_index(symbol) for symbol in holders))


def _watch_books(desk: DeskBase) -> None:
    """Have books looked at when one may be missing or old. Being early does no harm, so it is not put off."""
    due, armed = desk.state.books.next_due(), desk.state.books_at
    if due is not None and not desk.state.stopping and (armed is None or due < armed):
        desk.state.books_at = due
        desk.wake(_BOOKS, due)


def _expire(desk: DeskBase, now: Nanos, order_id: str) -> None:
    settling.leave(desk, now, desk.state.orders.live[order_id], Outcome.EXPIRED, EndReason.TOO_OLD)


def _mature(desk: DeskBase, now: Nanos, order_id: str) -> None:
    filling.mature(desk, now, desk.state.orders.live[order_id])


def _plan_simply(desk: DeskBase, now: Nanos, _of: str) -> None:
    rounds.plan_simply(desk, now)


def _rebalance_over(desk: DeskBase, _now: Nanos, symbol: str) -> None:
    rebalancing.fall_due(desk, symbol)


def _window_over(desk: DeskBase, _now: Nanos, batch_id: str) -> None:
    desk.cut_short(batch_id)


def _house_rested(desk: DeskBase, now: Nanos, _of: str) -> None:
    desk.state.indexes.attend |= desk.state.indexes.has_tasks()
    house.watch_rests(desk, now)


def _call_again(desk: DeskBase, now: Nanos, key: str) -> None:
    for effect in desk.state.chain.fall_due(now, key, desk.settings):
        desk.emit(effect)


_TIMERS: Final[dict[str, Callable[[DeskBase, Nanos, str], None]]] = {
    _TICK: _tick,
    _BOOKS: keep_books,
    rounds.COMPUTING: _plan_simply,
    EXPIRY.rstrip(":"): _expire,
    MATURITY.rstrip(":"): _mature,
    REBALANCE.rstrip(":"): _rebalance_over,
    BATCH.rstrip(":"): _window_over,
    HOUSE.rstrip(":"): _house_rested,
    CHAIN_TIMER.rstrip(":"): _call_again,
    valuing.VALUE: valuing.state_values,
    reconciling.RECONCILE: reconciling.look_again,
    returning.IDLE: returning.return_idle,
}
