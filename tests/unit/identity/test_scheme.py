"""Signatures against published vectors, by each library; and what is no key and no signature."""

from __future__ import annotations

import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

from core.errors import KeyRefused
from core.identity.bls import BLS
from core.identity.reasons import KeyRefusal
from core.identity.scheme import ORDER, Scheme, key_gen, key_id
from tests.helpers.schemes import SCHEMES, each_library

VECTORS: Final = tomllib.loads((Path(__file__).parent / "bls_vectors.toml").read_text())
MESSAGES: Final = [bytes.fromhex(message) for message in VECTORS["messages"]]
KEYS: Final = VECTORS["keys"]
PUBLIC: Final = [bytes.fromhex(key["public"]) for key in KEYS]
SECRET: Final = [bytes.fromhex(key["secret"]) for key in KEYS]
SIGNATURES: Final = [[bytes.fromhex(signature) for signature in key["signatures"]] for key in KEYS]


def refusal_of(call: Any, *args: Any) -> str:
    with pytest.raises(KeyRefused) as caught:
        call(*args)
    return caught.value.reason


@pytest.mark.parametrize("vector", VECTORS["key_gen"], ids=lambda vector: vector["material"][:8])
def test_a_secret_key_follows_from_its_material_as_in_the_draft(vector: dict[str, str]) -> None:
    assert int.from_bytes(key_gen(bytes.fromhex(vector["material"]))) == int(vector["secret"])


def test_key_material_is_no_shorter_than_a_key() -> None:
    assert refusal_of(key_gen, bytes(31)) == "wrong_size"


@each_library
def test_public_keys_signatures_and_proofs_are_the_published_ones(scheme: Scheme[Any, Any]) -> None:
    assert [scheme.public_key(secret) for secret in SECRET] == PUBLIC
    assert [[scheme.sign(secret, message) for message in MESSAGES] for secret in SECRET] == SIGNATURES
    assert [scheme.prove_possession(secret).hex() for secret in SECRET] == [key["proof"] for key in KEYS]


@each_library
def test_a_signature_holds_for_its_key_and_message_only(scheme: Scheme[Any, Any]) -> None:
    held = {
        (key, message)
        for key in range(3)
        for message in range(3)
        if scheme.verify(PUBLIC[key], MESSAGES[message], SIGNATURES[1][2])
    }
    assert held == {(1, 2)}


@each_library
def test_aggregates_are_the_published_ones(scheme: Scheme[Any, Any]) -> None:
    for message, aggregate in enumerate(VECTORS["aggregates"]["signatures"]):
        signatures = [each[message] for each in SIGNATURES]
        assert scheme.aggregate(signatures).hex() == aggregate
        assert scheme.aggregate_verify(PUBLIC, [MESSAGES[message]] * 3, bytes.fromhex(aggregate))
    together = bytes.fromhex(VECTORS["aggregate_verify"]["signature"])
    assert scheme.aggregate([SIGNATURES[place][place] for place in range(3)]) == together
    assert scheme.aggregate_verify(PUBLIC, MESSAGES, together)


@each_library
def test_an_aggregate_fails_for_a_changed_missing_or_exchanged_message(scheme: Scheme[Any, Any]) -> None:
    together = bytes.fromhex(VECTORS["aggregate_verify"]["signature"])
    assert not scheme.aggregate_verify(PUBLIC, [*MESSAGES[:2], b"another"], together)
    assert not scheme.aggregate_verify(PUBLIC[:2], MESSAGES[:2], together)
    assert not scheme.aggregate_verify(PUBLIC, MESSAGES[::-1], together)
    with pytest.raises(ValueError, match="3 keys for 2 messages"):
        scheme.aggregate_verify(PUBLIC, MESSAGES[:2], together)


@each_library
def test_one_key_may_sign_many_messages_of_an_aggregate(scheme: Scheme[Any, Any]) -> None:
    keys, messages = [PUBLIC[0], PUBLIC[1], PUBLIC[0], PUBLIC[0]], [*MESSAGES, MESSAGES[2]]
    signatures = [SIGNATURES[0][0], SIGNATURES[1][1], SIGNATURES[0][2], SIGNATURES[0][2]]
    assert scheme.aggregate_verify(keys, messages, scheme.aggregate(signatures))
    assert not scheme.aggregate_verify(keys, messages, scheme.aggregate(signatures[:3]))


@each_library
def test_a_proof_of_possession_is_the_keys_own_and_no_signature(scheme: Scheme[Any, Any]) -> None:
    proof = bytes.fromhex(KEYS[0]["proof"])
    assert scheme.verify_possession(PUBLIC[0], proof)
    assert not scheme.verify_possession(PUBLIC[1], proof)
    assert not scheme.verify(PUBLIC[0], PUBLIC[0], proof)
    assert not scheme.verify_possession(PUBLIC[0], scheme.sign(SECRET[0], PUBLIC[0]))


