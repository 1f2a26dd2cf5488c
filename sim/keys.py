"""Keys that follow from the seed: whoever is simulated has them, and nobody else should."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from core.identity.bls import BLS
from core.identity.orders import is_order_message
from core.identity.outgoing import sign_messages
from core.identity.records import Signing
from core.identity.scheme import key_gen
from core.kernel.rng import stream
from core.sequencer.signing import BlockSignature, SignBlock
from core.units import Nanos

_SPOILT: Final = b", or not"


@lru_cache(maxsize=256)
def secret_key(seed: int, name: str) -> bytes:
    """The secret key of that name."""
    draws = stream(seed, f"key.{name}")
    return key_gen(b"".join(draws.bits64().to_bytes(8) for _ in range(4)))


@lru_cache(maxsize=256)
def public_half(seed: int, name: str) -> tuple[bytes, bytes]:
    """The public key of that name, and the proof of its possession."""
    secret = secret_key(seed, name)
    return BLS.public_key(secret), BLS.prove_possession(secret)


class Signer:
    """The way out of a market maker's node: what it signs gets signed, each within `span`, as at the edge of a process.

    Of every `spoil_every` orders that it signs the last one's signature is not good; none of them if that is 0.
    """

    def __init__(self, seed: int, key: str, span: Nanos, signing: Signing = "logon", *, spoil_every: int = 0) -> None:
        self._seed, self._span, self._signing, self._spoil_every = seed, span, signing, spoil_every
        self._orders = 0
        self.key = key
        """The name of the key that is signed with from now on; empty is none."""

    def __call__(self, data: bytes) -> tuple[bytes, Nanos]:
        """What leaves, and how long after it was written."""
        if not self.key:
            return data, 0
        signed, count = sign_messages(data, self._sign, self._signing)
        return signed, count * self._span

    def _sign(self, message: bytes) -> bytes:
        secret = secret_key(self._seed, self.key)
        if is_order_message(message) and self._spoil_every:
            self._orders += 1
            if self._orders % self._spoil_every == 0:
                return BLS.sign(secret, message + _SPOILT)
        return BLS.sign(secret, message)


class BlockSigner:
    """The service that signs a venue's blocks with the key of that name, each within `span`."""

    def __init__(self, seed: int, key: str, span: Nanos) -> None:
        self._secret, self._span = secret_key(seed, key), span

    def __call__(self, wanted: SignBlock) -> tuple[BlockSignature, Nanos]:
        """The signature, and how long it took."""
        return BlockSignature(wanted.height, BLS.sign(self._secret, wanted.message)), self._span
