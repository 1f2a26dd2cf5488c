"""What may happen to an order: one commitment at a time, fills within its limits, nothing after its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any, ClassVar, Final

from msgspec.structs import replace

from core.auction.facts import (
    BatchCreated,
    BidReceived,
    BidSelected,
    CommitmentCreated,
    CommitmentDefaulted,
    CommitmentSettled,
    EscrowDeposited,
    OrderAdded,
    OrderReassigned,
    OrderReopened,
)
from core.kernel.record import Record
from core.market.orders import Order, OrderCancelled, OrderExpired, OrderFailed, OrderFilled, OrderReplaced
from sim.checkers import Checker

_EXACT: Final = Context(prec=100)
_NOTHING: Final = (Decimal(0), Decimal(0))
Facts = dict[type[Record], Callable[[Any, Any], None]]


class OneCommitment(Checker):
    """An order has at most one live commitment, and only a live one is paid, settled or defaulted."""

    name = "one live commitment per order"

    def __init__(self) -> None:
        self._live: dict[str, str] = {}
        self._orders: dict[str, str] = {}

    def _on_created(self, fact: CommitmentCreated) -> None:
        live = self._live.get(fact.order_id)
        if live is not None:
            self.violated(f"{fact.order_id} is given {fact.commitment_id} while {live} is live")
        if fact.commitment_id in self._orders:
            self.violated(f"{fact.commitment_id} is created twice")
        self._live[fact.order_id] = fact.commitment_id
        self._orders[fact.commitment_id] = fact.order_id

    def _on_paid(self, fact: EscrowDeposited) -> None:
        self._must_be_live(fact.commitment_id, "is paid")

    def _on_ended(self, fact: CommitmentSettled | CommitmentDefaulted) -> None:
        self._must_be_live(fact.commitment_id, "ends")
        del self._live[self._orders[fact.commitment_id]]

    def _must_be_live(self, commitment_id: str, what: str) -> None:
        if self._live.get(self._orders.get(commitment_id, "")) != commitment_id:
            self.violated(f"{commitment_id} {what}, but is not live")

    FACTS: ClassVar[Facts] = {
        CommitmentCreated: _on_created,
        EscrowDeposited: _on_paid,
        CommitmentSettled: _on_ended,
        CommitmentDefaulted: _on_ended,
    }


class FillsWithinLimits(Checker):
    """Fills never exceed the quantity or the input, are whole lots, and never give less than the limit asks for.

    `lots` has the lot of each symbol. What is left of an order that is no whole number of them may be filled at once.
    An order that is replaced begins anew with what is left of it.
    """

    name = "fills within limits"

    def __init__(self, lots: Mapping[str, Decimal]) -> None:
        self._lots = lots
        self._orders: dict[str, Order] = {}
        self._filled: dict[str, tuple[Decimal, Decimal]] = {}
        self._before: dict[str, Decimal] = {}

    def _on_replaced(self, fact: OrderReplaced) -> None:
        order = self._orders.get(fact.order_id)
        if order is None:
            self.violated(f"{fact.order_id} is replaced and was never added")
        filled = self._before.get(order.order_id, Decimal(0)) + self._filled.pop(order.order_id, _NOTHING)[0]
        if fact.leaves_quantity <= 0 or filled + fact.leaves_quantity != fact.quantity:
            self.violated(
                f"{fact.order_id}: {fact.leaves_quantity} of {fact.quantity} are left, {filled} have been filled"
            )
        given, taken = fact.leaves_quantity, fact.leaves_quantity * fact.limit_price
        if order.side == "buy":
            given, taken = taken, given
        if fact.input_amount > given or fact.min_output < taken:
            self.violated(f"{fact.order_id} would give {fact.input_amount} for {fact.min_output}: below its limit")
        self._before[order.order_id] = filled
        terms = {"input_amount": fact.input_amount, "min_output": fact.min_output}
        self._orders[order.order_id] = replace(order, quantity=fact.leaves_quantity, **terms)

    def _on_added(self, fact: OrderAdded) -> None:
        self._orders[fact.order.order_id] = fact.order

    def _on_filled(self, fact: OrderFilled) -> None:
        order = self._orders.get(fact.order_id)
        if order is None:
            self.violated(f"{fact.fill_id} fills {fact.order_id}, which was never added")
        quantity, given = self._filled.get(fact.order_id, _NOTHING)
        quantity, given = quantity + fact.quantity, given + fact.input_amount
        self._filled[fact.order_id] = (quantity, given)
        if fact.quantity <= 0:
            self.violated(f"{fact!r} fills nothing")
        if quantity > order.quantity:
            self.violated(f"{fact.order_id}: filled {quantity} of {order.quantity}")
        if given > order.input_amount:
            self.violated(f"{fact.order_id}: gave {given} of {order.input_amount}")
        if fact.leaves_quantity != order.quantity - quantity:
            self.violated(f"{fact.fill_id} says {fact.leaves_quantity} left, not {order.quantity - quantity}")
        if fact.quantity % self._lots[order.symbol] and (quantity != order.quantity or not self._is_odd(order)):
            self.violated(f"{fact.fill_id} of {fact.order_id}: {fact.quantity} is not whole lots")
        if _EXACT.multiply(fact.output_amount, order.input_amount) < _EXACT.multiply(
            order.min_output, fact.input_amount
        ):
            rate = f"{fact.output_amount} for {fact.input_amount}, limit {order.min_output} for {order.input_amount}"
            self.violated(f"{fact.fill_id} of {fact.order_id} is worse than the limit: {rate}")

    def _is_odd(self, order: Order) -> bool:
        return bool(order.quantity % self._lots[order.symbol])

    FACTS: ClassVar[Facts] = {OrderAdded: _on_added, OrderReplaced: _on_replaced, OrderFilled: _on_filled}


class NothingAfterTheEnd(Checker):
    """Once an order is filled, cancelled, expired or failed, nothing more happens to it."""

    name = "no effect after a terminal state"

    def __init__(self) -> None:
        self._ended: dict[str, str] = {}

    def _on_step(self, fact: Any) -> None:
        self._alive(fact.order_id, type(fact).__name__)

    def _on_batch(self, fact: BatchCreated) -> None:
        for order_id in fact.order_ids:
            self._alive(order_id, "BatchCreated")

    def _on_end(self, fact: Any) -> None:
        self._alive(fact.order_id, type(fact).__name__)
        self._ended[fact.order_id] = type(fact).__name__

    def _on_filled(self, fact: OrderFilled) -> None:
        self._alive(fact.order_id, "OrderFilled")
        if fact.leaves_quantity == 0:
            self._ended[fact.order_id] = "OrderFilled"

    def _alive(self, order_id: str, step: str) -> None:
        end = self._ended.get(order_id)
        if end is not None:
            self.violated(f"{order_id}: {step} after {end}")

    FACTS: ClassVar[Facts] = {
        BatchCreated: _on_batch,
        BidReceived: _on_step,
        BidSelected: _on_step,
        CommitmentCreated: _on_step,
        CommitmentSettled: _on_step,
        CommitmentDefaulted: _on_step,
        OrderReassigned: _on_step,
        OrderReopened: _on_step,
        OrderReplaced: _on_step,
        OrderFilled: _on_filled,
        OrderExpired: _on_end,
        OrderFailed: _on_end,
        OrderCancelled: _on_end,
    }
