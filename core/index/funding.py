"""Orders whose time has come get their funds: collateral brought and set aside for a buy, tokens locked for a sell."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.collateral.records import (
    COLLATERAL,
    CollateralPreauthorised,
    CollateralRefused,
    CollateralRouted,
    PreauthoriseCollateral,
    RouteCollateral,
)
from core.index.base import DeskBase
from core.index.chain import UNSOLD, ReturnIndex
from core.index.facts import CollateralShort, TokensHeld
from core.index.order import IndexOrder
from core.index.reasons import EndReason, TokenRefusal, WaitReason
from core.index.records import FillStatus, IndexTokensDeposited, Outcome, TokensRefused
from core.index.returning import set_idle
from core.index.settling import leave, part, refuse
from core.index.states import IndexOrderState, IndexOrderStep
from core.index.validation import token_flaw
from core.units import EXACT, Nanos, as_integer, as_text

_NO_TOKENS: Final = frozenset({TokenRefusal.INVALID_AMOUNT, TokenRefusal.INVALID_NUMBER, TokenRefusal.INVALID_ID})
"""What cannot be given back, or not for certain once."""


def serve_orders(desk: DeskBase, now: Nanos) -> None:
    """Begin with every order that has waited its time. One that is put back is not served again in this tick."""
    custody = desk.state.custody
    for order_id in desk.state.line.take(now):
        order = desk.state.orders.live[order_id]
        if order.side == "buy":
            desk.move(now, order, IndexOrderStep.SERVED)
            desk.send(COLLATERAL, RouteCollateral(order.order_id, order.user, order.symbol, order.remaining))
        elif custody.lock(order.order_id, order.user, order.symbol, order.remaining):
            desk.move(now, order, IndexOrderStep.SERVED)
            desk.move(now, order, IndexOrderStep.SECURED)
            desk.note(order.report(FillStatus.COLLATERAL_READY))
        else:
            desk.defer(order, WaitReason.NO_TOKENS)
            desk.state.line.put_back(order_id, now)


def hold_tokens(desk: DeskBase, now: Nanos, said: IndexTokensDeposited) -> None:
    """Index tokens came into custody. Sells that wait for them find them when they are served again.

    What no order can ever sell goes back. A deposit that was seen before changes nothing.
    """
    flaw = _flaw(desk, said)
    if flaw in _NO_TOKENS:
        number = as_integer(said.seq_num)
        desk.note(TokensRefused(as_text(said.user), as_text(said.symbol), number, said.amount, flaw))
        return
    custody = desk.state.custody
    if not custody.is_new(said.seq_num):
        return
    if flaw is not None:
        desk.note(TokensRefused(said.user, said.symbol, said.seq_num, said.amount, flaw))
        key = f"{UNSOLD}:{desk.state.ids.next('R')}"
        desk.ask_chain(now, ReturnIndex(key, said.symbol, said.user, said.amount))
        return
    custody.deposit(said.user, said.symbol, said.amount)
    free = custody.balance(said.user, said.symbol)
    desk.note(TokensHeld(said.user, said.symbol, said.seq_num, said.amount, free))
    set_idle(desk, now, said.user, said.symbol)


def on_routed(desk: DeskBase, now: Nanos, order: IndexOrder, said: CollateralRouted) -> None:
    """The collateral is where assets are paid: set it aside, unless the order is leaving by now.

    What came short of what was asked for, within the tolerance of the settings, is removed from the order: nobody is
    to pay for it.
    """
    order.routed = said.amount
    order.charge_routing(said.fee)
    short = max(EXACT.subtract(order.remaining, said.amount), Decimal(0))
    if short:
        order.remove(short)
        desk.note(CollateralShort(order.order_id, short))
    if order.remaining <= 0:
        leave(desk, now, order, Outcome.REJECTED, EndReason.FEES)
    if order.state is IndexOrderState.LEAVING:
        part(desk, now, order)
        return
    desk.move(now, order, IndexOrderStep.ROUTED)
    desk.send(COLLATERAL, PreauthoriseCollateral(order.order_id, order.user, order.remaining))


def on_preauthorised(desk: DeskBase, now: Nanos, order: IndexOrder, said: CollateralPreauthorised) -> None:
    """The collateral is the order's: it may be engaged."""
    order.payment_id, order.preauthorised = said.payment_id, said.amount
    if order.state is IndexOrderState.LEAVING:
        part(desk, now, order)
        return
    desk.move(now, order, IndexOrderStep.PREAUTHORISED)
    desk.note(order.report(FillStatus.COLLATERAL_READY))


def on_refused(desk: DeskBase, now: Nanos, order: IndexOrder, said: CollateralRefused) -> None:
    """There is no collateral for the order. What trying has cost is its user's cost nevertheless, and what was brought,
    or is on its way still, is his."""
    order.charge_routing(said.fee)
    order.credited, order.under_way = said.credited, said.under_way
    refuse(desk, now, order, said.reason)


def _flaw(desk: DeskBase, said: IndexTokensDeposited) -> TokenRefusal | None:
    """Why no order can sell what came."""
    flaw = token_flaw(said, desk.settings)
    if flaw is None and desk.state.indexes.basket(said.symbol) is None:
        return TokenRefusal.INVALID_SYMBOL
    return flaw
