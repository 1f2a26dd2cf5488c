"""A transfer at a stop: it has arrived, goes on, turns round, or is held where it is."""

from __future__ import annotations

from decimal import Decimal

from core.collateral.facts import TransferStarted, WithdrawalEnded
from core.collateral.positions import ZERO
from core.collateral.records import CollateralRefusal, CollateralRouted, PaidOut, Stage
from core.collateral.states import Holding, HoldingStep, TransferState, TransferStep
from core.collateral.transfers import Purpose, Transfer
from core.collateral.vault import Vault, Withdrawal
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
    """Let a transfer that is at a stop end, turn or be held; or return the hop that it takes next."""
    if should_turn(transfer) and transfer.at not in transfer.targets and _can_turn(vault, transfer):
        _turn(vault, transfer, "its order no longer waits")
    hop = _next_hop(vault, now, transfer)
    if hop is None and transfer.state is TransferState.FORWARD and transfer.home:
        _turn(vault, transfer, "no way forward")
        hop = _next_hop(vault, now, transfer)
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
    transfer.step(TransferStep.STOPPED)
    vault.note_transfer(transfer, "held", "no way on")
    vault.wait(transfer, now + vault.settings.held_retry)


def _end(vault: Vault, now: Nanos, transfer: Transfer) -> None:
    back = transfer.state is TransferState.BACK
    transfer.step(TransferStep.REVERSED if back else TransferStep.ARRIVED)
    del vault.state.transfers[transfer.transfer_id]
    vault.emit(CancelTimer(f"transfer:{transfer.transfer_id}"))
    vault.note_transfer(transfer, transfer.state)
    if transfer.purpose is Purpose.ROUTE:
        _land(vault, now, transfer)
    else:
        vault.book(now, transfer.owner, transfer.key, HoldingStep.PAID_OUT, transfer.amount)
        _tell_paid(vault, transfer)


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


def _tell_paid(vault: Vault, transfer: Transfer) -> None:
    if transfer.purpose is not Purpose.WITHDRAWAL:
        del vault.state.payouts[transfer.order_id]
        vault.answer(PaidOut(transfer.order_id, transfer.amount, transfer.fee))
        return
    withdrawal = vault.state.withdrawals[transfer.order_id]
    del withdrawal.transfers[transfer.transfer_id]
    withdrawal.paid = EXACT.add(withdrawal.paid, transfer.amount)
    withdrawal.fee = EXACT.add(withdrawal.fee, transfer.fee)
    conclude(vault, withdrawal)


def conclude(vault: Vault, withdrawal: Withdrawal) -> None:
    """End a withdrawal that waits for nothing any more."""
    if withdrawal.unserved or withdrawal.transfers:
        return
    del vault.state.withdrawals[withdrawal.payment_id]
    vault.emit(CancelTimer(f"withdrawal:{withdrawal.payment_id}"))
    reason = CollateralRefusal.NOT_ENOUGH_FUNDS if withdrawal.refused else ""
    vault.note(
        WithdrawalEnded(
            withdrawal.user,
            withdrawal.seq_num,
            paid=withdrawal.paid,
            fee=withdrawal.fee,
            refused=withdrawal.refused,
            reason=reason,
        )
    )
