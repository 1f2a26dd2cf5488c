"""Two libraries that share no code give the same bytes and refusals; and no bit of what is signed can be changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import KeyRefused
from core.identity.bls import BLS
from core.identity.checking import culprits
from core.identity.scheme import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, Scheme, key_gen
from tests.helpers.schemes import SCHEMES, needs_both

SECRETS = st.binary(min_size=32, max_size=48).map(key_gen)
MESSAGES = st.binary(max_size=100)
FEW = settings(max_examples=25, deadline=None)
SECRET = key_gen(b"one of the keys of these tests..")
PUBLIC, SIGNATURE, PROOF = BLS.public_key(SECRET), BLS.sign(SECRET, b"message"), BLS.prove_possession(SECRET)


def flipped(data: bytes, bit: int) -> bytes:
    return bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(data))


def outcomes(call: Callable[[Scheme[Any, Any]], object]) -> set[object]:
    """What the libraries answer, or refuse it with."""
    found: set[object] = set()
    for scheme in SCHEMES:
        try:
            found.add(call(scheme))
        except KeyRefused as error:
            found.add(str(error))
    return found


@needs_both
@FEW
@given(SECRETS, MESSAGES)
def test_both_libraries_make_the_same_bytes(secret: bytes, message: bytes) -> None:
    assert len(outcomes(lambda scheme: scheme.public_key(secret))) == 1
    assert len(outcomes(lambda scheme: scheme.sign(secret, message))) == 1
    assert len(outcomes(lambda scheme: scheme.prove_possession(secret))) == 1


@needs_both
@FEW
@given(st.lists(st.tuples(SECRETS, MESSAGES), min_size=1, max_size=4), st.booleans())
def test_both_libraries_judge_aggregates_alike(signed: list[tuple[bytes, bytes]], spoilt: bool) -> None:
    keys = [BLS.public_key(secret) for secret, _ in signed]
    messages = [message for _, message in signed]
    signatures = [BLS.sign(secret, message + b"!" * spoilt) for secret, message in signed]
    (together,) = outcomes(lambda scheme: scheme.aggregate(signatures))
    assert isinstance(together, bytes)
    assert outcomes(lambda scheme: scheme.aggregate_verify(keys, messages, together)) == {not spoilt}


FLAGS = st.sampled_from([0x00, 0x20, 0x40, 0x60, 0x80, 0xA0, 0xC0, 0xE0])


def points(size: int, good: bytes) -> st.SearchStrategy[bytes]:
    """Anything of the size of a point: at random with plausible flags, and next to a good one."""
    random = st.builds(
        lambda flags, data: bytes([flags | data[0] & 0x1F]) + data[1:], FLAGS, st.binary(min_size=size, max_size=size)
    )
    return random | st.integers(0, 8 * size - 1).map(lambda bit: flipped(good, bit)) | st.binary(max_size=size + 1)


@needs_both
@settings(max_examples=150, deadline=None)
@given(points(PUBLIC_KEY_BYTES, PUBLIC), points(SIGNATURE_BYTES, SIGNATURE))
def test_both_libraries_refuse_the_same_bytes_for_the_same_reason(key: bytes, signature: bytes) -> None:
    assert len(outcomes(lambda scheme: scheme.check_public_key(key))) == 1
    assert len(outcomes(lambda scheme: scheme.verify(PUBLIC, b"message", signature))) == 1


def holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        return BLS.verify(public_key, message, signature)
    except KeyRefused:
        return False


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_bit_of_key_message_or_signature_fails(data: st.DataObject) -> None:
    parts = [PUBLIC, b"message", SIGNATURE]
    assert holds(*parts)
    index = data.draw(st.integers(0, 2))
    parts[index] = flipped(parts[index], data.draw(st.integers(0, 8 * len(parts[index]) - 1)))
    assert not holds(*parts)


@FEW
@given(st.integers(0, 8 * SIGNATURE_BYTES - 1))
def test_any_changed_bit_of_a_proof_of_possession_fails(bit: int) -> None:
    assert BLS.verify_possession(PUBLIC, PROOF)
    with suppress(KeyRefused):
        assert not BLS.verify_possession(PUBLIC, flipped(PROOF, bit))


SPOILERS: list[Callable[[bytes], bytes]] = [
    lambda signature: signature[:-1],
    lambda _: SIGNATURE,
    lambda _: b"",
    lambda _: b"\xff" * SIGNATURE_BYTES,
    lambda signature: flipped(signature, 2),
]


@FEW
@given(st.integers(0, 9), st.dictionaries(st.integers(0, 8), st.sampled_from(SPOILERS), max_size=3))
def test_the_culprits_of_a_block_are_found_and_nobody_else(
    count: int, spoilt: dict[int, Callable[[bytes], bytes]]
) -> None:
    signed = []
    for place in range(count):
        secret = key_gen(bytes([place % 3]) * 32)
        signature = BLS.sign(secret, b"order %d" % place)
        signature = spoilt[place](signature) if place in spoilt else signature
        signed.append((BLS.public_key(secret), b"order %d" % place, signature))
    assert culprits(signed) == tuple(sorted(place for place in spoilt if place < count))
