"""What must hold between any two events, whatever hops, bridges, users and crashes have done.

I2. The parcels of a lot add up to its amount: unconfirmed, routing, ready, pre-authorised, spent and returned.
I3. The lots of a user's side, closed ones included, add up to what the ledger has of them, holding by holding, and the
    ledger adds up to nothing: what came from the world is somewhere.
I4. What a transfer set out with is what it has left and what hops have kept; and what it has left is where it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from itertools import takewhile
from typing import Final, NamedTuple

from core.collateral.books import Books, Owner, SideName, account
from core.collateral.positions import ZERO, Key, Lot, Side, total
from core.collateral.states import Holding
from core.collateral.transfers import Purpose, Transfer
from core.collateral.vault import CollateralState
from core.market.ledger import WORLD
from core.units import EXACT

_SIDES: Final[tuple[SideName, SideName]] = ("credit", "debit")


def violations(state: CollateralState) -> list[str]:
    """What does not hold, one line each with the evidence; empty when all is well."""
    return CollateralWatch().look(state)


class Account(NamedTuple):
    """An owner, and the ledger's names for what of his has gone."""

    owner: Owner
    spent: str
    returned: str


class CollateralWatch:
    """Looks at collateral again and again: each time at all that can move, and at each closed lot once.

    What is in a closed lot has gone, and nothing moves it any more; the sums over closed lots are looked at each time.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, tuple[Account, Account]] = {}
        self._newest: dict[Owner, Lot] = {}
        """By owner, the lot that was the last to be closed at the last look."""

    def look(self, state: CollateralState) -> list[str]:
        """What does not hold, one line each with the evidence, but for closed lots of earlier looks."""
        with localcontext(EXACT):
            survey = Survey()
            for position in state.books.positions.values():
                credit, debit = self._accounts_of(position.user)
                self._take(survey, credit, position.credits)
                self._take(survey, debit, position.debits)
            return [
                *survey.found,
                *ledger_violations(state.books, survey.accounts),
                *transfer_violations(state, survey.travelling),
                *promise_violations(state),
            ]

    def _take(self, survey: Survey, at: Account, side: Side) -> None:
        if side.lots:
            survey.take_open(at.owner, side.lots.values())
        if side.closed_amount or side.closed_spent or side.closed_returned:
            survey.take_sums(at, side)
        if side.closed and side.closed[-1] is not self._newest.get(at.owner):
            survey.take_closed(at.owner, self._newly_closed(at.owner, side))
            self._newest[at.owner] = side.closed[-1]

    def _newly_closed(self, owner: Owner, side: Side) -> Iterator[Lot]:
        newest = self._newest.get(owner)
        return takewhile(lambda lot: lot is not newest, reversed(side.closed))

    def _accounts_of(self, user: str) -> tuple[Account, Account]:
        if user not in self._accounts:
            credit, debit = (_account(Owner(user, side)) for side in _SIDES)
            self._accounts[user] = credit, debit
        return self._accounts[user]


class Survey:
    """One look at everybody's lots: what is wrong with them, what the ledger has to have, what is under way."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.accounts: dict[str, Decimal] = {}
        self.travelling: dict[str, Decimal] = {}
        """By transfer and place."""

    def take_open(self, owner: Owner, lots: Iterable[Lot]) -> None:
        """Open lots: I2, and that something of each can still move."""
        for lot in lots:
            self._take_lot(owner, lot)
            for parcel in lot.parcels:
                key, name = parcel.key, account(owner, parcel.key)
                self.accounts[name] = self.accounts.get(name, ZERO) + parcel.amount
                if key.holding is Holding.ROUTING:
                    where = f"{key.transfer_id} at {key.place}"
                    self.travelling[where] = self.travelling.get(where, ZERO) + parcel.amount
            if lot.is_closed:
                self.found.append(f"I2 {owner.user} {owner.side}: a lot with nothing left to move is open")

    def take_closed(self, owner: Owner, lots: Iterable[Lot]) -> None:
        """Closed lots: I2, and that nothing of them can move."""
        for lot in lots:
            self._take_lot(owner, lot)
            if not lot.is_closed:
                self.found.append(f"I2 {owner.user} lot {lot.payment_id}: it is closed, and a part can move")

    def take_sums(self, at: Account, side: Side) -> None:
        """The sums over closed lots: I2."""
        gone = side.closed_spent + side.closed_returned
        if gone != side.closed_amount:
            who = f"{at.owner.user} {at.owner.side}"
            self.found.append(f"I2 {who}: closed lots were {side.closed_amount}, {gone} of them has gone")
        for name, amount in ((at.spent, side.closed_spent), (at.returned, side.closed_returned)):
            if amount:
                self.accounts[name] = self.accounts.get(name, ZERO) + amount

    def _take_lot(self, owner: Owner, lot: Lot) -> None:
        held = sum([parcel.amount for parcel in lot.parcels], ZERO)
        if held != lot.amount:
            self.found.append(f"I2 {owner.user} lot {lot.payment_id}: its parts add up to {held}, not {lot.amount}")
        if any(parcel.amount <= 0 for parcel in lot.parcels):
            self.found.append(f"I2 {owner.user} lot {lot.payment_id}: a part is not positive")


