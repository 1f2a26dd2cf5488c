from __future__ import annotations

import pytest

from core.fix.codec import Garbled, GarbledReason, encode
from core.fix.framer import Framer
from tests.helpers.fix import wire

GOOD = encode(wire("35=0|34=2"))
OTHER = encode(wire("35=1|34=3|112=HELLO"))
LIMIT = 500


def outcome(data: bytes, framer: Framer | None = None) -> list[bytes | str]:
    """Messages as they are, garbled ones by their reasons."""
    found = (framer or Framer()).feed(data, LIMIT)
    return [str(item.reason) if isinstance(item, Garbled) else item for item in found]


def test_messages_come_out_whole_and_in_order() -> None:
    assert outcome(GOOD + OTHER + GOOD) == [GOOD, OTHER, GOOD]


def test_a_message_comes_out_with_its_last_byte() -> None:
    framer = Framer()
    for byte in OTHER[:-1]:
        assert outcome(bytes([byte]), framer) == []
    assert outcome(OTHER[-1:], framer) == [OTHER]
    assert framer == Framer()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"hello", GarbledReason.NO_START),
        (b"35=0\x01", GarbledReason.NO_START),
        (wire("8=FIX.4.2|35=0|9=5"), GarbledReason.FIRST_FIELDS),
        (wire("8=FIX.4.2|9=5|34=2|35=0|10=000"), GarbledReason.FIRST_FIELDS),
        (wire("8=FIX.4.2|9=x|35=0|10=000"), GarbledReason.FIRST_FIELDS),
        (wire("8=FIX.4.2.way.too.long|9=5|35=0|10=000"), GarbledReason.FIRST_FIELDS),
        (wire("8=FIX.4.2|9=501|35=0|"), GarbledReason.TOO_LARGE),
        (GOOD.replace(b"9=10", b"9=09"), GarbledReason.BODY_LENGTH),
        (GOOD.replace(b"9=10", b"9=3"), GarbledReason.BODY_LENGTH),
        (GOOD.replace(b"34=2", b"34=3"), GarbledReason.CHECK_SUM),
        (GOOD[:-4] + b"256\x01", GarbledReason.CHECK_SUM),
        (GOOD[:-4] + b"1\x01", GarbledReason.CHECK_SUM),
        (GOOD[:-4] + b"1234\x01", GarbledReason.CHECK_SUM),
    ],
)
def test_what_is_no_message_is_skipped_and_the_next_one_is_found(bad: bytes, reason: GarbledReason) -> None:
    assert outcome(GOOD + bad + OTHER) == [GOOD, str(reason), OTHER]


def test_a_body_length_that_is_too_large_swallows_the_next_message() -> None:
    swallowing = GOOD.replace(b"9=10", b"9=25")
    assert outcome(swallowing + GOOD + OTHER) == ["body_length", OTHER]


def test_a_garbled_message_is_handed_over_whole_where_its_end_is_known() -> None:
    (garbled,) = Framer().feed(GOOD[:-4] + b"256\x01", LIMIT)
    assert garbled == Garbled(GarbledReason.CHECK_SUM, GOOD[:-4] + b"256\x01")


def test_garbage_is_reported_once_and_not_kept() -> None:
    framer = Framer()
    assert outcome(b"x" * 100_000, framer) == ["no_start"]
    for _ in range(100):
        assert outcome(b"y" * 1000 + b"8=FI", framer) == []
        assert len(framer.buffer) <= 4
    assert outcome(b"X.4.2\x019=10" + GOOD[14:], framer) == [GOOD]


def test_each_stretch_of_garbage_is_reported() -> None:
    assert outcome(b"x" + GOOD + b"y\x01z" + GOOD + b"8=FIX4\x01\x01\x01" + GOOD) == [
        "no_start",
        GOOD,
        "no_start",
        GOOD,
        "first_fields",
        GOOD,
    ]


def test_a_message_without_end_is_dropped_when_it_exceeds_the_limit() -> None:
    framer = Framer()
    assert outcome(b"8=FIX.4.2\x019=20\x0135=0\x01", framer) == []
    sizes = []
    for _ in range(1000):
        outcome(b"58=aaaaaaaaaa\x01", framer)
        sizes.append(len(framer.buffer))
    assert max(sizes) <= LIMIT
    assert outcome(GOOD, framer) == [GOOD]


def test_data_may_hold_what_looks_like_a_checksum() -> None:
    data = encode(b"35=B\x0195=8\x0196=\x0110=000\x01\x01")
    assert outcome(data + GOOD) == [data, GOOD]