@each_library
def test_a_rogue_key_would_forge_an_aggregate_and_has_no_proof(scheme: Scheme[Any, Any]) -> None:
    """The attack that proofs are for: own key less the victim's, so that both together are the attacker's alone."""
    from py_arkworks_bls12381 import G1Point  # noqa: PLC0415

    victim, own = (G1Point.from_compressed_bytes(key) for key in PUBLIC[:2])
    rogue = bytes((own - victim).to_compressed_bytes())
    forged = scheme.sign(SECRET[1], b"I owe you")
    assert scheme.aggregate_verify([PUBLIC[0], rogue], [b"I owe you"] * 2, forged)
    assert not scheme.verify_possession(rogue, scheme.prove_possession(SECRET[1]))


@each_library
@pytest.mark.parametrize("vector", VECTORS["refused_keys"], ids=lambda vector: vector["name"])
def test_what_is_no_public_key_is_refused_with_its_reason(scheme: Scheme[Any, Any], vector: dict[str, str]) -> None:
    key = bytes.fromhex(vector["bytes"])
    for call, *args in (
        (scheme.check_public_key, key),
        (scheme.verify, key, MESSAGES[0], SIGNATURES[0][0]),
        (scheme.verify_possession, key, SIGNATURES[0][0]),
        (scheme.aggregate_verify, [PUBLIC[0], key], MESSAGES[:2], SIGNATURES[0][0]),
    ):
        assert refusal_of(call, *args) == vector["reason"]


@each_library
@pytest.mark.parametrize("vector", VECTORS["refused_signatures"], ids=lambda vector: vector["name"])
def test_what_is_no_signature_is_refused_with_its_reason(scheme: Scheme[Any, Any], vector: dict[str, str]) -> None:
    signature = bytes.fromhex(vector["bytes"])
    for call, *args in (
        (scheme.verify, PUBLIC[0], MESSAGES[0], signature),
        (scheme.verify_possession, PUBLIC[0], signature),
        (scheme.aggregate, [SIGNATURES[0][0], signature]),
        (scheme.aggregate_verify, PUBLIC, MESSAGES, signature),
    ):
        assert refusal_of(call, *args) == vector["reason"]


@each_library
def test_encodings_that_a_library_may_read_and_nobody_writes_are_refused(scheme: Scheme[Any, Any]) -> None:
    for first in (b"\xff", b"\xe0", b"\x40", b"\x00"):
        fill = b"\xff" if first == b"\xff" else b"\0"
        assert refusal_of(scheme.check_public_key, first + fill * 47) == "malformed"
        assert refusal_of(scheme.verify, PUBLIC[0], b"", first + fill * 95) == "malformed"


@each_library
def test_a_truncated_or_extended_signature_is_refused(scheme: Scheme[Any, Any]) -> None:
    for signature in (b"", SIGNATURES[0][0][:-1], SIGNATURES[0][0] + b"\0", SIGNATURES[0][0] * 2):
        assert refusal_of(scheme.verify, PUBLIC[0], MESSAGES[0], signature) == "wrong_size"


@each_library
def test_a_secret_key_is_a_number_from_one_to_the_order_less_one(scheme: Scheme[Any, Any]) -> None:
    for secret in (bytes(32), ORDER.to_bytes(32), b"\xff" * 32):
        for call in (scheme.public_key, scheme.prove_possession, lambda key: scheme.sign(key, b"")):
            assert refusal_of(call, secret) == "malformed"
    assert refusal_of(scheme.public_key, bytes(31)) == "wrong_size"
    assert scheme.public_key((ORDER - 1).to_bytes(32))


@each_library
def test_nothing_is_neither_aggregated_nor_verified(scheme: Scheme[Any, Any]) -> None:
    assert refusal_of(scheme.aggregate, []) == "none_given"
    assert refusal_of(scheme.aggregate_verify, [], [], SIGNATURES[0][0]) == "none_given"


def test_signatures_that_cancel_out_verify_nothing() -> None:
    for scheme in SCHEMES:
        negative = bytes([SIGNATURES[0][0][0] ^ 0x20]) + SIGNATURES[0][0][1:]
        nothing = scheme.aggregate([SIGNATURES[0][0], negative])
        assert refusal_of(scheme.aggregate_verify, PUBLIC[:1], MESSAGES[:1], nothing) == "identity"


def test_the_faster_library_is_taken_where_it_is_installed() -> None:
    assert SCHEMES[-1].LIBRARY == BLS.LIBRARY


def test_a_refusal_says_what_and_why() -> None:
    assert str(KeyRefused("public key", KeyRefusal.IDENTITY)) == "public key: identity"


def test_a_key_is_called_by_a_tagged_hash() -> None:
    assert key_id(b"k") == sha256(b"romer.key.1k").digest()
