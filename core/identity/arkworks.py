"""The scheme by py_arkworks_bls12381, which installs everywhere. It knows the curve; the scheme is spelt out here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, TypeVar

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from core.identity.reasons import KeyRefusal
from core.identity.scheme import PROOF_SUITE, SIGNATURE_SUITE, Scheme

_GENERATOR: Final = G1Point()
_NEGATIVE: Final = -_GENERATOR

Point = TypeVar("Point", G1Point, G2Point)


class Arkworks(Scheme[G1Point, G2Point]):
    """Several times slower than `Blst`, byte for byte the same."""

    LIBRARY: ClassVar[str] = "py_arkworks_bls12381"

    def _public_key(self, secret_key: bytes) -> bytes:
        return bytes((_GENERATOR * Scalar.from_be_bytes(secret_key)).to_compressed_bytes())

    def _sign(self, secret_key: bytes, message: bytes) -> bytes:
        return _multiple(message, SIGNATURE_SUITE, secret_key)

    def _prove(self, secret_key: bytes) -> bytes:
        return _multiple(self._public_key(secret_key), PROOF_SUITE, secret_key)

    def _read_key(self, data: bytes) -> G1Point | KeyRefusal:
        try:
            point = G1Point.from_compressed_bytes_unchecked(data)
        except ValueError:
            return KeyRefusal.MALFORMED
        return _judged(point, data)

    def _read_signature(self, data: bytes) -> G2Point | KeyRefusal:
        try:
            point = G2Point.from_compressed_bytes_unchecked(data)
        except ValueError:
            return KeyRefusal.MALFORMED
        return _judged(point, data)

    def _verify(self, key: G1Point, message: bytes, signature: G2Point) -> bool:
        return _holds([key], [G2Point.hash_to_curve(message, SIGNATURE_SUITE)], signature)

    def _verify_proof(self, key: G1Point, proof: G2Point) -> bool:
        return _holds([key], [G2Point.hash_to_curve(bytes(key.to_compressed_bytes()), PROOF_SUITE)], proof)

    def _aggregate(self, signatures: list[G2Point]) -> bytes:
        return bytes(sum(signatures, start=G2Point.identity()).to_compressed_bytes())

    def _aggregate_verify(self, keys: list[G1Point], messages: Sequence[bytes], signature: G2Point) -> bool:
        """One pairing for each key: what a key has signed adds up before it is paired."""
        sums: dict[G1Point, G2Point] = {}
        for key, message in zip(keys, messages, strict=True):
            hashed = G2Point.hash_to_curve(message, SIGNATURE_SUITE)
            sums[key] = sums[key] + hashed if key in sums else hashed
        return _holds(list(sums), list(sums.values()), signature)


def _multiple(message: bytes, suite: bytes, secret_key: bytes) -> bytes:
    return bytes((G2Point.hash_to_curve(message, suite) * Scalar.from_be_bytes(secret_key)).to_compressed_bytes())


def _judged(point: Point, data: bytes) -> Point | KeyRefusal:
    """The library reads more than one encoding of some points, `ff..ff` of the identity among them."""
    if bytes(point.to_compressed_bytes()) != data:
        return KeyRefusal.MALFORMED
    return point if point.is_in_subgroup() else KeyRefusal.NOT_IN_SUBGROUP


def _holds(keys: list[G1Point], hashes: list[G2Point], signature: G2Point) -> bool:
    return GT.pairing_check([_NEGATIVE, *keys], [signature, *hashes])
