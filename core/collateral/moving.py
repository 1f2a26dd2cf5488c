"""A transfer at a stop: it has arrived, goes on, turns round, or is held or left where it is."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Final

from core.collateral.books import Owner
from core.collateral.ended import remember
from core.collateral.facts import TransferStarted
from core.collateral.graph import Route, fee_of, suits
from core.collateral.last_words import tell_arrived, tell_left
from core.collateral.positions import ZERO, Key, becomes
from core.collateral.records import CollateralRefusal, CollateralRefused, CollateralRouted, Stage
from core.collateral.settings import chain_of
from core.collateral.states import Holding, HoldingStep, TransferState, TransferStep
from core.collateral.transfers import Purpose, Transfer
from core.collateral.vault import Vault
from core.kernel.record import CancelTimer
from core.units import EXACT, MONEY, Nanos

DRIFT_MAX: Final = Decimal("0.1")
"""Of what all hops may keep: by so much more may it be once a transfer is on its way."""


def begin(vault: Vault, transfer: Transfer, hops: tuple[str, ...]) -> None:
    """Take up a transfer whose money has departed. `hops` is what is planned now."""
    vault.state.transfers[transfer.transfer_id] = transfer
    vault.note(
        TransferStarted(
            transfer.transfer_id,
            transfer.purpose,
            order_id=transfer.order_id,
            user=transfer.user,
            amount=transfer.requested,
            source=transfer.at,
            target=" ".join(transfer.targets),
            hops=hops,
        )
    )


def advance(vault: Vault, now: Nanos, transfer: Transfer) -> str:
    """Let a transfer that is at a stop end, turn, be held or be left; or return the hop that it takes next."""
    if not transfer.amount:
        _consume(vault, now, transfer)
        return ""
    if should_turn(transfer) and transfer.at not in transfer.targets and _can_turn(vault, transfer):
        _turn(vault, transfer, "its order no longer waits")
    hop = _next_hop(vault, now, transfer)
    if hop is None and transfer.state is TransferState.FORWARD and transfer.home and not transfer.is_answered:
        _turn(vault, transfer, "no way forward")
        hop = _next_hop(vault, now, transfer)
    if hop and transfer.is_overdue(now) and not transfer.is_answered:
        hop = None
    if hop is None:
        _hold(vault, now, transfer)
        return ""
    if not hop:
        _end(vault, now, transfer)
    return hop


def should_turn(transfer: Transfer) -> bool:
    """Whether a transfer that goes forward has lost its purpose, and may go back."""
    return transfer.state is TransferState.FORWARD and transfer.is_answered and bool(transfer.home)


def affords(vault: Vault, transfer: Transfer, hop: str) -> bool:
    """Whether a hop may be given what is left of a transfer: it takes that, and does not keep too much of it, neither
    by itself nor with what hops have kept so far."""
    settings = vault.graph.hops[hop]
    if not transfer.amount or not suits(settings, transfer.amount):
        return False
    fee = fee_of(settings, transfer.amount)
    is_within = not fee or EXACT.subtract(transfer.amount, fee) >= floor_of(vault, transfer)
    return is_within and hop not in _barred(vault, transfer)


def resume(transfer: Transfer) -> None:
    """Have a transfer that is held try again, all hops forgiven what they have refused."""
    transfer.forgive()
    transfer.step(TransferStep.RESUMED)


def leave(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """End a transfer that nobody waits for any more where it is: what is left of it is its user's collateral there.

    It lies there as what it can be of use as: where his orders draw on deposits, as one; else as ready.
    """
    is_order = transfer.purpose is Purpose.ROUTE
    _forget(vault, transfer, TransferStep.LEFT, _why_stuck(vault, transfer) if is_order else "no hop takes it in time")
    if not is_order and transfer.at not in vault.state.left_at:
        vault.state.left_at.append(transfer.at)
    is_source = vault.settings.is_source(transfer.at, chain_of(transfer.user))
    step = HoldingStep.REVERSED if is_source else HoldingStep.ARRIVED
    if transfer.side == "credit":
        to = {"place": transfer.at, "order_id": "", "transfer_id": ""}
        vault.book(now, transfer.owner, transfer.key, step, transfer.amount, **to)
    else:
        _credit(vault, now, transfer, Key(becomes(Holding.ROUTING, step, transfer.user), transfer.at))
    vault.freed[transfer.user] = None
    tell_left(vault, transfer)


def _credit(vault: Vault, now: Nanos, transfer: Transfer, key: Key) -> None:
    """Let cash of a sale be its user's collateral, held as `key`."""
    vault.book(now, transfer.owner, transfer.key, HoldingStep.CREDITED, transfer.amount)
    owner, payment_id = Owner(transfer.user), vault.state.ids.next("P")
    books, what = vault.state.books, HoldingStep.CREDITED
    vault.note(books.open_lot(now, owner, payment_id, transfer.amount, key=key, what=what))


def _can_turn(vault: Vault, transfer: Transfer) -> bool:
    return _plan(vault, transfer, (transfer.home,)) is not None


def _plan(
    vault: Vault,
    transfer: Transfer,
    goals: tuple[str, ...],
    within: Nanos | None = None,
    without: Collection[str] = (),
) -> Route | None:
    """The best way for what is left, by hops that have not refused it, and that cost nothing where enough was kept."""
    without = (*without, *transfer.refused_by, *_barred(vault, transfer))
    floor = floor_of(vault, transfer)
    return vault.plan(transfer.at, goals, transfer.amount, without=without, within=within, floor=floor)


