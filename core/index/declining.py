"""Tokens that the chain will never mint or burn: everybody has back what he gave, and the order is rejected.

A buy has paid already, and its assets are bought. The house keeps those and pays back what the order had paid for them,
so the house, which can sell them, bears what they have lost since; what bringing the collateral has cost is not undone.
A sell's cash is held and its tokens are still there: the cash goes back to where it came from, its index has it and is
owed what was sold, and the tokens are their user's again.

Money is asked for once, and the order ends when the answer is there, as one does whose payment was refused.
"""

from __future__ import annotations

from decimal import Decimal

from core.collateral.records import (
    COLLATERAL,
    CollateralRefused,
    CollateralRepaid,
    ProceedsTakenBack,
    RepayCollateral,
    TakeBackProceeds,
)
from core.index.base import DeskBase
from core.index.chain import BurnIndex, MintIndex
from core.index.facts import OrderRepaid, ProceedsReclaimed
from core.index.minting import end_unminted
from core.index.order import IndexOrder
from core.index.reasons import EndReason
from core.index.records import Outcome
from core.units import Nanos


def on_mint_declined(desk: DeskBase, request: MintIndex, reason: str) -> None:
    """There will be no tokens: have what they cost paid back."""
    order = _rejected(desk, request, reason)
    desk.send(COLLATERAL, RepayCollateral(order.order_id, order.user, order.symbol, order.charged))


def on_burn_declined(desk: DeskBase, now: Nanos, request: BurnIndex, reason: str) -> None:
    """The tokens stay: have their cash taken back, if they have brought any."""
    order = _rejected(desk, request, reason)
    if order.held > 0:
        desk.send(COLLATERAL, TakeBackProceeds(order.order_id, order.user))
    else:
        end_unminted(desk, now, order)


def on_repaid(desk: DeskBase, now: Nanos, order: IndexOrder, said: CollateralRepaid) -> None:
    """What the order had paid is claimed by it once more, and is released with what else it has."""
    order.charged = Decimal(0)
    desk.note(OrderRepaid(order.order_id, order.user, order.symbol, said.amount))
    end_unminted(desk, now, order)


def on_taken_back(desk: DeskBase, now: Nanos, order: IndexOrder, said: ProceedsTakenBack) -> None:
    """The cash is no longer held for the order."""
    order.held = Decimal(0)
    desk.note(ProceedsReclaimed(order.order_id, order.user, order.symbol, said.amount))
    end_unminted(desk, now, order)


def on_not_restored(desk: DeskBase, now: Nanos, order: IndexOrder, said: CollateralRefused) -> None:
    """The money stays where it is: its user reads in the order's last word that somebody has to look at it."""
    order.end_reason = f"{order.end_reason}; {said.stage}: {said.reason}"
    end_unminted(desk, now, order)


def _rejected(desk: DeskBase, request: MintIndex | BurnIndex, reason: str) -> IndexOrder:
    """The order that is asked for, whose end is certain from now on."""
    order = desk.state.orders.live[request.key.partition(":")[2]]
    order.ends_as, order.end_reason = Outcome.REJECTED, f"{EndReason.CHAIN_REFUSED}: {reason}"
    return order
