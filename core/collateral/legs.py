"""One leg after the other: hops are asked to move money, and what they say, or fail to say, decides how it goes on.

Money is with a hop from the moment it is asked until it has said what became of it. Silence is met with questions,
never with a second movement and never with another way: only a hop that knows of nothing is asked again, for the same
leg, which it executes once at most. A bridge that suggests no terms is asked for them again as well; only if it stays
silent another way is taken, for no money has moved.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.collateral.books import kept
from core.collateral.hops import (
    DepositToBridge,
    FundsRefused,
    HopTrouble,
    MoveFunds,
    QueryFunds,
    SuggestFees,
    service_of,
)
from core.collateral.last_words import tell_under_way
from core.collateral.moving import advance, affords, leave, should_turn
from core.collateral.positions import ZERO
from core.collateral.states import HoldingStep, LegState, LegStep
from core.collateral.transfers import UNSENT, Leg, Purpose, Transfer, call_id_of
from core.collateral.vault import Vault
from core.kernel.record import Call, Record
from core.units import Nanos, as_text

OUTCOMES_MAX: Final = 64
"""So many earlier legs of a transfer are remembered, to know what contradicts them."""


def go_on(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """Take the next leg of a transfer that is at a stop, if there is one to take."""
    hop = advance(vault, now, transfer)
    if hop:
        open_leg(vault, now, transfer, hop)


def open_leg(vault: Vault, now: Nanos, transfer: Transfer, hop: str, pause: Nanos = 0) -> None:
    """Begin an attempt at a hop, after a pause."""
    transfer.legs += 1
    settings = vault.graph.hops[hop]
    transfer.leg = Leg(transfer.legs, hop, settings.source, settings.destination, transfer.amount)
    if pause:
        vault.wait(transfer, now + pause)
    else:
        _launch(vault, now, transfer)


def time_out(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """Whoever a transfer pays has waited long enough: what no hop has is left where it is, and of what a hop has he
    hears, and the hop is asked."""
    if transfer.leg is None:
        leave(vault, now, transfer)
    elif transfer.leg.is_under_way:
        tell_under_way(vault, transfer)
        look_at(vault, now, transfer)
    else:
        abandon(vault, now, transfer)


def look_at(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """A transfer's wait is over."""
    leg = transfer.leg
    assert leg is not None
    if leg.state is LegState.WAITING and not leg.queued:
        _launch(vault, now, transfer)
    elif leg.state is LegState.WAITING:
        fail(vault, now, transfer, FundsRefused(HopTrouble.NO_CAPACITY, "no room in time"))
    elif leg.state is LegState.QUOTING and leg.queries < len(vault.settings.queries):
        _ask_terms(vault, now, transfer)
    elif leg.state is LegState.QUOTING:
        fail(vault, now, transfer, FundsRefused(HopTrouble.SILENT, "suggests nothing in time"))
    else:
        ask(vault, now, transfer)


