"""The contract with hops and bridges: what `Collateral` asks the service `hop:<name>`, and what it is told.

A hop moves money of one transfer from one designation to another. The pair (`transfer_id`, `leg`) names one movement
for ever: a hop executes it once at most, however often it is asked. What it says of a leg is final when it is
`FundsMoved`, `FundsReturned` or `FundsRefused`. Requests and answers may be lost, late or repeated, and nobody may
conclude anything from silence: whoever has no answer asks with `QueryFunds`, and asks to move again only a hop that
says it knows of nothing.

A bridge is a hop that works by deposit: money is locked on the chain of the source, a relayer pays it out on the other
chain, and if none does in time it comes back. What it suggests, `SuggestFees` brings; news of a deposit comes unasked,
as messages from `bridge`.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from core.kernel.record import Record
from core.units import Nanos


def service_of(hop: str) -> str:
    """The service that a hop of that name answers at, and the place where money is while the hop has it."""
    return f"hop:{hop}"


class HopTrouble(StrEnum):
    """Why a hop did not move money, as far as it matters for what to do next."""

    UNAVAILABLE = "unavailable"
    """The service is down or too busy. Later it may do."""
    RATE_LIMITED = "rate_limited"
    """It was asked too often."""
    NO_CAPACITY = "no_capacity"
    """It has no liquidity for this amount at present."""
    FEE_TOO_HIGH = "fee_too_high"
    """What it wants, or suggests, is more than the settings allow."""
    TOO_LOW = "too_low"
    """It never moves as little."""
    TOO_HIGH = "too_high"
    """It never moves as much."""
    SILENT = "silent"
    """It does not say on what terms it would do it, however often it is asked."""
    EXPIRED = "expired"
    """Nobody filled the deposit before its deadline."""
    REJECTED = "rejected"
    """It will not do this."""


# --- asked ---------------------------------------------------------------------------------------


class MoveFunds(Record, frozen=True):
    """Move `amount` from `source` to `destination`. Answered by `FundsMoved`, `FundsPending`, `FundsRefused` or
    `FundsReturned`."""

    transfer_id: str
    leg: int
    source: str
    destination: str
    amount: Decimal


class QueryFunds(Record, frozen=True):
    """What has become of a leg? Answered by one of those, or by `FundsUnknown`."""

    transfer_id: str
    leg: int


class SuggestFees(Record, frozen=True):
    """What would a bridge pay out for `amount`, and until when? Answered by `BridgeSuggested` or `FundsRefused`."""

    source: str
    destination: str
    amount: Decimal


class DepositToBridge(Record, frozen=True):
    """Lock `amount`, for at least `output_amount` on the other side before `fill_deadline`.

    Until `exclusivity_deadline` only `exclusive_relayer` may fill it, if one is named. Answered as `MoveFunds` is.
    """

    transfer_id: str
    leg: int
    source: str
    destination: str
    amount: Decimal
    output_amount: Decimal
    fill_deadline: Nanos
    exclusive_relayer: str
    exclusivity_deadline: Nanos


# --- answered ------------------------------------------------------------------------------------


class FundsMoved(Record, frozen=True):
    """`amount` has arrived, and can no longer be undone. The hop has kept `fee`."""

    amount: Decimal
    fee: Decimal


class FundsPending(Record, frozen=True):
    """The hop has the request and works on it."""


class FundsUnknown(Record, frozen=True):
    """The hop knows of no such leg."""


class FundsRefused(Record, frozen=True):
    """The money has not left its source, and never will for this leg. `kind` is a `HopTrouble`."""

    kind: HopTrouble
    reason: str


class FundsReturned(Record, frozen=True):
    """The money had left, and `amount` of it is back at the source for good."""

    amount: Decimal
    kind: HopTrouble
    reason: str


class BridgeSuggested(Record, frozen=True):
    """The terms of a deposit that relayers would fill now."""

    output_amount: Decimal
    fill_deadline: Nanos
    exclusive_relayer: str
    exclusivity_deadline: Nanos


# --- told by bridges -----------------------------------------------------------------------------


class BridgeSeen(Record, frozen=True):
    """The deposit is in a block of the source's chain, with so many confirmations."""

    transfer_id: str
    leg: int
    confirmations: int


class BridgeFilled(Record, frozen=True):
    """`relayer` has paid `amount` out at `filled_at`, in a block with so many confirmations.

    An empty `relayer` is a slow fill: the bridge itself pays, from its pool.
    """

    transfer_id: str
    leg: int
    amount: Decimal
    relayer: str
    filled_at: Nanos
    confirmations: int


class BridgeReorged(Record, frozen=True):
    """The block with the deposit (`at_origin`), or with its fill, is no longer part of its chain."""

    transfer_id: str
    leg: int
    at_origin: bool


class BridgeExpired(Record, frozen=True):
    """The fill deadline has passed without a fill. The money is on its way back."""

    transfer_id: str
    leg: int


class BridgeRefunded(Record, frozen=True):
    """`amount` of an expired deposit is back at its source, for good."""

    transfer_id: str
    leg: int
    amount: Decimal
