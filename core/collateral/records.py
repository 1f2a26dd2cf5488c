"""What the chain and the desk tell `Collateral`, and what it tells the desk.

A user is `chain_id:address`. Amounts are in the one token that collateral is held in. Every command of the desk has
exactly one final answer: `RouteCollateral` ends in `CollateralRouted` or `CollateralRefused` within the deadline of
the settings, whatever hops and bridges do, and `StopRoute` is answered by that; the others are answered at once, except
that money takes its time to be paid out, which is waited for as long as the settings say and no longer.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

from core.kernel.record import Record

COLLATERAL: Final = "collateral"
"""The component."""
CHAIN: Final = "chain"
"""Where deposits and requests for withdrawal come from."""
BRIDGE: Final = "bridge"
"""Where news of deposits to bridges comes from."""


class Stage(StrEnum):
    """Which command of the desk was refused."""

    ROUTE = "route"
    PREAUTHORISE = "preauthorise"
    SPEND = "spend"
    HOLD = "hold"
    PAY_OUT = "pay_out"
    REPAY = "repay"
    TAKE_BACK = "take_back"


class CollateralRefusal(StrEnum):
    """Why a command of the desk, or a request of a user, came to nothing."""

    INVALID_AMOUNT = "invalid_amount"
    """Not a finite, positive number."""
    INVALID_NUMBER = "invalid_number"
    """No number that counts deposits or requests: negative, or 2**63 or more."""
    INVALID_USER = "invalid_user"
    """No name that could be kept: longer than any needs to be, or no text that could be written."""
    UNKNOWN_CHAIN = "unknown_chain"
    """The user's chain is not one that collateral is taken from, and no destination has enough of his already."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    """The settings name no destination for this index."""
    DUPLICATE = "duplicate"
    """The order is being routed, or paid out, its cash is held, or its payment was paid back, already."""
    NO_DEPOSIT = "no_deposit"
    """The user's collateral did not cover the order in time."""
    NO_ROUTE = "no_route"
    """No way leads there that takes this amount at once, keeps no more of it than it may, and is in time."""
    ROUTE_FAILED = "route_failed"
    """No hop on any way took the money, or none in time. What it cost is booked, the rest is the user's again."""
    TIMEOUT = "timeout"
    """The money did not arrive in time, or a withdrawal was still waiting for other parts of it to arrive. It is still
    the user's, wherever it is, and counts for the next order."""
    CANCELLED = "cancelled"
    """The desk has taken its request back. Money that was under way is the user's, as after a timeout."""
    NOT_ENOUGH_FUNDS = "not_enough_funds"
    """The user, the order or the payment does not hold as much."""
    STOPPED = "stopped"
    """The node is winding down and moves no more money of new orders."""


# --- from the chain ------------------------------------------------------------------------------


class DepositSeen(Record, frozen=True):
    """The user's deposit number `seq_num` (from 0, below 2**63, one count for each chain) is final on its chain.

    `at` is the designation where it lies, empty for the one that the settings name for the chain. The same number
    seen again changes nothing.
    """

    user: str
    seq_num: int
    amount: Decimal
    at: str = ""


class WithdrawalRequested(Record, frozen=True):
    """The user wants `amount` of what no order has a claim on back. Numbered as deposits are, on a count of its own."""

    user: str
    seq_num: int
    amount: Decimal


# --- from the desk -------------------------------------------------------------------------------


class RouteCollateral(Record, frozen=True):
    """Bring `amount` of the user's collateral to where the assets of index `symbol` are bought, fees included.

    What of the user's is there already and free is used first. `CollateralRouted` says how much has arrived; from
    then on it is claimed by the order.
    """

    order_id: str
    user: str
    symbol: str
    amount: Decimal


class StopRoute(Record, frozen=True):
    """The order wants no collateral any more. If its `RouteCollateral` has no answer yet, that is `CollateralRefused`
    now: money that is under way turns back where it can, else arrives or is left where it is, and is free in any case.
    """

    order_id: str


class PreauthoriseCollateral(Record, frozen=True):
    """Set `amount` aside for a payment: of what the order has a claim on, then of what the user has free there."""

    order_id: str
    user: str
    amount: Decimal


class SpendCollateral(Record, frozen=True):
    """Take `amount` of a payment for good. The rest stays pre-authorised until it is spent or refunded."""

    order_id: str
    user: str
    payment_id: str
    amount: Decimal


class RefundCollateral(Record, frozen=True):
    """The order is done with a payment: what is left of it, and all else the order has a claim on, is the user's, and
    is sent back to him from where it is, by the reverse route. Always answered by one `PaidOut`.

    What is below `least`, or has no way home, or of an order of which a refund is under way, is free where it is. With
    an empty `payment_id`, the order's claim ends without a payment.
    """

    order_id: str
    user: str
    payment_id: str
    least: Decimal


