"""Why an order came out otherwise: a walk along its two lives to the first step that differs."""

from __future__ import annotations

from itertools import zip_longest
from typing import NamedTuple

import msgspec

from sim.results.rows import BidRow, CommitmentRow, OrderRow
from sim.whatif.rows import Cause

_NOT_COUNTED = ("rejected", "passed_over")


class Life(msgspec.Struct):
    """One order in one run: how it ended, all bids for it, all its commitments."""

    order: OrderRow
    bids: list[BidRow] = []
    commitments: list[CommitmentRow] = []

    @property
    def outcome(self) -> tuple[object, ...]:
        """Equal for lives that came to the same."""
        trades = tuple((c.solver, c.status, c.input_amount, c.min_output) for c in self.commitments)
        return self.order.status, self.order.reason, trades

    def bid_of(self, solver: str, near: CommitmentRow) -> BidRow | None:
        """The solver's last bid, in the auction of the commitment if it was in that."""
        own = [bid for bid in self.bids if bid.solver == solver]
        there = [bid for bid in own if bid.height == near.height] or own
        return there[-1] if there else None


class Why(NamedTuple):
    """A cause, the solver it is about, and the venue's reason code behind it, if any."""

    cause: Cause
    solver: str | None = None
    reason: str | None = None


def why(before: Life, after: Life) -> Why | None:
    """The cause of the difference, None if there is none."""
    if before.outcome == after.outcome:
        return None
    if (before.order.order_id is None) != (after.order.order_id is None) or after.order.order_id is None:
        return Why(Cause.ADMISSION, None, after.order.reason or before.order.reason)
    for then, now in zip_longest(before.commitments, after.commitments):
        found = _step(before, after, then, now)
        if found is not None:
            return found
    return Why(Cause.END, None, after.order.reason)


def _step(before: Life, after: Life, then: CommitmentRow | None, now: CommitmentRow | None) -> Why | None:
    if then is None or now is None:
        return _one_sided(before, after, then, now)
    if then.solver != now.solver:
        return _other_winner(before, after, then, now)
    if (then.input_amount, then.min_output) != (now.input_amount, now.min_output):
        same = _terms(before.bid_of(then.solver, then)) == _terms(after.bid_of(now.solver, now))
        return Why(Cause.PAYMENT if same else Cause.OTHER_TERMS, now.solver)
    if then.status != now.status:
        return Why(Cause.DEFAULTED if now.status == "defaulted" else Cause.PAID, now.solver)
    return None


def _one_sided(before: Life, after: Life, then: CommitmentRow | None, now: CommitmentRow | None) -> Why:
    """It was awarded once more in one of the runs."""
    if now is not None:
        return _gained(before, now) or Why(Cause.LATER_AUCTION, now.solver)
    assert then is not None
    return _lost(after, then, then) or Why(Cause.LATER_AUCTION, then.solver, after.order.reason)


def _other_winner(before: Life, after: Life, then: CommitmentRow, now: CommitmentRow) -> Why:
    found = _lost(after, then, now) or _gained(before, now)
    if found is not None:
        return found
    same = all(_terms(before.bid_of(s, then)) == _terms(after.bid_of(s, now)) for s in (then.solver, now.solver))
    return Why(Cause.OUTRANKED if same else Cause.OTHER_TERMS, now.solver)


def _lost(after: Life, then: CommitmentRow, near: CommitmentRow) -> Why | None:
    """What became of the bid that won."""
    bid = after.bid_of(then.solver, near)
    if bid is None:
        return Why(Cause.NOT_BID, then.solver)
    return Why(Cause.BID_REFUSED, then.solver, bid.reason) if bid.status in _NOT_COUNTED else None


def _gained(before: Life, now: CommitmentRow) -> Why | None:
    """Why the bid that wins now did not win."""
    bid = before.bid_of(now.solver, now)
    if bid is None:
        return Why(Cause.NEW_BID, now.solver)
    return Why(Cause.BID_COUNTS, now.solver, bid.reason) if bid.status in _NOT_COUNTED else None


def _terms(bid: BidRow | None) -> object:
    return None if bid is None else (bid.max_input, bid.conversion_rate)
