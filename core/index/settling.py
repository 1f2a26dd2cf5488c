"""How an order leaves: nothing more is engaged, what it has is minted, what it did not use goes back, and it ends.

An order leaves when its owner cancels, when it is too old, when its funds are refused, and at its natural end. Whatever
is with others is waited for: a transfer under way, a running batch, a payment, the chain. None of them can be lost,
because each answers for certain; so every order ends, and only once.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from core.collateral.records import (
    COLLATERAL,
    PaidOut,
    RefundCollateral,
    StopRoute,
)
from core.index.base import DeskBase
from core.index.carrying import release
from core.index.order import IndexOrder
from core.index.reasons import EndReason
from core.index.records import IndexOrderEnded, Outcome
from core.index.returning import return_unsold
from core.index.states import IndexOrderState, IndexOrderStep
from core.units import Nanos

_WITH_OTHERS: Final = frozenset({IndexOrderState.ROUTING, IndexOrderState.PREAUTHORISING, IndexOrderState.ENGAGED})
_FREE: Final = frozenset({IndexOrderState.OPEN, IndexOrderState.READY, IndexOrderState.PARTLY_MINTABLE})


def leave(desk: DeskBase, now: Nanos, order: IndexOrder, outcome: Outcome, reason: str) -> None:
    """Have an order end as `outcome`. One that is past trading, or leaving already, ends as it was to.

    Its batch is cut short: exchange orders that stay in the book would keep it for as long as they stand. What others
    in it did not get by then they carry to the next.
    """
    if _go(desk, now, order, outcome, reason):
        release(desk, now)


def leave_all(desk: DeskBase, now: Nanos, outcome: Outcome, reason: str) -> None:
    """Have all orders end as `outcome`."""
    for order in list(desk.state.orders.live.values()):
        _go(desk, now, order, outcome, reason)
    release(desk, now)


def _go(desk: DeskBase, now: Nanos, order: IndexOrder, outcome: Outcome, reason: str) -> bool:
    """Have an order leave, without a look at what is carried for it; False if it is past that."""
    if order.leaving or order.state not in _WITH_OTHERS | _FREE:
        return False
    order.ends_as, order.end_reason = outcome, reason
    if order.state in _WITH_OTHERS:
        if order.state is IndexOrderState.ROUTING and not order.routed:
            desk.send(COLLATERAL, StopRoute(order.order_id))
        if order.state is IndexOrderState.ENGAGED:
            desk.cut_short(order.batch_id)
        desk.move(now, order, IndexOrderStep.LEFT)
    else:
        part(desk, now, order)
    return True


def part(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """Nothing of a leaving order is with others any more: mint what it has, or settle at once."""
    if order.filled > 0:
        desk.move(now, order, IndexOrderStep.FILLED)
    else:
        desk.move(now, order, IndexOrderStep.EMPTY)
        settle(desk, now, order)


def shrink(desk: DeskBase, now: Nanos, order: IndexOrder, reason: EndReason) -> None:
    """After something was removed from an order: it leaves if nothing is left that could trade."""
    if order.open_amount <= 0:
        leave(desk, now, order, natural(order) if order.filled > 0 else Outcome.CANCELLED, reason)
    else:
        release(desk, now)


def natural(order: IndexOrder) -> Outcome:
    """How an order ends that was filled."""
    return Outcome.MINTED if order.side == "buy" else Outcome.REDEEMED


def refuse(desk: DeskBase, now: Nanos, order: IndexOrder, reason: str) -> None:
    """An order cannot go on, because what it needs was refused."""
    if order.state is IndexOrderState.LEAVING:
        part(desk, now, order)
        return
    order.ends_as, order.end_reason = Outcome.REJECTED, reason
    desk.move(now, order, IndexOrderStep.REFUSED)
    settle(desk, now, order)


def settle(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """Give back what the order did not use: sent to its user if it is worth it, else as his collateral where it is."""
    if order.side == "sell":
        return_unsold(desk, now, order)
        finish(desk, now, order)
    elif order.routed > order.charged:
        least = desk.settings.refund_min
        desk.send(COLLATERAL, RefundCollateral(order.order_id, order.user, order.payment_id, least))
    else:
        finish(desk, now, order)


def on_refunded(desk: DeskBase, now: Nanos, order: IndexOrder, said: PaidOut) -> None:
    """What was sent back has arrived, less what that cost, or was not sent after all, or has been waited for long
    enough."""
    order.refund, order.refund_fee, order.credited = said.amount, said.fee, said.credited
    order.under_way = said.under_way
    finish(desk, now, order)


def finish(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """An order ends, as it was to. Its user hears it here and nowhere else."""
    outcome = order.ends_as or natural(order)
    order.ends_as = outcome
    desk.move(now, order, IndexOrderStep(outcome))
    desk.drop_timers(order)
    desk.state.line.remove(order.order_id)
    desk.state.orders.end(order, desk.settings.ended_orders_max)
    ended = IndexOrderEnded(
        order_id=order.order_id,
        user=order.user,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        outcome=outcome,
        reason=order.end_reason or EndReason.FILLED,
        filled_quantity=order.minted,
        refund=order.refund,
    )
    if order.refund_fee or order.credited:
        ended = structs.replace(ended, refund_fee=order.refund_fee, credited=order.credited)
    if order.under_way or order.fees:
        ended = structs.replace(ended, under_way=order.under_way, routing_fee=order.fees)
    desk.note(ended)
