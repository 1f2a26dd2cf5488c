"""The rows of `orders` and `fills`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from core.auction.facts import BidReceived, CommitmentCreated, OrderAdded
from core.market.orders import Order, OrderCancelled, OrderExpired, OrderFailed, OrderFilled, OrderReplaced
from core.sequencer.facts import OrderRefused, OrderSequenced
from core.units import Nanos
from sim.results.facts import Noted
from sim.results.fold import BPS, Fold, price_improvement
from sim.results.rows import ZERO, FillRow, OrderRow, OrderStatus


class Orders(Fold[OrderRow]):
    """One row per order."""

    def __init__(self, orders: Mapping[str, Order]) -> None:
        super().__init__(orders)
        self.by_id: dict[str, OrderRow] = {}
        self.paid: dict[str, Decimal] = {}

    def _on_sequenced(self, _noted: Noted, fact: OrderSequenced) -> None:
        order = fact.order
        row = self.by_id[order.order_id] = OrderRow(
            order_id=order.order_id,
            cl_ord_id=order.cl_ord_id,
            owner=order.owner,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            limit_price=order.limit_price,
            sell_token=order.sell_token,
            buy_token=order.buy_token,
            quote_token=order.sell_token if order.side == "buy" else order.buy_token,
            input_amount=order.input_amount,
            min_output=order.min_output,
            global_seq=fact.global_seq,
            created_time=order.created_at,
        )
        self.rows.append(row)

    def _on_refused(self, noted: Noted, fact: OrderRefused) -> None:
        row = OrderRow(
            cl_ord_id=fact.cl_ord_id,
            owner=fact.owner,
            symbol=fact.symbol,
            side=fact.side,
            quantity=fact.quantity,
            limit_price=fact.limit_price,
            created_time=noted.time,
        )
        _end(row, noted.time, "refused", fact.reason)
        self.rows.append(row)

    def _on_added(self, _noted: Noted, fact: OrderAdded) -> None:
        self.by_id[fact.order.order_id].height = fact.height

    def _on_bid(self, _noted: Noted, fact: BidReceived) -> None:
        self.by_id[fact.order_id].bids += 1

    def _on_commitment(self, _noted: Noted, fact: CommitmentCreated) -> None:
        self.by_id[fact.order_id].attempts += 1

    def _on_filled(self, noted: Noted, fact: OrderFilled) -> None:
        row, order = self.by_id[fact.order_id], self.orders[fact.order_id]
        paid = self.paid[fact.order_id] = self.paid.get(fact.order_id, ZERO) + fact.price * fact.quantity
        row.filled_quantity += fact.quantity
        row.average_price = paid / row.filled_quantity
        row.surplus_quote += price_improvement(order, fact.price, fact.quantity)
        row.surplus_bps = float(BPS * row.surplus_quote / (order.limit_price * row.filled_quantity))
        if not fact.leaves_quantity:
            _end(row, noted.time, "filled")

    def _on_replaced(self, _noted: Noted, fact: OrderReplaced) -> None:
        row = self.by_id[fact.order_id]
        row.quantity, row.limit_price = fact.quantity, fact.limit_price

    def _on_expired(self, noted: Noted, fact: OrderExpired) -> None:
        _end(self.by_id[fact.order_id], noted.time, "expired", fact.reason)

    def _on_failed(self, noted: Noted, fact: OrderFailed) -> None:
        _end(self.by_id[fact.order_id], noted.time, "failed", fact.reason)

    def _on_cancelled(self, noted: Noted, fact: OrderCancelled) -> None:
        _end(self.by_id[fact.order_id], noted.time, "cancelled")

    HANDLERS: ClassVar = {
        OrderSequenced: _on_sequenced,
        OrderRefused: _on_refused,
        OrderAdded: _on_added,
        BidReceived: _on_bid,
        CommitmentCreated: _on_commitment,
        OrderFilled: _on_filled,
        OrderReplaced: _on_replaced,
        OrderExpired: _on_expired,
        OrderFailed: _on_failed,
        OrderCancelled: _on_cancelled,
    }


class Fills(Fold[FillRow]):
    """One row per fill."""

    def _on_filled(self, noted: Noted, fact: OrderFilled) -> None:
        row = FillRow(
            fill_id=fact.fill_id,
            order_id=fact.order_id,
            commitment_id=fact.commitment_id,
            solver=fact.solver,
            height=fact.height,
            time=noted.time,
            quantity=fact.quantity,
            price=fact.price,
            input_amount=fact.input_amount,
            output_amount=fact.output_amount,
            leaves_quantity=fact.leaves_quantity,
            surplus_quote=price_improvement(self.orders[fact.order_id], fact.price, fact.quantity),
        )
        self.rows.append(row)

    HANDLERS: ClassVar = {OrderFilled: _on_filled}


def _end(row: OrderRow, time: Nanos, status: OrderStatus, reason: str | None = None) -> None:
    row.status, row.reason, row.ended_time = status, reason, time
    row.time_to_end_ns = time - row.created_time
