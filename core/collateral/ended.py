"""How the legs of transfers that are over have ended, for a while: hops may contradict their last word afterwards."""

from __future__ import annotations

from typing import Final

from core.collateral.states import LegState
from core.collateral.transfers import Transfer
from core.collateral.vault import Vault

ENDED_MAX: Final = 256
"""Of so many transfers, those that ended last."""


def remember(vault: Vault, transfer: Transfer) -> None:
    """Keep how the legs of a transfer have ended that is over."""
    ended = vault.state.ended
    ended[transfer.transfer_id] = transfer.outcomes
    if len(ended) > ENDED_MAX:
        del ended[next(iter(ended))]


def outcome_of(vault: Vault, transfer_id: str, number: int) -> LegState | None:
    """How a leg has ended; None if it has not, or nobody remembers it."""
    transfer = vault.state.transfers.get(transfer_id)
    outcomes = vault.state.ended.get(transfer_id, {}) if transfer is None else transfer.outcomes
    return outcomes.get(str(number))
