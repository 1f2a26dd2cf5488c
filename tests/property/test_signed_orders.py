"""No bit of what was signed can be changed: that order is refused, and only that one, whatever else is in the block."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.fix.codec import WireMessage, decode, encode, join
from core.fix.content import content
from core.fix.tags import DATA_LENGTHS
from core.identity.bls import BLS
from core.identity.checking import Signed, culprits, suspects
from core.identity.orders import order_message, sign_order
from core.market.orders import OrderFailed
from tests.helpers.fix import ORDER, wire
from tests.helpers.identity import public, signer
from tests.helpers.orders import from_peer
from tests.helpers.signed import T0, Venue, order, signed_by

FEW = settings(max_examples=25, deadline=None)
LENGTHS = DATA_LENGTHS | {20005: 20006}
MAKERS = ("MM1", "MM2", "MM3")


def read(raw: bytes) -> WireMessage:
    message = decode(raw, 100, LENGTHS)
    assert isinstance(message, WireMessage)
    return message


def block_of(count: int) -> list[bytes]:
    """So many signed orders of some market makers."""
    header = "35=D|34={0}|49={1}|52=20231114-22:13:20.000|56=ROMER|"
    plain = [wire(header.format(n + 2, MAKERS[n % 3]) + ORDER.replace("11=a", f"11=a{n}")) for n in range(count)]
    return [sign_order(encode(body), signer(MAKERS[n % 3])) for n, body in enumerate(plain)]


BLOCK = block_of(7)


def to_check(raw: bytes, maker: str) -> Signed:
    message = read(raw)
    return public(maker), order_message(sha256(content(message)).digest()), message.values[20006]


GOOD = [to_check(raw, MAKERS[n % 3]) for n, raw in enumerate(BLOCK)]


def flipped(data: bytes, bit: int) -> bytes:
    return bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(data))


@FEW
@given(st.integers(0, len(BLOCK) - 1), st.integers(min_value=0))
def test_any_bit_of_the_signed_content_makes_a_culprit_of_that_order_alone(place: int, bit: int) -> None:
    said = content(read(BLOCK[place]))
    changed = flipped(said, bit % (8 * len(said)))
    key, _, signature = GOOD[place]
    block = [*GOOD]
    block[place] = key, order_message(sha256(changed).digest()), signature
    assert culprits(block) == (place,)


@FEW
@given(st.integers(0, len(BLOCK) - 1), st.integers(0, 8 * 96 - 1))
def test_any_bit_of_a_signature_makes_a_culprit_of_that_order_alone(place: int, bit: int) -> None:
    key, message, signature = GOOD[place]
    block = [*GOOD]
    block[place] = key, message, flipped(signature, bit)
    assert culprits(block) == (place,)


def test_signatures_that_change_places_hold_in_sum_and_only_there() -> None:
    block = [(key, message, GOOD[1 - place][2] if place < 2 else own) for place, (key, message, own) in enumerate(GOOD)]
    assert culprits(block) == (), (
        "both orders are their owners' own: whoever exchanged the signatures has gained nothing"
    )
    assert [BLS.verify(*each) for each in block] == [False, False, True, True, True, True, True]
    assert culprits(block[1:]) == (0,)


@FEW
@given(st.lists(st.booleans(), max_size=24))
def test_exactly_the_culprits_are_found_whoever_they_are(spoilt: list[bool]) -> None:
    block = []
    for place, is_spoilt in enumerate(spoilt):
        key, message, signature = GOOD[place % len(GOOD)]
        block.append((key, message + b"!" if is_spoilt else message, signature))
    assert culprits(block) == tuple(place for place, is_spoilt in enumerate(spoilt) if is_spoilt)


class Counting:
    """A scheme in which a signature is good if it is the message, and that counts what is verified, by sizes."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def aggregate(self, signatures: Sequence[bytes]) -> bytes:
        return b"|".join(signatures)

    def aggregate_verify(self, _keys: Sequence[bytes], messages: Sequence[bytes], signature: bytes) -> bool:
        self.sizes.append(len(messages))
        return b"|".join(messages) == signature


@given(st.integers(1, 5), st.lists(st.booleans(), min_size=1, max_size=300))
def test_whoever_signs_badly_brings_about_a_few_checks_of_all_and_one_of_each(keys: int, spoilt: list[bool]) -> None:
    scheme: Any = Counting()
    block = [(b"%d" % (n % keys), b"%d" % n, b"bad" if bad else b"%d" % n) for n, bad in enumerate(spoilt)]
    assert culprits(block, scheme) == tuple(n for n, bad in enumerate(spoilt) if bad)
    singles = [size for size in scheme.sizes if size == 1]
    assert len(singles) <= len(block) + keys
    assert sum(scheme.sizes) - len(singles) <= (2 + 3 + 4) * len(block), (
        "the whole, the keys, and four culprits' halves"
    )


@given(st.integers(1, 40), st.lists(st.booleans(), min_size=1, max_size=300))
def test_a_check_of_a_block_takes_twice_as_long_as_a_good_one_at_most_whoever_signs_badly(
    keys: int, spoilt: list[bool]
) -> None:
    scheme: Any = Counting()
    block = [(b"%d" % (n % keys), b"%d" % n, b"bad" if bad else b"%d" % n) for n, bad in enumerate(spoilt)]
    checked = suspects(block, scheme)
    assert sum(scheme.sizes) <= 2 * len(block) + 16
    bad = {n for n, is_bad in enumerate(spoilt) if is_bad}
    suspected = {block[place][0] for place in checked.suspects}
    assert set(checked.culprits) == {n for n in bad if block[n][0] not in suspected}
    assert suspected <= {block[n][0] for n in bad}
    assert checked.suspects == tuple(n for n, it in enumerate(block) if it[0] in suspected)


@FEW
@given(st.lists(st.sampled_from(("good", "bad", "plain")), min_size=1, max_size=8))
def test_the_auction_gets_what_is_signed_well_and_what_need_not_be_signed(kinds: list[str]) -> None:
    venue = Venue("MM1", "MM2", batch_messages=len(kinds))
    for place, kind in enumerate(kinds):
        message, maker = order(f"c{place}", transact_time=T0 + place % 3), MAKERS[place % 2]
        if kind == "plain":
            venue.handle(from_peer(message, "MM3"))
        else:
            changed = {"text": "more"} if kind == "bad" else {}
            venue.handle(signed_by(maker, message, **changed))
    while venue.jobs:
        venue.solve()
    assert venue.traded == [(1, [f"c{place}" for place, kind in enumerate(kinds) if kind != "bad"])]
    assert [fact.order_id for fact in venue.said(OrderFailed)] == [
        f"O-{place + 1}" for place, kind in enumerate(kinds) if kind == "bad"
    ]


def test_a_message_is_what_its_fields_are() -> None:
    assert join(read(BLOCK[0]).fields()) == BLOCK[0]
