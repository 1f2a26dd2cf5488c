"""BLS signatures over BLS12-381 as functions of bytes: the scheme, whichever library does the arithmetic.

The scheme is the proof-of-possession one of draft-irtf-cfrg-bls-signature-05 with keys in G1, so its names are
the draft's. Whoever registers a key proves that they have its secret; then signatures of many keys over many
messages, equal ones too, add up to a single one that is checked at once.

    secret key    32 bytes   a number from 1 to the order of the groups less 1, big endian
    public key    48 bytes   a point of G1, compressed
    signature     96 bytes   a point of G2, compressed; so is a proof of possession

A point has one encoding here, and one that is accepted by nobody: the identity, which would be the key or the
signature of anything. Signing draws nothing, so a key has one signature for a message. The same bytes get the same
answer, or the same refusal, from each library.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from hashlib import sha256
from hmac import digest
from typing import ClassVar, Final, Generic, TypeVar

from core.errors import KeyRefused
from core.identity.reasons import KeyRefusal

SIGNATURE_SUITE: Final = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
PROOF_SUITE: Final = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
"""Domain separation tags. A proof of possession signs the public key itself, under a tag of its own."""

SECRET_KEY_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 48
SIGNATURE_BYTES: Final = 96
ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""Of both groups: the draft's `r`."""

_IDENTITY: Final = b"\xc0"
_SALT: Final = b"BLS-SIG-KEYGEN-SALT-"
_KEY_MATERIAL_BYTES: Final = 48
_KEY_ID_TAG: Final = b"romer.key.1"

KeyPoint = TypeVar("KeyPoint")
SignaturePoint = TypeVar("SignaturePoint")


def key_gen(material: bytes) -> bytes:
    """The secret key that follows from `material`: the draft's KeyGen without key_info.

    It is as secret and as random as its material, of which there are 32 bytes at least; else raises KeyRefused.
    """
    if len(material) < SECRET_KEY_BYTES:
        raise KeyRefused("key material", KeyRefusal.WRONG_SIZE)
    salt, secret = _SALT, 0
    while not secret:
        salt = sha256(salt).digest()
        secret = int.from_bytes(_expand(digest(salt, material + b"\0", "sha256"))) % ORDER
    return secret.to_bytes(SECRET_KEY_BYTES)


def key_id(public_key: bytes) -> bytes:
    """The 32 bytes that a public key is called by: SHA-256 of "romer.key.1" and its bytes."""
    return sha256(_KEY_ID_TAG + public_key).digest()


class Scheme(ABC, Generic[KeyPoint, SignaturePoint]):
    """The scheme by one library. Raises KeyRefused for bytes that are no key or signature, with the rule they break;
    a well-formed signature that does not hold is False.
    """

    LIBRARY: ClassVar[str]

    def public_key(self, secret_key: bytes) -> bytes:
        """The public half of a secret key."""
        return self._public_key(_secret(secret_key))

    def sign(self, secret_key: bytes, message: bytes) -> bytes:
        """The signature of `message`."""
        return self._sign(_secret(secret_key), message)

    def prove_possession(self, secret_key: bytes) -> bytes:
        """The proof that whoever publishes the public key has the secret one."""
        return self._prove(_secret(secret_key))

    def check_public_key(self, public_key: bytes) -> None:
        """Whether these are the bytes of a public key."""
        self._key_point(public_key)

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is the key's, of this message."""
        return self._verify(self._key_point(public_key), message, self._signature_point(signature))

    def verify_possession(self, public_key: bytes, proof: bytes) -> bool:
        """Whether `proof` is the key's own: it alone may be counted on in aggregates."""
        return self._verify_proof(self._key_point(public_key), self._signature_point(proof, "proof of possession"))

    def aggregate(self, signatures: Sequence[bytes]) -> bytes:
        """One signature for all. Raises KeyRefused for none, too."""
        if not signatures:
            raise KeyRefused("signatures", KeyRefusal.NONE_GIVEN)
        return self._aggregate([self._signature_point(signature) for signature in signatures])

    def aggregate_verify(self, public_keys: Sequence[bytes], messages: Sequence[bytes], signature: bytes) -> bool:
        """Whether `signature` is made of a signature by each key over the message at the same place.

        It says so of all together. Who signs several may have split them otherwise than one for each message, but
        nobody can add what another has not signed: provided that every key's possession was proven.
        """
        if len(public_keys) != len(messages):
            raise ValueError(f"{len(public_keys)} keys for {len(messages)} messages")
        if not public_keys:
            raise KeyRefused("public keys", KeyRefusal.NONE_GIVEN)
        points = {public_key: self._key_point(public_key) for public_key in dict.fromkeys(public_keys)}
        return self._aggregate_verify(
            [points[each] for each in public_keys], messages, self._signature_point(signature)
        )

    def _key_point(self, data: bytes) -> KeyPoint:
        _check_form(data, PUBLIC_KEY_BYTES, "public key")
        point = self._read_key(data)
        if isinstance(point, KeyRefusal):
            raise KeyRefused("public key", point)
        return point

    def _signature_point(self, data: bytes, what: str = "signature") -> SignaturePoint:
        _check_form(data, SIGNATURE_BYTES, what)
        point = self._read_signature(data)
        if isinstance(point, KeyRefusal):
            raise KeyRefused(what, point)
        return point

    @abstractmethod
    def _public_key(self, secret_key: bytes) -> bytes: ...

    @abstractmethod
    def _sign(self, secret_key: bytes, message: bytes) -> bytes: ...

    @abstractmethod
    def _prove(self, secret_key: bytes) -> bytes: ...

    @abstractmethod
    def _read_key(self, data: bytes) -> KeyPoint | KeyRefusal: ...

    @abstractmethod
    def _read_signature(self, data: bytes) -> SignaturePoint | KeyRefusal: ...

    @abstractmethod
    def _verify(self, key: KeyPoint, message: bytes, signature: SignaturePoint) -> bool: ...

    @abstractmethod
    def _verify_proof(self, key: KeyPoint, proof: SignaturePoint) -> bool: ...

    @abstractmethod
    def _aggregate(self, signatures: list[SignaturePoint]) -> bytes: ...

    @abstractmethod
    def _aggregate_verify(self, keys: list[KeyPoint], messages: Sequence[bytes], signature: SignaturePoint) -> bool: ...


def _secret(data: bytes) -> bytes:
    if len(data) != SECRET_KEY_BYTES:
        raise KeyRefused("secret key", KeyRefusal.WRONG_SIZE)
    if not 0 < int.from_bytes(data) < ORDER:
        raise KeyRefused("secret key", KeyRefusal.MALFORMED)
    return data


def _check_form(data: bytes, size: int, what: str) -> None:
    if len(data) != size:
        raise KeyRefused(what, KeyRefusal.WRONG_SIZE)
    if data == _IDENTITY.ljust(size, b"\0"):
        raise KeyRefused(what, KeyRefusal.IDENTITY)


def _expand(key: bytes) -> bytes:
    """HKDF-Expand (RFC 5869) with SHA-256 to the draft's L, which is also the only info."""
    info = _KEY_MATERIAL_BYTES.to_bytes(2)
    first = digest(key, info + b"\x01", "sha256")
    return (first + digest(key, first + info + b"\x02", "sha256"))[:_KEY_MATERIAL_BYTES]
