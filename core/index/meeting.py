"""Who waits for whom: a buy and a sell that need the same asset meet if they share a batch, and need no market for it.

An order that comes to be ready goes at once with those of the other side that are ready. If none is and one is on its
way, accepted and with its funds known to be there or under way, the order waits for it, for the crossing wait at most.
Where nobody comes nobody waits, and an order that goes on from a batch has waited before. One that a plan has left out
for want of a market is planned again when somebody comes whom it could meet.
"""

from __future__ import annotations

from collections.abc import Collection

from core.index.custody import Custody
from core.index.indexes import Indexes
from core.index.order import IndexOrder
from core.index.orders import Orders
from core.units import Nanos


def line_up(orders: Orders, indexes: Indexes, order: IndexOrder) -> None:
    """An order is due for a batch, and so are those that have waited for it."""
    orders.ready.add(order.order_id, order.kind)
    _release(orders, indexes, (order.kind,))


def rouse(orders: Orders, indexes: Indexes, order: IndexOrder) -> None:
    """An order is new in line: whom no market has let into a batch may trade with it, and is due."""
    ready = orders.ready
    met = {kind for kind in set(map(ready.kinds.__getitem__, ready.parked)) if _meet(indexes, order.kind, kind)}
    if met:
        for order_id in [each for each in ready.parked if ready.kinds[each] in met]:
            kind = ready.kinds[order_id]
            ready.drop(order_id)
            ready.add(order_id, kind)


def is_awaited(orders: Orders, indexes: Indexes, custody: Custody, order: IndexOrder) -> bool:
    """Whether an order that is ready should wait: nobody is there whom it could meet, and somebody comes."""
    ready = orders.ready
    if any(_meet(indexes, order.kind, other) for other in (*ready.gathering_kinds, *ready.due_kinds)):
        return False
    others = (order_ids for kind, order_ids in orders.coming.items() if _meet(indexes, order.kind, kind))
    return any(_comes(custody, orders.live[order_id]) for order_ids in others for order_id in order_ids)


def go_together(orders: Orders, indexes: Indexes, now: Nanos) -> None:
    """Before a batch is planned: who has waited long enough is due, and so is whoever can meet one that is."""
    orders.ready.ripen(now)
    _release(orders, indexes, list(orders.ready.due_kinds))


def _release(orders: Orders, indexes: Indexes, due: Collection[str]) -> None:
    """Whoever gathers and can meet an order of a kind that is due is due, too."""
    ready = orders.ready
    met = {kind for kind in ready.gathering_kinds if any(_meet(indexes, kind, other) for other in due)}
    if met:
        for order_id in [each for each in ready.gathering if ready.kinds[each] in met]:
            ready.release(order_id)


def _comes(custody: Custody, order: IndexOrder) -> bool:
    """Whether the funds of an order are there or under way."""
    if order.leaving:
        return False
    if order.side == "buy":
        return not order.awaits_deposit
    return custody.balance(order.user, order.symbol) >= order.remaining


def _meet(indexes: Indexes, one: str, other: str) -> bool:
    """Whether orders of these kinds are of two sides and need an asset in common."""
    (side, _, symbol), (other_side, _, other_symbol) = one.partition(":"), other.partition(":")
    if side == other_side:
        return False
    if symbol == other_symbol:
        return True
    mine, theirs = indexes.basket(symbol), indexes.basket(other_symbol)
    return mine is not None and theirs is not None and any(theirs.has(part.asset) for part in mine.assets)
