"""The sequencer's signature under its blocks: how it is asked for, and how it is judged.

A key never comes near the sequencer, whose events and state are journaled. It asks the service `signer`, and goes on
sealing meanwhile: the next block links to a hash that no signature is part of. The scheme is not its business either;
a signature is 96 bytes that somebody else can judge, such as `checked_by`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from core.errors import KeyRefused
from core.identity.bls import BLS
from core.identity.scheme import SIGNATURE_BYTES, key_id
from core.kernel.record import Record
from core.sequencer.block import NO_KEY, block_hash, signed_bytes
from core.sequencer.facts import BlockHeader

SIGNER: Final = "signer"
Check: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""(key id, what was signed, signature) -> whether the key of that id made it. Must not raise for any 96 bytes."""


class SignBlock(Record, frozen=True):
    """Sign `message` with the key of that id; what is asked of the service `signer`."""

    height: int
    key_id: bytes
    message: bytes


class BlockSignature(Record, frozen=True):
    """The signer's answer."""

    height: int
    signature: bytes


def checked_by(public_key: bytes) -> Check:
    """A check that holds for signatures of this key alone. Raises KeyRefused for bytes that are none."""
    BLS.check_public_key(public_key)
    own = key_id(public_key)

    def check(named: bytes, message: bytes, signature: bytes) -> bool:
        try:
            return named == own and BLS.verify(public_key, message, signature)
        except KeyRefused:
            return False

    return check


def signature_flaw(header: BlockHeader, signature: bytes, check: Check | None) -> str:
    """What is wrong with the signature under a header; empty if nothing is.

    Without `check` only its form is judged, and it may still be missing.
    """
    if not signature:
        return "" if check is None else "it is not signed"
    if header.key_id == NO_KEY:
        return "it has a signature and names no key"
    if len(signature) != SIGNATURE_BYTES:
        return f"its signature has {len(signature)} bytes instead of {SIGNATURE_BYTES}"
    if check is not None and not check(header.key_id, signed_bytes(block_hash(header)), signature):
        return "its signature is not that of its key"
    return ""
