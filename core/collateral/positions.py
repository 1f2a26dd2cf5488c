"""Who has what: each user's deposits as lots, and each lot as parcels that say what a part of it is held as.

A lot is created by one deposit, or by the cash of one sale, and its parcels add up to its amount for ever (I2). Money
moves within a lot only, from parcel to parcel, oldest lot first; what hops keep is taken from the newest lot that
travels. A lot that has nothing left to move is closed: a few of those are kept to be shown, of the rest the sums.

Amounts are moved exactly as asked. Callers check first; taking more than there is raises DefectError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from core.collateral.records import CollateralView, LotView, SpendView
from core.collateral.states import HOLDINGS, Holding, HoldingStep
from core.errors import DefectError
from core.units import EXACT, Nanos

CHARGES: Final = "Charges"
"""The payment under which fees of hops are booked."""
EARLIER: Final = "Earlier"
"""The payment under which the oldest of very many payments of one lot are shown."""
SPENDS_MAX: Final = 64
ZERO: Final = Decimal(0)
GONE: Final = frozenset({Holding.SPENT, Holding.RETURNED})


class Key(msgspec.Struct, frozen=True):
    """What makes two parcels of a lot the same: how, where and for what they are held."""

    holding: Holding
    place: str = ""
    """A designation, or `hop:<name>` while a hop has it; empty for what is gone."""
    order_id: str = ""
    payment_id: str = ""
    transfer_id: str = ""


class Parcel(msgspec.Struct):
    """A part of a lot."""

    key: Key
    amount: Decimal


class Lot(msgspec.Struct):
    """One deposit, or the cash of one sale, which has no number."""

    payment_id: str
    seq_num: int | None
    amount: Decimal
    opened_at: Nanos
    changed_at: Nanos
    parcels: list[Parcel]

    def held(self, holding: Holding) -> Decimal:
        """How much of it is held as that."""
        return total(parcel.amount for parcel in self.parcels if parcel.key.holding is holding)

    @property
    def is_closed(self) -> bool:
        """Whether nothing of it can move any more."""
        return all(parcel.key.holding in GONE for parcel in self.parcels)

    def move(self, now: Nanos, was: Key, becomes: Key, amount: Decimal) -> Decimal:
        """Turn up to `amount` of one parcel into another; return how much it was."""
        parcel = self._parcel(was)
        if parcel is None:
            return ZERO
        moved = min(parcel.amount, amount)
        parcel.amount = EXACT.subtract(parcel.amount, moved)
        if not parcel.amount:
            self.parcels.remove(parcel)
        self._add(becomes, moved)
        self.changed_at = now
        return moved

    def _parcel(self, key: Key) -> Parcel | None:
        return next((parcel for parcel in self.parcels if parcel.key == key), None)

    def _add(self, key: Key, amount: Decimal) -> None:
        there = self._parcel(key)
        if there is not None:
            there.amount = EXACT.add(there.amount, amount)
            return
        self.parcels.append(Parcel(key, amount))
        spends = [parcel for parcel in self.parcels if parcel.key.holding is Holding.SPENT]
        if len(spends) > SPENDS_MAX:
            self._merge(spends[0], spends[1])

    def _merge(self, first: Parcel, second: Parcel) -> None:
        first.key = Key(Holding.SPENT, payment_id=EARLIER)
        first.amount = EXACT.add(first.amount, second.amount)
        self.parcels.remove(second)

    def view(self) -> LotView:
        """As the desk and its users see it."""
        return LotView(
            self.payment_id,
            -1 if self.seq_num is None else self.seq_num,
            self.amount,
            unconfirmed=self.held(Holding.UNCONFIRMED),
            routing=self.held(Holding.ROUTING),
            ready=self.held(Holding.READY),
            preauth=self.held(Holding.PREAUTH),
            spent=self.held(Holding.SPENT),
            returned=self.held(Holding.RETURNED),
            spends=tuple(self._spends()),
            opened_at=self.opened_at,
            changed_at=self.changed_at,
        )

    def _spends(self) -> Iterator[SpendView]:
        sums: dict[tuple[str, str], dict[Holding, Decimal]] = {}
        for parcel in self.parcels:
            key = parcel.key
            if key.holding in {Holding.PREAUTH, Holding.SPENT}:
                row = sums.setdefault((key.order_id, key.payment_id), {})
                row[key.holding] = EXACT.add(row.get(key.holding, ZERO), parcel.amount)
        for (order_id, payment_id), row in sums.items():
            yield SpendView(order_id, payment_id, row.get(Holding.PREAUTH, ZERO), row.get(Holding.SPENT, ZERO))


class Side(msgspec.Struct):
    """The lots of one user: what was deposited, or what sales have brought."""

    lots: dict[str, Lot] = {}
    """Open ones by payment id, oldest first."""
    closed: list[Lot] = []
    """The last that were closed."""
    closed_amount: Decimal = ZERO
    closed_spent: Decimal = ZERO
    closed_returned: Decimal = ZERO
    """Sums over all lots that were ever closed."""

    def held(self, matches: Callable[[Key], bool]) -> Decimal:
        """How much of the open lots is held in a way that matches."""
        return total(parcel.amount for lot in self.lots.values() for parcel in lot.parcels if matches(parcel.key))

    def keys(self, matches: Callable[[Key], bool]) -> list[Key]:
        """The ways in which money is held that match, in the order of the lots."""
        found = (parcel.key for lot in self.lots.values() for parcel in lot.parcels)
        return list(dict.fromkeys(key for key in found if matches(key)))

    def balance(self, holding: Holding) -> Decimal:
        """How much is held as that, closed lots included (I3)."""
        closed = {Holding.SPENT: self.closed_spent, Holding.RETURNED: self.closed_returned}.get(holding, ZERO)
        return EXACT.add(closed, total(lot.held(holding) for lot in self.lots.values()))

    def move(self, now: Nanos, was: Key, becomes: Key, amount: Decimal, *, newest_first: bool = False) -> list[Lot]:
        """Move `amount` from one way of being held to another, lot by lot; return the lots it was in."""
        touched, left = [], amount
        lots = list(self.lots.values())
        for lot in reversed(lots) if newest_first else lots:
            if not left:
                break
            moved = lot.move(now, was, becomes, left)
            if moved:
                touched.append(lot)
                left = EXACT.subtract(left, moved)
        if left:
            raise DefectError(f"{amount} of {was} wanted, {left} of it is not there")
        return touched

    def close(self, lots: Iterable[Lot], keep: int) -> None:
        """Take those that are closed out of the open ones."""
        for lot in lots:
            if lot.is_closed:
                del self.lots[lot.payment_id]
                self.closed_amount = EXACT.add(self.closed_amount, lot.amount)
                self.closed_spent = EXACT.add(self.closed_spent, lot.held(Holding.SPENT))
                self.closed_returned = EXACT.add(self.closed_returned, lot.held(Holding.RETURNED))
                self.closed.append(lot)
        del self.closed[: max(len(self.closed) - keep, 0)]


class Position(msgspec.Struct):
    """All of one user's: credits are deposits, debits what sales have brought and is on its way to the user."""

    user: str
    credits: Side = msgspec.field(default_factory=Side)
    debits: Side = msgspec.field(default_factory=Side)

    def view(self, touched: Iterable[Lot] = ()) -> CollateralView:
        """The deposits as they stand, those that are open and those that were `touched`."""
        side = self.credits
        shown = {lot.payment_id: lot for lot in (*touched, *side.lots.values())}
        return CollateralView(
            self.user,
            unconfirmed=side.balance(Holding.UNCONFIRMED),
            routing=side.balance(Holding.ROUTING),
            ready=side.balance(Holding.READY),
            preauth=side.balance(Holding.PREAUTH),
            spent=side.balance(Holding.SPENT),
            returned=side.balance(Holding.RETURNED),
            lots=tuple(lot.view() for lot in shown.values()),
        )


def becomes(was: Holding, step: HoldingStep, who: str) -> Holding:
    """What a step makes of money. Raises IllegalTransition."""
    return HOLDINGS.after(was, step, who)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """An exact sum."""
    result = ZERO
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result