def floor_of(vault: Vault, transfer: Transfer) -> Decimal:
    """To how much hops that cost anything may bring it. On the way it may be a little less than to set out, or a hop
    that keeps a little more than it was expected to would turn round what had almost arrived."""
    least = vault.graph.floor(transfer.requested)
    if not transfer.charged:
        return least
    return MONEY.subtract(least, MONEY.multiply(EXACT.subtract(transfer.requested, least), DRIFT_MAX))


def _barred(vault: Vault, transfer: Transfer) -> list[str]:
    """Hops that would bring it below its floor by keeping once more what they have kept, whatever they promise."""
    least = floor_of(vault, transfer)
    return [hop for hop, fee in transfer.charged.items() if EXACT.subtract(transfer.amount, fee) < least]


def _why_stuck(vault: Vault, transfer: Transfer) -> str:
    """What is in the way of a transfer that has no way on."""
    goals = (*transfer.targets, *([transfer.home] if transfer.home else []))
    dear = vault.plan(transfer.at, goals, transfer.amount, without=transfer.refused_by, floor=ZERO)
    return "no way on" if dear is None else "hops would keep more of it than they may in all"


def _next_hop(vault: Vault, now: Nanos, transfer: Transfer) -> str | None:
    """The next hop, nothing where the transfer is where it goes, None where there is no way.

    No hop is taken on the way that would not be taken to set out, or for the second time in one direction; and money
    that an order waits for takes no way forward that is expected to be too late for it.
    """
    back, within = transfer.state is TransferState.BACK, None
    if transfer.purpose is Purpose.ROUTE and not back and not transfer.is_answered:
        within = vault.state.routes[transfer.order_id].deadline - now
    goals = (transfer.home,) if back else transfer.targets
    route = _plan(vault, transfer, goals, within, without=transfer.used)
    return None if route is None else next(iter(route.hops), "")


def _turn(vault: Vault, transfer: Transfer, reason: str) -> None:
    transfer.step(TransferStep.TURNED)
    transfer.used = []
    _tell(vault, transfer, "turned", reason)


def _tell(vault: Vault, transfer: Transfer, what: str, reason: str) -> None:
    """State what happens to a transfer at a stop, once for as long as as much of it stays there, however often it tries
    again."""
    said = f"{what} with {transfer.amount}: {reason}"
    if said not in transfer.told:
        transfer.told.append(said)
        vault.note_transfer(transfer, what, reason)


def _hold(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    if transfer.is_answered or transfer.is_overdue(now):
        leave(vault, now, transfer)
        return
    transfer.step(TransferStep.STOPPED)
    _tell(vault, transfer, "held", _why_stuck(vault, transfer))
    vault.wait(transfer, now + vault.settings.held_retry)


def _end(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    back = transfer.state is TransferState.BACK
    _forget(vault, transfer, TransferStep.REVERSED if back else TransferStep.ARRIVED)
    if transfer.purpose is Purpose.ROUTE:
        _land(vault, now, transfer)
    else:
        vault.book(now, transfer.owner, transfer.key, HoldingStep.PAID_OUT, transfer.amount)
        tell_arrived(vault, transfer)


def _consume(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """End a transfer of which nothing is left."""
    _forget(vault, transfer, TransferStep.CONSUMED, "hops have kept all of it")
    if transfer.purpose is not Purpose.ROUTE or transfer.is_answered:
        tell_left(vault, transfer)
    else:
        vault.emit(CancelTimer(f"order:{transfer.order_id}"))
        give_up(vault, now, transfer.order_id, CollateralRefusal.ROUTE_FAILED, transfer)


def _forget(vault: Vault, transfer: Transfer, step: TransferStep, reason: str = "") -> None:
    transfer.step(step)
    del vault.state.transfers[transfer.transfer_id]
    remember(vault, transfer)
    vault.emit(CancelTimer(f"transfer:{transfer.transfer_id}"))
    vault.note_transfer(transfer, transfer.state, reason)


def _land(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """Money for an order is at its destination, or back where it came from."""
    arrived = transfer.state is TransferState.ARRIVED
    order_id = transfer.order_id if arrived and not transfer.is_answered else ""
    step = HoldingStep.ARRIVED if arrived else HoldingStep.REVERSED
    vault.book(
        now, transfer.owner, transfer.key, step, transfer.amount, place=transfer.at, order_id=order_id, transfer_id=""
    )
    if transfer.is_answered:
        vault.freed[transfer.user] = None
        tell_left(vault, transfer)
    elif arrived:
        request = vault.state.routes.pop(transfer.order_id)
        vault.emit(CancelTimer(f"order:{transfer.order_id}"))
        vault.answer(CollateralRouted(transfer.order_id, EXACT.add(request.credit, transfer.amount), transfer.fee))
    else:
        vault.emit(CancelTimer(f"order:{transfer.order_id}"))
        give_up(vault, now, transfer.order_id, CollateralRefusal.ROUTE_FAILED, transfer)


def give_up(
    vault: Vault, now: Nanos, order_id: str, reason: CollateralRefusal, transfer: Transfer | None = None
) -> None:
    """Answer an order that its collateral will not be there, and what has become of that. What it had claimed is free
    again, and what is under way will be."""
    request, fee, under_way = vault.state.routes.pop(order_id), ZERO, ZERO
    freed = vault.release(now, request.user, lambda key: key.holding is Holding.READY and key.order_id == order_id)
    if transfer is not None:
        fee = transfer.fee
        if transfer.transfer_id in vault.state.transfers:
            transfer.under_way = under_way = transfer.amount
        else:
            freed = EXACT.add(freed, transfer.amount)
    vault.answer(CollateralRefused(order_id, Stage.ROUTE, reason, fee, credited=freed, under_way=under_way))
    vault.freed[request.user] = None
