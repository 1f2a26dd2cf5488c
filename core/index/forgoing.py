"""What becomes of assets when the tokens that they were traded for will not be minted, or not be burned.

Tokens that will never be are nobody's, and what is held for them is the house's: what was bought for them, or, if their
index was rebalanced since, their share of what it was traded into. While the house trades that, it cannot be told: the
share waits for the end of the batch, and nobody waits for the share. What sells that run were promised is no part of
it. Tokens that stay, because a sale of them is not paid out, keep the cash that it brought, and are owed what was sold.

The cash of an index of which there are no tokens any more is the house's as well: what it sold for them at the end was
worth more, or less, than what it still had to buy.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.index import cash
from core.index.admission import promised
from core.index.base import DeskBase
from core.index.counting import house_is_due
from core.index.facts import CashForgone, CashLeft, LotForgone
from core.index.indexes import LiveIndex, Unminted
from core.index.lot_names import of_forgone
from core.index.order import AssignedLot, IndexOrder
from core.index.rounding import cut
from core.index.stock import Lot, add_house
from core.units import Nanos

_ZERO: Final = Decimal(0)


def forgo(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """No tokens of an order are minted or burned."""
    indexes = desk.state.indexes
    index = indexes.live[order.symbol]
    if order.side == "sell":
        index.back(order.filled)
        index.cash += order.proceeds
        cash.unsettle(desk, order)
        indexes.owe(now, order.symbol)
    elif order.symbol in indexes.rebalances or order.version != index.version:
        cash.give_back(desk, order)
        indexes.unminted.append(_unminted(order))
        leave_shares(desk, now)
    else:
        cash.give_back(desk, order)
        index.back(order.filled.copy_negate())
        for lot in order.lots.values():
            index.hold(lot.asset, lot.quantity.copy_negate())
            _give(desk, order.order_id, _own(lot))
        leave_cash(desk, index)
    indexes.attend |= house_is_due(desk, now)


def leave_shares(desk: DeskBase, now: Nanos) -> None:
    """The house gets the shares of all tokens that will not be minted, but of indexes that it trades for just now."""
    indexes, waiting = desk.state.indexes, list[Unminted]()
    for one in indexes.unminted:
        if indexes.is_trading(one.symbol):
            waiting.append(one)
            continue
        _leave_share(desk, now, one, indexes.live[one.symbol])
        indexes.owe(now, one.symbol)
    indexes.unminted = waiting


def leave_cash(desk: DeskBase, index: LiveIndex) -> None:
    """The house gets the cash of an index of which there are no tokens, and none that are to be minted or burned."""
    if index.cash and not index.supply and not index.backed:
        desk.note(CashLeft(index.symbol, index.cash))
        cash.leave(desk, index, index.cash)


def _leave_share(desk: DeskBase, now: Nanos, one: Unminted, index: LiveIndex) -> None:
    """Of what is held and was promised to no sell, the share of these tokens among those that are not promised."""
    sold, each = promised(desk.state.batches.running.values(), index.symbol), index.basket.quantities()
    share = one.tokens / (index.backed - sold)
    for asset, held in list(index.held.items()):
        quantity, price = cut((held - each.get(asset, _ZERO) * sold) * share), _price(desk, one, asset)
        if quantity > 0 and price is not None:
            index.hold(asset, quantity.copy_negate())
            _give(desk, one.order_id, _lot(one, asset, quantity, price, now))
    forgone = index.cash * one.tokens / index.backed
    if forgone:
        cash.leave(desk, index, forgone)
        desk.note(CashForgone(one.order_id, one.symbol, forgone))
    index.back(one.tokens.copy_negate())
    leave_cash(desk, index)


def _unminted(order: IndexOrder) -> Unminted:
    prices: dict[str, Decimal] = {}
    for lot in order.lots.values():
        prices.setdefault(lot.asset, lot.price)
    return Unminted(order.order_id, order.symbol, order.filled, prices)


def _give(desk: DeskBase, order_id: str, lot: Lot) -> None:
    """The house has a lot more, and whoever was kept out for want of it may be engaged."""
    desk.note(LotForgone(lot.lot_id, order_id, lot.asset, lot.side, lot.price, lot.remaining))
    add_house(desk.state.stock, lot)
    desk.state.orders.ready.wake_all()


def _price(desk: DeskBase, one: Unminted, asset: str) -> Decimal | None:
    """What a unit cost: of the order's own lots, or of the newest that is held."""
    own, holding = one.prices.get(asset), desk.state.inventory.holdings.get(asset)
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


def _lot(one: Unminted, asset: str, quantity: Decimal, price: Decimal, now: Nanos) -> Lot:
    return Lot(
        lot_id=of_forgone(one.order_id),
        asset=asset,
        side="buy",
        price=price,
        original=quantity,
        remaining=quantity,
        fee=Decimal(0),
        batch_id="",
        created_at=now,
    )
