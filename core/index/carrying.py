"""Lots between two batches are there for orders that go on. What none of these could use any more is the house's.

An order that goes on may want of an asset what all of it that is still open buys at the limits of its last batch; a
sell, what as many tokens are made of. Lots beyond what all such orders want together become house inventory, where
they count against what the house may hold, as soon as an order ends, leaves, or is for less.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.index.base import DeskBase, DeskState
from core.index.counting import house_is_due
from core.index.facts import StockReleased
from core.index.order import IndexOrder
from core.index.planning import Mode, key
from core.index.rounding import cut
from core.index.stock import keep
from core.market.orders import Side
from core.units import Nanos

_ZERO: Final = Decimal(0)


def release(desk: DeskBase, now: Nanos) -> None:
    """Give the house what is carried and wanted by nobody. In reference mode it stays, and suppresses buying."""
    carried = desk.state.stock.carried
    if not carried or desk.settings.limits.mode is Mode.REFERENCE:
        return
    wanted = _wants(desk.state)
    for at in list(carried):
        first = carried[at][0]
        house = keep(desk.state.stock, at, cut(wanted.get(at, _ZERO)))
        if house:
            desk.note(StockReleased(first.asset, first.side, house))
            desk.state.indexes.attend |= house_is_due(desk, now)


def is_wanted(state: DeskState, asset: str, side: Side) -> bool:
    """Whether an order goes on that may want some of what is carried of one side of an asset."""
    indexes = {symbol for symbol, index in state.indexes.live.items() if index.basket.has(asset)}
    orders = (one for one in state.orders.live.values() if one.side == side and one.symbol in indexes)
    return any(_tokens(order) > 0 for order in orders)


def _wants(state: DeskState) -> dict[str, Decimal]:
    """What orders that go on may want of each side of each asset, by `key`."""
    tokens: dict[tuple[str, Side], Decimal] = {}
    for order in (state.orders.live[order_id] for order_id in state.orders.going_on):
        which = (order.symbol, order.side)
        tokens[which] = tokens.get(which, _ZERO) + _tokens(order)
    total: dict[str, Decimal] = {}
    for (symbol, side), quantity in tokens.items():
        basket = state.indexes.basket(symbol) if quantity else None
        for part in basket.assets if basket is not None else ():
            at = key(part.asset, side)
            total[at] = total.get(at, _ZERO) + part.quantity * quantity
    return total


def _tokens(order: IndexOrder) -> Decimal:
    """Index tokens that an order may still come to; none before its first batch, for nothing is carried for it."""
    return order.open_amount / order.per_token if order.goes_on else _ZERO
