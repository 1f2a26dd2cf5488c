"""What a signature of an order signs, byte for byte; who puts it on; and how it arrives at the application."""

from __future__ import annotations

import re
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from core.fix.codec import decode, encode
from core.fix.records import FromPeer, InputIgnored
from core.fix.tags import DATA_LENGTHS
from core.identity.bls import BLS
from core.identity.logon import sign_logon
from core.identity.orders import is_order_message, order_message, sign_order
from core.identity.outgoing import sign_messages
from tests.helpers.fix import ORDER, Hand, parsed, seal, wire
from tests.helpers.identity import plain_logon, public, signer
from tests.helpers.markdown import read

DOCUMENT = read(Path(__file__).parents[3] / "docs" / "identity.md")
HEADER = "35=D|34=2|49=MM1|52=20231114-22:13:20.000|56=ROMER"
PLAIN = encode(wire(f"{HEADER}|{ORDER}"))
CONTENT = wire(f"35=D|34=2|49=MM1|56=ROMER|{ORDER}")
MESSAGE = b"romer.order.1" + sha256(CONTENT).digest()
SIGNED = sign_order(PLAIN, signer("MM1"))
LENGTHS = DATA_LENGTHS | {20005: 20006}
HEARTBEAT = encode(wire("35=0|34=3|49=MM1|52=20231114-22:13:20.000|56=ROMER|112=\x0135=D"))


def taken(raw: bytes) -> FromPeer[Any]:
    """The order as the application of an engine gets it that is sent these bytes."""
    hand = Hand.logged_on()
    hand.say_raw(raw)
    (received,) = (body for body in hand.told if isinstance(body, FromPeer))
    return received


def test_an_order_signs_all_that_does_not_change_when_it_is_sent_again() -> None:
    message = taken(SIGNED).message
    assert order_message(taken(SIGNED).content_hash) == MESSAGE
    assert BLS.verify(public("MM1"), MESSAGE, message.order_signature)
    assert is_order_message(MESSAGE)
    assert not is_order_message(MESSAGE + b"x")


def test_the_example_of_the_documentation_is_one() -> None:
    (fence,) = (it.text for it in DOCUMENT.fences() if it.words[:2] == ["text", "order"])
    told = {name.strip(): value for name, value in re.findall(r"^(\S.*?)  +(\S+)$", fence, re.MULTILINE)}
    raw, content = (told[name].replace("|", "\x01").encode() for name in ("message", "content"))
    key, signature = (bytes.fromhex(told[name]) for name in ("secret key", "signature"))
    assert sha256(content).hexdigest() == told["SHA-256"]
    assert BLS.public_key(key).hex() == told["public key"]
    assert BLS.sign(key, order_message(bytes.fromhex(told["SHA-256"]))) == signature
    assert parsed(raw).raw == raw
    assert b"\x0120005=96\x0120006=" + signature + b"\x0110=" in sign_order(raw, partial(BLS.sign, key))


def test_signing_adds_two_fields_behind_the_body_and_changes_none() -> None:
    fields = decode(SIGNED, 100, LENGTHS).fields()  # type: ignore[union-attr]  # it is none that is garbled
    *before, length, data, _ = fields
    assert [(tag, value) for tag, value in before if tag != 9] == [
        (tag, value) for tag, value in parsed(PLAIN).fields()[:-1] if tag != 9
    ]
    assert (length, data[0], len(data[1])) == ((20005, b"96"), 20006, 96)


def test_fields_of_the_trailer_stay_behind_the_signature() -> None:
    raw = encode(wire(f"{HEADER}|{ORDER}|93=3|89=a\x01b"))
    tags = [tag for tag, _ in decode(sign_order(raw, signer("MM1")), 100, LENGTHS).fields()]  # type: ignore[union-attr]
    assert tags[-5:] == [20005, 20006, 93, 89, 10]


def test_an_order_that_is_sent_again_has_the_signature_that_it_had() -> None:
    again = encode(wire(f"{HEADER}|{ORDER}".replace("|49", "|43=Y|49").replace("|56", "|122=20231114-22:13:19|56")))
    assert taken(sign_order(again, signer("MM1"))).content_hash == taken(SIGNED).content_hash
    assert sign_order(SIGNED, signer("MM1")) == SIGNED
    assert sign_order(sign_order(PLAIN, signer("MM2")), signer("MM1")) == SIGNED


@pytest.mark.parametrize(
    "change",
    [
        "34=3",
        "49=MM2",
        "56=ROMEO",
        "11=b",
        "21=2",
        "55=BTC/USDC",
        "54=2",
        "60=20231114-22:13:21",
        "38=1.6",
        "44=64000.26",
    ],
)
def test_another_value_of_any_field_is_another_order(change: str) -> None:
    tag = change.partition("=")[0]
    fields = [change if field.startswith(f"{tag}=") else field for field in f"{HEADER}|{ORDER}".split("|")]
    assert sign_order(encode(wire("|".join(fields))), signer("MM1"))[-106:] != SIGNED[-106:]


@pytest.mark.parametrize("added", ["59=3", "126=20231114-22:13:21", "1=account", "58=text", "97=Y"])
def test_a_field_that_is_added_makes_it_another_order(added: str) -> None:
    raw = encode(wire(f"{HEADER}|{added}|{ORDER}"))
    assert sign_order(raw, signer("MM1"))[-106:] != SIGNED[-106:]


def test_a_message_without_a_signature_has_no_content_to_check() -> None:
    received = taken(PLAIN)
    assert (received.content_hash, received.message.order_signature) == (b"", None)


@pytest.mark.parametrize("length", ["95", "97"])
def test_a_signature_of_another_length_than_it_says_is_garbled(length: str) -> None:
    body = SIGNED.partition(b"20005=96")
    hand = Hand.logged_on()
    hand.say_raw(seal((body[0] + b"20005=" + length.encode() + body[2])[: -len("10=123|")]))
    assert not hand.received
    assert [note.reason for note in hand.notes if isinstance(note, InputIgnored)] == ["data_length"]


def test_a_signature_may_have_any_bytes() -> None:
    raw = sign_order(PLAIN, lambda _: b"\x0110=000\x01" + bytes(range(88)))
    assert taken(raw).message.order_signature == b"\x0110=000\x01" + bytes(range(88))


def test_orders_are_not_signed_as_logons_nor_logons_as_orders() -> None:
    with pytest.raises(ValueError, match="no order to sign"):
        sign_order(plain_logon(), signer("MM1"))


def test_what_leaves_is_signed_as_the_counterparty_asks_for() -> None:
    logon, sign = plain_logon(), signer("MM1")
    data = logon + PLAIN + HEARTBEAT
    assert sign_messages(data, sign, "logon") == (sign_logon(logon, sign) + PLAIN + HEARTBEAT, 1)
    assert sign_messages(data, sign, "order") == (sign_logon(logon, sign) + SIGNED + HEARTBEAT, 2)
    assert sign_messages(HEARTBEAT, sign, "order") == (HEARTBEAT, 0)
