"""Money on its way back to its users: refunds, the cash of sales, and withdrawals, all by the reverse routes."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.collateral.books import Owner, as_stated, is_money
from core.collateral.facts import CollateralWithdrawalRepeated, WithdrawalEnded
from core.collateral.graph import PARTS_MAX, Route
from core.collateral.last_words import conclude
from core.collateral.legs import go_on
from core.collateral.moving import begin
from core.collateral.payments import payment_keys
from core.collateral.positions import ZERO, Key
from core.collateral.records import (
    CollateralRefusal,
    HoldProceeds,
    PaidOut,
    PayOut,
    ProceedsHeld,
    RefundCollateral,
    RepayCollateral,
    Stage,
    WithdrawalRequested,
)
from core.collateral.seen import SeenNumbers, is_numbered
from core.collateral.settings import chain_of
from core.collateral.states import Holding, HoldingStep
from core.collateral.transfers import Purpose, Transfer
from core.collateral.vault import Vault, Withdrawal
from core.kernel.record import SetTimer
from core.units import EXACT, Nanos, as_integer, as_text, is_text

_DRAWN_ON: Final = (Holding.UNCONFIRMED, Holding.READY)
"""What a withdrawal is served with, first to last."""


def refund(vault: Vault, now: Nanos, asked: RefundCollateral) -> None:
    """Send what an order did not use to its user, from where it is; or leave it to him there.

    It sets out in the same event, before anything of it is free, so that nobody else is served with it.
    """
    owner, payment = Owner(asked.user), payment_keys(vault, asked)
    claims = vault.state.books.side(owner).keys(lambda key: _is_claim(key, asked.order_id))
    keys, route = payment + claims, None
    places, amount = dict.fromkeys(key.place for key in keys), vault.sum_of(owner, keys)
    if len(places) == 1 and amount >= asked.least and asked.order_id not in vault.state.payouts:
        route = _way_home(vault, asked.user, keys[0].place, amount)
    if route is None:
        credited = vault.release(now, asked.user, lambda key: key in keys)
        vault.answer(PaidOut(asked.order_id, ZERO, ZERO, credited=credited))
        return
    for key in keys:
        if key.payment_id:
            vault.book(now, owner, key, HoldingStep.RELEASED, vault.sum_of(owner, [key]), payment_id="")
    money, deadline = (keys[0].place, amount), now + vault.settings.payout_wait
    transfer = _transfer(vault, Purpose.REFUND, asked.order_id, owner, money, deadline=deadline)
    vault.state.payouts[asked.order_id] = transfer.transfer_id
    _depart(vault, now, transfer, [Key(Holding.READY, keys[0].place, asked.order_id)])
    _set_out(vault, now, transfer, route)


def hold_proceeds(vault: Vault, now: Nanos, asked: HoldProceeds) -> None:
    """Take in the cash of a sale, for its order alone: as collateral of its user if his chain is not known, or no way
    home takes as much, or as little. Ways and what they take are settings, so that is known from the start.

    It comes in from the account where assets are traded, at the destination with the best way home; of several as good,
    or where there is none, at the first. Without a destination nobody knows where that is.
    """
    refusal = _refusal(vault, asked)
    if refusal is None and asked.symbol not in vault.settings.destinations:
        refusal = CollateralRefusal.UNKNOWN_SYMBOL
    if refusal is None and any(proceeds(vault, owner, asked.order_id) for owner in owners(asked.user)):
        refusal = CollateralRefusal.DUPLICATE
    if refusal is not None:
        vault.refuse(asked.order_id, Stage.HOLD, refusal)
        return
    place, has_way = landing(vault, asked)
    credit, debit = owners(asked.user)
    owner = debit if has_way else credit
    key, payment_id = Key(Holding.READY, place, asked.order_id), vault.state.ids.next("P")
    vault.note(vault.state.books.open_lot(now, owner, payment_id, asked.amount, key=key))
    vault.answer(ProceedsHeld(asked.order_id, asked.amount))


def landing(vault: Vault, asked: HoldProceeds | RepayCollateral) -> tuple[str, bool]:
    """Where money of an index comes in that is its user's, and whether it has a way home from there."""
    places, ways = vault.settings.destinations[asked.symbol], list[tuple[Decimal, Nanos, int]]()
    for number, place in enumerate(places):
        route = _way_home(vault, asked.user, place, asked.amount)
        if route is not None:
            ways.append((route.cost, route.latency, number))
    _, _, best = min(ways, default=(ZERO, 0, 0))
    return places[best], bool(ways)


