"""Collateral: takes users' deposits to where they are needed, holds them there for orders, and takes them home again.

Four things go on at once, each ended by a timer if by nothing else:

1. *Orders* ask for collateral (`routing.py`). What is free at a destination is used first, the rest is brought there;
   an order whose user has not deposited enough waits. Each has its answer by the deadline.
2. *Transfers* carry money, leg by leg (`moving.py`, `legs.py`, `answers.py`, `bridging.py`). They outlive the order
   that they were for: money that comes too late, or back, is its user's again.
3. *Payments* set aside and spend what has arrived (`payments.py`).
4. *Payouts* bring money home: refunds, the cash of sales, withdrawals (`payouts.py`). Money for what came to nothing is
   paid back, or taken back (`restitution.py`).

Whatever becomes free serves whoever of the same user has waited longest. The tables, with the reasons for each step,
are in `states.py`; who has what, and where it is, in `books.py`. After `Stop` no order's money sets out; what is under
way goes on to its end.
"""

from __future__ import annotations

from typing import ClassVar

from core.collateral.answers import on_reply
from core.collateral.bridging import on_expired, on_filled, on_refunded, on_reorged, on_seen
from core.collateral.hops import (
    BridgeExpired,
    BridgeFilled,
    BridgeRefunded,
    BridgeReorged,
    BridgeSeen,
    BridgeSuggested,
    FundsMoved,
    FundsPending,
    FundsRefused,
    FundsReturned,
    FundsUnknown,
)
from core.collateral.legs import go_on, look_at, time_out
from core.collateral.moving import resume
from core.collateral.payments import preauthorise, spend
from core.collateral.payouts import hold_proceeds, lapse, pay_out, refund, serve_withdrawal, withdraw
from core.collateral.records import (
    DepositSeen,
    HoldProceeds,
    PayOut,
    PreauthoriseCollateral,
    RefundCollateral,
    RepayCollateral,
    RouteCollateral,
    SpendCollateral,
    StopRoute,
    TakeBackProceeds,
    WithdrawalRequested,
)
from core.collateral.restitution import repay, take_back
from core.collateral.routing import deposit, fall_due, request, serve_order, stop
from core.collateral.states import TransferState
from core.collateral.vault import Vault
from core.kernel.component import Handler
from core.kernel.record import Effect, Event, Message, Record, Resume, Start, Stop, TimerFired
from core.units import Nanos


class Collateral(Vault):
    """Every unit ever deposited is held as exactly one thing at exactly one place, and never moved twice."""

    __slots__ = ()

    def handle(self, now: Nanos, event: Event) -> list[Effect]:
        """Apply one event, then serve those of the users whose money it has freed who wait for it."""
        effects = super().handle(now, event)
        while self.freed:
            user = next(iter(self.freed))
            del self.freed[user]
            self._serve(now, user)
        return effects

    def _serve(self, now: Nanos, user: str) -> None:
        waiting = self.state.waiting.get(user, [])
        for key in list(waiting):
            kind, _, of = key.partition(":")
            if kind == "withdrawal":
                served = serve_withdrawal(self, now, of)
            else:
                served = not self.state.stopping and serve_order(self, now, of)
            if served:
                waiting.remove(key)
        if not waiting:
            self.state.waiting.pop(user, None)

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        """Nothing is under way yet."""

    def _on_stop(self, _now: Nanos, _event: Stop) -> None:
        self.state.stopping = True

    def _on_resume(self, _now: Nanos, _event: Resume) -> None:
        self.state.stopping = False
        self.freed = dict.fromkeys(self.state.waiting)

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        kind, _, of = event.key.partition(":")
        if kind == "order":
            fall_due(self, now, of)
        elif kind == "withdrawal":
            lapse(self, of)
        else:
            self._on_transfer_timer(now, of)

    def _on_transfer_timer(self, now: Nanos, transfer_id: str) -> None:
        transfer = self.state.transfers[transfer_id]
        if transfer.is_overdue(now) and not transfer.is_answered:
            time_out(self, now, transfer)
        elif transfer.state is TransferState.HELD:
            resume(transfer)
            go_on(self, now, transfer)
        else:
            look_at(self, now, transfer)

    def _on_deposit(self, now: Nanos, event: Message[DepositSeen]) -> None:
        deposit(self, now, event.body)

    def _on_withdrawal(self, now: Nanos, event: Message[WithdrawalRequested]) -> None:
        withdraw(self, now, event.body)

    def _on_route(self, now: Nanos, event: Message[RouteCollateral]) -> None:
        request(self, now, event.body)

    def _on_stop_route(self, now: Nanos, event: Message[StopRoute]) -> None:
        stop(self, now, event.body)

    def _on_preauthorise(self, now: Nanos, event: Message[PreauthoriseCollateral]) -> None:
        preauthorise(self, now, event.body)

    def _on_spend(self, now: Nanos, event: Message[SpendCollateral]) -> None:
        spend(self, now, event.body)

    def _on_refund(self, now: Nanos, event: Message[RefundCollateral]) -> None:
        refund(self, now, event.body)

    def _on_proceeds(self, now: Nanos, event: Message[HoldProceeds]) -> None:
        hold_proceeds(self, now, event.body)

    def _on_pay_out(self, now: Nanos, event: Message[PayOut]) -> None:
        pay_out(self, now, event.body)

    def _on_repay(self, now: Nanos, event: Message[RepayCollateral]) -> None:
        repay(self, now, event.body)

    def _on_take_back(self, now: Nanos, event: Message[TakeBackProceeds]) -> None:
        take_back(self, now, event.body)

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Resume: _on_resume,
        TimerFired: _on_timer,
        DepositSeen: _on_deposit,
        WithdrawalRequested: _on_withdrawal,
        RouteCollateral: _on_route,
        StopRoute: _on_stop_route,
        PreauthoriseCollateral: _on_preauthorise,
        SpendCollateral: _on_spend,
        RefundCollateral: _on_refund,
        HoldProceeds: _on_proceeds,
        PayOut: _on_pay_out,
        RepayCollateral: _on_repay,
        TakeBackProceeds: _on_take_back,
        BridgeSeen: on_seen,
        BridgeFilled: on_filled,
        BridgeReorged: on_reorged,
        BridgeExpired: on_expired,
        BridgeRefunded: on_refunded,
        **dict.fromkeys(
            (FundsMoved, FundsPending, FundsRefused, FundsReturned, FundsUnknown, BridgeSuggested), on_reply
        ),
    }
