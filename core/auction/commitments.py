"""What winners owe: the live commitments, and a bounded memory of how earlier ones ended.

A claim is idempotent. Repeating a deposit that was taken gets the same answer again and moves nothing,
for as long as the commitment is remembered: while it lives, and then until `RECENT_MAX` others ended.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from core.auction.reasons import DepositRefusal
from core.auction.states import COMMITMENTS, CommitmentState, CommitmentStep
from core.solver.protocol import Deposit
from core.units import Nanos

RECENT_MAX: Final = 4_096


class Commitment(msgspec.Struct):
    """A solver's promise of `min_output` for `input_amount` of one order."""

    commitment_id: str
    height: int
    order_id: str
    solver: str
    bid_id: str
    sell_token: str
    buy_token: str
    input_amount: Decimal
    min_output: Decimal
    deadline: Nanos
    due: Nanos
    """Deadline plus grace: when it is settled or defaulted."""
    state: CommitmentState = CommitmentState.AWARDED
    claimed: Decimal | None = None
    """The amount of the deposit that was taken."""

    def step(self, step: CommitmentStep) -> None:
        """Move along the table of commitments."""
        self.state = COMMITMENTS.after(self.state, step, self.commitment_id)


class Commitments(msgspec.Struct):
    """By id: those that run, and those that ended last."""

    live: dict[str, Commitment] = {}
    recent: dict[str, Commitment] = {}

    def judge(self, now: Nanos, solver: str, deposit: Deposit) -> Commitment | DepositRefusal:
        """What a deposit counts for, now or when it came first, or why it does not. Changes nothing."""
        owed = self.live.get(deposit.commitment_id) or self.recent.get(deposit.commitment_id)
        if owed is None:
            return DepositRefusal.UNKNOWN_COMMITMENT
        return _refusal(now, solver, deposit, owed) or owed

    def end(self, commitment_id: str) -> Commitment:
        """Take a commitment out of the live ones into the memory, which drops its oldest when full."""
        commitment = self.recent[commitment_id] = self.live.pop(commitment_id)
        if len(self.recent) > RECENT_MAX:
            del self.recent[next(iter(self.recent))]
        return commitment


def _refusal(now: Nanos, solver: str, deposit: Deposit, owed: Commitment) -> DepositRefusal | None:
    if owed.solver != solver:
        return DepositRefusal.FOREIGN
    if owed.claimed is not None:
        return None if deposit.amount == owed.claimed else DepositRefusal.REPEATED
    if now >= owed.due:
        return DepositRefusal.LATE
    return DepositRefusal.SHORT if deposit.amount < owed.min_output else None
