"""A deposit to a bridge: which terms are taken, how certain it is, and what news of it is believed."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from core.collateral.hops import BridgeFilled, BridgeSuggested, FundsRefused, HopTrouble
from core.collateral.settings import BridgeSettings, HopSettings
from core.collateral.states import BRIDGES, BridgeState, BridgeStep
from core.units import EXACT, MONEY, SECOND, Nanos

FILL_TIME_MAX: Final = 24 * 3600 * SECOND
"""No deposit can be had back before its deadline, so none is made with one that is further away."""
SLOW: Final = ""
"""The relayer of a slow fill."""
CLOCKS_APART_MAX: Final = 60 * SECOND
"""By so much the clock of a chain may differ from the one here."""


class BridgeDeposit(msgspec.Struct):
    """What was agreed, and what has become of it."""

    terms: BridgeSuggested
    made_at: Nanos
    """It cannot have been filled before."""
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


def unacceptable(
    now: Nanos, hop: HopSettings, amount: Decimal, terms: BridgeSuggested, floor: Decimal
) -> FundsRefused | None:
    """Why the terms of a bridge are not taken, if so. `floor` is how much a fee has to leave of the transfer."""
    assert hop.bridge is not None
    fee = EXACT.subtract(amount, terms.output_amount)
    if not 0 < terms.output_amount <= amount:
        return FundsRefused(HopTrouble.UNAVAILABLE, f"suggests {terms.output_amount} for {amount}")
    if fee > MONEY.multiply(amount, hop.fee_share_max):
        return FundsRefused(HopTrouble.FEE_TOO_HIGH, f"suggests a fee of {fee} for {amount}")
    if fee > 0 and terms.output_amount < floor:
        return FundsRefused(HopTrouble.FEE_TOO_HIGH, f"suggests a fee of {fee}, and {floor} have to arrive in all")
    if terms.fill_deadline > now + FILL_TIME_MAX:
        return FundsRefused(HopTrouble.UNAVAILABLE, "suggests a fill deadline that is too far away")
    if terms.fill_deadline < now + hop.bridge.fill_time_min:
        return FundsRefused(HopTrouble.UNAVAILABLE, "suggests a fill deadline that is too near")
    return None


def implausible(now: Nanos, fill: BridgeFilled, deposit: BridgeDeposit, amount: Decimal) -> str:
    """What is wrong with news of a fill; empty when nothing is.

    A bridge lets nobody fill below the agreed output, above the deposit, after the deadline, or before the exclusive
    relayer's time is over, and nobody fills before there is a deposit, or in the future: such news is not of our
    deposit, and a query will say what has become of that.
    """
    terms = deposit.terms
    if not terms.output_amount <= fill.amount <= amount:
        return f"a fill of {fill.amount}, agreed was {terms.output_amount} for {amount}"
    if fill.filled_at > terms.fill_deadline:
        return f"a fill at {fill.filled_at}, after its deadline {terms.fill_deadline}"
    if fill.filled_at < deposit.made_at - CLOCKS_APART_MAX:
        return f"a fill at {fill.filled_at}, before its deposit at {deposit.made_at}"
    if fill.filled_at > now + CLOCKS_APART_MAX:
        return f"a fill at {fill.filled_at}, which is yet to come"
    exclusive = terms.exclusive_relayer
    if exclusive and fill.relayer != exclusive and fill.filled_at < terms.exclusivity_deadline:
        return f"a fill by {fill.relayer or 'the bridge itself'} while only {exclusive} may"
    return ""


def refunded_early(now: Nanos, deposit: BridgeDeposit) -> str:
    """What is wrong with a refund that is told now; empty when nothing is.

    Until its deadline a deposit may be filled, and no bridge gives it back: if that were believed, the money would be
    sent a second time.
    """
    deadline = deposit.terms.fill_deadline
    return f"refunds before its deadline {deadline}" if now < deadline else ""