def abandon(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """Give up a leg that has not sent any money, if that is where the transfer is, and go on from there."""
    leg = transfer.leg
    if leg is not None and leg.state in UNSENT:
        _end_leg(vault, transfer, LegStep.ABANDONED)
        wake(vault, now, leg.hop)
        go_on(vault, now, transfer)


def ask(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """Have the hop say what has become of a leg, again and again until it does."""
    leg = transfer.step_leg(LegStep.OVERDUE)
    if not leg.queries:
        vault.note_leg(transfer, LegStep.OVERDUE)
    _inquire(vault, now, transfer, QueryFunds(transfer.transfer_id, leg.number))


def accept(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """The hop is at it."""
    leg = transfer.step_leg(LegStep.ACCEPTED)
    leg.queries = 0
    vault.wait(transfer, now + vault.graph.hops[leg.hop].poll)


def arrive(vault: Vault, now: Nanos, transfer: Transfer, amount: Decimal) -> None:
    """The hop has delivered `amount`; the rest of what it was given is its fee, whatever it calls it."""
    leg = transfer.leg
    assert leg is not None
    fee = _charge(vault, now, transfer, amount)
    if amount:
        vault.book(now, transfer.owner, transfer.key, HoldingStep.CARRIED, amount, place=leg.destination)
    if transfer.purpose is not Purpose.ROUTE and leg.source in vault.state.left_at:
        vault.state.left_at.remove(leg.source)
    transfer.at, transfer.told = leg.destination, []
    transfer.used.append(leg.hop)
    _end_leg(vault, transfer, LegStep.MOVED, fee)
    wake(vault, now, leg.hop)
    go_on(vault, now, transfer)


def give_back(vault: Vault, now: Nanos, transfer: Transfer, amount: Decimal, why: FundsRefused) -> None:
    """`amount` is back at the source of the leg; what is missing is the hop's fee."""
    leg = transfer.leg
    assert leg is not None
    fee = _charge(vault, now, transfer, amount)
    if amount:
        vault.book(now, transfer.owner, transfer.key, HoldingStep.CARRIED, amount, place=leg.source)
    _end_leg(vault, transfer, LegStep.RETURNED, fee, as_text(why.reason) or why.kind)
    wake(vault, now, leg.hop)
    _try_again(vault, now, transfer, leg.hop, why.kind)


def wake(vault: Vault, now: Nanos, hop: str) -> None:
    """Launch all that waits for room on a hop and fits now, the oldest transfer first.

    One that fits does not wait for one that does not: that one goes another way when its wait is over.
    """
    settings = vault.graph.hops[hop]
    if settings.capacity is None:
        return
    for transfer in list(vault.state.transfers.values()):
        leg = transfer.leg
        if leg is not None and leg.hop == hop and leg.queued and vault.has_room(settings, leg.amount):
            leg.queued = False
            _dispatch(vault, now, transfer)


# --- sending -------------------------------------------------------------------------------------


def _launch(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    leg = transfer.leg
    assert leg is not None
    hop = vault.graph.hops[leg.hop]
    if vault.has_room(hop, leg.amount):
        _dispatch(vault, now, transfer)
    else:
        leg.queued = True
        vault.note_leg(transfer, "queued")
        vault.wait(transfer, now + vault.settings.capacity_wait)


def _dispatch(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    leg = transfer.leg
    assert leg is not None
    hop = vault.graph.hops[leg.hop]
    if hop.bridge is None:
        send(vault, now, transfer)
        return
    transfer.step_leg(LegStep.QUOTED_FOR)
    _ask_terms(vault, now, transfer)


def _ask_terms(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """Have a bridge suggest terms. The first that come are taken, whichever question they answer."""
    leg = transfer.leg
    assert leg is not None
    _inquire(vault, now, transfer, SuggestFees(leg.source, leg.destination, leg.amount))


def _inquire(vault: Vault, now: Nanos, transfer: Transfer, question: Record) -> None:
    """Put a question to the hop of a leg, and wait the longer the more of them have had no answer."""
    leg = transfer.leg
    assert leg is not None
    hop, pauses = vault.graph.hops[leg.hop], vault.settings.queries
    pause = pauses[min(leg.queries, len(pauses) - 1)]
    leg.queries += 1
    call_id = call_id_of(transfer, leg, is_terms=isinstance(question, SuggestFees))
    vault.emit(Call(service_of(leg.hop), call_id, question))
    vault.wait(transfer, now + max(pause, hop.reply_timeout))


def send(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """Give the money to the hop."""
    was = transfer.key
    leg = transfer.step_leg(LegStep.SENT)
    leg.queries = 0
    vault.book(now, transfer.owner, was, HoldingStep.CARRIED, transfer.amount, place=transfer.place)
    _request(vault, now, transfer, leg)


def send_again(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """The hop knows of nothing: have it execute the same leg after all. Its money is counted as the hop's already."""
    _request(vault, now, transfer, transfer.step_leg(LegStep.SENT))


def _request(vault: Vault, now: Nanos, transfer: Transfer, leg: Leg) -> None:
    about = (transfer.transfer_id, leg.number, leg.source, leg.destination, leg.amount)
    wanted: Record = MoveFunds(*about)
    if leg.bridge is not None:
        terms = leg.bridge.terms
        wanted = DepositToBridge(
            *about,
            output_amount=terms.output_amount,
            fill_deadline=terms.fill_deadline,
            exclusive_relayer=terms.exclusive_relayer,
            exclusivity_deadline=terms.exclusivity_deadline,
        )
    vault.note_leg(transfer, LegStep.SENT)
    vault.emit(Call(service_of(leg.hop), call_id_of(transfer, leg), wanted))
    vault.wait(transfer, now + vault.graph.hops[leg.hop].reply_timeout)


# --- ending --------------------------------------------------------------------------------------


def _charge(vault: Vault, now: Nanos, transfer: Transfer, arrived: Decimal) -> Decimal:
    fee = kept(transfer.amount, arrived)
    if fee:
        moved = vault.state.books.charge(now, transfer.owner, transfer.key, fee)
        vault.note(moved.fact)
        assert transfer.leg is not None
        transfer.pay(transfer.leg.hop, fee)
    return fee


def fail(vault: Vault, now: Nanos, transfer: Transfer, why: FundsRefused) -> None:
    """A leg has come to nothing, and the money is where it was: try again, or find another way."""
    leg = transfer.leg
    assert leg is not None
    step = LegStep.ABANDONED if leg.state is LegState.WAITING else LegStep.REFUSED
    _end_leg(vault, transfer, step, reason=f"{why.kind}: {as_text(why.reason)}" if why.reason else why.kind)
    wake(vault, now, leg.hop)
    _try_again(vault, now, transfer, leg.hop, why.kind)


def _end_leg(vault: Vault, transfer: Transfer, step: LegStep, fee: Decimal = ZERO, reason: str = "") -> None:
    leg = transfer.step_leg(step)
    transfer.outcomes[str(leg.number)] = leg.state
    if len(transfer.outcomes) > OUTCOMES_MAX:
        del transfer.outcomes[next(iter(transfer.outcomes))]
    vault.note_leg(transfer, step, fee, reason)
    transfer.leg = None


def _try_again(vault: Vault, now: Nanos, transfer: Transfer, hop: str, kind: HopTrouble) -> None:
    about = f"{hop}/{kind}"
    tried = transfer.attempts.get(about, 0)
    pauses = vault.settings.retries.get(kind, ())
    if tried < len(pauses) and affords(vault, transfer, hop) and not should_turn(transfer):
        transfer.attempts[about] = tried + 1
        open_leg(vault, now, transfer, hop, pauses[tried])
        return
    transfer.refused_by.append(hop)
    go_on(vault, now, transfer)
