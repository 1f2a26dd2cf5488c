"""What hops answer, and whether it can be believed.

Hops are asked more than once and answer out of order. What they say of the leg at hand is taken as true if it can be;
what they say of an earlier one has been said before, or contradicts what was final, and then somebody has to look.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from core.collateral.books import kept
from core.collateral.bridge import BridgeDeposit, refunded_early, unacceptable
from core.collateral.ended import outcome_of
from core.collateral.facts import HopDisputed
from core.collateral.hops import (
    BridgeSuggested,
    FundsMoved,
    FundsPending,
    FundsRefused,
    FundsReturned,
    FundsUnknown,
)
from core.collateral.legs import accept, arrive, fail, give_back, send, send_again
from core.collateral.moving import floor_of
from core.collateral.states import BridgeState, BridgeStep, HoldingStep, LegState
from core.collateral.transfers import Leg, Transfer, subject_of
from core.collateral.vault import Vault
from core.kernel.record import Record, Reply
from core.units import MONEY, Nanos, as_text, is_integer, is_number, is_text

DISPUTES_MAX: Final = 16
"""So many disputes of a transfer, and of all that are forgotten, are remembered, to know which were stated."""


def on_reply(vault: Vault, now: Nanos, event: Reply[Any]) -> None:
    """What a hop has answered. An answer about a leg that is over changes nothing any more.

    Nor does one about terms once the leg has some: a bridge that suggests none now may have the money by then.
    """
    transfer_id, number, is_terms = subject_of(event.call_id)
    transfer = vault.state.transfers.get(transfer_id)
    leg = None if transfer is None else transfer.leg
    if is_terms and not (leg is not None and leg.number == number and leg.state is LegState.QUOTING):
        return
    if transfer is None or leg is None or leg.number != number:
        dispute_stale(vault, transfer_id, number, event.body)
    elif not is_nonsense(vault, transfer, leg, event.body):
        _ANSWERS[type(event.body)](vault, now, transfer, event.body)


def is_nonsense(vault: Vault, transfer: Transfer, leg: Leg, said: Record) -> bool:
    """Whether an amount that is spoken of is none, or a number or a name cannot be kept, which is stated. It is as if
    nothing had been said. Reasons are for people, and are cut where they are stated."""
    for name in said.__struct_fields__:
        flaw = "" if name == "reason" else _flaw(getattr(said, name))
        if flaw:
            dispute(vault, transfer, leg.hop, leg.number, f"says in {type(said).__name__} that {name} is {flaw}")
            return True
    return False


def dispute(vault: Vault, transfer: Transfer, hop: str, number: int, what: str) -> None:
    """State that a hop says what cannot be, once however often it says so."""
    what = as_text(what)
    if _is_new(transfer.disputes, f"{number}: {what}"):
        vault.note(HopDisputed(transfer.transfer_id, number, hop, what))


def dispute_forgotten(vault: Vault, transfer_id: str, number: int, what: str) -> None:
    """State that something is said of a transfer that is over, or never was, once however often it is said: the last
    of these are remembered."""
    transfer_id, what = as_text(transfer_id), as_text(what)
    if _is_new(vault.state.disputes, f"{transfer_id}.{number}: {what}"):
        vault.note(HopDisputed(transfer_id, number, "", what))


def dispute_stale(vault: Vault, transfer_id: str, number: int, said: Record) -> None:
    """State it if what is said of a leg that is over contradicts what was final; otherwise pass over it."""
    transfer, outcome = vault.state.transfers.get(transfer_id), outcome_of(vault, transfer_id, number)
    if outcome is LegState.MOVED and isinstance(said, FundsRefused | FundsReturned):
        what = f"the leg has moved, and now: {said!r}"
    elif outcome is not None and outcome is not LegState.MOVED and isinstance(said, FundsMoved):
        what = f"the leg was {outcome}, and now: {said!r}"
    else:
        return
    if transfer is None:
        dispute_forgotten(vault, transfer_id, number, what)
    else:
        dispute(vault, transfer, "", number, what)


def note_excess(vault: Vault, transfer: Transfer, leg: Leg, amount: Decimal) -> None:
    """State it if a hop that delivers or brings back `amount` has kept more of a leg than it may."""
    fee = kept(leg.amount, amount)
    if fee > MONEY.multiply(leg.amount, vault.graph.hops[leg.hop].fee_share_max):
        dispute(vault, transfer, leg.hop, leg.number, f"has kept {fee} of {leg.amount}, more than it may")


def _on_suggested(vault: Vault, now: Nanos, transfer: Transfer, terms: BridgeSuggested) -> None:
    leg = transfer.leg
    assert leg is not None
    if leg.state is not LegState.QUOTING:
        return
    why = unacceptable(now, vault.graph.hops[leg.hop], leg.amount, terms, floor_of(vault, transfer))
    if why is not None:
        fail(vault, now, transfer, why)
        return
    leg.bridge = BridgeDeposit(terms, made_at=now)
    send(vault, now, transfer)


def _on_pending(vault: Vault, now: Nanos, transfer: Transfer, _said: FundsPending) -> None:
    leg = transfer.leg
    assert leg is not None
    if leg.is_under_way:
        if leg.bridge is not None and leg.bridge.state is BridgeState.DROPPED:
            leg.bridge.step(BridgeStep.SUBMITTED, transfer.transfer_id)
        accept(vault, now, transfer)


def _on_unknown(vault: Vault, now: Nanos, transfer: Transfer, _said: FundsUnknown) -> None:
    leg = transfer.leg
    assert leg is not None
    if leg.state is LegState.UNCLEAR:
        if leg.bridge is not None and leg.bridge.state is BridgeState.DROPPED:
            leg.bridge.step(BridgeStep.SUBMITTED, transfer.transfer_id)
        send_again(vault, now, transfer)


def _on_moved(vault: Vault, now: Nanos, transfer: Transfer, said: FundsMoved) -> None:
    leg = transfer.leg
    assert leg is not None
    if not _is_of(vault, transfer, leg, said.amount):
        return
    fee = kept(leg.amount, said.amount)
    if fee != said.fee:
        dispute(vault, transfer, leg.hop, leg.number, f"names a fee of {said.fee}, and has kept {fee}")
    note_excess(vault, transfer, leg, said.amount)
    if leg.bridge is not None:
        agreed = leg.bridge.terms.output_amount
        if said.amount < agreed:
            dispute(vault, transfer, leg.hop, leg.number, f"has paid out {said.amount}, agreed was {agreed}")
        leg.bridge.step(BridgeStep.FINAL, transfer.transfer_id)
    arrive(vault, now, transfer, said.amount)


def _on_refused(vault: Vault, now: Nanos, transfer: Transfer, said: FundsRefused) -> None:
    leg = transfer.leg
    assert leg is not None
    if leg.is_under_way:
        vault.book(now, transfer.owner, transfer.key, HoldingStep.CARRIED, transfer.amount, place=leg.source)
    elif leg.state is not LegState.QUOTING:
        return
    fail(vault, now, transfer, said)


def _on_returned(vault: Vault, now: Nanos, transfer: Transfer, said: FundsReturned) -> None:
    leg = transfer.leg
    assert leg is not None
    if not _is_of(vault, transfer, leg, said.amount):
        return
    if leg.bridge is not None:
        early = refunded_early(now, leg.bridge)
        if early:
            dispute(vault, transfer, leg.hop, leg.number, early)
            return
        leg.bridge.step(BridgeStep.REFUNDED, transfer.transfer_id)
    note_excess(vault, transfer, leg, said.amount)
    give_back(vault, now, transfer, said.amount, FundsRefused(said.kind, said.reason))


_ANSWERS: Final[dict[type[Record], Callable[[Vault, Nanos, Transfer, Any], None]]] = {
    BridgeSuggested: _on_suggested,
    FundsPending: _on_pending,
    FundsUnknown: _on_unknown,
    FundsMoved: _on_moved,
    FundsRefused: _on_refused,
    FundsReturned: _on_returned,
}


def _flaw(value: object) -> str:
    """What cannot be kept, as it can be stated; empty if it can."""
    if isinstance(value, Decimal):
        return "" if is_number(value) else str(value)
    if isinstance(value, int):
        return "" if is_integer(value) else f"of {value.bit_length()} bits"
    return value if isinstance(value, str) and not is_text(value) else ""


def _is_new(disputes: list[str], what: str) -> bool:
    """Whether that was not stated lately; then it counts as stated."""
    if what in disputes:
        return False
    disputes.append(what)
    del disputes[:-DISPUTES_MAX]
    return True


def _is_of(vault: Vault, transfer: Transfer, leg: Leg, amount: Decimal) -> bool:
    """Whether a hop can have moved that amount, which the books then take; if not, it will be asked again."""
    if not leg.is_under_way:
        dispute(vault, transfer, leg.hop, leg.number, f"speaks of {amount}, and was given nothing yet")
        return False
    if not 0 <= amount <= leg.amount:
        dispute(vault, transfer, leg.hop, leg.number, f"speaks of {amount}, and was given {leg.amount}")
        return False
    return True
