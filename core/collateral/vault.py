"""What the parts of `Collateral` share: its state, its voice, and how money is booked and told of."""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from core.collateral.books import Books, Owner
from core.collateral.facts import HopStepped, TransferStepped
from core.collateral.graph import Given, Graph, Route
from core.collateral.positions import ZERO, Key, Lot
from core.collateral.records import (
    CollateralAwaited,
    CollateralPreauthorised,
    CollateralRefusal,
    CollateralRefused,
    CollateralRepaid,
    CollateralRouted,
    CollateralSpent,
    PaidOut,
    ProceedsHeld,
    ProceedsTakenBack,
    Stage,
)
from core.collateral.seen import SeenNumbers
from core.collateral.settings import CollateralSettings, HopSettings
from core.collateral.states import Holding, HoldingStep, LegState
from core.collateral.transfers import Transfer
from core.kernel.component import Component
from core.kernel.ids import Ids
from core.kernel.record import Note, Record, Send, SetTimer
from core.units import EXACT, Nanos

DESK: Final = "desk"

ToDesk: TypeAlias = (
    CollateralAwaited
    | CollateralPreauthorised
    | CollateralRefused
    | CollateralRepaid
    | CollateralRouted
    | CollateralSpent
    | PaidOut
    | ProceedsHeld
    | ProceedsTakenBack
)


class RouteRequest(msgspec.Struct):
    """A `RouteCollateral` that has no final answer yet: it waits for a deposit, or its transfer is under way."""

    order_id: str
    user: str
    symbol: str
    amount: Decimal
    deadline: Nanos
    credit: Decimal = ZERO
    """Of its amount, what was there already; claimed once its transfer sets out."""
    transfer_id: str = ""


class Withdrawal(msgspec.Struct):
    """A `WithdrawalRequested` that is not done. `amount` is the sum of `unserved`, `refused`, `paid`, `fee`,
    `under_way`, and what those of its transfers set out with that it waits for."""

    payment_id: str
    user: str
    seq_num: int
    amount: Decimal
    unserved: Decimal
    deadline: Nanos
    refused: Decimal = ZERO
    paid: Decimal = ZERO
    fee: Decimal = ZERO
    under_way: Decimal = ZERO
    """What hops had when it had waited for that long enough."""
    reason: CollateralRefusal | None = None
    """Why something was refused."""
    transfers: dict[str, Decimal] = {}
    """Waited for, and what each set out with."""


class CollateralState(msgspec.Struct):
    """All that changes."""

    books: Books
    ids: Ids = msgspec.field(default_factory=Ids)
    transfers: dict[str, Transfer] = {}
    routes: dict[str, RouteRequest] = {}
    """By order."""
    payouts: dict[str, str] = {}
    """By order, the transfer that pays its refund or its proceeds."""
    withdrawals: dict[str, Withdrawal] = {}
    """By payment id."""
    waiting: dict[str, list[str]] = {}
    """By user, the timer keys of the orders and withdrawals that want more than is free, oldest first."""
    deposits_seen: dict[str, SeenNumbers] = {}
    """By chain."""
    withdrawals_seen: dict[str, SeenNumbers] = {}
    left_at: list[str] = []
    """Designations where money that was to be paid out was left, and that none has got away from since."""
    disputes: list[str] = []
    """What was disputed last of transfers that are forgotten."""
    ended: dict[str, dict[str, LegState]] = {}
    """By transfer that is over, how its legs have ended, by number; the last that ended."""
    stopping: bool = False


