"""The last word on money that was to be paid out: it has arrived, was left where it is, or is still under way.

An order hears it as `PaidOut`, a withdrawal as `WithdrawalEnded`, once nothing of it is waited for. What was under way
then goes on, and `PayoutArrived` says what has become of it; as of collateral that is on its way when its order is
answered without it.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from core.collateral.facts import PayoutArrived, WithdrawalEnded
from core.collateral.positions import ZERO
from core.collateral.records import CollateralRefusal, PaidOut
from core.collateral.transfers import Purpose, Transfer
from core.collateral.vault import Vault, Withdrawal
from core.kernel.record import CancelTimer
from core.units import EXACT


def tell_arrived(vault: Vault, transfer: Transfer) -> None:
    """The money is with its user."""
    _tell_ended(vault, transfer, paid=transfer.amount, credited=ZERO)


def tell_left(vault: Vault, transfer: Transfer) -> None:
    """The money is its user's collateral."""
    _tell_ended(vault, transfer, paid=ZERO, credited=transfer.amount)


def tell_under_way(vault: Vault, transfer: Transfer) -> None:
    """A hop has the money, and it is waited for no longer."""
    transfer.is_answered, transfer.under_way = True, transfer.amount
    if transfer.purpose is not Purpose.WITHDRAWAL:
        vault.answer(PaidOut(transfer.order_id, ZERO, transfer.fee, under_way=transfer.amount))
        return
    withdrawal = _charged(vault, transfer)
    withdrawal.under_way = EXACT.add(withdrawal.under_way, transfer.amount)
    conclude(vault, withdrawal)


def conclude(vault: Vault, withdrawal: Withdrawal) -> None:
    """End a withdrawal that waits for nothing any more."""
    if withdrawal.unserved or withdrawal.transfers:
        return
    del vault.state.withdrawals[withdrawal.payment_id]
    vault.emit(CancelTimer(f"withdrawal:{withdrawal.payment_id}"))
    vault.note(
        WithdrawalEnded(
            withdrawal.user,
            withdrawal.seq_num,
            paid=withdrawal.paid,
            fee=withdrawal.fee,
            refused=withdrawal.refused,
            reason=withdrawal.reason or "",
            under_way=withdrawal.under_way,
            payment_id=withdrawal.payment_id,
        )
    )


def _tell_ended(vault: Vault, transfer: Transfer, *, paid: Decimal, credited: Decimal) -> None:
    if transfer.purpose not in {Purpose.WITHDRAWAL, Purpose.ROUTE}:
        del vault.state.payouts[transfer.order_id]
    if transfer.is_answered and not transfer.under_way:
        return
    if transfer.is_answered:
        fee = EXACT.subtract(transfer.under_way, transfer.amount)
        vault.note(PayoutArrived(transfer.order_id, transfer.user, paid, fee, credited))
    elif transfer.purpose is Purpose.WITHDRAWAL:
        _serve(vault, transfer, paid=paid, refused=credited)
    else:
        said = PaidOut(transfer.order_id, paid, transfer.fee)
        vault.answer(replace(said, credited=credited) if credited else said)


def _serve(vault: Vault, transfer: Transfer, *, paid: Decimal, refused: Decimal) -> None:
    withdrawal = _charged(vault, transfer)
    withdrawal.paid = EXACT.add(withdrawal.paid, paid)
    if refused:
        withdrawal.refused = EXACT.add(withdrawal.refused, refused)
        withdrawal.reason = CollateralRefusal.ROUTE_FAILED
    conclude(vault, withdrawal)


def _charged(vault: Vault, transfer: Transfer) -> Withdrawal:
    """The withdrawal that a transfer was for: it waits for it no longer, bears what it has cost, and
    may send another part."""
    withdrawal = vault.state.withdrawals[transfer.order_id]
    del withdrawal.transfers[transfer.transfer_id]
    if withdrawal.unserved:
        vault.freed[withdrawal.user] = None
    withdrawal.fee = EXACT.add(withdrawal.fee, transfer.fee)
    return withdrawal
