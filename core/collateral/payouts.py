"""Money on its way back to its users: refunds, the cash of sales, and withdrawals, all by the reverse routes."""

from __future__ import annotations

from decimal import Decimal

from core.collateral.books import Owner, as_stated, is_money
from core.collateral.facts import WithdrawalEnded
from core.collateral.graph import Route
from core.collateral.legs import go_on
from core.collateral.moving import begin, conclude
from core.collateral.positions import ZERO, Key
from core.collateral.records import (
    CollateralRefusal,
    HoldProceeds,
    PaidOut,
    PayOut,
    ProceedsHeld,
    RefundCollateral,
    Stage,
    WithdrawalRequested,
)
from core.collateral.seen import SeenNumbers
from core.collateral.settings import chain_of
from core.collateral.states import Holding, HoldingStep
from core.collateral.transfers import Purpose, Transfer
from core.collateral.vault import Vault, Withdrawal
from core.kernel.record import SetTimer
from core.units import EXACT, Nanos


def refund(vault: Vault, now: Nanos, asked: RefundCollateral) -> None:
    """Send what an order did not use to its user: what it has a claim on, and what is free at the same place."""
    refusal = _refusal(vault, asked)
    if refusal is None and chain_of(asked.user) not in vault.settings.chains:
        refusal = CollateralRefusal.UNKNOWN_CHAIN
    if refusal is not None:
        vault.refuse(asked.order_id, Stage.REFUND, refusal)
        return
    owner, found = Owner(asked.user), CollateralRefusal.NOT_ENOUGH_FUNDS
    ready = vault.state.books.side(owner).keys(lambda key: key.holding is Holding.READY)
    for place in dict.fromkeys(key.place for key in ready):
        keys = vault.free(owner, place, Holding.READY, asked.order_id)
        amount = vault.enough(vault.sum_of(owner, keys), asked.amount)
        if amount is None:
            continue
        route = _way_home(vault, asked.user, place, amount)
        if route is not None:
            transfer = _transfer(vault, Purpose.REFUND, asked.order_id, owner, (place, amount))
            vault.state.payouts[asked.order_id] = transfer.transfer_id
            _depart(vault, now, transfer, keys)
            _set_out(vault, now, transfer, route)
            return
        found = CollateralRefusal.NO_ROUTE
    vault.refuse(asked.order_id, Stage.REFUND, found)


def hold_proceeds(vault: Vault, now: Nanos, asked: HoldProceeds) -> None:
    """Take in the cash of a sale, for its order alone: as collateral of its user if his chain is not known, or no way
    home takes as much, or as little. Ways and what they take are settings, so that is known from the start.

    It comes in from the account where assets are traded, at the destination with the best way home; of several as good,
    or where there is none, at the first. Without a destination nobody knows where that is.
    """
    refusal = _refusal(vault, asked)
    if refusal is None and asked.symbol not in vault.settings.destinations:
        refusal = CollateralRefusal.UNKNOWN_SYMBOL
    if refusal is None and any(_proceeds(vault, owner, asked.order_id) for owner in _owners(asked.user)):
        refusal = CollateralRefusal.DUPLICATE
    if refusal is not None:
        vault.refuse(asked.order_id, Stage.HOLD, refusal)
        return
    places, ways = vault.settings.destinations[asked.symbol], list[tuple[Decimal, Nanos, int]]()
    for number, place in enumerate(places):
        route = _way_home(vault, asked.user, place, asked.amount)
        if route is not None:
            ways.append((route.cost, route.latency, number))
    _, _, best = min(ways, default=(ZERO, 0, 0))
    credit, debit = _owners(asked.user)
    owner = debit if ways else credit
    key, payment_id = Key(Holding.READY, places[best], asked.order_id), vault.state.ids.next("P")
    vault.note(vault.state.books.open_lot(now, owner, payment_id, asked.amount, key=key))
    vault.answer(ProceedsHeld(asked.order_id, asked.amount))


def pay_out(vault: Vault, now: Nanos, asked: PayOut) -> None:
    """Send the cash that is held for an order to its user, or leave it to him where it is. What has a way home when it
    was taken in goes: if the way is gone meanwhile, it is waited for."""
    credit, debit = _owners(asked.user)
    keys = _proceeds(vault, debit, asked.order_id)
    if asked.order_id in vault.state.payouts:
        vault.refuse(asked.order_id, Stage.PAY_OUT, CollateralRefusal.DUPLICATE)
    elif keys:
        money = (keys[0].place, vault.sum_of(debit, keys))
        transfer = _transfer(vault, Purpose.PAY_OUT, asked.order_id, debit, money)
        vault.state.payouts[asked.order_id] = transfer.transfer_id
        _depart(vault, now, transfer, keys)
        _set_out(vault, now, transfer, _way_home(vault, asked.user, *money))
    elif keys := _proceeds(vault, credit, asked.order_id):
        amount = vault.release(now, asked.user, lambda key: key in keys)
        vault.answer(PaidOut(asked.order_id, ZERO, ZERO, credited=amount))
    else:
        vault.refuse(asked.order_id, Stage.PAY_OUT, CollateralRefusal.NOT_ENOUGH_FUNDS)


