"""What becomes of assets when the tokens that they were traded for will not be minted, or not be burned.

Tokens that will never be are nobody's, and what is held for them is the house's: what was bought for them, or, if their
index was rebalanced since, their share of what it was traded into. Tokens that stay, because a sale of them is not paid
out, keep the cash that it brought, and are owed what was sold.
"""

from __future__ import annotations

from decimal import Decimal

from core.index.base import DeskBase
from core.index.counting import house_is_due
from core.index.facts import CashForgone, LotForgone
from core.index.indexes import LiveIndex
from core.index.lot_names import of_forgone
from core.index.order import AssignedLot, IndexOrder
from core.index.rounding import cut
from core.index.stock import Lot, add_house
from core.units import Nanos


def forgo(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """No tokens of an order are minted or burned."""
    indexes = desk.state.indexes
    index = indexes.live[order.symbol]
    if order.side == "sell":
        index.back(order.filled)
        index.cash += order.proceeds
        indexes.owe(now, order.symbol)
    elif order.symbol in indexes.rebalances or order.version != index.version:
        _leave_share(desk, now, order, index)
        indexes.owe(now, order.symbol)
    else:
        index.back(order.filled.copy_negate())
        for lot in order.lots.values():
            index.hold(lot.asset, lot.quantity.copy_negate())
            _give(desk, order, _own(lot))
    indexes.attend |= house_is_due(desk, now)


def _leave_share(desk: DeskBase, now: Nanos, order: IndexOrder, index: LiveIndex) -> None:
    """Of all that is held, the share of the order's tokens. No house batch trades for the index at this moment."""
    share = order.filled / index.backed
    for asset, held in list(index.held.items()):
        quantity, price = cut(held * share), _price(desk, order, asset)
        if quantity > 0 and price is not None:
            index.hold(asset, quantity.copy_negate())
            _give(desk, order, _lot(order, asset, quantity, price, now))
    cash = index.cash * share
    if cash:
        index.cash -= cash
        desk.note(CashForgone(order.order_id, order.symbol, cash))
    index.back(order.filled.copy_negate())


def _give(desk: DeskBase, order: IndexOrder, lot: Lot) -> None:
    """The house has a lot more, and whoever was kept out for want of it may be engaged."""
    desk.note(LotForgone(lot.lot_id, order.order_id, lot.asset, lot.side, lot.price, lot.remaining))
    add_house(desk.state.stock, lot)
    desk.state.orders.ready.wake_all()


def _price(desk: DeskBase, order: IndexOrder, asset: str) -> Decimal | None:
    """What a unit cost: of the order's own lots, or of the newest that is held."""
    own = next((lot.price for lot in order.lots.values() if lot.asset == asset), None)
    holding = desk.state.inventory.holdings.get(asset)
    if own is not None or holding is None:
        return own
    return next((lot.price for lot in reversed(holding.lots.values())), None)


def _own(lot: AssignedLot) -> Lot:
    return Lot(
        lot_id=lot.lot_id,
        asset=lot.asset,
        side="buy",
        price=lot.price,
        original=lot.original_quantity,
        remaining=lot.quantity,
        fee=lot.original_fee,
        batch_id="",
        created_at=lot.created_at,
    )


def _lot(order: IndexOrder, asset: str, quantity: Decimal, price: Decimal, now: Nanos) -> Lot:
    return Lot(
        lot_id=of_forgone(order.order_id),
        asset=asset,
        side="buy",
        price=price,
        original=quantity,
        remaining=quantity,
        fee=Decimal(0),
        batch_id="",
        created_at=now,
    )
