"""A collateral component that does what a test tells it, for an index desk to deal with."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from core.collateral.records import (
    CollateralPreauthorised,
    CollateralRefused,
    CollateralRepaid,
    CollateralRouted,
    CollateralSpent,
    CollateralView,
    HoldProceeds,
    PaidOut,
    PayOut,
    PreauthoriseCollateral,
    ProceedsHeld,
    ProceedsTakenBack,
    RefundCollateral,
    RepayCollateral,
    RouteCollateral,
    SpendCollateral,
    StopRoute,
    TakeBackProceeds,
)
from core.kernel.record import Record

D = Decimal


class ScriptedCollateral:
    """Collateral of users without limit, unless `refuse` names a stage. Hops take `hop_fees` one after the other."""

    def __init__(self) -> None:
        self.hop_fees: tuple[Decimal, ...] = ()
        self.short = D(0)
        """So much less than was asked for is brought."""
        self.refuse: dict[str, str] = {}
        self.payout_fee = D(0)
        self.refund_fee = D(0)
        self.sends_home = True
        """Whether there is a way home."""
        self.stuck = False
        """Whether what is to be paid out stays on its way."""
        self.paused = False
        self.waiting: list[Record] = []
        self.stopped: list[str] = []
        self.held: dict[str, Decimal] = {}
        self.spent: dict[str, Decimal] = {}
        self.returned: dict[str, Decimal] = {}
        self.proceeds: dict[str, Decimal] = {}
        self.paid: dict[str, Decimal] = {}
        self.repaid: dict[str, Decimal] = {}
        self.payments = 0

    def obey(self, asked: Record) -> list[Record]:
        """What the desk is told. Who wants to stop a route here always comes after its answer."""
        if isinstance(asked, StopRoute):
            self.stopped.append(asked.order_id)
            return []
        if self.paused:
            self.waiting.append(asked)
            return []
        if self.stuck and isinstance(asked, PayOut):
            return []
        handler: Callable[[Any], Record] = getattr(self, f"_{type(asked).__name__}")
        stage = _STAGES[type(asked)]
        if stage in self.refuse:
            return [CollateralRefused(asked.order_id, stage, self.refuse[stage])]  # type: ignore[attr-defined]
        return [handler(asked)]

    def _RouteCollateral(self, asked: RouteCollateral) -> Record:
        left = asked.amount
        for rate in self.hop_fees:
            left -= left * rate
        self.held[asked.order_id] = left - self.short
        return CollateralRouted(asked.order_id, left - self.short, asked.amount - left)

    def _PreauthoriseCollateral(self, asked: PreauthoriseCollateral) -> Record:
        self.payments += 1
        assert asked.amount <= self.held[asked.order_id]
        return CollateralPreauthorised(asked.order_id, f"P-{self.payments:02}", asked.amount)

    def _SpendCollateral(self, asked: SpendCollateral) -> Record:
        assert asked.order_id not in self.spent
        self.spent[asked.order_id] = asked.amount
        self.held[asked.order_id] -= asked.amount
        assert self.held[asked.order_id] >= 0
        zero = D(0)
        view = CollateralView(asked.user, zero, zero, zero, zero, asked.amount, zero, ())
        return CollateralSpent(asked.order_id, asked.payment_id, asked.amount, (0,), view)

    def _RefundCollateral(self, asked: RefundCollateral) -> Record:
        amount = self.held.pop(asked.order_id)
        if not self.sends_home or amount < asked.least:
            return PaidOut(asked.order_id, D(0), D(0), credited=amount)
        self.returned[asked.order_id] = amount - self.refund_fee
        return PaidOut(asked.order_id, self.returned[asked.order_id], self.refund_fee)

    def _HoldProceeds(self, asked: HoldProceeds) -> Record:
        assert asked.order_id not in self.proceeds
        self.proceeds[asked.order_id] = asked.amount
        return ProceedsHeld(asked.order_id, asked.amount)

    def _RepayCollateral(self, asked: RepayCollateral) -> Record:
        assert asked.amount == self.spent[asked.order_id]
        assert asked.order_id not in self.repaid
        self.repaid[asked.order_id] = asked.amount
        self.held[asked.order_id] += asked.amount
        return CollateralRepaid(asked.order_id, asked.amount)

    def _TakeBackProceeds(self, asked: TakeBackProceeds) -> Record:
        assert asked.order_id not in self.paid
        return ProceedsTakenBack(asked.order_id, self.proceeds.pop(asked.order_id))

    def _PayOut(self, asked: PayOut) -> Record:
        assert asked.order_id not in self.paid
        amount = self.proceeds[asked.order_id]
        if not self.sends_home:
            return PaidOut(asked.order_id, D(0), D(0), credited=amount)
        self.paid[asked.order_id] = amount - self.payout_fee
        return PaidOut(asked.order_id, self.paid[asked.order_id], self.payout_fee)


_STAGES: Final[dict[type[Record], str]] = {
    RouteCollateral: "route",
    PreauthoriseCollateral: "preauthorise",
    SpendCollateral: "spend",
    RefundCollateral: "refund",
    HoldProceeds: "hold",
    PayOut: "pay_out",
    RepayCollateral: "repay",
    TakeBackProceeds: "take_back",
}
