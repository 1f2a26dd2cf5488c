"""The chain contract: what the desk asks of the chain on which index tokens live, and what it is answered.

Requests are `Call`s of the service `chain`, answers their `Reply`s. Each carries a `key` that names what is to be
done: however often a chain is asked under one key it obeys once, and confirms again what it confirmed before. Whatever
it has done is an event of it, and so is what users do themselves. A key ends once: confirmed or
declined.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeAlias

from core.index.planning import Amounts
from core.kernel.record import Record

CHAIN: Final = "chain"
"""The service that is called, and the source of what happens on the chain."""


UNSOLD: Final = "unsold"
"""What keys of the return of tokens begin with that no order wanted."""


class MintIndex(Record, frozen=True):
    """Mint `quantity` index tokens for a user, who paid `amount_paid` out of his deposit number `seq_num`.

    `execution_price` is what the lots of one token cost, fees included.
    """

    key: str
    symbol: str
    user: str
    quantity: Decimal
    seq_num: int
    payment_id: str
    amount_paid: Decimal
    execution_price: Decimal


class BurnIndex(Record, frozen=True):
    """Burn `quantity` of a user's index tokens in custody. `amount_paid` is held for them, and is paid out once they
    are gone, less what that costs."""

    key: str
    symbol: str
    user: str
    quantity: Decimal
    amount_paid: Decimal
    execution_price: Decimal


class ReturnIndex(Record, frozen=True):
    """Give `quantity` of a user's index tokens in custody back to him."""

    key: str
    symbol: str
    user: str
    quantity: Decimal


class SetSolverWeights(Record, frozen=True):
    """One token of the index is made of `quantities` from now on, which cost `price` when they were decided on."""

    key: str
    symbol: str
    version: int
    quantities: Amounts
    price: Decimal


class RecordInvoice(Record, frozen=True):
    """Keep what a user was told of his order: `digest` is SHA-256 of the invoice's encoding as a record."""

    key: str
    symbol: str
    user: str
    order_id: str
    digest: bytes


class DepositIndex(Record, frozen=True):
    """A user gave `quantity` of his index tokens into custody, as deposit number `seq_num`. Nobody calls for it."""

    key: str
    symbol: str
    user: str
    quantity: Decimal
    seq_num: int


ChainRequest: TypeAlias = MintIndex | BurnIndex | ReturnIndex | SetSolverWeights | RecordInvoice
ChainDeed: TypeAlias = ChainRequest | DepositIndex
"""Whatever an event of the chain can be."""


def order_of(deed: ChainDeed) -> str:
    """The index order that something is done for; empty for weights and deposits, which are no order's, and for the
    return of tokens that no order wanted."""
    what, _, of = deed.key.partition(":")
    return "" if isinstance(deed, SetSolverWeights | DepositIndex) or what == UNSOLD else of


class ChainConfirmed(Record, frozen=True):
    """It is event number `index` (from 0) of block `height` (from 1), whose hash is `block_hash`."""

    height: int
    index: int
    block_hash: bytes


class ChainRefused(Record, frozen=True):
    """It was not done, and may be asked for again."""

    reason: str


class ChainDeclined(Record, frozen=True):
    """It was not done under its key and never will be, however often it is asked for: the last word on that key.

    An adapter may say so only of what it knows can never happen, whatever becomes of attempts that it has heard of,
    and of those that are still on their way to it: what is given up here and done nevertheless is done for nothing.
    A contract that is gone, an address that is barred for good and a request that no block can hold are such. A full
    queue, a fee that has risen, a node that is silent or a transaction that was not seen yet are not: those are
    `ChainRefused`, or no answer.
    """

    reason: str