def _owners(user: str) -> tuple[Owner, Owner]:
    return Owner(user), Owner(user, "debit")


def _proceeds(vault: Vault, owner: Owner, order_id: str) -> list[Key]:
    """The ways in which cash is held for an order."""
    return vault.state.books.side(owner).keys(lambda key: key.holding is Holding.READY and key.order_id == order_id)


def withdraw(vault: Vault, now: Nanos, asked: WithdrawalRequested) -> None:
    """Take up a request for withdrawal, once however often it is seen."""
    chain = chain_of(asked.user)
    refusal = ""
    if chain not in vault.settings.chains:
        refusal = CollateralRefusal.UNKNOWN_CHAIN
    elif not is_money(asked.amount) or asked.seq_num < 0:
        refusal = CollateralRefusal.INVALID_AMOUNT
    elif not vault.state.withdrawals_seen.setdefault(chain, SeenNumbers()).add(asked.seq_num):
        refusal = CollateralRefusal.DUPLICATE
    if refusal:
        refused = as_stated(asked.amount)
        vault.note(WithdrawalEnded(asked.user, asked.seq_num, ZERO, ZERO, refused=refused, reason=refusal))
        return
    payment_id, deadline = vault.state.ids.next("P"), now + vault.settings.withdrawal_wait
    withdrawal = Withdrawal(payment_id, asked.user, asked.seq_num, asked.amount, asked.amount, deadline=deadline)
    vault.state.withdrawals[payment_id] = withdrawal
    vault.emit(SetTimer(f"withdrawal:{payment_id}", deadline))
    if not serve_withdrawal(vault, now, payment_id):
        vault.state.waiting.setdefault(asked.user, []).append(f"withdrawal:{payment_id}")


def serve_withdrawal(vault: Vault, now: Nanos, payment_id: str) -> bool:
    """Send what is free, up to what is wanted; False when that is not all of it yet."""
    withdrawal = vault.state.withdrawals[payment_id]
    owner = Owner(withdrawal.user)
    for place, holding in _free_places(vault, owner):
        keys = vault.free(owner, place, holding)
        amount = min(vault.sum_of(owner, keys), withdrawal.unserved)
        route = _way_home(vault, withdrawal.user, place, amount) if amount else None
        if route is not None:
            transfer = _transfer(vault, Purpose.WITHDRAWAL, payment_id, owner, (place, amount))
            withdrawal.transfers[transfer.transfer_id] = amount
            withdrawal.unserved = EXACT.subtract(withdrawal.unserved, amount)
            _depart(vault, now, transfer, keys)
            _set_out(vault, now, transfer, route)
    return not withdrawal.unserved


def lapse(vault: Vault, payment_id: str) -> None:
    """A withdrawal has waited long enough: what is still not free is refused."""
    withdrawal = vault.state.withdrawals[payment_id]
    if withdrawal.unserved:
        vault.state.waiting[withdrawal.user].remove(f"withdrawal:{payment_id}")
        withdrawal.refused, withdrawal.unserved = withdrawal.unserved, ZERO
        vault.freed[withdrawal.user] = None
    conclude(vault, withdrawal)


def _refusal(vault: Vault, asked: RefundCollateral | HoldProceeds) -> CollateralRefusal | None:
    if not is_money(asked.amount):
        return CollateralRefusal.INVALID_AMOUNT
    return CollateralRefusal.DUPLICATE if asked.order_id in vault.state.payouts else None


def _free_places(vault: Vault, owner: Owner) -> list[tuple[str, Holding]]:
    kinds = {Holding.UNCONFIRMED: 0, Holding.READY: 1}
    free = vault.state.books.side(owner).keys(lambda key: key.holding in kinds and not key.order_id)
    places = dict.fromkeys((key.place, key.holding) for key in free)
    return sorted(places, key=lambda place: kinds[place[1]])


def _way_home(vault: Vault, user: str, place: str, amount: Decimal) -> Route | None:
    chain = vault.settings.chains.get(chain_of(user))
    return vault.graph.plan(place, (chain.payout,), amount) if chain is not None else None


def _transfer(vault: Vault, purpose: Purpose, order_id: str, owner: Owner, money: tuple[str, Decimal]) -> Transfer:
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
        targets=(vault.settings.chains[chain_of(owner.user)].payout,),
        home="",
    )


def _depart(vault: Vault, now: Nanos, transfer: Transfer, keys: list[Key]) -> None:
    about = {"order_id": transfer.order_id, "transfer_id": transfer.transfer_id}
    vault.draw(now, transfer.owner, keys, HoldingStep.DEPARTED, transfer.amount, **about)


def _set_out(vault: Vault, now: Nanos, transfer: Transfer, route: Route | None) -> None:
    begin(vault, transfer, route.hops if route is not None else ())
    go_on(vault, now, transfer)
