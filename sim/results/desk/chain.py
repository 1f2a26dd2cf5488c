"""The chain of an index desk's run, as it was stated block by block: verified as a whole, or one event of it proved."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import zip_longest
from typing import Any, Final, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from core.errors import InputError
from core.index.chain import CHAIN, BurnIndex, ChainDeed, MintIndex, RecordInvoice, SetSolverWeights
from core.index.chain_history import ChainFlaw, redo
from core.index.chain_log import NO_BLOCK, ChainLog, IndexBlockSealed, index_block_hash, prove_event
from core.index.chain_proof import ChainProof, Invoice, invoice_digest, proof_flaw
from core.index.facts import BasketSet, ChainCallDeclined, ChainCallDone
from core.index.invoices import MintInvoice, RedemptionInvoice
from core.index.records import IndexOrderEnded
from core.kernel.record import Record
from sim.results.columns import to_table
from sim.results.desk.chain_rows import ChainEvents
from sim.results.desk.explain import find_order
from sim.results.desk.kind import DeskKind
from sim.results.desk.rows import ChainEventRow
from sim.results.facts import Noted
from sim.results.result import RunResult

Fact = TypeVar("Fact", bound=Record)
_OF_ORDER: Final = ("mint", "burn", "return")
_MATCHES_MAX: Final = 5


class VerifiedChain(msgspec.Struct, frozen=True, kw_only=True):
    """A chain without a flaw. `head` is the hash of its newest block, `since` how many blocks follow the one that was
    known; `waiting` are the keys of what the desk has stated and no block has, since the run ended before; `declined`
    are those of what the chain will never do; `events` are rows of `chain_events`.
    """

    blocks: int
    head: str
    since: int
    waiting: tuple[str, ...]
    declined: tuple[str, ...]
    events: list[ChainEventRow]


def verify_chain(result: RunResult, head: bytes | None = None) -> VerifiedChain | ChainFlaw:
    """Whether the run's blocks are a chain, on which nothing impossible happened and which agrees with the desk.

    Each confirmation, invoice and basket that the desk has stated must be on it, as it was stated. `head` is the hash
    of a block as known from elsewhere. Raises InputError for a run that has no chain.
    """
    history = list(_stated(result, IndexBlockSealed))
    log = redo(history, head)
    if isinstance(log, ChainFlaw):
        return log
    rows = ChainEvents({}).fold(Noted(0, sealed.block.sealed_at, CHAIN, CHAIN, sealed) for sealed in history)
    flaw = _disagreement(result, log) or _tampering(result, rows)
    if flaw is not None:
        return flaw
    hashes = [index_block_hash(block) for block in log.blocks]
    declined = tuple(said.key for said in _stated(result, ChainCallDeclined))
    return VerifiedChain(
        blocks=len(hashes),
        head=(hashes[-1] if hashes else NO_BLOCK).hex(),
        since=len(hashes) - 1 - hashes.index(head) if head is not None else 0,
        waiting=tuple(key for key in _keys_stated(result) if key not in log.done and key not in declined),
        declined=declined,
        events=rows,
    )


def prove(result: RunResult, name: str) -> ChainProof:
    """The proof of an event of the run's chain: of its key, or of what was minted, burned or returned for an order.

    The proof of an invoice has the invoice. Raises InputError when nothing answers to the name, or what does has no
    event.
    """
    places = {
        event.did.key: (sealed, index)
        for sealed in _stated(result, IndexBlockSealed)
        for index, event in enumerate(sealed.events)
    }
    sealed, index = places[name if name in places else _key_of(result, name, list(places))]
    did = sealed.events[index].did
    invoice = _invoices(result).get(did.order_id) if isinstance(did, RecordInvoice) else None
    proof = ChainProof(prove_event(sealed, index), invoice)
    if flaw := proof_flaw(proof):
        raise InputError(f"{result.dir}: block {sealed.block.height}: {flaw}", "`romer-sim chain` looks at all of it")
    return proof


def _key_of(result: RunResult, name: str, keys: list[str]) -> str:
    if ":" in name and "/" not in name:
        near = get_close_matches(name, keys, _MATCHES_MAX)
        hint = f"did you mean {', '.join(near)}?" if near else "`romer-sim chain` lists all events"
        raise InputError(f"no event `{name}` on the chain of this run", hint)
    order = find_order(result, name)
    for kind in _OF_ORDER:
        if (key := f"{kind}:{order['order_id']}") in keys:
            return key
    reason = f" ({order['reason']})" if order["reason"] else ""
    raise InputError(
        f"nothing was minted, burned or returned for order `{name}`, which is {order['status']}{reason}",
        f"`romer-sim explain {result.dir} {name}` tells why",
    )


def _disagreement(result: RunResult, log: ChainLog) -> ChainFlaw | None:
    """The first thing that the desk has stated and the chain has otherwise."""
    done = {event.did.key: event.did for events in log.events for event in events}
    for refused in _stated(result, ChainCallDeclined):
        if (there := log.done.get(refused.key)) is not None:
            return ChainFlaw(there.height, f"{refused.key} is there, and the desk was told that it never would be")
    for said in _stated(result, ChainCallDone):
        at = log.done.get(said.key)
        if at is None or (at.height, at.index, at.block_hash.hex()) != (said.height, said.index, said.block_hash):
            return ChainFlaw(said.height, f"{said.key} is not where the desk was told that it is")
    for key, recorded, stated in (*_of_invoices(result, done), *_of_baskets(result, done)):
        if recorded != stated and (at := log.done.get(key)) is not None:
            return ChainFlaw(at.height, f"{key} is not what the desk has stated")
    return None


def _tampering(result: RunResult, rows: list[ChainEventRow]) -> ChainFlaw | None:
    """The first row of the table that the blocks do not give."""
    ours, theirs = to_table(ChainEventRow, rows).to_pylist(), result.table("chain_events").to_pylist()
    for row, stored in zip_longest(ours, theirs):
        if row != stored:
            return ChainFlaw((row or stored)["height"], "the table `chain_events` says something else")
    return None


def _of_invoices(result: RunResult, done: dict[str, ChainDeed]) -> Iterator[tuple[str, Any, Any]]:
    """Of each invoice what the chain has and what was stated: its digest, and how many tokens it is about."""
    for order_id, invoice in _invoices(result).items():
        key = f"invoice:{order_id}"
        if isinstance(recorded := done.get(key), RecordInvoice):
            yield key, recorded.digest, invoice_digest(invoice)
        key = _key_of_deed(invoice)
        quantity = invoice.filled_quantity if isinstance(invoice, MintInvoice) else invoice.burned_quantity
        if isinstance(did := done.get(key), MintIndex | BurnIndex):
            yield key, did.quantity, quantity


def _of_baskets(result: RunResult, done: dict[str, ChainDeed]) -> Iterator[tuple[str, Any, Any]]:
    for basket in _stated(result, BasketSet):
        key = _key_of_basket(basket)
        if isinstance(did := done.get(key), SetSolverWeights):
            yield key, (did.quantities, did.price), (basket.quantities, basket.price)


def _keys_stated(result: RunResult) -> Iterator[str]:
    """What has to be on the chain, sooner or later, by what the desk has stated."""
    yield from map(_key_of_basket, _stated(result, BasketSet))
    for order_id, invoice in _invoices(result).items():
        yield _key_of_deed(invoice)
        yield f"invoice:{order_id}"
    for ended in _stated(result, IndexOrderEnded):
        if ended.side == "sell" and ended.refund > 0:
            yield f"return:{ended.order_id}"


def _key_of_deed(invoice: Invoice) -> str:
    return f"{'mint' if isinstance(invoice, MintInvoice) else 'burn'}:{invoice.order_id}"


def _key_of_basket(basket: BasketSet) -> str:
    return f"weights:{basket.symbol}:{basket.version}"


def _invoices(result: RunResult) -> dict[str, Invoice]:
    """By order."""
    minted: list[Invoice] = list(_stated(result, MintInvoice))
    return {invoice.order_id: invoice for invoice in (*minted, *_stated(result, RedemptionInvoice))}


def _stated(result: RunResult, kind: type[Fact]) -> Iterator[Fact]:
    """All facts of that type, in order. Raises InputError where there is no chain, or one cannot be read."""
    if not isinstance(result.kind, DeskKind):
        raise InputError(
            f"{result.dir}: a venue's run, and index tokens are an index desk's",
            f"`romer-live verify-chain {result.dir}` verifies a venue's blocks",
        )
    notes = result.table("notes")
    details = notes.filter(pc.equal(notes["kind"], pa.scalar(kind.__name__)))["detail"]
    try:
        for detail in details:
            yield msgspec.json.decode(detail.as_py(), type=kind)
    except msgspec.DecodeError as error:
        raise InputError(f"{result.dir}: {kind.__name__} in notes: {error}", "run the scenario again") from None
