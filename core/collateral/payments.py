"""What the desk does with collateral that is ready: sets it aside for a payment, and spends it."""

from __future__ import annotations

from core.collateral.books import Owner, is_money
from core.collateral.positions import Key
from core.collateral.records import (
    CollateralPreauthorised,
    CollateralRefusal,
    CollateralSpent,
    PreauthoriseCollateral,
    RefundCollateral,
    SpendCollateral,
    Stage,
)
from core.collateral.states import Holding, HoldingStep
from core.collateral.vault import Vault
from core.units import Nanos


def preauthorise(vault: Vault, now: Nanos, asked: PreauthoriseCollateral) -> None:
    """Set money aside under a new payment: the order's own, then what is free at the same place."""
    owner, side = Owner(asked.user), vault.state.books.side(Owner(asked.user))
    places = dict.fromkeys(key.place for key in side.keys(lambda key: key.order_id == asked.order_id) if key.place)
    keys = [key for place in places for key in vault.free(owner, place, Holding.READY, asked.order_id)]
    if not is_money(asked.amount):
        vault.refuse(asked.order_id, Stage.PREAUTHORISE, CollateralRefusal.INVALID_AMOUNT)
        return
    amount = vault.enough(vault.sum_of(owner, keys), asked.amount)
    if amount is None:
        vault.refuse(asked.order_id, Stage.PREAUTHORISE, CollateralRefusal.NOT_ENOUGH_FUNDS)
        return
    payment_id = vault.state.ids.next("P")
    vault.draw(now, owner, keys, HoldingStep.PREAUTHORISED, amount, order_id=asked.order_id, payment_id=payment_id)
    vault.answer(CollateralPreauthorised(asked.order_id, payment_id, amount))


def spend(vault: Vault, now: Nanos, asked: SpendCollateral) -> None:
    """Take money of a payment for good."""
    owner = Owner(asked.user)
    keys = payment_keys(vault, asked)
    if not is_money(asked.amount):
        vault.refuse(asked.order_id, Stage.SPEND, CollateralRefusal.INVALID_AMOUNT)
        return
    amount = vault.enough(vault.sum_of(owner, keys), asked.amount)
    if amount is None:
        vault.refuse(asked.order_id, Stage.SPEND, CollateralRefusal.NOT_ENOUGH_FUNDS)
        return
    lots = vault.draw(now, owner, keys, HoldingStep.SPENT, amount)
    numbers = dict.fromkeys(lot.seq_num for lot in lots if lot.seq_num is not None)
    position = vault.state.books.positions[asked.user].view(lots)
    vault.answer(CollateralSpent(asked.order_id, asked.payment_id, amount, tuple(numbers), position))


def payment_keys(vault: Vault, asked: SpendCollateral | RefundCollateral) -> list[Key]:
    """The ways in which money of a payment is held."""
    return vault.state.books.side(Owner(asked.user)).keys(
        lambda key: (
            key.holding is Holding.PREAUTH and key.payment_id == asked.payment_id and key.order_id == asked.order_id
        )
    )