def pay_out(vault: Vault, now: Nanos, asked: PayOut) -> None:
    """Send the cash that is held for an order to its user, or leave it to him where it is. What has a way home when it
    was taken in goes: if the way is gone meanwhile, it is waited for, but not for ever."""
    credit, debit = owners(asked.user)
    keys = proceeds(vault, debit, asked.order_id)
    if asked.order_id in vault.state.payouts:
        vault.refuse(asked.order_id, Stage.PAY_OUT, CollateralRefusal.DUPLICATE)
    elif keys:
        money, deadline = (keys[0].place, vault.sum_of(debit, keys)), now + vault.settings.payout_wait
        transfer = _transfer(vault, Purpose.PAY_OUT, asked.order_id, debit, money, deadline=deadline)
        vault.state.payouts[asked.order_id] = transfer.transfer_id
        _depart(vault, now, transfer, keys)
        _set_out(vault, now, transfer, _way_home(vault, asked.user, *money))
    elif keys := proceeds(vault, credit, asked.order_id):
        amount = vault.release(now, asked.user, lambda key: key in keys)
        vault.answer(PaidOut(asked.order_id, ZERO, ZERO, credited=amount))
    else:
        vault.refuse(asked.order_id, Stage.PAY_OUT, CollateralRefusal.NOT_ENOUGH_FUNDS)


def owners(user: str) -> tuple[Owner, Owner]:
    """A user's deposits, and what sales have brought him: cash may be held in either."""
    return Owner(user), Owner(user, "debit")


def proceeds(vault: Vault, owner: Owner, order_id: str) -> list[Key]:
    """The ways in which cash is held for an order."""
    return vault.state.books.side(owner).keys(lambda key: _is_claim(key, order_id))


def _is_claim(key: Key, order_id: str) -> bool:
    return key.holding is Holding.READY and key.order_id == order_id


def withdraw(vault: Vault, now: Nanos, asked: WithdrawalRequested) -> None:
    """Take up a request for withdrawal, once however often it is seen."""
    chain = chain_of(asked.user)
    refusal = ""
    if not is_text(asked.user):
        refusal = CollateralRefusal.INVALID_USER
    elif chain not in vault.settings.chains:
        refusal = CollateralRefusal.UNKNOWN_CHAIN
    elif not is_numbered(asked.seq_num):
        refusal = CollateralRefusal.INVALID_NUMBER
    elif not is_money(asked.amount):
        refusal = CollateralRefusal.INVALID_AMOUNT
    if refusal:
        refused, user, number = as_stated(asked.amount), as_text(asked.user), as_integer(asked.seq_num)
        vault.note(WithdrawalEnded(user, number, ZERO, ZERO, refused=refused, reason=refusal))
        return
    if not vault.state.withdrawals_seen.setdefault(chain, SeenNumbers()).add(asked.seq_num):
        vault.note(CollateralWithdrawalRepeated(asked.user, asked.seq_num))
        return
    payment_id, deadline = vault.state.ids.next("P"), now + vault.settings.withdrawal_wait
    withdrawal = Withdrawal(payment_id, asked.user, asked.seq_num, asked.amount, asked.amount, deadline=deadline)
    vault.state.withdrawals[payment_id] = withdrawal
    vault.emit(SetTimer(f"withdrawal:{payment_id}", deadline))
    if not serve_withdrawal(vault, now, payment_id):
        vault.state.waiting.setdefault(asked.user, []).append(f"withdrawal:{payment_id}")


def serve_withdrawal(vault: Vault, now: Nanos, payment_id: str) -> bool:
    """Send what is free, up to what is wanted, in parts if no way takes it at once; False when that is not all yet."""
    withdrawal = vault.state.withdrawals[payment_id]
    for place, holding in _free_places(vault, withdrawal):
        while _send_part(vault, now, withdrawal, place, holding):
            pass
    return not withdrawal.unserved


