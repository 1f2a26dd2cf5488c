"""Receipts: that one message stands in one block, for anyone to check. The format for others is in docs/receipts.md.

A receipt is a record, and has one encoding as JSON: the members of `_Written` in that order, without white space,
bytes in lower-case hexadecimal. Anything else is refused, so that nobody has two receipts that say the same.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.errors import InputError
from core.kernel.record import Record
from core.merkle import prove, verify
from core.sequencer.block import Block, block_hash, decode_header, encode_header
from core.sequencer.chain import header_flaw
from core.sequencer.facts import BlockHeader
from core.sequencer.leaf import decode_acknowledgement, decode_leaf
from core.sequencer.signing import Check, signature_flaw

FORMAT: Final = "romer.receipt.1"


class Receipt(Record, frozen=True):
    """A message's leaf and acknowledgement, their place in a block, the proofs of both, and the block's header.

    `signature` is the sequencer's under the header; empty if there is none yet, or the sequencer signs nothing.
    """

    header: BlockHeader
    signature: bytes
    index: int
    message: bytes
    acknowledgement: bytes
    message_proof: bytes
    acknowledgement_proof: bytes


class ReceiptWanted(Record, frozen=True):
    """Asks the sequencer for the receipt of an order."""

    order_id: str


class ReceiptIssued(Record, frozen=True):
    """The receipt of an order, or None: it is in no sealed block yet, or the block is no longer at hand."""

    order_id: str
    receipt: Receipt | None


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    header: str
    signature: str
    index: int
    message: str
    acknowledgement: str
    message_proof: str
    acknowledgement_proof: str


def receipt_of(block: Block, index: int) -> Receipt:
    """The receipt of one message of a block. Raises IndexError when there is no such message."""
    return Receipt(
        header=block.header,
        signature=block.signature,
        index=index,
        message_proof=prove(block.messages, index),
        acknowledgement_proof=prove(block.acknowledgements, index),
        message=block.messages[index],
        acknowledgement=block.acknowledgements[index],
    )


def encode_receipt(receipt: Receipt) -> bytes:
    """The receipt's one JSON text."""
    written = _Written(
        format=FORMAT,
        header=encode_header(receipt.header).hex(),
        signature=receipt.signature.hex(),
        index=receipt.index,
        message=receipt.message.hex(),
        acknowledgement=receipt.acknowledgement.hex(),
        message_proof=receipt.message_proof.hex(),
        acknowledgement_proof=receipt.acknowledgement_proof.hex(),
    )
    return msgspec.json.encode(written)


def decode_receipt(text: bytes) -> Receipt:
    """The receipt of a JSON text; white space around it is passed over.

    Raises InputError for anything that `encode_receipt` does not write. What it says may still be wrong.
    """
    try:
        written = msgspec.json.decode(text, type=_Written)
        receipt = Receipt(
            header=decode_header(bytes.fromhex(written.header)),
            signature=bytes.fromhex(written.signature),
            index=written.index,
            message=bytes.fromhex(written.message),
            acknowledgement=bytes.fromhex(written.acknowledgement),
            message_proof=bytes.fromhex(written.message_proof),
            acknowledgement_proof=bytes.fromhex(written.acknowledgement_proof),
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise InputError(f"not a receipt: {error}") from None
    if written.format != FORMAT:
        raise InputError(f"a receipt of format {written.format!r}; this version reads {FORMAT}")
    if encode_receipt(receipt) != text.strip():
        raise InputError("not written as receipts are: its members, their order, white space or hexadecimal digits")
    return receipt


def verify_receipt(receipt: Receipt, check: Check | None = None, known_hash: bytes | None = None) -> str:
    """What is wrong with a receipt; empty if it proves its message.

    It proves that the message stands in the block of its header. That the block is the venue's, `check` says from the
    signature, or `known_hash`, the hash of that block as known from elsewhere; without both nobody does.
    """
    header = receipt.header
    if reason := header_flaw(header):
        return reason
    if known_hash is not None and block_hash(header) != known_hash:
        return "its block is not the one that is known"
    return signature_flaw(header, receipt.signature, check) or _content_flaw(receipt)


def _content_flaw(receipt: Receipt) -> str:
    header, count, index = receipt.header, receipt.header.message_count, receipt.index
    try:
        leaf, told = decode_leaf(receipt.message), decode_acknowledgement(receipt.acknowledgement)
    except InputError as error:
        return error.message
    if leaf.global_seq != told.global_seq:
        return "its acknowledgement is of another message"
    if not verify(header.message_root, count, index, receipt.message, receipt.message_proof):
        return "its message is not proven to stand there"
    if not verify(header.receipt_root, count, index, receipt.acknowledgement, receipt.acknowledgement_proof):
        return "its acknowledgement is not proven to stand there"
    return ""
