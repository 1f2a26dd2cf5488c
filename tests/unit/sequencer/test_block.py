from __future__ import annotations

from hashlib import sha256

import pytest

from core.errors import InputError
from core.sequencer.block import (
    NO_BLOCK,
    block_hash,
    decode_header,
    encode_header,
    signed_bytes,
)
from core.sequencer.facts import BlockHeader
from tests.helpers.blocks import header, headers

HASHES = [bytes([n] * 32) for n in range(1, 6)]


def test_a_header_is_laid_out_as_documented() -> None:
    previous, messages, receipts, state, key = HASHES
    data = encode_header(BlockHeader(2, 2, previous, 3, 4, 5, messages, receipts, state, key))
    numbers = [n.to_bytes(8, "big") for n in (2, 3, 4)]
    expected = b"romer.block.2\x00\x02" + numbers[0] + previous + numbers[1] + numbers[2] + b"\0\0\0\x05"
    assert data == expected + messages + receipts + state + key
    assert len(data) == 203


def test_the_block_hash_is_the_hash_of_the_header_and_what_is_signed_is_tagged() -> None:
    first = header()
    assert block_hash(first) == sha256(encode_header(first)).digest()
    assert signed_bytes(b"h") == b"romer.block.signature.2h"


def test_a_header_is_read_back() -> None:
    for each in headers(3):
        assert decode_header(encode_header(each)) == each


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "expected 203 bytes that begin with romer.block.2"),
        (encode_header(header())[:-1], "expected 203 bytes"),
        (encode_header(header()) + b"\0", "expected 203 bytes"),
        (b"romer.block.1" + encode_header(header())[13:], "expected 203 bytes that begin with romer.block.2"),
        (encode_header(header(version=3)), "version 3 is unknown"),
    ],
)
def test_what_is_no_header_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        decode_header(data)


def test_the_first_block_follows_zeros() -> None:
    assert bytes(32) == NO_BLOCK