def _send_part(vault: Vault, now: Nanos, withdrawal: Withdrawal, place: str, holding: Holding) -> bool:
    """Send all that is wanted and free there, or as much of it as goes at once; False when that is nothing."""
    owner = Owner(withdrawal.user)
    keys = vault.free(owner, place, holding)
    wanted = min(vault.sum_of(owner, keys), withdrawal.unserved)
    if not wanted or len(withdrawal.transfers) >= PARTS_MAX:
        return False
    found = vault.graph.plan_part(place, _home(vault, withdrawal.user), wanted)
    if found is None:
        return False
    amount, route = found
    about = (Purpose.WITHDRAWAL, withdrawal.payment_id, owner, (place, amount))
    transfer = _transfer(vault, *about, deadline=withdrawal.deadline + vault.settings.payout_wait)
    withdrawal.transfers[transfer.transfer_id] = amount
    withdrawal.unserved = EXACT.subtract(withdrawal.unserved, amount)
    _depart(vault, now, transfer, keys)
    _set_out(vault, now, transfer, route)
    return True


def lapse(vault: Vault, payment_id: str) -> None:
    """A withdrawal has waited long enough: what is still not free is refused."""
    withdrawal = vault.state.withdrawals[payment_id]
    if withdrawal.unserved:
        why = _why_unserved(vault, withdrawal)
        vault.state.waiting[withdrawal.user].remove(f"withdrawal:{payment_id}")
        withdrawal.refused, withdrawal.unserved = EXACT.add(withdrawal.refused, withdrawal.unserved), ZERO
        withdrawal.reason = withdrawal.reason or why
        vault.freed[withdrawal.user] = None
    conclude(vault, withdrawal)


def _refusal(vault: Vault, asked: HoldProceeds) -> CollateralRefusal | None:
    if not is_money(asked.amount):
        return CollateralRefusal.INVALID_AMOUNT
    return CollateralRefusal.DUPLICATE if asked.order_id in vault.state.payouts else None


def _why_unserved(vault: Vault, withdrawal: Withdrawal) -> CollateralRefusal:
    """Why what a withdrawal still wants was not sent."""
    free = vault.sum_of(Owner(withdrawal.user), _free(vault, Owner(withdrawal.user)))
    if free < withdrawal.unserved:
        return CollateralRefusal.NOT_ENOUGH_FUNDS
    return CollateralRefusal.TIMEOUT if len(withdrawal.transfers) >= PARTS_MAX else CollateralRefusal.NO_ROUTE


def _free(vault: Vault, owner: Owner) -> list[Key]:
    return vault.state.books.side(owner).keys(lambda key: key.holding in _DRAWN_ON and not key.order_id)


def _free_places(vault: Vault, withdrawal: Withdrawal) -> list[tuple[str, Holding]]:
    """Where something is free: deposits first, and last of all what would come by where money was left lately."""
    places = dict.fromkeys((key.place, key.holding) for key in _free(vault, Owner(withdrawal.user)))
    closed = {place for place, _ in places if _comes_by_money_left(vault, withdrawal, place)}
    return sorted(places, key=lambda free: (free[0] in closed, _DRAWN_ON.index(free[1])))


def _comes_by_money_left(vault: Vault, withdrawal: Withdrawal, place: str) -> bool:
    if not vault.state.left_at:
        return False
    found = vault.graph.plan_part(place, _home(vault, withdrawal.user), withdrawal.unserved)
    return found is not None and any(vault.graph.hops[name].source in vault.state.left_at for name in found[1].hops)


def _home(vault: Vault, user: str) -> tuple[str, ...]:
    chain = vault.settings.chains.get(chain_of(user))
    return () if chain is None else (chain.payout,)


def _way_home(vault: Vault, user: str, place: str, amount: Decimal) -> Route | None:
    return vault.graph.plan(place, _home(vault, user), amount)


def _transfer(
    vault: Vault, purpose: Purpose, order_id: str, owner: Owner, money: tuple[str, Decimal], *, deadline: Nanos
) -> Transfer:
    place, amount = money
    return Transfer(
        transfer_id=vault.state.ids.next("T"),
        purpose=purpose,
        order_id=order_id,
        user=owner.user,
        side=owner.side,
        requested=amount,
        amount=amount,
        at=place,
        targets=_home(vault, owner.user),
        home="",
        deadline=deadline,
    )


def _depart(vault: Vault, now: Nanos, transfer: Transfer, keys: list[Key]) -> None:
    about = {"order_id": transfer.order_id, "transfer_id": transfer.transfer_id}
    vault.draw(now, transfer.owner, keys, HoldingStep.DEPARTED, transfer.amount, **about)


def _set_out(vault: Vault, now: Nanos, transfer: Transfer, route: Route | None) -> None:
    begin(vault, transfer, route.hops if route is not None else ())
    go_on(vault, now, transfer)