class Vault(Component[CollateralState]):
    """A `Collateral` without its handlers."""

    __slots__ = ("freed", "graph", "settings")

    def __init__(self, name: str, settings: CollateralSettings) -> None:
        super().__init__(name, CollateralState(Books(settings.token, settings.closed_lots_max)))
        self.settings = settings
        self.graph = Graph(settings.hops, settings.latency_cost_bps, settings.transfer_fee_share_max)
        self.freed: dict[str, None] = {}
        """Users whose money became free in the event at hand. Empty between events."""

    def note(self, fact: Record) -> None:
        """State a fact."""
        self.emit(Note(fact))

    def answer(self, said: ToDesk) -> None:
        """Tell the desk."""
        self.emit(Send(DESK, said))

    def refuse(self, order_id: str, stage: Stage, reason: CollateralRefusal) -> None:
        """Tell the desk that nothing comes of its command."""
        self.answer(CollateralRefused(order_id, stage, reason))

    def held(self, owner: Owner, matches: Callable[[Key], bool]) -> Decimal:
        """How much an owner has in a way that matches."""
        return self.state.books.held(owner, matches)

    def book(self, now: Nanos, owner: Owner, was: Key, step: HoldingStep, amount: Decimal, **changed: str) -> list[Lot]:
        """Let a step happen to money, and state it; return the lots it was in."""
        moved = self.state.books.step(now, owner, was, step, amount, **changed)
        self.note(moved.fact)
        return moved.lots

    def draw(
        self, now: Nanos, owner: Owner, keys: list[Key], step: HoldingStep, amount: Decimal, **changed: str
    ) -> list[Lot]:
        """Let a step happen to `amount` of what is held in these ways, the first ones first."""
        lots, left = [], amount
        for key in keys:
            part = min(left, self.held(owner, lambda held, key=key: held == key))  # type: ignore[misc]
            if part:
                lots += self.book(now, owner, key, step, part, **changed)
                left = EXACT.subtract(left, part)
        return lots

    def release(self, now: Nanos, user: str, matches: Callable[[Key], bool]) -> Decimal:
        """Let what a user has in a way that matches be ready and free; return how much it was."""
        owner, before = Owner(user), ZERO
        for key in self.state.books.side(owner).keys(matches):
            amount = self.held(owner, lambda held, key=key: held == key)  # type: ignore[misc]
            self.book(now, owner, key, HoldingStep.RELEASED, amount, order_id="", payment_id="")
            before = EXACT.add(before, amount)
        self.freed[user] = None
        return before

    def free(self, owner: Owner, place: str, holding: Holding, order_id: str = "") -> list[Key]:
        """The ways in which an owner has money of that kind at `place`, claimed by that order first, then unclaimed."""
        side = self.state.books.side(owner)
        claimed = side.keys(lambda key: _is_at(key, place, holding) and bool(order_id) and key.order_id == order_id)
        return claimed + side.keys(lambda key: _is_at(key, place, holding) and not key.order_id)

    def sum_of(self, owner: Owner, keys: list[Key]) -> Decimal:
        """How much is held in these ways."""
        return self.held(owner, lambda key: key in keys)

    def enough(self, available: Decimal, wanted: Decimal) -> Decimal | None:
        """How much of `wanted` can be given: all of it, what is there if that is short by the tolerance, or None."""
        if EXACT.add(available, self.settings.tolerance) < wanted or not available:
            return None
        return min(available, wanted)

    def plan(
        self,
        source: str,
        targets: Collection[str],
        amount: Decimal,
        *,
        without: Collection[str] = (),
        within: Nanos | None = None,
        floor: Decimal | None = None,
    ) -> Route | None:
        """The best way as things stand: a hop without room for `amount` is expected to take `capacity_wait` more."""
        full = (hop.name for hop in self.settings.hops if not self.has_room(hop, amount))
        delays = dict.fromkeys(full, self.settings.capacity_wait)
        return self.graph.plan(source, targets, amount, Given(without, within, delays, floor))

    def has_room(self, hop: HopSettings, amount: Decimal) -> bool:
        """Whether a hop may have `amount` besides what it has."""
        if hop.capacity is None:
            return True
        under_way = ZERO
        for transfer in self.state.transfers.values():
            leg = transfer.leg
            if leg is not None and leg.hop == hop.name and leg.state is not LegState.WAITING:
                under_way = EXACT.add(under_way, leg.amount)
        return EXACT.add(under_way, amount) <= hop.capacity

    def note_leg(self, transfer: Transfer, what: str, fee: Decimal = ZERO, reason: str = "") -> None:
        """State what happened to the leg of a transfer."""
        leg = transfer.leg
        assert leg is not None
        self.note(
            HopStepped(
                transfer.transfer_id,
                leg.number,
                leg.hop,
                order_id=transfer.order_id,
                user=transfer.user,
                what=what,
                amount=leg.amount,
                source=leg.source,
                destination=leg.destination,
                fee=fee,
                state=leg.state,
                reason=reason,
            )
        )

    def note_transfer(self, transfer: Transfer, what: str, reason: str = "") -> None:
        """State what happened to a transfer."""
        self.note(
            TransferStepped(
                transfer.transfer_id,
                transfer.order_id,
                transfer.user,
                what=what,
                state=transfer.state,
                held_at=transfer.at,
                amount=transfer.amount,
                fee=transfer.fee,
                reason=reason,
            )
        )

    def wait(self, transfer: Transfer, until: Nanos) -> None:
        """Look at a transfer again then, if nothing happens before; or sooner, when whoever it pays waits no longer."""
        if transfer.deadline is not None and not transfer.is_answered:
            until = min(until, transfer.deadline)
        self.emit(SetTimer(f"transfer:{transfer.transfer_id}", until))


def _is_at(key: Key, place: str, holding: Holding) -> bool:
    return key.holding is holding and key.place == place
