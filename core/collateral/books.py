"""The two books of collateral, and the only place where either changes.

One holds lots by user: whose deposit each unit is and what has become of it. The other is a double-entry ledger by
place: what lies at each designation, what each hop has, what has gone for good. Its accounts are
`<user>/<side>/<holding>@<place>`; `world` is where deposits come from. Each movement is booked in both, and what they
say of every user, side and holding must agree after every event (I3).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from core.collateral.facts import CollateralMoved
from core.collateral.positions import CHARGES, GONE, ZERO, Key, Lot, Parcel, Position, Side, becomes
from core.collateral.states import HoldingStep
from core.market.ledger import WORLD, Ledger
from core.units import EXACT, Nanos, is_number

SideName: TypeAlias = Literal["credit", "debit"]


class Owner(NamedTuple):
    """Whose money, and on which side of theirs."""

    user: str
    side: SideName = "credit"


class Moved(NamedTuple):
    """What a movement leaves to be told."""

    fact: CollateralMoved
    lots: list[Lot]


class Books(msgspec.Struct):
    """Part of the component's state."""

    token: str
    closed_lots_max: int
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    positions: dict[str, Position] = {}

    def side(self, owner: Owner) -> Side:
        """The lots of an owner, for reading; an empty side for one never seen."""
        position = self.positions.get(owner.user)
        return Side() if position is None else _side(position, owner)

    def held(self, owner: Owner, matches: Callable[[Key], bool]) -> Decimal:
        """How much an owner has in a way that matches."""
        return self.side(owner).held(matches)

    def open_lot(
        self,
        now: Nanos,
        owner: Owner,
        payment_id: str,
        amount: Decimal,
        *,
        key: Key,
        seq_num: int | None = None,
        what: str = "earned",
    ) -> CollateralMoved:
        """Take in money from the world: a deposit, which has a number, the cash of a sale, or what is paid back."""
        position = self.positions.setdefault(owner.user, Position(owner.user))
        lot = Lot(payment_id, seq_num, amount, now, now, [Parcel(key, amount)])
        _side(position, owner).lots[payment_id] = lot
        self.ledger.transfer(self.token, amount, WORLD, account(owner, key), "deposit")
        return CollateralMoved(
            what=what,
            order_id=key.order_id,
            user=owner.user,
            side=owner.side,
            amount=amount,
            was="",
            source="",
            state=key.holding,
            destination=key.place,
            transfer_id=key.transfer_id,
            payment_id=payment_id,
        )

    def step(self, now: Nanos, owner: Owner, was: Key, step: HoldingStep, amount: Decimal, **changed: str) -> Moved:
        """Let a step happen to `amount` of what is held as `was`; `changed` are the fields of its key that change.

        Raises IllegalTransition for a step that the table lacks, DefectError for more than is there.
        """
        to = replace(was, holding=becomes(was.holding, step, owner.user), **changed)
        if to.holding in GONE:
            to = Key(to.holding, order_id=to.order_id, payment_id=to.payment_id)
        side = _side(self.positions[owner.user], owner)
        newest_first = step is HoldingStep.CHARGED
        touched = side.move(now, was, to, amount, newest_first=newest_first)
        side.close(touched, self.closed_lots_max)
        self.ledger.transfer(self.token, amount, account(owner, was), account(owner, to), step)
        fact = CollateralMoved(
            what=step,
            order_id=was.order_id or to.order_id,
            user=owner.user,
            side=owner.side,
            amount=amount,
            was=was.holding,
            source=was.place,
            state=to.holding,
            destination=to.place,
            fee=amount if step is HoldingStep.CHARGED else ZERO,
            transfer_id=was.transfer_id or to.transfer_id,
            payment_id=to.payment_id or was.payment_id,
        )
        return Moved(fact, touched)

    def charge(self, now: Nanos, owner: Owner, was: Key, fee: Decimal) -> Moved:
        """Book what a hop has kept, from the newest lot that travels."""
        return self.step(now, owner, was, HoldingStep.CHARGED, fee, payment_id=CHARGES)


def account(owner: Owner, key: Key) -> str:
    """The ledger's name for what is held so."""
    return f"{owner.user}/{owner.side}/{key.holding}@{key.place}"


def is_money(amount: Decimal) -> bool:
    """Whether an amount from outside can be booked: a number, and positive."""
    return is_number(amount) and amount > 0


def as_stated(amount: Decimal) -> Decimal:
    """An amount from outside as facts have it: nothing, if it is no number, because such are not even themselves."""
    return amount if amount.is_finite() else ZERO


def kept(sent: Decimal, arrived: Decimal) -> Decimal:
    """What is missing, exactly."""
    return EXACT.subtract(sent, arrived)


def _side(position: Position, owner: Owner) -> Side:
    return position.credits if owner.side == "credit" else position.debits
