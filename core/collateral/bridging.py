"""News of deposits to bridges: what of it is believed moves the deposit along its table, and the leg with it.

News may be lost, late, repeated or of a deposit that is over. None of that costs anything: a leg at a bridge is polled
as any other, and the answer to a query settles it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from core.collateral.answers import dispute, dispute_forgotten, dispute_stale, is_nonsense, note_excess
from core.collateral.bridge import BridgeDeposit, blocks_needed, implausible, refunded_early
from core.collateral.ended import outcome_of
from core.collateral.facts import BridgeStepped
from core.collateral.hops import (
    BridgeExpired,
    BridgeFilled,
    BridgeRefunded,
    BridgeReorged,
    BridgeSeen,
    FundsMoved,
    FundsRefused,
    FundsReturned,
    HopTrouble,
)
from core.collateral.legs import accept, arrive, ask, give_back
from core.collateral.positions import ZERO
from core.collateral.states import BridgeState, BridgeStep, LegState
from core.collateral.transfers import Leg, Transfer
from core.collateral.vault import Vault
from core.kernel.record import Message
from core.units import Nanos, as_integer, is_integer

News = BridgeSeen | BridgeFilled | BridgeReorged | BridgeExpired | BridgeRefunded


class _Subject(NamedTuple):
    """What news is about."""

    transfer: Transfer
    leg: Leg
    deposit: BridgeDeposit


def on_seen(vault: Vault, now: Nanos, event: Message[BridgeSeen]) -> None:
    """The deposit is on its chain, this deep."""
    found = _subject(vault, event.body)
    if found is None:
        return
    deposit = found.deposit
    if deposit.state is BridgeState.DROPPED:
        _step(vault, found, BridgeStep.SUBMITTED)
    if deposit.state is BridgeState.SUBMITTED:
        deposit.confirmations = event.body.confirmations
        if deposit.confirmations >= _needed(vault, found.leg):
            _step(vault, found, BridgeStep.SECURED)
    _heard(vault, now, found)


def on_filled(vault: Vault, now: Nanos, event: Message[BridgeFilled]) -> None:
    """Somebody has paid out on the other side; it counts once it is deep enough."""
    said = event.body
    found = _subject(vault, said)
    if found is None:
        return
    transfer, leg, deposit = found
    wrong = implausible(now, said, deposit, leg.amount)
    if wrong:
        dispute(vault, transfer, leg.hop, leg.number, wrong)
        return
    deposit.filled, deposit.confirmations = said.amount, said.confirmations
    if deposit.can(BridgeStep.FILLED):
        _step(vault, found, BridgeStep.FILLED)
    if said.confirmations >= _needed(vault, leg):
        _step(vault, found, BridgeStep.FINAL)
        arrive(vault, now, transfer, said.amount)
    else:
        _heard(vault, now, found)


def on_reorged(vault: Vault, now: Nanos, event: Message[BridgeReorged]) -> None:
    """A block is gone. A fill will come again or not; whether a deposit has to, the bridge is asked."""
    found = _subject(vault, event.body)
    if found is None:
        return
    deposit, step = found.deposit, BridgeStep.DEPOSIT_UNDONE if event.body.at_origin else BridgeStep.FILL_UNDONE
    if deposit.can(step):
        deposit.filled, deposit.confirmations = ZERO, 0
        _step(vault, found, step)
    elif event.body.at_origin:
        if deposit.state is not BridgeState.DROPPED:
            dispute(vault, found.transfer, found.leg.hop, found.leg.number, f"deposit undone while {deposit.state}")
        return
    if event.body.at_origin:
        ask(vault, now, found.transfer)
    else:
        _heard(vault, now, found)


def on_expired(vault: Vault, now: Nanos, event: Message[BridgeExpired]) -> None:
    """Nobody has filled it in time: the money will come back."""
    found = _subject(vault, event.body)
    if found is None:
        return
    if now < found.deposit.terms.fill_deadline:
        dispute(vault, found.transfer, found.leg.hop, found.leg.number, "expired before its deadline")
        return
    if found.deposit.can(BridgeStep.EXPIRED):
        _step(vault, found, BridgeStep.EXPIRED)
    _heard(vault, now, found)


def on_refunded(vault: Vault, now: Nanos, event: Message[BridgeRefunded]) -> None:
    """The money is back where it was deposited."""
    found = _subject(vault, event.body)
    if found is None:
        return
    transfer, leg, deposit = found
    amount = event.body.amount
    wrong = refunded_early(now, deposit)
    if not 0 <= amount <= leg.amount:
        wrong = f"refunds {amount} of {leg.amount}"
    if wrong:
        dispute(vault, transfer, leg.hop, leg.number, wrong)
        return
    note_excess(vault, transfer, leg, amount)
    _step(vault, found, BridgeStep.REFUNDED)
    give_back(vault, now, transfer, amount, FundsRefused(HopTrouble.EXPIRED, "not filled in time"))


def _subject(vault: Vault, news: News) -> _Subject | None:
    """What the news is about, if that is not over and the news is not nonsense."""
    if not is_integer(news.leg):
        what = f"speaks in {type(news).__name__} of a leg with a number of {news.leg.bit_length()} bits"
        dispute_forgotten(vault, news.transfer_id, as_integer(news.leg), what)
        return None
    transfer = vault.state.transfers.get(news.transfer_id)
    leg = None if transfer is None else transfer.leg
    if transfer is not None and leg is not None and leg.number == news.leg and leg.is_under_way and leg.bridge:
        return None if is_nonsense(vault, transfer, leg, news) else _Subject(transfer, leg, leg.bridge)
    said = _as_answer(news)
    if isinstance(news, BridgeReorged):
        _dispute_undone(vault, transfer, news)
    elif said is not None:
        dispute_stale(vault, news.transfer_id, news.leg, said)
    return None


def _dispute_undone(vault: Vault, transfer: Transfer | None, news: BridgeReorged) -> None:
    """State that what counted as final is undone, of a leg that has moved, or of which nobody knows any more.

    Its money is booked where it arrived, and may be on its way again or spent. Nothing takes it back: whoever looks at
    it compares what is booked there with what is there.
    """
    is_known = transfer is not None or news.transfer_id in vault.state.ended
    if is_known and outcome_of(vault, news.transfer_id, news.leg) is not LegState.MOVED:
        return
    what = "the deposit" if news.at_origin else "the fill"
    where = "may not have left its source" if news.at_origin else "may not be where it is booked"
    said = f"{what} was undone after the leg had ended: its money {where}"
    if transfer is None:
        dispute_forgotten(vault, news.transfer_id, news.leg, said)
    else:
        dispute(vault, transfer, "", news.leg, said)


def _as_answer(news: News) -> FundsMoved | FundsReturned | None:
    if isinstance(news, BridgeFilled):
        return FundsMoved(news.amount, Decimal(0))
    if isinstance(news, BridgeRefunded):
        return FundsReturned(news.amount, HopTrouble.EXPIRED, "")
    return None


def _needed(vault: Vault, leg: Leg) -> int:
    bridge = vault.graph.hops[leg.hop].bridge
    assert bridge is not None
    return blocks_needed(bridge, leg.amount)


def _step(vault: Vault, found: _Subject, step: BridgeStep) -> None:
    transfer, leg, deposit = found
    deposit.step(step, f"{transfer.transfer_id}.{leg.number}")
    vault.note(
        BridgeStepped(
            transfer.transfer_id,
            leg.number,
            leg.hop,
            what=step,
            state=deposit.state,
            confirmations=deposit.confirmations,
        )
    )


def _heard(vault: Vault, now: Nanos, found: _Subject) -> None:
    """The bridge is at it, whatever became of its answer. One whose deposit is gone still has to say so."""
    if found.leg.state is not LegState.UNCLEAR or found.deposit.state is not BridgeState.DROPPED:
        accept(vault, now, found.transfer)
