"""A deposit to a bridge: which terms are taken, how certain it is, and what news of it is believed."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from core.collateral.hops import BridgeFilled, BridgeSuggested, FundsRefused, HopTrouble
from core.collateral.settings import BridgeSettings, HopSettings
from core.collateral.states import BRIDGES, BridgeState, BridgeStep
from core.units import EXACT, MONEY, Nanos

SLOW: Final = ""
"""The relayer of a slow fill."""


class BridgeDeposit(msgspec.Struct):
    """What was agreed, and what has become of it."""

    terms: BridgeSuggested
    state: BridgeState = BridgeState.SUBMITTED
    confirmations: int = 0
    """Of the deposit, or of its fill once it is filled."""
    filled: Decimal = Decimal(0)
    """By the fill that waits for its confirmations."""

    def step(self, step: BridgeStep, who: str) -> None:
        """Move along the table of bridge deposits."""
        self.state = BRIDGES.after(self.state, step, who)

    def can(self, step: BridgeStep) -> bool:
        """Whether the table has the step."""
        return step in BRIDGES.table[self.state]


def blocks_needed(bridge: BridgeSettings, value: Decimal) -> int:
    """How many confirmations make a deposit of that value certain."""
    return next(step.blocks for step in bridge.confirmations if step.value is None or value <= step.value)


def unacceptable(now: Nanos, hop: HopSettings, amount: Decimal, terms: BridgeSuggested) -> FundsRefused | None:
    """Why the terms of a bridge are not taken, if so."""
    assert hop.bridge is not None
    fee = EXACT.subtract(amount, terms.output_amount)
    if not 0 < terms.output_amount <= amount:
        return FundsRefused(HopTrouble.UNAVAILABLE, f"suggests {terms.output_amount} for {amount}")
    if fee > MONEY.multiply(amount, hop.fee_share_max):
        return FundsRefused(HopTrouble.FEE_TOO_HIGH, f"suggests a fee of {fee} for {amount}")
    if terms.fill_deadline < now + hop.bridge.fill_time_min:
        return FundsRefused(HopTrouble.UNAVAILABLE, "suggests a fill deadline that is too near")
    return None


def implausible(fill: BridgeFilled, terms: BridgeSuggested, amount: Decimal) -> str:
    """What is wrong with news of a fill; empty when nothing is.

    A bridge lets nobody fill below the agreed output, above the deposit, after the deadline, or before the exclusive
    relayer's time is over: such news is not of our deposit, and a query will say what has become of that.
    """
    if not terms.output_amount <= fill.amount <= amount:
        return f"a fill of {fill.amount}, agreed was {terms.output_amount} for {amount}"
    if fill.filled_at > terms.fill_deadline:
        return f"a fill at {fill.filled_at}, after its deadline {terms.fill_deadline}"
    exclusive = terms.exclusive_relayer
    if exclusive and fill.relayer != exclusive and fill.filled_at < terms.exclusivity_deadline:
        return f"a fill by {fill.relayer or 'the bridge itself'} while only {exclusive} may"
    return ""
