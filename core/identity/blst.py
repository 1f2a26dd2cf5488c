"""The scheme by blspy, whose arithmetic is blst's. It has wheels for Python 3.11 and 3.12 only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from blspy import G1Element, G2Element, PopSchemeMPL, PrivateKey

from core.identity.reasons import KeyRefusal
from core.identity.scheme import PUBLIC_KEY_BYTES, Scheme

_ZERO: Final = [first.ljust(PUBLIC_KEY_BYTES, b"\0") for first in (b"\x80", b"\xa0")]
"""The points with x = 0 are on the curve, of order 3. The library takes them for a malformed identity."""


class Blst(Scheme[Any, Any]):
    """Its own key generation is that of an older draft, and is not used."""

    LIBRARY: ClassVar[str] = "blspy"

    def _public_key(self, secret_key: bytes) -> bytes:
        return bytes(PrivateKey.from_bytes(secret_key).get_g1())

    def _sign(self, secret_key: bytes, message: bytes) -> bytes:
        return bytes(PopSchemeMPL.sign(PrivateKey.from_bytes(secret_key), message))

    def _prove(self, secret_key: bytes) -> bytes:
        return bytes(PopSchemeMPL.pop_prove(PrivateKey.from_bytes(secret_key)))

    def _read_key(self, data: bytes) -> Any:
        if data in _ZERO:
            return KeyRefusal.NOT_IN_SUBGROUP
        return _read(G1Element, data)

    def _read_signature(self, data: bytes) -> Any:
        return _read(G2Element, data)

    def _verify(self, key: Any, message: bytes, signature: Any) -> bool:
        return bool(PopSchemeMPL.verify(key, message, signature))

    def _verify_proof(self, key: Any, proof: Any) -> bool:
        return bool(PopSchemeMPL.pop_verify(key, proof))

    def _aggregate(self, signatures: list[Any]) -> bytes:
        return bytes(PopSchemeMPL.aggregate(signatures))

    def _aggregate_verify(self, keys: list[Any], messages: Sequence[bytes], signature: Any) -> bool:
        return bool(PopSchemeMPL.aggregate_verify(keys, list(messages), signature))


def _read(kind: Any, data: bytes) -> Any:
    """The library says that bytes are no point of the group, but not why."""
    try:
        return kind.from_bytes(data)
    except ValueError:
        pass
    try:
        on_curve = bytes(kind.from_bytes_unchecked(data)) == data
    except ValueError:
        on_curve = False
    return KeyRefusal.NOT_IN_SUBGROUP if on_curve else KeyRefusal.MALFORMED
