"""What a Logon signs and how: its bytes, its window, and what is no proof at all."""

from __future__ import annotations

from typing import Any

import pytest
from py_arkworks_bls12381 import G1Point

from core.fix.codec import WireMessage, decode, encode, join
from core.identity.bls import BLS
from core.identity.logon import NOBODY, LogonClaim, Seen, check_of, read_claim, sign_logon, untimely
from core.identity.reasons import LogonRefusal
from core.units import MILLISECOND, SECOND
from tests.helpers.fix import NOW, Hand, acceptor_config
from tests.helpers.identity import logon, plain_logon, public, signer

SIGNED = b"romer.logon.1\x01A\x01MM1\x01ROMER\x017\x0120231114-22:13:20.000"


def claim_of(raw: bytes) -> LogonClaim:
    claim = read_claim(raw)
    assert isinstance(claim, LogonClaim)
    return claim


def changed(raw: bytes, fields: dict[int, bytes | None]) -> bytes:
    """The Logon with other values for some fields, or without them."""
    message = decode(raw, 100)
    assert isinstance(message, WireMessage)
    _, _, *before, _ = message.fields()
    after = [(tag, fields.get(tag, value)) for tag, value in before]
    return encode(join([(tag, value) for tag, value in after if value is not None]))


def test_a_logon_signs_its_type_comp_ids_number_and_time_as_documented() -> None:
    claim = claim_of(logon("MM1", number=7))
    assert claim.message == SIGNED
    assert (claim.sender_comp_id, claim.target_comp_id, claim.sending_time) == ("MM1", "ROMER", NOW)
    assert BLS.verify(public("MM1"), SIGNED, claim.signature)


def test_signing_adds_two_fields_and_changes_none() -> None:
    plain = plain_logon()
    signed = decode(sign_logon(plain, signer("MM1")), 100)
    unsigned = decode(plain, 100)
    assert isinstance(signed, WireMessage)
    assert isinstance(unsigned, WireMessage)
    *fields, length, data, _ = signed.fields()
    assert [fields[0], *fields[2:]] == [unsigned.fields()[0], *unsigned.fields()[2:-1]]
    assert (length, data[0]) == ((95, b"96"), 96)


def test_signing_again_replaces_the_signature() -> None:
    once = sign_logon(plain_logon(), signer("MM1"))
    assert sign_logon(once, signer("MM1")) == once
    assert sign_logon(sign_logon(plain_logon(), signer("MM2")), signer("MM1")) == once


def test_what_is_no_logon_is_not_signed() -> None:
    with pytest.raises(ValueError, match="no Logon to sign"):
        sign_logon(b"8=FIX.4.2\x019=5\x0135=A\x0110=000\x01", signer("MM1"))


@pytest.mark.parametrize(
    "fields",
    [
        {95: None, 96: None},
        {95: b"95", 96: b"x" * 95},
        {95: b"97", 96: b"x" * 97},
        {95: b"0", 96: b""},
        {52: b"yesterday"},
        {52: None},
        {34: None},
    ],
    ids=["none", "truncated", "extended", "empty", "no time", "without time", "without number"],
)
def test_a_logon_that_cannot_be_a_proof_is_malformed(fields: dict[int, bytes | None]) -> None:
    assert read_claim(changed(logon("MM1"), fields)) is LogonRefusal.MALFORMED_SIGNATURE


def test_a_logon_with_a_field_twice_is_malformed() -> None:
    message = decode(logon("MM1"), 100)
    assert isinstance(message, WireMessage)
    _, _, *fields, _ = message.fields()
    assert read_claim(encode(join([*fields, (49, b"MM2")]))) is LogonRefusal.MALFORMED_SIGNATURE


@pytest.mark.parametrize(
    ("offset", "refusal"),
    [
        (-5 * SECOND, None),
        (5 * SECOND, None),
        (-5 * SECOND - MILLISECOND, "stale"),
        (5 * SECOND + MILLISECOND, "early"),
    ],
)
def test_the_receive_window_is_open_to_both_sides(offset: int, refusal: str | None) -> None:
    assert untimely(NOW, claim_of(logon("MM1", at=NOW + offset)), 5 * SECOND) == refusal


def test_every_logon_costs_a_check_of_as_many_keys() -> None:
    assert check_of(claim_of(logon("MM1")), None).public_keys == (NOBODY,) * 3


def test_nobody_has_a_key_that_nobody_can_have_made_on_purpose() -> None:
    tag = b"romer.nobody.1"
    assert bytes(G1Point.hash_to_curve(tag, tag).to_compressed_bytes()) == NOBODY
    BLS.check_public_key(NOBODY)


def test_what_was_seen_is_forgotten_when_its_time_has_passed() -> None:
    seen = Seen()
    assert seen.remember(0, b"a", 10)
    assert seen.remember(5, b"b", 15)
    assert not seen.remember(10, b"a", 10)
    assert seen.remember(11, b"c", 21)
    assert list(seen.until) == [b"b", b"c"]


def test_all_that_depends_on_who_is_registered_has_one_text() -> None:
    texts: dict[str, list[str]] = {}
    for refusal in LogonRefusal:
        texts.setdefault(refusal.text, []).append(refusal)
    assert texts.pop("Logon refused") == [
        "wrong_comp_ids",
        "unknown_comp_id",
        "bad_signature",
        "revoked_key",
        "replayed",
        "pending",
        "suspended",
        "revoked",
        "busy",
    ]
    assert texts == {
        "RawData is not a signature": ["malformed_signature"],
        "SendingTime is too old": ["stale"],
        "SendingTime is in the future": ["early"],
    }


def test_the_fix_engine_takes_a_signed_logon_and_hands_it_on_as_it_is() -> None:
    hand = Hand(acceptor_config(authenticator="app"))
    hand.connect()
    raw = logon("MM1")
    hand.say_raw(raw)
    told: Any = hand.told
    assert [it.raw for it in told] == [raw]
