"""Collateral on a bench: routes of a few hops, and a rig that delivers events, fires timers and checks every step."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any, TypeVar

from msgspec.structs import replace

from core.collateral.collateral import Collateral
from core.collateral.graph import fee_of
from core.collateral.hops import FundsMoved, MoveFunds
from core.collateral.invariants import violations
from core.collateral.records import (
    CollateralRefused,
    CollateralRouted,
    CollateralView,
    DepositSeen,
    HoldProceeds,
    PayOut,
    PreauthoriseCollateral,
    RefundCollateral,
    RouteCollateral,
    SpendCollateral,
    StopRoute,
    WithdrawalRequested,
)
from core.collateral.settings import ChainSettings, CollateralSettings, HopSettings
from core.kernel.record import (
    Call,
    CancelTimer,
    Effect,
    Event,
    Message,
    Note,
    Record,
    Reply,
    Send,
    SetTimer,
    Start,
    TimerFired,
)
from core.units import MONEY, SECOND, Nanos

ALICE, BOB = "1:0xa11ce", "2:0xb0b"
T1, T2, T3, T4 = (f"T{n}:D{n}:C{n}" for n in range(1, 5))
WALLET = "EVM:WALLETS:C1"
R = TypeVar("R", bound=Record)


def hop(source: str, destination: str, name: str = "", **settings: Any) -> HopSettings:
    """A hop named for its ends, `T1-T2`."""
    name = name or f"{source.partition(':')[0]}-{destination.partition(':')[0]}"
    return HopSettings(name=name, source=source, destination=destination, **settings)


PERCENT: dict[str, Any] = {"fee_rate": Decimal("0.01")}
FORWARD = (hop(T1, T2, **PERCENT), hop(T2, T3, **PERCENT))
REVERSE = (hop(T3, T2), hop(T2, T1), hop(T1, WALLET))
SETTINGS = CollateralSettings(
    token="USDC",
    chains={"1": ChainSettings(deposit=T1, payout=WALLET)},
    destinations={"IX": (T3,)},
    hops=FORWARD + REVERSE,
)


def with_settings(settings: CollateralSettings = SETTINGS, **changed: Any) -> CollateralSettings:
    """The settings, with something else."""
    return replace(settings, **changed)


class Rig:
    """Delivers events to a collateral component, remembers its effects, and asserts the invariants after each."""

    def __init__(self, settings: CollateralSettings = SETTINGS) -> None:
        self.collateral = Collateral("collateral", settings)
        self.now: Nanos = 0
        self.timers: dict[str, Nanos] = {}
        self.effects: list[Effect] = []
        self.answered: list[str] = []
        self.deliver(Start())

    def deliver(self, event: Event) -> list[Effect]:
        """Hand over one event now, and keep what it causes."""
        with localcontext(MONEY):
            effects = self.collateral.handle(self.now, event)
            found = violations(self.collateral.state)
        assert not found, f"{event}: {found}"
        assert not self.collateral.freed
        for effect in effects:
            if isinstance(effect, SetTimer):
                assert effect.at >= self.now, effect
                self.timers[effect.key] = effect.at
            elif isinstance(effect, CancelTimer):
                self.timers.pop(effect.key, None)
        self.effects += effects
        return effects

    def advance(self, to: Nanos) -> None:
        """Let time pass up to and including `to`; fire what falls due, earliest first."""
        while due := [(at, key) for key, at in self.timers.items() if at <= to]:
            at, key = min(due)
            del self.timers[key]
            self.now = max(self.now, at)
            self.deliver(TimerFired(key, at))
        self.now = to

    def pass_seconds(self, seconds: int) -> None:
        self.advance(self.now + seconds * SECOND)

    # --- what is said to it ----------------------------------------------------------------------

    def deposit(self, amount: str, seq_num: int = 0, user: str = ALICE, at: str = "") -> list[Effect]:
        return self.deliver(Message("chain", DepositSeen(user, seq_num, Decimal(amount), at)))

    def withdraw(self, amount: str, seq_num: int = 0, user: str = ALICE) -> list[Effect]:
        return self.deliver(Message("chain", WithdrawalRequested(user, seq_num, Decimal(amount))))

    def route(self, amount: str, order_id: str = "O-1", user: str = ALICE, symbol: str = "IX") -> list[Effect]:
        return self.deliver(Message("desk", RouteCollateral(order_id, user, symbol, Decimal(amount))))

    def stop_route(self, order_id: str = "O-1") -> list[Effect]:
        return self.deliver(Message("desk", StopRoute(order_id)))

    def preauthorise(self, amount: str, order_id: str = "O-1", user: str = ALICE) -> list[Effect]:
        return self.deliver(Message("desk", PreauthoriseCollateral(order_id, user, Decimal(amount))))

    def spend(self, amount: str, payment_id: str, order_id: str = "O-1", user: str = ALICE) -> list[Effect]:
        return self.deliver(Message("desk", SpendCollateral(order_id, user, payment_id, Decimal(amount))))

    def release(self, payment_id: str = "", order_id: str = "O-1", user: str = ALICE) -> list[Effect]:
        """End a payment and its order's claims, for less than is worth to be sent."""
        return self.refund(payment_id, order_id, user, least="1e12")

    def refund(
        self, payment_id: str = "", order_id: str = "O-1", user: str = ALICE, *, least: str = "0"
    ) -> list[Effect]:
        return self.deliver(Message("desk", RefundCollateral(order_id, user, payment_id, Decimal(least))))

    def pay_out(self, amount: str, order_id: str = "O-1", user: str = ALICE, symbol: str = "IX") -> list[Effect]:
        """Let the desk have cash held, and have it paid out unless that is refused."""
        effects = self.hold(amount, order_id, user, symbol)
        if any(isinstance(said, CollateralRefused) for said in self.told(effects)):
            return effects
        return effects + self.deliver(Message("desk", PayOut(order_id, user)))

    def hold(self, amount: str, order_id: str = "O-1", user: str = ALICE, symbol: str = "IX") -> list[Effect]:
        return self.deliver(Message("desk", HoldProceeds(order_id, user, symbol, Decimal(amount))))

    def news(self, body: Record) -> list[Effect]:
        return self.deliver(Message("bridge", body))

    def reply(self, body: Record, to: int = -1) -> list[Effect]:
        """Answer a call, the last one unless told."""
        call_id = self.calls()[to].call_id
        self.answered.append(call_id)
        return self.deliver(Reply(call_id, body))

    def reply_moved(self) -> list[Effect]:
        """Let the hop that has the one transfer move its money after all, for the fee of its settings."""
        [transfer] = self.collateral.state.transfers.values()
        assert transfer.leg is not None
        fee = self.collateral.graph.hops[transfer.leg.hop].fee_flat
        return self.reply(FundsMoved(transfer.leg.amount - fee, fee))

    def reply_at_price(self) -> Decimal:
        """Let the hop that was asked last move the money, for the fee of its settings; return that."""
        call = self.calls()[-1]
        assert isinstance(call.body, MoveFunds)
        with localcontext(MONEY):
            fee = fee_of(self.collateral.graph.hops[call.service.removeprefix("hop:")], call.body.amount)
            moved = FundsMoved(call.body.amount - fee, fee)
        self.reply(moved)
        return fee

    def serve(self, rounds: int = 100) -> None:
        """Let every hop move what it was asked to move and was not answered for, for the fee of its settings."""
        for _ in range(rounds):
            asked = [call for call in self.calls() if call.call_id not in self.answered]
            if not asked:
                return
            for call in asked:
                self.answered.append(call.call_id)
                if isinstance(call.body, MoveFunds):
                    settings = self.collateral.graph.hops[call.service.removeprefix("hop:")]
                    with localcontext(MONEY):
                        fee = fee_of(settings, call.body.amount)
                        moved = FundsMoved(call.body.amount - fee, fee)
                    self.deliver(Reply(call.call_id, moved))

    # --- what it says ----------------------------------------------------------------------------

    def calls(self, effects: list[Effect] | None = None) -> list[Call[Any]]:
        return [effect for effect in (self.effects if effects is None else effects) if isinstance(effect, Call)]

    def told(self, effects: list[Effect] | None = None) -> list[Record]:
        """What the desk was told."""
        chosen = self.effects if effects is None else effects
        return [effect.body for effect in chosen if isinstance(effect, Send)]

    def facts(self, kind: type[R], effects: list[Effect] | None = None) -> list[R]:
        chosen = self.effects if effects is None else effects
        return [e.fact for e in chosen if isinstance(e, Note) and isinstance(e.fact, kind)]

    def position(self, user: str = ALICE) -> CollateralView:
        return self.collateral.state.books.positions[user].view()

    def balance(self, place: str, holding: str, user: str = ALICE, side: str = "credit") -> Decimal:
        """What the ledger has."""
        return self.collateral.state.books.ledger.balance(f"{user}/{side}/{holding}@{place}", "USDC")

    def routed(self) -> list[CollateralRouted]:
        return [said for said in self.told() if isinstance(said, CollateralRouted)]
