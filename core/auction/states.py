"""The two state machines of the auction: one per order, one per commitment.

**Orders.** An order is `new` while its input is not yet reserved. Either it is admitted, and from then
on its input sits in an account of its own, or it is refused for want of funds and has `failed`.

An `open` order waits for an auction: it has just been admitted, or an earlier auction did not end it.
Only here may its owner cancel or replace it, and only here does it expire by its own validity, because nobody
else has a claim on it. When a batch opens, every open order goes `in_auction` and bids for it are sealed
until the deadline. At the deadline the rule's best bid whose solver can pay makes it `committed`; with
none it is open again for the next batch, or expires if it may not go on (immediate, or out of validity).

A `committed` order is promised to exactly one solver. Paid in full and for the whole quantity it is
`filled`. Paid for a part it is open again with what is left, or expires if it may not go on. Not paid
in time it is `reassigning`: the next best bid that still stands takes over, and with none left the
order is open again or expires, just as if nobody had bid. `reassigning` is left within the event that
entered it; it is a state so that a second award can only ever follow a default.

**Commitments.** A commitment is `awarded` when the solver owes the output, `escrowed` once the venue
holds it. Only then can it end well: at deadline plus grace both sides change hands and it is `settled`.
Without a deposit by then it has `defaulted` and costs the solver a penalty. An escrowed commitment
cannot default and a defaulted one cannot be paid, whatever arrives late.

`filled`, `expired`, `cancelled`, `failed`, `settled` and `defaulted` have empty rows: nothing that
arrives later can change such an order or commitment, because no step leads out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.kernel.fsm import Machine


class OrderState(StrEnum):
    """Where an order stands."""

    NEW = "new"
    OPEN = "open"
    IN_AUCTION = "in_auction"
    COMMITTED = "committed"
    REASSIGNING = "reassigning"
    FILLED = "filled"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


class OrderStep(StrEnum):
    """What can happen to an order."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    AUCTIONED = "auctioned"
    AWARDED = "awarded"
    DEFAULTED = "defaulted"
    REOPENED = "reopened"
    FILLED = "filled"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


ORDERS: Final = Machine(
    "auction order",
    {
        OrderState.NEW: {
            OrderStep.ADMITTED: OrderState.OPEN,
            OrderStep.REFUSED: OrderState.FAILED,
        },
        OrderState.OPEN: {
            OrderStep.AUCTIONED: OrderState.IN_AUCTION,
            OrderStep.CANCELLED: OrderState.CANCELLED,
            OrderStep.EXPIRED: OrderState.EXPIRED,
        },
        OrderState.IN_AUCTION: {
            OrderStep.AWARDED: OrderState.COMMITTED,
            OrderStep.REOPENED: OrderState.OPEN,
            OrderStep.EXPIRED: OrderState.EXPIRED,
        },
        OrderState.COMMITTED: {
            OrderStep.FILLED: OrderState.FILLED,
            OrderStep.REOPENED: OrderState.OPEN,
            OrderStep.EXPIRED: OrderState.EXPIRED,
            OrderStep.DEFAULTED: OrderState.REASSIGNING,
        },
        OrderState.REASSIGNING: {
            OrderStep.AWARDED: OrderState.COMMITTED,
            OrderStep.REOPENED: OrderState.OPEN,
            OrderStep.EXPIRED: OrderState.EXPIRED,
        },
        OrderState.FILLED: {},
        OrderState.EXPIRED: {},
        OrderState.CANCELLED: {},
        OrderState.FAILED: {},
    },
)


class CommitmentState(StrEnum):
    """Where a commitment stands."""

    AWARDED = "awarded"
    ESCROWED = "escrowed"
    SETTLED = "settled"
    DEFAULTED = "defaulted"


class CommitmentStep(StrEnum):
    """What can happen to a commitment."""

    DEPOSITED = "deposited"
    SETTLED = "settled"
    DEFAULTED = "defaulted"


COMMITMENTS: Final = Machine(
    "commitment",
    {
        CommitmentState.AWARDED: {
            CommitmentStep.DEPOSITED: CommitmentState.ESCROWED,
            CommitmentStep.DEFAULTED: CommitmentState.DEFAULTED,
        },
        CommitmentState.ESCROWED: {CommitmentStep.SETTLED: CommitmentState.SETTLED},
        CommitmentState.SETTLED: {},
        CommitmentState.DEFAULTED: {},
    },
)
