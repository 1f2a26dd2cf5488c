"""The chain log's own entries: what the auction states, as `Note`s, about orders, bids and commitments.

With the order facts of `core.market.orders` and `Transferred` they are the whole story of a batch.
"""

from __future__ import annotations

from decimal import Decimal

from core.kernel.record import Record
from core.market.orders import Order
from core.units import Nanos


class OrderAdded(Record, frozen=True):
    """An order of block `height` is open and its input is reserved."""

    height: int
    order: Order


class BatchCreated(Record, frozen=True):
    """The auction of block `height` opened for these orders (carried-over ones included)."""

    height: int
    order_ids: tuple[str, ...]
    bid_deadline: Nanos


class BidReceived(Record, frozen=True):
    """A bid counts. `replaces` is the bid id it takes the place of, or empty."""

    height: int
    solver: str
    bid_id: str
    order_id: str
    max_input: Decimal
    conversion_rate: Decimal
    min_output: Decimal
    replaces: str


class BidRejected(Record, frozen=True):
    """A bid does not count, for `reason`. A refused withdrawal names no bid and has no terms."""

    height: int
    solver: str
    bid_id: str
    order_id: str
    reason: str
    max_input: Decimal | None
    conversion_rate: Decimal | None


class BidWithdrawn(Record, frozen=True):
    """A bid was taken back before the deadline."""

    height: int
    solver: str
    bid_id: str
    order_id: str


class BidSelected(Record, frozen=True):
    """The rule ranked this bid first of `ranked` eligible ones for the order."""

    height: int
    order_id: str
    solver: str
    bid_id: str
    rule: str
    ranked: int


class CommitmentCreated(Record, frozen=True):
    """The solver owes `min_output` of `buy_token` before `deadline` and gets `input_amount` for it.

    `attempt` counts from 1; higher ones are reassignments.
    """

    commitment_id: str
    height: int
    order_id: str
    solver: str
    bid_id: str
    input_amount: Decimal
    min_output: Decimal
    deadline: Nanos
    attempt: int


class EscrowDeposited(Record, frozen=True):
    """The winner paid in full and in time."""

    commitment_id: str
    solver: str
    token: str
    amount: Decimal


class DepositReturned(Record, frozen=True):
    """A deposit did not count and went back, for `reason`."""

    commitment_id: str
    solver: str
    amount: Decimal
    reason: str


class CommitmentSettled(Record, frozen=True):
    """Both sides of the commitment changed hands."""

    commitment_id: str
    order_id: str
    solver: str
    input_amount: Decimal
    output_amount: Decimal


class CommitmentDefaulted(Record, frozen=True):
    """Deadline and grace passed unpaid; `penalty` left the solver's bond."""

    commitment_id: str
    order_id: str
    solver: str
    penalty: Decimal


class OrderReassigned(Record, frozen=True):
    """After a default, the next best bid that is still valid and funded takes over."""

    order_id: str
    from_solver: str
    to_solver: str
    attempt: int


class OrderReopened(Record, frozen=True):
    """The order waits for the next batch, for `reason`."""

    order_id: str
    reason: str
