"""Collateral in a world of simulated hops, without SimPy: what they say comes in its time, or is lost in a crash."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from heapq import heapify, heappop, heappush
from types import MappingProxyType

from core.collateral.books import Owner
from core.collateral.collateral import Collateral
from core.collateral.facts import CollateralMoved
from core.collateral.hops import BridgeReorged, FundsMoved, FundsReturned
from core.collateral.positions import Key
from core.collateral.records import (
    CollateralAwaited,
    CollateralRefused,
    CollateralRouted,
    DepositSeen,
    PaidOut,
    RefundCollateral,
    RouteCollateral,
)
from core.collateral.settings import CollateralSettings, chain_of
from core.collateral.states import Holding
from core.kernel.record import Call, Effect, Event, Message, Reply, Send, TimerFired
from core.units import EXACT, Nanos
from sim.hop_models import HopFaults, HopModel
from sim.hops import sim_hop
from tests.helpers.collateral import Rig


class World(Rig):
    """A rig whose calls are answered. Keeps when each order's route was asked for, and each time it was answered."""

    def __init__(self, settings: CollateralSettings, models: list[HopModel], seed: int) -> None:
        self.hops = {f"hop:{model.settings.name}": sim_hop(model, seed) for model in models}
        self.coming: list[tuple[Nanos, int, Event]] = []
        self.asked_at: dict[str, Nanos] = {}
        self.answered_at: dict[str, list[Nanos]] = {}
        self.deposits: dict[tuple[str, int], None] = {}
        self.refunds_asked: list[tuple[str, Decimal]] = []
        """Of which order, and how much it had."""
        self._said = 0
        super().__init__(settings)

    def deliver(self, event: Event) -> list[Effect]:
        if isinstance(event, Message) and isinstance(event.body, RouteCollateral):
            self.asked_at[event.body.order_id] = self.now
        if isinstance(event, Message) and isinstance(event.body, DepositSeen):
            self.deposits[chain_of(event.body.user), event.body.seq_num] = None
        if isinstance(event, Message) and isinstance(event.body, RefundCollateral):
            self.refunds_asked.append((event.body.order_id, self._refundable(event.body)))
        effects = super().deliver(event)
        for effect in effects:
            if isinstance(effect, Call):
                self._ask(effect)
            elif isinstance(effect, Send) and _ends_route(effect.body):
                self.answered_at.setdefault(effect.body.order_id, []).append(self.now)
        return effects

    def _refundable(self, asked: RefundCollateral) -> Decimal:
        """What an order has of a payment, and has claimed without one."""

        def is_its_own(key: Key) -> bool:
            is_paid = key.holding is Holding.PREAUTH and key.payment_id == asked.payment_id
            return key.order_id == asked.order_id and (is_paid or key.holding is Holding.READY)

        return self.collateral.held(Owner(asked.user), is_its_own)

    def advance(self, to: Nanos) -> None:
        """Let timers fire and hops speak, up to and including `to`, in the order of time."""
        while True:
            timer = min(((at, key) for key, at in self.timers.items()), default=None)
            said = self.coming[0][0] if self.coming else None
            if said is not None and said <= to and (timer is None or said <= timer[0]):
                at, _, event = heappop(self.coming)
                self.now = max(self.now, at)
                self.deliver(event)
            elif timer is not None and timer[0] <= to:
                del self.timers[timer[1]]
                self.now = max(self.now, timer[0])
                self.deliver(TimerFired(timer[1], timer[0]))
            else:
                break
        self.now = to

    def crash(self, *, mute: bool) -> None:
        """The component comes back from its snapshot; with `mute`, what hops were about to say is lost."""
        saved = self.collateral.snapshot()
        fresh = Collateral("collateral", self.collateral.settings)
        fresh.restore(saved)
        assert fresh.snapshot() == saved
        self.collateral = fresh
        if mute:
            self.coming.clear()

    def heal(self, but: Mapping[str, HopFaults] = MappingProxyType({})) -> None:
        """The world behaves from now on: what is under way gets through, and no block is replaced any more. Hops that
        are named are as bad as that for ever instead."""
        for hop in self.hops.values():
            name = hop.model.settings.name
            if name in but:
                hop.faults = but[name]
            else:
                hop.heal(self.now)
        self.coming = [each for each in self.coming if not _is_reorg(each[2])]
        heapify(self.coming)

    def lies_at(self, place: str) -> Decimal:
        """What is at a designation by what hops have in truth done, and by what came and went there otherwise."""
        total = Decimal(0)
        for hop in self.hops.values():
            hop.catch_up(self.now)
            settings = hop.model.settings
            for movement in hop.movements.values():
                if isinstance(movement.outcome, FundsMoved) and settings.source == place:
                    total = EXACT.subtract(total, movement.amount)
                if isinstance(movement.outcome, FundsMoved) and settings.destination == place:
                    total = EXACT.add(total, movement.outcome.amount)
                if isinstance(movement.outcome, FundsReturned) and settings.source == place:
                    total = EXACT.subtract(total, EXACT.subtract(movement.amount, movement.outcome.amount))
        for fact in self.facts(CollateralMoved):
            if not fact.was and fact.destination == place:
                total = EXACT.add(total, fact.amount)
            if fact.what in ("spent", "credited") and fact.was and fact.source == place:
                total = EXACT.subtract(total, fact.amount)
        return total

    def booked_at(self, place: str) -> Decimal:
        """What the ledger has at a designation."""
        ledger = self.collateral.state.books.ledger.balances
        total = Decimal(0)
        for name, tokens in ledger.items():
            if name.endswith(f"@{place}"):
                total = EXACT.add(total, tokens["USDC"])
        return total

    def _ask(self, call: Call[object]) -> None:
        for after, body, is_news in self.hops[call.service].ask(self.now, call.body):
            self._said += 1
            event: Event = Message("bridge", body) if is_news else Reply(call.call_id, body)
            heappush(self.coming, (self.now + after, self._said, event))


def _ends_route(body: object) -> bool:
    if isinstance(body, CollateralRefused):
        return body.stage == "route"
    return isinstance(body, CollateralRouted) and not isinstance(body, CollateralAwaited | PaidOut)


def _is_reorg(event: Event) -> bool:
    return isinstance(event, Message) and isinstance(event.body, BridgeReorged)
