"""What must hold of money between any two events (I15).

Of each order: what a buy has paid for lots is what they cost, exchange fees included, and what it is charged is that,
in whole units of the collateral, and no more than was set aside; in reference mode it is all that was. What a sell's
lots brought, fees deducted, is its proceeds; the cash that is held for it is these, in whole units; and what its user
got is that cash, less what paying it out has cost.

Of all: what trades brought, less what they cost, is what the house has, what indexes have, and what orders are to get,
less what they have paid, or are to. What rounding to whole units leaves over is not counted: it is the house's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from core.index.base import DeskState
from core.index.order import IndexOrder
from core.index.planning import Mode
from core.index.rounding import ROUNDING, cut, raised
from core.index.settings import DeskSettings
from core.index.states import IndexOrderState
from core.units import EXACT

_ZERO: Final = Decimal(0)


class MoneyWatch:
    """Looks at a desk's money again and again, and at each order that has ended once."""

    def __init__(self) -> None:
        self._ended = 0
        self._of_ended = _ZERO
        """What orders that have ended got, less what they have paid."""

    def look(self, desk: DeskState, settings: DeskSettings, ended: Iterable[IndexOrder]) -> Iterator[str]:
        """What does not hold, one line each with the evidence, of live orders and of those that have `ended` since."""
        of_live = _ZERO
        for order in desk.orders.live.values():
            if order.filled:
                yield from _of_order(order, settings)
                of_live = EXACT.add(of_live, _has(order))
        for order in ended:
            self._ended += 1
            if order.filled:
                yield from _of_order(order, settings)
                self._of_ended = EXACT.add(self._of_ended, _has(order))
        if self._ended == desk.orders.ended_count:
            yield from _of_all(desk, settings, EXACT.add(of_live, self._of_ended))


def _of_order(order: IndexOrder, settings: DeskSettings) -> Iterator[str]:
    buys = order.side == "buy"
    stated, cost, moved = (order.lots_paid if buys else order.proceeds), order.slices_cost, _moved(order)
    if abs(stated - cost) > settings.limits.collateral_tolerance:
        words = f"paid {stated} for its lots, which cost" if buys else f"has proceeds of {stated}, its lots brought"
        yield f"I15 {order.order_id}: it {words} {cost}"
    if moved or order.minted:
        due = _to_charge(order, settings) if buys else _to_hold(order, settings)
        if moved != due:
            yield f"I15 {order.order_id}: {moved} {'charged' if buys else 'held for it'}, it should be {due}"
    if order.ended and order.minted and not buys:
        got = order.paid_out + order.payout_fee + order.under_way
        if got != order.held:
            yield f"I15 {order.order_id}: {order.held} was held for it, {got} was paid out, fees included"


def _moved(order: IndexOrder) -> Decimal:
    """What the collateral has taken for an order, or has for it."""
    return order.charged if order.side == "buy" else order.held


def _to_charge(order: IndexOrder, settings: DeskSettings) -> Decimal:
    if settings.limits.mode is Mode.REFERENCE:
        return order.preauthorised
    return min(raised(order.spent - order.fees, settings.collateral_decimals), order.preauthorised)


def _to_hold(order: IndexOrder, settings: DeskSettings) -> Decimal:
    return cut(max(order.proceeds, _ZERO), settings.collateral_decimals)


def _has(order: IndexOrder) -> Decimal:
    """What an order has of trades, or is to get: nothing, if its lots are others' because its tokens are not minted, or
    not burned."""
    if not order.minted and (order.ended or order.state is IndexOrderState.SETTLING):
        return _ZERO
    return order.lots_paid.copy_negate() if order.side == "buy" else order.proceeds


def _of_all(desk: DeskState, settings: DeskSettings, of_orders: Decimal) -> Iterator[str]:
    cash = [index.cash for index in desk.indexes.live.values()]
    parts = (desk.house_cash, sum(cash, _ZERO), of_orders)
    traded, found = desk.inventory.cash, sum(parts, _ZERO)
    if abs(traded - found) > settings.limits.collateral_tolerance + sum(map(abs, parts), _ZERO) * ROUNDING:
        house, indexes, orders = parts
        yield f"I15: trades brought {traded}; the house has {house}, indexes {indexes}, orders {orders}: {found}"
