"""The reported order: what the owner of an accepted order has been told of it, as a state machine.

It is not the order at the auction, whose states are in `core.auction.states`: that one knows of bids and
commitments, this one of reports. A reported order is `new` from its acknowledgement on, and only the
auction moves it further: the sequencer knows what it promised, not what the market made of it. Fills
lead over `partially_filled` to `filled`. The auction ends what cannot go on: `expired` when time or its
one auction is over, `rejected` when the owner could not pay for it at all, which shows only after the
order was acknowledged, because funds are reserved when its block reaches the auction.

A cancel request puts the order in `pending_cancel`: the request has its place in a block, and until
the auction comes to it the order is still in the market. So every other ending is possible from
there too, and a part may still be filled, which leaves it pending, as FIX gives that status
precedence. A refused cancel takes the order back to where its fills say it belongs; the machine
knows nothing of quantities, so there are two triggers for it. A request to replace the order puts it
in `pending_replace` in the same way, and its answer, either way, takes it back. Only one request is
pending at a time, a second one is refused at the door; and nothing is cancelled that was not asked
for, except when the owner wants that for a lost session. That cancel overtakes a pending replace,
and stays pending until nobody has a claim on the order.

    new               -> partially_filled, pending_cancel, pending_replace, filled, expired, rejected
    partially_filled  -> partially_filled, pending_cancel, pending_replace, filled, expired
    pending_replace   -> pending_replace, new, partially_filled, pending_cancel, filled, expired, rejected
    pending_cancel    -> pending_cancel, new, partially_filled, filled, cancelled, expired, rejected
    filled, cancelled, expired, rejected: the end
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from core.kernel.fsm import Machine
from core.market.orders import Order, OrderFilled, OrderReplaced


class ReportedState(StrEnum):
    """What the owner was last told."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class ReportedTrigger(StrEnum):
    """What can happen to a reported order."""

    FILLED_PARTLY = "filled_partly"
    FILLED_WHOLLY = "filled_wholly"
    CANCEL_REQUESTED = "cancel_requested"
    CANCEL_REFUSED_UNFILLED = "cancel_refused_unfilled"
    CANCEL_REFUSED_PARTLY_FILLED = "cancel_refused_partly_filled"
    REPLACE_REQUESTED = "replace_requested"
    REPLACE_ANSWERED_UNFILLED = "replace_answered_unfilled"
    REPLACE_ANSWERED_PARTLY_FILLED = "replace_answered_partly_filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


REPORTED: Final = Machine(
    "reported order",
    {
        ReportedState.NEW: {
            ReportedTrigger.FILLED_PARTLY: ReportedState.PARTIALLY_FILLED,
            ReportedTrigger.FILLED_WHOLLY: ReportedState.FILLED,
            ReportedTrigger.CANCEL_REQUESTED: ReportedState.PENDING_CANCEL,
            ReportedTrigger.REPLACE_REQUESTED: ReportedState.PENDING_REPLACE,
            ReportedTrigger.EXPIRED: ReportedState.EXPIRED,
            ReportedTrigger.FAILED: ReportedState.REJECTED,
        },
        ReportedState.PARTIALLY_FILLED: {
            ReportedTrigger.FILLED_PARTLY: ReportedState.PARTIALLY_FILLED,
            ReportedTrigger.FILLED_WHOLLY: ReportedState.FILLED,
            ReportedTrigger.CANCEL_REQUESTED: ReportedState.PENDING_CANCEL,
            ReportedTrigger.REPLACE_REQUESTED: ReportedState.PENDING_REPLACE,
            ReportedTrigger.EXPIRED: ReportedState.EXPIRED,
        },
        ReportedState.PENDING_REPLACE: {
            ReportedTrigger.FILLED_PARTLY: ReportedState.PENDING_REPLACE,
            ReportedTrigger.FILLED_WHOLLY: ReportedState.FILLED,
            ReportedTrigger.REPLACE_ANSWERED_UNFILLED: ReportedState.NEW,
            ReportedTrigger.REPLACE_ANSWERED_PARTLY_FILLED: ReportedState.PARTIALLY_FILLED,
            ReportedTrigger.CANCEL_REQUESTED: ReportedState.PENDING_CANCEL,
            ReportedTrigger.EXPIRED: ReportedState.EXPIRED,
            ReportedTrigger.FAILED: ReportedState.REJECTED,
        },
        ReportedState.PENDING_CANCEL: {
            ReportedTrigger.FILLED_PARTLY: ReportedState.PENDING_CANCEL,
            ReportedTrigger.FILLED_WHOLLY: ReportedState.FILLED,
            ReportedTrigger.REPLACE_ANSWERED_UNFILLED: ReportedState.PENDING_CANCEL,
            ReportedTrigger.REPLACE_ANSWERED_PARTLY_FILLED: ReportedState.PENDING_CANCEL,
            ReportedTrigger.CANCEL_REFUSED_UNFILLED: ReportedState.NEW,
            ReportedTrigger.CANCEL_REFUSED_PARTLY_FILLED: ReportedState.PARTIALLY_FILLED,
            ReportedTrigger.CANCELLED: ReportedState.CANCELLED,
            ReportedTrigger.EXPIRED: ReportedState.EXPIRED,
            ReportedTrigger.FAILED: ReportedState.REJECTED,
        },
        ReportedState.FILLED: {},
        ReportedState.CANCELLED: {},
        ReportedState.EXPIRED: {},
        ReportedState.REJECTED: {},
    },
)


