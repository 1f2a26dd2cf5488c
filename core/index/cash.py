"""Whose the money of trades is: the house's, an index's, or an order's.

The house trades with its own money. Whoever gets slices of lots pays it what they cost, or has from it what they
brought, at the moment when he gets them: an order, or an index that is rebalanced. What rebalances bring, less what
they cost, is their index's cash. Holders have their baskets whole, whatever it costs to make these, so they neither pay
for that nor get it: the share of tokens that are sold is the house's, and so is all when there are no tokens any more.
"""

from __future__ import annotations

from decimal import Decimal

from core.index.allocation import OrderFill
from core.index.base import DeskBase
from core.index.facts import CashSettled
from core.index.indexes import LiveIndex
from core.index.inventory_lots import InventoryFill
from core.index.order import IndexOrder
from core.index.rounding import rounded
from core.units import EXACT


def trade(desk: DeskBase, fill: InventoryFill) -> None:
    """The house has paid for a trade, or was paid."""
    _have(desk, fill.money)


def pay(desk: DeskBase, fill: OrderFill) -> None:
    """An order or an index has paid the house for its slices, or was paid."""
    _have(desk, fill.cost if fill.side == "buy" else fill.cost.copy_negate())


def give_back(desk: DeskBase, order: IndexOrder) -> None:
    """The house keeps what a buy has, and has no money for it."""
    _have(desk, order.lots_paid.copy_negate())


def leave(desk: DeskBase, index: LiveIndex, amount: Decimal) -> None:
    """So much of an index's cash is the house's; below zero, its debt."""
    index.cash -= amount
    _have(desk, amount)


def settle(desk: DeskBase, order: IndexOrder, fill: OrderFill) -> None:
    """Tokens of a sell are about to have no assets behind them: their share of their index's cash is the house's. While
    the index is rebalanced all of its cash is for what is still to be bought."""
    index = desk.state.indexes.live[fill.symbol]
    if index.cash and index.backed > 0 and fill.symbol not in desk.state.indexes.rebalances:
        is_all = fill.quantity >= index.backed
        _settle(desk, order, index.cash if is_all else rounded(index.cash * fill.quantity / index.backed))


def unsettle(desk: DeskBase, order: IndexOrder) -> None:
    """A sell's tokens stay, and their index has its cash again."""
    if order.cash_settled:
        _settle(desk, order, -order.cash_settled)


def _settle(desk: DeskBase, order: IndexOrder, amount: Decimal) -> None:
    order.cash_settled += amount
    leave(desk, desk.state.indexes.live[order.symbol], amount)
    desk.note(CashSettled(order.order_id, order.symbol, amount))


def _have(desk: DeskBase, amount: Decimal) -> None:
    desk.state.house_cash = EXACT.add(desk.state.house_cash, rounded(amount))
