"""Index tokens on their way out of custody, back to their users: those that nobody sells.

An order that ends gives back what it was for and has not sold: what was locked for it, what was netted or amended away,
and what it never came to lock. What another order of its user waits for stays for that. Tokens that came for no order,
or for one that was refused, had ended before they came, or wanted less, go back once they have been free for a while.
What the chain declines to give back is kept, and not offered again: an order that locks it and ends does that.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.index.base import DeskBase
from core.index.chain import UNSOLD, ReturnIndex, order_of
from core.index.order import IndexOrder
from core.index.records import TokensKept, TokensReturned
from core.index.states import IndexOrderState
from core.units import EXACT, Nanos, is_number

IDLE: Final = "tokens"
_ZERO: Final = Decimal(0)
_UNLOCKED: Final = frozenset({IndexOrderState.OPEN, IndexOrderState.ROUTING})


def return_unsold(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """A sell is over: its user has back what it did not sell."""
    custody = desk.state.custody
    custody.unlock(order.order_id, order.user, order.symbol)
    unsold = EXACT.subtract(order.original, order.minted)
    order.refund = min(unsold, _spare(desk, order.user, order.symbol))
    if order.refund > 0:
        _give(desk, now, (order.user, order.symbol, order.refund), f"return:{order.order_id}", order.order_id)


def on_return_declined(desk: DeskBase, now: Nanos, request: ReturnIndex, reason: str) -> None:
    """The chain will not give tokens back: they are in custody as before, and their user is told.

    An order that waits for others of his locks these first, and then nobody may want those.
    """
    if is_number(request.quantity):
        desk.state.custody.keep(request.user, request.symbol, request.quantity)
        set_idle(desk, now, request.user, request.symbol)
    desk.note(TokensKept(request.user, request.symbol, request.quantity, reason, order_of(request)))


def set_idle(desk: DeskBase, now: Nanos, user: str, symbol: str) -> None:
    """Tokens are free: give them back if no order wants them for the custody wait, at once if none can any more."""
    wait = 0 if desk.state.stopping else desk.settings.custody_wait_ns
    desk.state.custody.set_idle(user, symbol, now + wait)
    watch(desk)


def return_idle(desk: DeskBase, now: Nanos, _of: str = "") -> None:
    """Give back what was free for long enough and no order waits for."""
    for idle in desk.state.custody.take_idle(now):
        spare = _spare(desk, idle.user, idle.symbol)
        if spare > 0:
            _give(desk, now, (idle.user, idle.symbol, spare), f"{UNSOLD}:{desk.state.ids.next('R')}")
    watch(desk)


def hurry(desk: DeskBase, now: Nanos) -> None:
    """No order will come any more: give back now what none wants."""
    desk.state.custody.hurry(now)
    watch(desk)


def watch(desk: DeskBase) -> None:
    """Be woken when the next of the free tokens are due."""
    due = desk.state.custody.idle_due()
    if due is not None:
        desk.wake(IDLE, due)


def _spare(desk: DeskBase, user: str, symbol: str) -> Decimal:
    """What of a user's free tokens no order of his waits for, and the chain may give back. Orders get first what it
    will not."""
    custody, wanted = desk.state.custody, _ZERO
    for order_id in desk.state.orders.by_user.get(user, {}):
        order = desk.state.orders.live[order_id]
        if (order.symbol, order.side) == (symbol, "sell") and order.state in _UNLOCKED:
            wanted = EXACT.add(wanted, order.remaining)
    staying = max(wanted, custody.kept_of(user, symbol))
    return max(EXACT.subtract(custody.balance(user, symbol), staying), _ZERO)


def _give(desk: DeskBase, now: Nanos, tokens: tuple[str, str, Decimal], key: str, order_id: str = "") -> None:
    user, symbol, amount = tokens
    desk.state.custody.withdraw(user, symbol, amount)
    desk.ask_chain(now, ReturnIndex(key, symbol, user, amount))
    desk.note(TokensReturned(user, symbol, amount, order_id))
