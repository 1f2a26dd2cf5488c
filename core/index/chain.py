"""The chain contract: what the desk asks of the chain on which index tokens live, and what it is answered.

Requests are `Call`s of the service `chain`, answers their `Reply`s. Each carries a `key` that names what is to be
done: however often a chain is asked under one key it obeys once, and confirms again what it confirmed before.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeAlias

from core.index.planning import Amounts
from core.kernel.record import Record

CHAIN: Final = "chain"
"""The service that is called, and the source of what happens on the chain."""


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
    """Burn `quantity` of a user's index tokens in custody, for which he was paid `amount_paid`."""

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


ChainRequest: TypeAlias = MintIndex | BurnIndex | ReturnIndex | SetSolverWeights | RecordInvoice


def order_of(request: ChainRequest) -> str:
    """The index order that something is asked for; empty for weights, which are nobody's."""
    return "" if isinstance(request, SetSolverWeights) else request.key.partition(":")[2]


class ChainConfirmed(Record, frozen=True):
    """It is event number `index` (from 0) of block `height` (from 1), whose hash is `block_hash`."""

    height: int
    index: int
    block_hash: bytes


class ChainRefused(Record, frozen=True):
    """It was not done, and may be asked for again."""

    reason: str
