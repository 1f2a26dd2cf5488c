"""What the three phases share: the auction's state, its voice, and how an order goes on or ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from core.auction.bids import Book
from core.auction.commitments import Commitments
from core.auction.escrow import Escrow
from core.auction.facts import BidRejected, OrderReopened
from core.auction.orders import LiveOrder
from core.auction.reasons import BidRefusal, WaitReason
from core.auction.rules import StandingBid, rule_named
from core.auction.settings import AuctionSettings
from core.auction.states import OrderState, OrderStep
from core.kernel.component import Component
from core.kernel.ids import Ids
from core.kernel.record import CancelTimer, Note, Record, Send, SetTimer
from core.market.ledger import Ledger
from core.market.orders import (
    CancelRefused,
    OrderCancelled,
    OrderExpired,
    OrderFailed,
    OrderFilled,
    OrderReplaced,
    ReplaceRefused,
)
from core.solver.protocol import Bid, BidRefused, FromVenue, TellSolver
from core.units import Nanos

SEQUENCER: Final = "sequencer"
SOLVERS: Final = "solvers"

ToOwner: TypeAlias = (
    OrderFilled | OrderExpired | OrderFailed | OrderCancelled | CancelRefused | OrderReplaced | ReplaceRefused
)


class AuctionState(msgspec.Struct):
    """All that changes. Orders stand in a queue: who was in an auction in vain goes to its end."""

    ids: Ids = msgspec.field(default_factory=Ids)
    escrow: Escrow = msgspec.field(default_factory=Escrow)
    orders: dict[str, LiveOrder] = {}
    books: dict[int, Book] = {}
    """By height, the auctions whose bid deadline is still to come."""
    commitments: Commitments = msgspec.field(default_factory=Commitments)
    told_again: dict[str, Nanos] = {}
    """By solver, when it was last told again what is open and what it owes."""
    height: int = 0
    """Of the newest batch received."""
    stopping: bool = False


class Desk(Component[AuctionState]):
    """An auction without its phases."""

    __slots__ = ("pairs", "rule", "settings")

    def __init__(self, name: str, settings: AuctionSettings) -> None:
        super().__init__(name, AuctionState())
        self.settings = settings
        self.rule = rule_named(settings.rule)
        self.pairs = {pair.symbol: pair for pair in settings.pairs}

    @property
    def ledger(self) -> Ledger:
        """The books as they stand, for checkers; read only."""
        return self.state.escrow.ledger

    def note(self, *facts: Record) -> None:
        """State facts."""
        for fact in facts:
            self.emit(Note(fact))

    def tell(self, solver: str, said: FromVenue) -> None:
        """Say something to one solver, or to all when `solver` is empty."""
        self.emit(Send(SOLVERS, TellSolver(solver, said)))

    def report(self, fact: ToOwner) -> None:
        """State what became of an order, and have its owner told."""
        self.note(fact)
        self.emit(Send(SEQUENCER, fact))

    def refuse_bid(self, solver: str, height: int, bid: Bid | StandingBid, reason: BidRefusal) -> None:
        """State that a bid does not count, and tell its solver."""
        terms = (bid.max_input, bid.conversion_rate)
        self.note(BidRejected(height, solver, bid.bid_id, bid.order_id, reason, *terms))
        self.tell(solver, BidRefused(height, bid.bid_id, bid.order_id, reason))

    def refuse_withdrawal(self, solver: str, height: int, order_id: str, reason: BidRefusal) -> None:
        """State that a bid stays as it is, and tell its solver."""
        self.note(BidRejected(height, solver, "", order_id, reason, None, None))
        self.tell(solver, BidRefused(height, "", order_id, reason))

    def cannot_pay(self, bid: StandingBid, output_amount: Decimal) -> BidRefusal | None:
        """Why the bid's solver cannot be trusted with a commitment to `output_amount` now, if so."""
        escrow, settings = self.state.escrow, self.settings
        if not escrow.covers_default(bid.solver, settings):
            return BidRefusal.UNBONDED
        if escrow.free(bid.solver, self.state.orders[bid.order_id].order.buy_token) < output_amount:
            return BidRefusal.UNFUNDED
        return None

    def open_orders(self) -> list[LiveOrder]:
        """The orders that the next auction takes: those that have waited longest since they were last in one."""
        return [live for live in self.state.orders.values() if live.state is OrderState.OPEN]

    def go_on(self, now: Nanos, live: LiveOrder, reason: WaitReason) -> None:
        """Reopen an order for the next batch, or end it: none will take it, nothing could be paid, it is to leave."""
        order = live.order
        if order.immediate or now >= order.valid_until or self.state.stopping or not order.input_amount:
            self.expire(live, reason)
            return
        live.step(OrderStep.REOPENED)
        if live.leaving:
            self.cancel(live, "")
            return
        self.state.orders[order.order_id] = self.state.orders.pop(order.order_id)
        self.note(OrderReopened(order.order_id, reason))
        self.wait(live)

    def wait(self, live: LiveOrder) -> None:
        """Keep an open order until a batch takes it or its validity ends."""
        live.waiting = True
        self.emit(SetTimer(f"order:{live.order.order_id}", live.order.valid_until))

    def stop_waiting(self, live: LiveOrder) -> None:
        """Drop the timer of an order that no longer waits."""
        if live.waiting:
            live.waiting = False
            self.emit(CancelTimer(f"order:{live.order.order_id}"))

    def expire(self, live: LiveOrder, reason: WaitReason) -> None:
        """End an order that did not trade, or not whole."""
        live.step(OrderStep.EXPIRED)
        self.drop(live)
        self.report(OrderExpired(live.order.order_id, reason))

    def cancel(self, live: LiveOrder, cl_ord_id: str) -> None:
        """End an open order on the request of that name."""
        live.step(OrderStep.CANCELLED)
        self.drop(live)
        self.report(OrderCancelled(live.order.order_id, cl_ord_id))

    def drop(self, live: LiveOrder) -> None:
        """Forget an order that has ended, and give back what is left of its input."""
        self.stop_waiting(live)
        self.note(*self.state.escrow.release(live.order))
        del self.state.orders[live.order.order_id]
