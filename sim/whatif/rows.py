"""The columns of a what-if's tables, as `sim.results.rows` has those of a run's."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from sim.results.rows import (
    ZERO,
    BlockRow,
    Count,
    Doc,
    Flag,
    Money,
    PlacementRow,
    Ratio,
    Row,
    Span,
    Text,
)


class Cause(StrEnum):
    """Why an order came out otherwise: the first step at which its two lives part. The codes are stable."""

    ADMISSION = "admission"
    """It was accepted in one run only, or refused for another reason."""
    BID_REFUSED = "bid_refused"
    """The bid that won does not count now; `cause_reason` says why."""
    BID_COUNTS = "bid_counts"
    """A bid that did not count, for `cause_reason`, does now and wins."""
    NOT_BID = "not_bid"
    """The solver that won does not bid for it now."""
    NEW_BID = "new_bid"
    """A solver that had not bid for it wins."""
    OTHER_TERMS = "other_terms"
    """Who bid before bids now too, but at other terms."""
    OUTRANKED = "outranked"
    """The same bids are ranked otherwise."""
    PAYMENT = "payment"
    """The same bid wins, and trades at other amounts."""
    DEFAULTED = "defaulted"
    """The same winner does not pay now."""
    PAID = "paid"
    """The same winner pays now."""
    LATER_AUCTION = "later_auction"
    """It was sold in an auction that it is not in now, or the other way round."""
    END = "end"
    """The same trades, and another end: a cancel or deadline came before or after; `cause_reason` is the new one's."""


class PairedOrder(Row, kw_only=True):
    """One row per order, in the order in which the recording has them; those that only the rerun has come last."""

    owner: Annotated[Text, Doc("CompID of the market maker")]
    cl_ord_id: Annotated[Text, Doc("ClOrdID; empty for a replaced market maker, which numbers anew")]
    nth: Annotated[Count, Doc("Which one under that ClOrdID; of a replaced market maker, which of all")]
    symbol: Annotated[Text, Doc("Pair")]
    side: Annotated[Text | None, Doc("`buy` or `sell`")]
    quantity: Annotated[Money | None, Doc("Ordered quantity", "base")]
    limit_price: Annotated[Money | None, Doc("Worst acceptable price", "quote per base")]
    order_id_before: Annotated[Text | None, Doc("The venue's id in the recording; null if refused or absent")] = None
    order_id_after: Annotated[Text | None, Doc("The venue's id in the rerun")] = None
    status_before: Annotated[Text | None, Doc("As in `orders`; null if it is in the rerun only")] = None
    status_after: Annotated[Text | None, Doc("As in `orders`; null if it is in the recording only")] = None
    reason_before: Annotated[Text | None, Doc("Reason code of an expiry, failure or refusal")] = None
    reason_after: Annotated[Text | None, Doc("The same in the rerun")] = None
    winners_before: Annotated[Text, Doc("Solvers that it was awarded to, in turn; `!` marks a default")] = ""
    winners_after: Annotated[Text, Doc("The same in the rerun")] = ""
    filled_before: Annotated[Money, Doc("Filled quantity", "base")] = ZERO
    filled_after: Annotated[Money, Doc("The same in the rerun", "base")] = ZERO
    price_before: Annotated[Money | None, Doc("Average fill price; null unfilled", "quote per base")] = None
    price_after: Annotated[Money | None, Doc("The same in the rerun", "quote per base")] = None
    surplus_before: Annotated[Money, Doc("Price improvement over its limit", "quote")] = ZERO
    surplus_after: Annotated[Money, Doc("The same in the rerun", "quote")] = ZERO
    surplus_change: Annotated[Money, Doc("surplus_after less surplus_before", "quote")] = ZERO
    bps_before: Annotated[Ratio | None, Doc("Surplus over the limit's value of what was filled", "bps")] = None
    bps_after: Annotated[Ratio | None, Doc("The same in the rerun", "bps")] = None
    later_ns: Annotated[Span | None, Doc("How much later it ended; null if either run ended first", "ns")] = None
    changed: Annotated[Flag, Doc("Another end, other winners or other amounts")] = False
    cause: Annotated[Text | None, Doc("Why, as a code; null if nothing changed")] = None
    cause_solver: Annotated[Text | None, Doc("The solver that the cause is about")] = None
    cause_reason: Annotated[Text | None, Doc("The venue's reason code behind the cause")] = None


class PairedSolver(Row, kw_only=True):
    """One row per solver of the venue."""

    solver: Annotated[Text, Doc("Who")]
    bids_before: Annotated[Count, Doc("Bids that counted")] = 0
    bids_after: Annotated[Count, Doc("The same in the rerun")] = 0
    refused_before: Annotated[Count, Doc("Bids that were refused")] = 0
    refused_after: Annotated[Count, Doc("The same in the rerun")] = 0
    awards_before: Annotated[Count, Doc("Commitments, reassignments included")] = 0
    awards_after: Annotated[Count, Doc("The same in the rerun")] = 0
    share_before: Annotated[Ratio, Doc("Share of all awards")] = 0.0
    share_after: Annotated[Ratio, Doc("The same in the rerun")] = 0.0
    defaults_before: Annotated[Count, Doc("Commitments that it did not pay for")] = 0
    defaults_after: Annotated[Count, Doc("The same in the rerun")] = 0
    penalties_before: Annotated[Money, Doc("What left its bond", "bond token")] = ZERO
    penalties_after: Annotated[Money, Doc("The same in the rerun", "bond token")] = ZERO


class PairedParticipant(Row, kw_only=True):
    """One row per market maker with a message in a block of either run: the fairness ledger in sum."""

    participant: Annotated[Text, Doc("Market maker")]
    messages_before: Annotated[Count, Doc("Its messages in sealed blocks")] = 0
    messages_after: Annotated[Count, Doc("The same in the rerun")] = 0
    mean_before: Annotated[Ratio | None, Doc("Places that they lost, on average; negative if gained")] = None
    mean_after: Annotated[Ratio | None, Doc("The same in the rerun")] = None
    p5_before: Annotated[Ratio | None, Doc("5 % of them lost less, or gained more")] = None
    p5_after: Annotated[Ratio | None, Doc("The same in the rerun")] = None
    median_before: Annotated[Ratio | None, Doc("Half of them lost less, or gained more")] = None
    median_after: Annotated[Ratio | None, Doc("The same in the rerun")] = None
    p95_before: Annotated[Ratio | None, Doc("95 % of them lost less, or gained more")] = None
    p95_after: Annotated[Ratio | None, Doc("The same in the rerun")] = None
    max_before: Annotated[Count | None, Doc("Places that the worst off of them lost")] = None
    max_after: Annotated[Count | None, Doc("The same in the rerun")] = None


class BlockOfRun(BlockRow, kw_only=True):
    """One row per sealed block of the recording, then one per block of the rerun."""

    run: Annotated[Text, Doc("`before` in the recording, `after` in the rerun")]


class PlacementOfRun(PlacementRow, kw_only=True):
    """One row per message of a sealed block, those of the recording first: the fairness ledgers of both runs."""

    run: Annotated[Text, Doc("`before` in the recording, `after` in the rerun")]


TABLES: Final[dict[str, type[Row]]] = {
    "orders": PairedOrder,
    "solvers": PairedSolver,
    "fairness": PairedParticipant,
    "blocks": BlockOfRun,
    "placements": PlacementOfRun,
}