def ledger_violations(books: Books, expected: dict[str, Decimal]) -> Iterator[str]:
    """I3, in both directions. By account, what the ledger has to have is `expected`."""
    balances = {name: tokens[books.token] for name, tokens in books.ledger.balances.items()}
    world = balances.pop(WORLD, ZERO)
    if expected != balances:
        for name in sorted(expected.keys() | balances.keys()):
            booked, held = balances.get(name, ZERO), expected.get(name, ZERO)
            if booked != held:
                yield f"I3 {name}: the ledger has {booked}, the lots {held}"
    if added := sum(balances.values(), world):
        yield f"I3 the ledger adds up to {added}, not 0"


def transfer_violations(state: CollateralState, travelling: dict[str, Decimal]) -> Iterator[str]:
    """I4, and that all money under way, `travelling` by transfer and place, is a transfer's."""
    expected = {f"{each.transfer_id} at {each.place}": each.amount for each in state.transfers.values()}
    for where in sorted(expected.keys() | travelling.keys()):
        said, held = expected.get(where, ZERO), travelling.get(where, ZERO)
        if said != held:
            yield f"I4 transfer {where}: it says {said}, the lots hold {held}"
    for transfer in state.transfers.values():
        yield from _arithmetic(transfer)


def promise_violations(state: CollateralState) -> Iterator[str]:
    """Every request that is open is being served or waits to be; every claim is of an order that has a payment due."""
    for request in state.routes.values():
        waits = f"order:{request.order_id}" in state.waiting.get(request.user, ())
        if waits == (request.transfer_id in state.transfers):
            yield f"order {request.order_id}: waits and travels, or neither"
    for transfer in state.transfers.values():
        if transfer.purpose is Purpose.ROUTE and transfer.is_answered == (transfer.order_id in state.routes):
            yield f"order {transfer.order_id}: answered and asked for, or neither"
    for withdrawal in state.withdrawals.values():
        told = (withdrawal.paid, withdrawal.fee, withdrawal.under_way)
        parts = (withdrawal.unserved, withdrawal.refused, *told)
        added = EXACT.add(total(parts), total(withdrawal.transfers.values()))
        if added != withdrawal.amount:
            yield f"I4 withdrawal {withdrawal.payment_id}: its parts add up to {added}, not {withdrawal.amount}"


def _account(owner: Owner) -> Account:
    return Account(owner, account(owner, Key(Holding.SPENT)), account(owner, Key(Holding.RETURNED)))


def _arithmetic(transfer: Transfer) -> Iterator[str]:
    added = EXACT.add(transfer.amount, transfer.fee)
    if added != transfer.requested:
        yield f"I4 transfer {transfer.transfer_id}: has {added} with its fees, set out with {transfer.requested}"
    if transfer.leg is not None and transfer.leg.amount != transfer.amount:
        yield f"I4 transfer {transfer.transfer_id}: its leg carries {transfer.leg.amount}, it has {transfer.amount}"