class HoldProceeds(Record, frozen=True):
    """`amount` of cash, from the sale of index `symbol`, is there for its user: hold it for the order until it is to be
    paid out. Answered by `ProceedsHeld`."""

    order_id: str
    user: str
    symbol: str
    amount: Decimal


class PayOut(Record, frozen=True):
    """Send the cash that is held for an order to its user. Answered by `PaidOut`.

    Where his chain is not known, or no way home takes as much, or as little, it becomes his collateral where it is.
    """

    order_id: str
    user: str


class RepayCollateral(Record, frozen=True):
    """The order has paid `amount` for nothing, and the house pays that back, from the account where assets of index
    `symbol` are paid. It is claimed by the order, as what `CollateralRouted` brings, until that is refunded. Answered
    by `CollateralRepaid`; asked for once, and refused as long as money that was paid back is claimed by the order."""

    order_id: str
    user: str
    symbol: str
    amount: Decimal


class TakeBackProceeds(Record, frozen=True):
    """The sale that cash is held for came to nothing: all of it goes back to the account that it came from. Answered by
    `ProceedsTakenBack`. Cash that is being paid out, or was, cannot be taken back."""

    order_id: str
    user: str


# --- to the desk ---------------------------------------------------------------------------------


class SpendView(Record, frozen=True):
    """A part of a deposit that was set aside or spent under one payment; `Charges` are the fees of hops."""

    order_id: str
    payment_id: str
    preauth: Decimal
    spent: Decimal


class LotView(Record, frozen=True):
    """A deposit, and what has become of each part of it. `amount` is the sum of the six."""

    payment_id: str
    seq_num: int
    amount: Decimal
    unconfirmed: Decimal
    routing: Decimal
    ready: Decimal
    preauth: Decimal
    spent: Decimal
    returned: Decimal
    spends: tuple[SpendView, ...]
    opened_at: int
    changed_at: int


class CollateralView(Record, frozen=True):
    """A user's collateral as it stands: sums over all lots, the closed ones too, and those that are still open or
    were touched last."""

    user: str
    unconfirmed: Decimal
    routing: Decimal
    ready: Decimal
    preauth: Decimal
    spent: Decimal
    returned: Decimal
    lots: tuple[LotView, ...]


class CollateralRouted(Record, frozen=True):
    """The order has a claim on `amount` at its destination; bringing it there has cost `fee`. Together they are what
    was asked for, or less by the tolerance of the settings at most."""

    order_id: str
    amount: Decimal
    fee: Decimal


class CollateralAwaited(Record, frozen=True):
    """The deposit is not there yet. The request stands, and will be answered when it is or when its time is over."""

    order_id: str


class CollateralRefused(Record, frozen=True):
    """A command came to nothing, for `reason`.

    `fee` is what moving the money there and back has cost nevertheless, `credited` what had been brought or set aside
    and is its user's again, free. `under_way` is what is between two places still: he hears by `PayoutArrived` when
    it is free, and what getting on has cost.
    """

    order_id: str
    stage: str
    reason: str
    fee: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)
    under_way: Decimal = Decimal(0)


class CollateralPreauthorised(Record, frozen=True):
    """`amount` is set aside under `payment_id`."""

    order_id: str
    payment_id: str
    amount: Decimal


class CollateralSpent(Record, frozen=True):
    """`amount` was taken, from the deposits of those numbers."""

    order_id: str
    payment_id: str
    amount: Decimal
    seq_nums: tuple[int, ...]
    position: CollateralView


class ProceedsHeld(Record, frozen=True):
    """`amount` of cash is held for the order, and for nothing else."""

    order_id: str
    amount: Decimal


class CollateralRepaid(Record, frozen=True):
    """The order has a claim on `amount` more."""

    order_id: str
    amount: Decimal


class ProceedsTakenBack(Record, frozen=True):
    """`amount` of cash was held for the order, and is not any more."""

    order_id: str
    amount: Decimal


class PaidOut(Record, frozen=True):
    """The user has received `amount`; sending it has cost `fee`. `credited` is what no way home takes, or
    nobody knows a way home for, or no hop took in time, or is too little of a refund: it is his collateral, free for
    his next order or to be withdrawn. `under_way` is what a hop had when it had been waited for long enough: the user
    hears when it arrives. Together they are what was to be sent."""

    order_id: str
    amount: Decimal
    fee: Decimal
    credited: Decimal = Decimal(0)
    under_way: Decimal = Decimal(0)
