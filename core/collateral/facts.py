"""What `Collateral` states, as `Note`s: every movement of money, every step of a leg, and what went wrong outside."""

from __future__ import annotations

from decimal import Decimal

from core.kernel.record import Record


class CollateralMoved(Record, frozen=True):
    """`amount` changed hands or place: the row of the table `collateral`.

    It was held as `was` at `source` and is held as `state` at `destination`. Both are empty, with the place, for the
    world outside, where deposits come from. `fee` is the amount where a hop has kept it. `side` is `credit` for
    deposits and `debit` for the cash of sales. These facts alone, added up by (user, side, state, place), are the
    ledger.
    """

    what: str
    order_id: str
    user: str
    side: str
    amount: Decimal
    was: str
    source: str
    state: str
    destination: str
    fee: Decimal = Decimal(0)
    transfer_id: str = ""
    payment_id: str = ""


class HopStepped(Record, frozen=True):
    """A leg came to be in `state`: the row of the table `hops`. `fee` is what it has cost, once it has ended.

    `what` is the step, or `queued` for room; of a leg that is asked about again and again, only the first time is
    stated. `reason` says more where something went wrong.
    """

    transfer_id: str
    leg: int
    hop: str
    order_id: str
    user: str
    what: str
    amount: Decimal
    source: str
    destination: str
    fee: Decimal
    state: str
    reason: str = ""


class BridgeStepped(Record, frozen=True):
    """The deposit to a bridge that a leg made came to be in `state`."""

    transfer_id: str
    leg: int
    hop: str
    what: str
    state: str
    confirmations: int


class TransferStarted(Record, frozen=True):
    """`amount` sets out for `target`, by the hops that are planned now."""

    transfer_id: str
    purpose: str
    order_id: str
    user: str
    amount: Decimal
    source: str
    target: str
    hops: tuple[str, ...]


class TransferStepped(Record, frozen=True):
    """A transfer turned, was stopped, was left or has ended, at the designation `held_at`. That one that is held tries
    again and again is not stated, but for its legs.

    `amount` is what is left of it and `fee` what the hops have kept: together what set out (I4).
    """

    transfer_id: str
    order_id: str
    user: str
    what: str
    state: str
    held_at: str
    amount: Decimal
    fee: Decimal
    reason: str = ""


class HopDisputed(Record, frozen=True):
    """A hop or bridge said something that cannot be, or should not: somebody has to look at it.

    The books hold what is certain; nothing that was booked before is changed by it.
    """

    transfer_id: str
    leg: int
    hop: str
    what: str


class CollateralDepositRefused(Record, frozen=True):
    """A deposit that cannot be booked: of an unknown chain, or of no amount."""

    user: str
    seq_num: int
    amount: Decimal
    reason: str


class CollateralDepositRepeated(Record, frozen=True):
    """A deposit was seen again, and not booked again."""

    user: str
    seq_num: int


class CollateralWithdrawalRepeated(Record, frozen=True):
    """A request for withdrawal was seen again, and changes nothing: the first one has the one last word."""

    user: str
    seq_num: int


class CollateralNotRouted(Record, frozen=True):
    """No way takes `amount` from `source` to `target` for an order, which is refused. `why` names what is in the way,
    and the most that would go."""

    order_id: str
    user: str
    amount: Decimal
    source: str
    target: str
    why: str


class PayoutArrived(Record, frozen=True):
    """What was said to be under way to a user is under way no more: he has `amount`, getting on has cost `fee`, and
    `credited` stays where it is, as his collateral. Together they are what was under way. An order's collateral that
    was on its way when the order was answered without it is all credited, but for the fees.

    `order_id` is that of the order, or the `payment_id` of the withdrawal.
    """

    order_id: str
    user: str
    amount: Decimal
    fee: Decimal
    credited: Decimal


class WithdrawalEnded(Record, frozen=True):
    """A request for withdrawal is done: the user has `paid`, sending it has cost `fee`, and `refused` was not free, or
    could not be sent, and is still his. A hop has `under_way`, of which `PayoutArrived` will tell, as of `payment_id`.
    That is empty of a request that was refused at once.
    """

    user: str
    seq_num: int
    paid: Decimal
    fee: Decimal
    refused: Decimal
    reason: str
    under_way: Decimal = Decimal(0)
    payment_id: str = ""
