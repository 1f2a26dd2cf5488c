"""The FIX codec under any bytes, cut anywhere; and against simplefix, which shares no code with it."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from simplefix import FixMessage as SimpleMessage
from simplefix import FixParser

from core.fix.codec import Garbled, WireMessage, decode, encode, join
from core.fix.dialect import Dialect, venue_dialect
from core.fix.framer import Framer
from core.fix.messages import Header, NewOrderSingle
from core.fix.rejects import Rejection
from core.fix.shipped import SHIPPED, dictionary
from core.fix.tags import DATA_LENGTHS, Side
from core.fix.timestamps import format_timestamp
from core.units import MILLISECOND
from tests.helpers.fix import NOW, wire

LIMIT = 300
DIALECTS = [venue_dialect(), *(Dialect(dictionary(version)) for version in SHIPPED)]
VALUES = st.binary(max_size=20).map(lambda value: value.replace(b"\x01", b"="))
TAGS = st.integers(-100, 10_000).filter(lambda tag: tag not in DATA_LENGTHS and tag not in (8, 9, 10, 35))
PLAIN = st.tuples(TAGS, VALUES).map(lambda field: [field])
DATA = st.tuples(st.sampled_from(sorted(DATA_LENGTHS)), st.binary(max_size=30)).map(
    lambda pair: [(pair[0], b"%d" % len(pair[1])), (DATA_LENGTHS[pair[0]], pair[1])]
)
FIELDS = st.lists(PLAIN | DATA, max_size=8).map(lambda groups: [field for group in groups for field in group])
MESSAGES = FIELDS.map(lambda fields: encode(join([(35, b"D"), *fields])))
HEADS = st.sampled_from([b"5", b"10", b"12", b"30", b"9999"]).map(
    lambda length: b"8=FIX.4.2\x019=" + length + b"\x0135="
)
SCRAPS = HEADS | st.sampled_from(
    [b"8=FIX.4.2\x01", b"8=FIX", b"8=", b"9=5\x01", b"35=A\x01", b"\x0110=", b"10=123\x01"]
)
LARGE = st.tuples(MESSAGES, st.integers(0, 400), st.sampled_from([b"", b"x", b"\x01", b"10=1\x01"])).map(
    lambda drawn: (
        encode(join([(35, b"B"), (58, b"y" * (LIMIT + drawn[1]))]) + drawn[0])[: -len(drawn[2]) or None] + drawn[2]
    )
)
STREAMS = st.lists(MESSAGES | LARGE | SCRAPS | st.binary(max_size=10), max_size=12).map(b"".join)


def fed(pieces: list[bytes], *, is_known: bool = False) -> tuple[list[bytes | Garbled], Framer]:
    framer, found = Framer(), []
    for piece in pieces:
        found += framer.feed(piece, LIMIT, is_known=is_known)
        assert len(framer.buffer) <= LIMIT
    return found, framer


@given(STREAMS, st.lists(st.integers(0, 500)), st.booleans())
def test_any_fragmentation_of_any_stream_gives_the_same(stream: bytes, cuts: list[int], is_known: bool) -> None:
    whole = fed([stream], is_known=is_known)
    borders = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert fed([stream[start:end] for start, end in pairwise(borders)], is_known=is_known) == whole
    assert fed([bytes([byte]) for byte in stream], is_known=is_known) == whole


@given(st.lists(MESSAGES.map(lambda raw: raw[:LIMIT] and raw) | LARGE))
def test_of_a_known_peer_nothing_inside_a_large_message_is_taken_for_one(messages: list[bytes]) -> None:
    found, _ = fed([b"".join(messages)], is_known=True)
    whole = [raw for raw in messages if len(raw) <= LIMIT]
    assert all(item in whole for item in found if isinstance(item, bytes))


@given(STREAMS, MESSAGES.filter(lambda raw: len(raw) <= LIMIT))
def test_after_any_noise_messages_are_found_again(noise: bytes, message: bytes) -> None:
    found, _ = fed([noise, b"z" * LIMIT, message, message])
    assert found[-1] == message


@given(st.lists(MESSAGES.filter(lambda raw: len(raw) <= LIMIT)))
def test_good_messages_come_out_as_they_went_in(messages: list[bytes]) -> None:
    assert fed([b"".join(messages)]) == (messages, Framer())


@given(FIELDS)
def test_fields_come_back_in_order_data_fields_and_all(fields: list[tuple[int, bytes]]) -> None:
    message = decode(encode(join([(35, b"D"), *fields])), 100)
    assert isinstance(message, WireMessage)
    assert message.fields()[3:-1] == fields
    assert message.repeated == (len({tag for tag, _ in fields}) < len(fields))


@given(STREAMS)
def test_what_is_framed_is_decoded_or_garbled_and_judged_without_an_exception(stream: bytes) -> None:
    for item in fed([stream])[0]:
        message = decode(item, 10) if isinstance(item, bytes) else item
        if isinstance(message, WireMessage):
            for dialect in DIALECTS:
                assert isinstance(dialect.parse(message), tuple | Rejection)


TEXTS = st.text(st.characters(min_codepoint=2, max_codepoint=255), min_size=1, max_size=20)
NUMBERS = st.decimals(-(10**12), 10**12, places=8) | st.integers(0, 10**12).map(Decimal)
INSTANTS = st.integers(0, 2**62 // MILLISECOND).map(lambda millis: millis * MILLISECOND)
ORDERS = st.builds(
    NewOrderSingle,
    cl_ord_id=TEXTS,
    handl_inst=st.sampled_from("123"),
    symbol=TEXTS,
    side=st.sampled_from([side.value for side in Side]),
    transact_time=INSTANTS,
    ord_type=st.sampled_from("12"),
    order_qty=st.none() | NUMBERS,
    price=st.none() | NUMBERS,
    time_in_force=st.none() | st.sampled_from("0123456"),
    expire_time=st.none() | INSTANTS,
    account=st.none() | TEXTS,
    text=st.none() | TEXTS,
)


def sent(order: NewOrderSingle, number: int = 7) -> bytes:
    head = wire(f"35=D|34={number}|49=MM1|52={format_timestamp(NOW)}|56=ROMER")
    return encode(head + venue_dialect().build(order))


@given(ORDERS)
def test_every_order_is_read_as_it_was_written(order: NewOrderSingle) -> None:
    message = decode(sent(order), 100)
    assert isinstance(message, WireMessage)
    assert venue_dialect().parse(message) == (Header("MM1", "ROMER", 7, NOW), order)


@given(ORDERS)
def test_simplefix_reads_the_same_fields(order: NewOrderSingle) -> None:
    raw = sent(order)
    message, parser = decode(raw, 100), FixParser()
    assert isinstance(message, WireMessage)
    parser.append_buffer(raw)
    assert parser.get_message().pairs == [(b"%d" % tag, value) for tag, value in message.fields()]


@given(FIELDS)
def test_what_simplefix_writes_is_framed_and_decoded(fields: list[tuple[int, bytes]]) -> None:
    message = SimpleMessage()
    for tag, value in [(8, b"FIX.4.2"), (35, b"D"), (34, b"1"), *fields]:
        message.append_pair(tag, value)
    (raw,) = Framer().feed(message.encode(), 1 << 20)
    assert isinstance(raw, bytes)
    decoded = decode(raw, 100)
    assert isinstance(decoded, WireMessage)
    assert decoded.fields()[4:-1] == fields
