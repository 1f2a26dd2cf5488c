"""Money for what came to nothing: what a buy has paid is its user's again, what a sell has earned is not any more.

Neither undoes a movement. What was paid stays spent, and as much comes in anew from the account where assets are paid,
as a lot without a number; what was held goes back to that account, and its lot ends. So lots, ledger and facts add up
as ever, and what the house has paid back is what was `repaid`.
"""

from __future__ import annotations

from typing import Final

from core.collateral.books import Owner, is_money
from core.collateral.payouts import landing, owners, proceeds
from core.collateral.positions import ZERO, Key
from core.collateral.records import (
    CollateralRefusal,
    CollateralRepaid,
    ProceedsTakenBack,
    RepayCollateral,
    Stage,
    TakeBackProceeds,
)
from core.collateral.states import Holding, HoldingStep
from core.collateral.vault import Vault
from core.units import EXACT, Nanos

REPAID: Final = "Repaid"
"""The payment under which an order has what was paid back to it, until that is released."""

_LYING: Final = (Holding.READY, Holding.PREAUTH)
"""As what an order has money at a designation."""


def repay(vault: Vault, now: Nanos, asked: RepayCollateral) -> None:
    """Take in what the house pays back, for the order alone.

    It comes in where the rest of the order's collateral lies, so that both can go home together; if there is no rest,
    or that is under way, where cash of a sale would.
    """
    owner = Owner(asked.user)
    rest = vault.state.books.side(owner).keys(lambda key: key.holding in _LYING and key.order_id == asked.order_id)
    refusal = None
    if not is_money(asked.amount):
        refusal = CollateralRefusal.INVALID_AMOUNT
    elif any(key.payment_id == REPAID for key in rest):
        refusal = CollateralRefusal.DUPLICATE
    elif not rest and asked.symbol not in vault.settings.destinations:
        refusal = CollateralRefusal.UNKNOWN_SYMBOL
    if refusal is not None:
        vault.refuse(asked.order_id, Stage.REPAY, refusal)
        return
    place = rest[0].place if rest else landing(vault, asked)[0]
    key, payment_id = Key(Holding.READY, place, asked.order_id, REPAID), vault.state.ids.next("P")
    vault.note(vault.state.books.open_lot(now, owner, payment_id, asked.amount, key=key, what="repaid"))
    vault.answer(CollateralRepaid(asked.order_id, asked.amount))


def take_back(vault: Vault, now: Nanos, asked: TakeBackProceeds) -> None:
    """Let the cash that is held for an order go back to the account that it came from."""
    amount = ZERO
    for owner in owners(asked.user):
        keys = proceeds(vault, owner, asked.order_id)
        held = vault.sum_of(owner, keys)
        vault.draw(now, owner, keys, HoldingStep.TAKEN_BACK, held)
        amount = EXACT.add(amount, held)
    if amount:
        vault.answer(ProceedsTakenBack(asked.order_id, amount))
    else:
        vault.refuse(asked.order_id, Stage.TAKE_BACK, CollateralRefusal.NOT_ENOUGH_FUNDS)
