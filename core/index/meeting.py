"""Who waits for whom: a buy and a sell that need the same asset meet if they share a batch, and need no market for it.

An order that comes to be ready goes at once with those of the other side that are ready. If none is and one is on its
way, accepted and with its funds known to be there or under way, the order waits for it, for the crossing wait at most.
Where nobody comes nobody waits, and an order that goes on from a batch has waited before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from core.index.custody import Custody
from core.index.indexes import Indexes
from core.index.order import IndexOrder
from core.index.orders import Orders
from core.index.states import IndexOrderState
from core.units import Nanos

_COMING: Final = frozenset({IndexOrderState.OPEN, IndexOrderState.ROUTING, IndexOrderState.PREAUTHORISING})


def line_up(orders: Orders, indexes: Indexes, order: IndexOrder) -> None:
    """An order is due for a batch, and so are those that have waited for it."""
    orders.ready.add(order.order_id)
    _release(orders, indexes, (order,))


def is_awaited(orders: Orders, indexes: Indexes, custody: Custody, order: IndexOrder) -> bool:
    """Whether an order that is ready should wait: nobody is there whom it could meet, and somebody comes."""
    ready = (orders.live[order_id] for order_id in (*orders.ready.gathering, *orders.ready.due))
    if any(_meet(indexes, order, other) for other in ready):
        return False
    return any(_meet(indexes, order, other) for other in orders.live.values() if _is_coming(custody, other))


def go_together(orders: Orders, indexes: Indexes, now: Nanos) -> None:
    """Before a batch is planned: who has waited long enough is due, and so is whoever can meet one that is."""
    orders.ready.ripen(now)
    if orders.ready.gathering:
        _release(orders, indexes, [orders.live[order_id] for order_id in orders.ready.due])


def _release(orders: Orders, indexes: Indexes, due: Iterable[IndexOrder]) -> None:
    for order_id in list(orders.ready.gathering):
        if any(_meet(indexes, orders.live[order_id], other) for other in due):
            orders.ready.add(order_id)


def _is_coming(custody: Custody, order: IndexOrder) -> bool:
    if order.leaving or order.state not in _COMING:
        return False
    if order.side == "buy":
        return not order.awaits_deposit
    return custody.balance(order.user, order.symbol) >= order.remaining


def _meet(indexes: Indexes, one: IndexOrder, other: IndexOrder) -> bool:
    """Whether they are of two sides and need an asset in common."""
    if one.side == other.side:
        return False
    if one.symbol == other.symbol:
        return True
    mine, theirs = indexes.basket(one.symbol), indexes.basket(other.symbol)
    return mine is not None and theirs is not None and any(theirs.has(part.asset) for part in mine.assets)
