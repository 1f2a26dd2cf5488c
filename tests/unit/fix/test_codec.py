from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fix.codec import Garbled, GarbledReason, WireMessage, checksum, decode, encode, join, show
from tests.helpers.fix import wire


def decoded(text: str) -> WireMessage | Garbled:
    return decode(encode(wire(text)), 50)


@given(st.binary(max_size=3000))
def test_the_checksum_is_the_sum_of_the_bytes(data: bytes) -> None:
    assert checksum(data) == sum(data) % 256


@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 511, 512, 513, 70_000])
def test_the_checksum_of_the_largest_bytes_is_exact_at_every_chunk_border(length: int) -> None:
    assert checksum(b"\xff" * length) == 255 * length % 256


def test_a_message_is_written_with_its_length_and_checksum() -> None:
    # The sum of the bytes before `10=`, worked out by hand, is 0 modulo 256 for this TestReqID.
    raw = encode(wire("35=0|112=HI"))
    assert raw == b"8=FIX.4.2\x019=12\x0135=0\x01112=HI\x0110=%03d\x01" % (sum(raw[:-7]) % 256)


def test_a_decoded_message_gives_its_values_by_tag_and_in_order() -> None:
    message = decoded("35=D|34=7|58=x=5|-1=HI|0=a|999999=b")
    assert isinstance(message, WireMessage)
    assert message.msg_type == "D"
    assert message.values[58] == b"x=5"
    assert [tag for tag, _ in message.fields()] == [8, 9, 35, 34, 58, -1, 0, 999_999, 10]
    assert not message.repeated


def test_a_repeated_tag_is_noticed_and_both_values_are_kept_in_order() -> None:
    message = decoded("35=D|40=1|40=2")
    assert isinstance(message, WireMessage)
    assert message.repeated
    assert message.fields()[3:5] == [(40, b"1"), (40, b"2")]


def test_an_empty_value_is_a_value() -> None:
    message = decoded("35=D|56=")
    assert isinstance(message, WireMessage)
    assert message.values[56] == b""


@pytest.mark.parametrize("field", ["4garbled9=TW", "49", "=TW", "+1=a", "01=a", "1 =a", "--1=a", "1.0=a", "²=a", ""])
def test_a_field_without_a_number_and_an_equals_sign_garbles_the_message(field: str) -> None:
    message = decoded(f"35=D|{field}|34=1")
    assert isinstance(message, Garbled)
    assert message.reason == GarbledReason.BAD_TAG


def test_a_message_with_too_many_fields_is_garbled() -> None:
    message = decoded("35=D|" + "58=a|" * 50 + "34=1")
    assert isinstance(message, Garbled)
    assert message.reason == GarbledReason.TOO_MANY_FIELDS


@pytest.mark.parametrize(("length_tag", "data_tag"), [(95, 96), (90, 91), (93, 89), (354, 355), (445, 446), (621, 622)])
def test_a_data_field_holds_any_bytes(length_tag: int, data_tag: int) -> None:
    data = b"a\x0110=123\x01\x0135=A\x01=\x00\xff"
    fields = [(35, b"B"), (length_tag, b"%d" % len(data)), (data_tag, data), (58, b"after")]
    message = decode(encode(join(fields)), 50)
    assert isinstance(message, WireMessage)
    assert message.fields()[2:-1] == fields


@pytest.mark.parametrize("length", [b"2", b"4", b"999999999"])
def test_a_data_field_of_another_length_than_announced_garbles_the_message(length: bytes) -> None:
    message = decode(encode(join([(35, b"B"), (95, length), (96, b"abc"), (58, b"x")])), 50)
    assert isinstance(message, Garbled)
    assert message.reason == GarbledReason.DATA_LENGTH


def test_a_length_without_its_data_field_is_a_field_like_any_other() -> None:
    message = decoded("35=B|95=3|58=text|96=ab")
    assert isinstance(message, WireMessage)
    assert [message.values[tag] for tag in (95, 58, 96)] == [b"3", b"text", b"ab"]


def test_a_message_is_shown_short_and_legible() -> None:
    assert show(wire("8=FIX.4.2|9=5|35=D")) == "8=FIX.4.2|9=5|35=D|"
    assert len(show(bytes(100_000))) == 64
