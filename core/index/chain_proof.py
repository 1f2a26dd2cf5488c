"""The proof of one event of the chain of index tokens, for anyone to check. The format for others is in docs/chain.md.

It is a record, and has one encoding as JSON: the members of `_Written` in that order, without white space, bytes in
lower-case hexadecimal. Anything else is refused, so that nobody has two proofs that say the same.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, TypeAlias

import msgspec

from core.errors import InputError
from core.index.chain import RecordInvoice
from core.index.chain_log import (
    IndexEvent,
    IndexProof,
    decode_index_block,
    encode_index_block,
    index_block_hash,
    verify_event,
)
from core.index.invoices import MintInvoice, RedemptionInvoice
from core.kernel.codec import encode
from core.kernel.record import Record

Invoice: TypeAlias = MintInvoice | RedemptionInvoice
FORMAT: Final = "romer.index.proof.1"
_EVENTS: Final = msgspec.msgpack.Decoder(IndexEvent)
_INVOICES: Final[msgspec.msgpack.Decoder[Invoice]] = msgspec.msgpack.Decoder(Invoice)


class ChainProof(Record, frozen=True):
    """That an event stands in a block; and of an invoice that is recorded there, the invoice, if its owner shows it."""

    proof: IndexProof
    invoice: Invoice | None = None


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    header: str
    index: int
    event: str
    path: str
    invoice: str


def invoice_digest(invoice: Invoice) -> bytes:
    """What the chain keeps of an invoice."""
    return sha256(encode(invoice)).digest()


def encode_proof(proof: ChainProof) -> bytes:
    """The proof's one JSON text."""
    written = _Written(
        format=FORMAT,
        header=encode_index_block(proof.proof.block).hex(),
        index=proof.proof.index,
        event=encode(proof.proof.event).hex(),
        path=proof.proof.path.hex(),
        invoice=encode(proof.invoice).hex() if proof.invoice is not None else "",
    )
    return msgspec.json.encode(written)


def decode_proof(text: bytes) -> ChainProof:
    """The proof of a JSON text; white space around it is passed over.

    Raises InputError for anything that `encode_proof` does not write. What it says may still be wrong.
    """
    try:
        written = msgspec.json.decode(text, type=_Written)
        if written.format != FORMAT:
            raise InputError(f"a proof of format {written.format!r}; this version reads {FORMAT}")
        event_proof = IndexProof(
            block=decode_index_block(bytes.fromhex(written.header)),
            index=written.index,
            event=_EVENTS.decode(bytes.fromhex(written.event)),
            path=bytes.fromhex(written.path),
        )
        invoice = _INVOICES.decode(bytes.fromhex(written.invoice)) if written.invoice else None
    except (msgspec.DecodeError, ValueError) as error:
        raise InputError(f"not a proof of an event: {error}") from None
    proof = ChainProof(event_proof, invoice)
    if encode_proof(proof) != text.strip():
        raise InputError("not written as proofs are: its members, their order, white space or hexadecimal digits")
    return proof


def proof_flaw(proof: ChainProof, known_hash: bytes | None = None) -> str:
    """What is wrong with a proof that `decode_proof` gave; empty if it proves its event.

    It proves that the event stands in the block of its header. That the block is one of the chain, `known_hash` says,
    its hash as known from elsewhere; without it nobody does.
    """
    block_hash = index_block_hash(proof.proof.block)
    if known_hash is not None and block_hash != known_hash:
        return "its block is not the one that is known"
    if not verify_event(proof.proof, block_hash):
        return "its event is not proven to stand there"
    did = proof.proof.event.did
    if proof.invoice is None:
        return ""
    if not isinstance(did, RecordInvoice):
        return "it has an invoice, and its event is none's"
    return "" if invoice_digest(proof.invoice) == did.digest else "its invoice is not the one that is recorded"