class ReportedOrder(msgspec.Struct):
    """An accepted order until its end, with what its reports need. `paid` sums quantity times price."""

    order: Order
    state: ReportedState = ReportedState.NEW
    cum_quantity: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    cancel_cl_ord_id: str = ""
    """The cancel request that is pending, or empty."""
    place: tuple[int, int] | None = None
    """Height of its block and its index there, once that is sealed."""
    global_seq: int = 0
    replace_cl_ord_id: str = ""
    """The request to replace it that is pending, or empty."""
    replaced: bool = False
    """It has other terms than it came with."""
    leaving: bool = False
    """Its owner's session was lost, and the venue cancels it."""

    @property
    def leaves_quantity(self) -> Decimal:
        """What can still be filled; nothing once the order is at its end."""
        return Decimal(0) if REPORTED.is_terminal(self.state) else self.order.quantity - self.cum_quantity

    def step(self, trigger: ReportedTrigger) -> None:
        """Move along the table. Raises IllegalTransition."""
        self.state = REPORTED.after(self.state, trigger, self.order.order_id)

    def fill(self, fill: OrderFilled) -> None:
        """Take in a fill."""
        self.cum_quantity += fill.quantity
        self.paid += fill.quantity * fill.price
        assert self.cum_quantity + fill.leaves_quantity == self.order.quantity, f"{fill} of {self.order}"
        self.step(ReportedTrigger.FILLED_PARTLY if fill.leaves_quantity else ReportedTrigger.FILLED_WHOLLY)

    def request_cancel(self, cl_ord_id: str) -> None:
        """Wait for the turn of the cancel request `cl_ord_id`."""
        self.step(ReportedTrigger.CANCEL_REQUESTED)
        self.cancel_cl_ord_id = cl_ord_id

    def refuse_cancel(self) -> None:
        """Go on as before the cancel request."""
        self.cancel_cl_ord_id = ""
        if not self.leaving:
            partly = self.cum_quantity > 0
            self.step(
                ReportedTrigger.CANCEL_REFUSED_PARTLY_FILLED if partly else ReportedTrigger.CANCEL_REFUSED_UNFILLED
            )

    def leave(self) -> None:
        """Wait for the venue's own cancel."""
        self.leaving = True
        if self.state is not ReportedState.PENDING_CANCEL:
            self.step(ReportedTrigger.CANCEL_REQUESTED)

    def request_replace(self, cl_ord_id: str) -> None:
        """Wait for the turn of the request to replace it, `cl_ord_id`."""
        self.step(ReportedTrigger.REPLACE_REQUESTED)
        self.replace_cl_ord_id = cl_ord_id

    def answer_replace(self, replaced: OrderReplaced | None) -> None:
        """Go on with the new terms and under the new name, or without them as before."""
        self.replace_cl_ord_id = ""
        if replaced is not None:
            terms = {"quantity": replaced.quantity, "limit_price": replaced.limit_price}
            self.order, self.replaced = replace(self.order, cl_ord_id=replaced.cl_ord_id, **terms), True
        partly = self.cum_quantity > 0
        self.step(
            ReportedTrigger.REPLACE_ANSWERED_PARTLY_FILLED if partly else ReportedTrigger.REPLACE_ANSWERED_UNFILLED
        )
