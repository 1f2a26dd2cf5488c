"""A transfer at a stop: it has arrived, goes on, turns round, or is held or left where it is."""

from __future__ import annotations

from decimal import Decimal

from core.collateral.books import Owner
from core.collateral.facts import TransferStarted
from core.collateral.last_words import tell_arrived, tell_left
from core.collateral.positions import ZERO, Key, becomes
from core.collateral.records import CollateralRefusal, CollateralRouted, Stage
from core.collateral.settings import chain_of
from core.collateral.states import Holding, HoldingStep, TransferState, TransferStep
from core.collateral.transfers import Purpose, Transfer
from core.collateral.vault import Vault
from core.kernel.record import CancelTimer
from core.units import EXACT, Nanos


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
    if should_turn(transfer) and transfer.at not in transfer.targets and _can_turn(vault, transfer):
        _turn(vault, transfer, "its order no longer waits")
    hop = _next_hop(vault, now, transfer)
    if hop is None and transfer.state is TransferState.FORWARD and transfer.home:
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


def resume(vault: Vault, transfer: Transfer) -> None:
    """Have a transfer that is held try again, all hops forgiven."""
    transfer.forgive()
    transfer.step(TransferStep.RESUMED)
    vault.note_transfer(transfer, TransferStep.RESUMED)


def leave(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    """End a transfer that pays a user where it is: what is left of it is his collateral there.

    It lies there as what it can be of use as: where his orders draw on deposits, as one; else as ready.
    """
    _forget(vault, transfer, TransferStep.LEFT, "no hop takes it in time")
    if transfer.at not in vault.state.left_at:
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
    return vault.plan(transfer.at, (transfer.home,), transfer.amount, without=transfer.refused_by) is not None


def _next_hop(vault: Vault, now: Nanos, transfer: Transfer) -> str | None:
    """The next hop, nothing where the transfer is where it goes, None where there is no way.

    No hop is taken on the way that would not be taken to set out; and money that an order waits for takes no way
    forward that is expected to be too late for it.
    """
    back, within = transfer.state is TransferState.BACK, None
    if transfer.purpose is Purpose.ROUTE and not back and not transfer.is_answered:
        within = vault.state.routes[transfer.order_id].deadline - now
    goals = (transfer.home,) if back else transfer.targets
    without = (*transfer.used, *transfer.refused_by)
    route = vault.plan(transfer.at, goals, transfer.amount, without=without, within=within)
    return None if route is None else next(iter(route.hops), "")


def _turn(vault: Vault, transfer: Transfer, reason: str) -> None:
    transfer.step(TransferStep.TURNED)
    transfer.used = []
    vault.note_transfer(transfer, "turned", reason)


def _hold(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    if transfer.is_overdue(now):
        leave(vault, now, transfer)
        return
    transfer.step(TransferStep.STOPPED)
    vault.note_transfer(transfer, "held", "no way on")
    vault.wait(transfer, now + vault.settings.held_retry)


def _end(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    back = transfer.state is TransferState.BACK
    _forget(vault, transfer, TransferStep.REVERSED if back else TransferStep.ARRIVED)
    if transfer.purpose is Purpose.ROUTE:
        _land(vault, now, transfer)
    else:
        vault.book(now, transfer.owner, transfer.key, HoldingStep.PAID_OUT, transfer.amount)
        tell_arrived(vault, transfer)


def _forget(vault: Vault, transfer: Transfer, step: TransferStep, reason: str = "") -> None:
    transfer.step(step)
    del vault.state.transfers[transfer.transfer_id]
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
    elif arrived:
        request = vault.state.routes.pop(transfer.order_id)
        vault.emit(CancelTimer(f"order:{transfer.order_id}"))
        vault.answer(CollateralRouted(transfer.order_id, EXACT.add(request.credit, transfer.amount), transfer.fee))
    else:
        vault.emit(CancelTimer(f"order:{transfer.order_id}"))
        give_up(vault, now, transfer.order_id, CollateralRefusal.ROUTE_FAILED, transfer.fee)


def give_up(vault: Vault, now: Nanos, order_id: str, reason: CollateralRefusal, fee: Decimal = ZERO) -> None:
    """Answer an order that its collateral will not be there. What it had claimed is free again."""
    request = vault.state.routes.pop(order_id)
    vault.release(now, request.user, lambda key: key.holding is Holding.READY and key.order_id == order_id)
    vault.refuse(order_id, Stage.ROUTE, reason, fee)
    vault.freed[request.user] = None
