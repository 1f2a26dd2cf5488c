"""What must hold between any two events, whatever hops, bridges, users and crashes have done.

I2. The parcels of a lot add up to its amount: unconfirmed, routing, ready, pre-authorised, spent and returned.
I3. The lots of a user's side, closed ones included, add up to what the ledger has of them, holding by holding, and the
    ledger adds up to nothing: what came from the world is somewhere.
I4. What a transfer set out with is what it has left and what hops have kept; and what it has left is where it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from core.collateral.books import Books, Owner, account
from core.collateral.positions import GONE, ZERO, Key, Position, Side, total
from core.collateral.states import Holding
from core.collateral.transfers import Purpose, Transfer
from core.collateral.vault import CollateralState
from core.market.ledger import WORLD
from core.units import EXACT


def violations(state: CollateralState) -> list[str]:
    """What does not hold, one line each with the evidence; empty when all is well."""
    return [
        *lot_violations(_sides(state.books)),
        *ledger_violations(state.books),
        *transfer_violations(state),
        *promise_violations(state),
    ]


def local_violations(state: CollateralState, users: Iterable[str]) -> list[str]:
    """Those of `violations` that money of these users can cause, but for sums over everybody, and of transfers."""
    books = state.books
    theirs = [books.positions[user] for user in dict.fromkeys(users) if user in books.positions]
    return [
        *(found for position in theirs for found in lot_violations(_sides_of(position))),
        *(found for position in theirs for found in _account_violations(books, position)),
        *(found for transfer in state.transfers.values() for found in _arithmetic(transfer)),
        *promise_violations(state),
    ]


def size(state: CollateralState) -> int:
    """How many accounts and lots `violations` looks at, or nearly."""
    return len(state.books.ledger.balances) + 2 * len(state.books.positions)


def lot_violations(sides: Iterable[tuple[Owner, Side]]) -> Iterator[str]:
    """I2, and that no part of a lot is nothing or less."""
    for owner, side in sides:
        for lot in (*side.lots.values(), *side.closed):
            held = total(parcel.amount for parcel in lot.parcels)
            if held != lot.amount:
                yield f"I2 {owner.user} lot {lot.payment_id}: its parts add up to {held}, not {lot.amount}"
            if any(parcel.amount <= 0 for parcel in lot.parcels):
                yield f"I2 {owner.user} lot {lot.payment_id}: a part is not positive"
        if any(lot.is_closed for lot in side.lots.values()):
            yield f"I2 {owner.user} {owner.side}: a lot with nothing left to move is open"


def ledger_violations(books: Books) -> Iterator[str]:
    """I3, in both directions."""
    expected = _accounts(_sides(books))
    balances = {name: tokens[books.token] for name, tokens in books.ledger.balances.items()}
    world = balances.pop(WORLD, ZERO)
    for name in sorted(expected.keys() | balances.keys()):
        booked, held = balances.get(name, ZERO), expected.get(name, ZERO)
        if booked != held:
            yield f"I3 {name}: the ledger has {booked}, the lots {held}"
    if EXACT.add(world, total(balances.values())):
        yield f"I3 the ledger adds up to {EXACT.add(world, total(balances.values()))}, not 0"


def transfer_violations(state: CollateralState) -> Iterator[str]:
    """I4, and that all money under way is a transfer's."""
    travelling: dict[str, Decimal] = {}
    for _, side in _sides(state.books):
        for key, amount in _holdings(side):
            if key.holding is Holding.ROUTING:
                where = f"{key.transfer_id} at {key.place}"
                travelling[where] = EXACT.add(travelling.get(where, ZERO), amount)
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
        parts = (withdrawal.unserved, withdrawal.refused, withdrawal.paid, withdrawal.fee)
        added = EXACT.add(total(parts), total(withdrawal.transfers.values()))
        if added != withdrawal.amount:
            yield f"I4 withdrawal {withdrawal.payment_id}: its parts add up to {added}, not {withdrawal.amount}"


def _account_violations(books: Books, position: Position) -> Iterator[str]:
    for name, expected in _accounts(_sides_of(position)).items():
        booked = books.ledger.balance(name, books.token)
        if booked != expected:
            yield f"I3 {name}: the ledger has {booked}, the lots {expected}"


def _accounts(sides: Iterable[tuple[Owner, Side]]) -> dict[str, Decimal]:
    """What the ledger has to have, by what lots hold."""
    expected: dict[str, Decimal] = {}
    for owner, side in sides:
        for key, amount in _holdings(side):
            name = account(owner, key)
            expected[name] = EXACT.add(expected.get(name, ZERO), amount)
    return expected


def _arithmetic(transfer: Transfer) -> Iterator[str]:
    added = EXACT.add(transfer.amount, transfer.fee)
    if added != transfer.requested:
        yield f"I4 transfer {transfer.transfer_id}: has {added} with its fees, set out with {transfer.requested}"
    if transfer.leg is not None and transfer.leg.amount != transfer.amount:
        yield f"I4 transfer {transfer.transfer_id}: its leg carries {transfer.leg.amount}, it has {transfer.amount}"


def _sides(books: Books) -> Iterator[tuple[Owner, Side]]:
    for position in books.positions.values():
        yield from _sides_of(position)


def _sides_of(position: Position) -> Iterator[tuple[Owner, Side]]:
    yield Owner(position.user, "credit"), position.credits
    yield Owner(position.user, "debit"), position.debits


def _holdings(side: Side) -> Iterator[tuple[Key, Decimal]]:
    for lot in side.lots.values():
        yield from ((parcel.key, parcel.amount) for parcel in lot.parcels)
    closed = {Holding.SPENT: side.closed_spent, Holding.RETURNED: side.closed_returned}
    yield from ((Key(holding), amount) for holding, amount in closed.items() if amount and holding in GONE)
