"""Why the auction refused, reopened or ended something. The codes are stable: tables and people use them."""

from __future__ import annotations

from enum import StrEnum


class BidRefusal(StrEnum):
    """Why a bid or a withdrawal does not count."""

    UNAUTHORISED = "unauthorised"
    """The solver has no account here."""
    UNBONDED = "unbonded"
    """The solver's bond does not cover the penalties for its unpaid commitments and one more."""
    UNKNOWN_BATCH = "unknown_batch"
    """No batch of that height has been opened yet."""
    LATE = "late"
    """The bid deadline of the batch had passed."""
    TOO_MANY_BIDS = "too_many_bids"
    """The solver has used up what it may place in one batch, replacements included."""
    DUPLICATE_BID_ID = "duplicate_bid_id"
    """The solver has used this bid id in this batch already."""
    UNKNOWN_ORDER = "unknown_order"
    """There is no such order, or it has ended."""
    ORDER_NOT_OPEN = "order_not_open"
    """The order is alive, but not up for auction in this batch."""
    INVALID = "invalid"
    """An amount or rate that is not positive, above or off the grid of what the order offers, or for a
    part of an order that is all or nothing; or a validity that ends before the bid deadline."""
    OFF_LOT = "off_lot"
    """For part of a sell that is not a whole number of lots, or for an input that does not pay for one lot of a buy."""
    BELOW_LIMIT = "below_limit"
    """The owner would get less per input than the order's limit."""
    UNFUNDED = "unfunded"
    """The solver's free capital does not cover what it would owe."""
    UNKNOWN_BID = "unknown_bid"
    """There is no standing bid to withdraw."""
    LAPSED = "lapsed"
    """The bid's own validity had ended when its turn came."""


class DepositRefusal(StrEnum):
    """Why a deposit does not count. Nothing was debited."""

    UNKNOWN_COMMITMENT = "unknown_commitment"
    """There is no such commitment, or it ended too long ago to be remembered."""
    FOREIGN = "foreign"
    """The commitment is another solver's."""
    REPEATED = "repeated"
    """The commitment was paid already, with another amount."""
    LATE = "late"
    """Deadline and grace had passed."""
    SHORT = "short"
    """Less than the commitment's minimum output."""


class CancelRefusal(StrEnum):
    """Why a cancel request changed nothing."""

    UNKNOWN_ORDER = "unknown_order"
    """The owner has no such order, or it has ended."""
    TOO_LATE = "too_late"
    """The order is in an auction or promised to a solver."""


class ReplaceRefusal(StrEnum):
    """Why a request to replace an order changed nothing."""

    UNKNOWN_ORDER = "unknown_order"
    """The owner has no such order, or it has ended."""
    TOO_LATE = "too_late"
    """The order is in an auction or promised to a solver."""
    FILLED = "filled"
    """As much as the new quantity, or more, has been traded."""
    AMOUNT_TOO_SMALL = "amount_too_small"
    """What would be left to trade is worth less than the smallest unit of the quote token."""
    UNFUNDED = "unfunded"
    """The owner's account does not hold what the new terms need on top."""


class FailReason(StrEnum):
    """Why an order could not enter an auction at all."""

    UNFUNDED = "unfunded"
    """The owner's account does not hold the input."""


class WaitReason(StrEnum):
    """Why an order, or what is left of it, waits for another batch, or expired because it may not."""

    NO_BID = "no_bid"
    """No bid counted, or none whose solver could still pay."""
    DEFAULTS = "defaults"
    """A winner did not pay and no other bid was left to take over."""
    PART_FILLED = "part_filled"
    """The rest of an order that traded in part."""
    VALIDITY = "validity"
    """The order's validity ended."""
    STOPPED = "stopped"
    """The venue is winding down and opens no more auctions."""
