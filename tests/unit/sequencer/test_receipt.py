from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.errors import InputError
from core.sequencer.block import block_hash
from core.sequencer.receipt import Receipt, decode_receipt, encode_receipt, receipt_of, verify_receipt
from tests.helpers.blocks import KEY_ID, blocks, flip, toy_check

BLOCKS = {size: blocks([1, size], KEY_ID)[1] for size in (1, 2, 3, 5, 8, 13)}
UNSIGNED = blocks([3])[0]
PARTS = ["signature", "message", "acknowledgement", "message_proof", "acknowledgement_proof"]
ROOTS = ["previous_hash", "message_root", "receipt_root", "state_root", "key_id"]


def receipt(size: int = 5, index: int = 3) -> Receipt:
    return receipt_of(BLOCKS[size], index)


def text(**changes: Any) -> bytes:
    return json.dumps(json.loads(encode_receipt(receipt())) | changes, separators=(",", ":")).encode()


@pytest.mark.parametrize("size", BLOCKS)
def test_every_message_of_a_block_has_a_receipt_that_proves_it(size: int) -> None:
    for index in range(size):
        assert verify_receipt(receipt(size, index), toy_check) == ""
        assert decode_receipt(encode_receipt(receipt(size, index))) == receipt(size, index)


def test_there_is_no_receipt_of_a_message_that_is_not_there() -> None:
    with pytest.raises(IndexError):
        receipt(5, 5)


@given(st.sampled_from(sorted(BLOCKS)), st.data())
def test_any_changed_bit_of_a_receipt_is_found_out(size: int, data: st.DataObject) -> None:
    whole = receipt(size, data.draw(st.integers(0, size - 1)))
    part = data.draw(st.sampled_from([name for name in PARTS if getattr(whole, name)]))
    old = getattr(whole, part)
    changed = replace(whole, **{part: flip(old, data.draw(st.integers(0, 8 * len(old) - 1)))})
    assert verify_receipt(changed, toy_check)


@given(st.sampled_from(sorted(BLOCKS)), st.data(), st.integers(0, 31), st.integers(0, 255))
def test_any_changed_bit_of_a_header_is_found_out(size: int, data: st.DataObject, number: int, bit: int) -> None:
    whole = receipt(size, data.draw(st.integers(0, size - 1)))
    field = data.draw(st.sampled_from([*ROOTS, "version", "height", "opened_at", "closed_at", "message_count"]))
    old = getattr(whole.header, field)
    new = flip(old, bit) if isinstance(old, bytes) else old ^ 1 << number
    changed = replace(whole, header=replace(whole.header, **{field: new}))
    assert verify_receipt(changed, toy_check)
    assert verify_receipt(changed, known_hash=block_hash(whole.header))


@given(st.data(), st.integers(0, 70))
def test_any_changed_bit_of_the_index_is_found_out(data: st.DataObject, bit: int) -> None:
    size = data.draw(st.sampled_from(sorted(BLOCKS)))
    whole = receipt(size, data.draw(st.integers(0, size - 1)))
    assert verify_receipt(replace(whole, index=whole.index ^ 1 << bit), toy_check)


def test_an_acknowledgement_of_another_message_is_found_out() -> None:
    one, other = receipt(5, 0), receipt(5, 1)
    mixed = replace(one, acknowledgement=other.acknowledgement, acknowledgement_proof=other.acknowledgement_proof)
    assert verify_receipt(mixed, toy_check) == "its acknowledgement is of another message"


def test_without_a_signature_a_receipt_counts_for_a_block_that_is_known() -> None:
    unsigned = receipt_of(UNSIGNED, 1)
    assert verify_receipt(unsigned, toy_check) == "it is not signed"
    assert verify_receipt(unsigned, known_hash=block_hash(UNSIGNED.header)) == ""
    assert verify_receipt(unsigned, known_hash=bytes(32)) == "its block is not the one that is known"


def test_what_is_no_leaf_is_said_so() -> None:
    assert verify_receipt(replace(receipt(), message=b"romer"), toy_check).startswith("not a leaf: ")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"", "not a receipt: "),
        (b"[]", "not a receipt: Expected `object`"),
        (b"\xff", "not a receipt: "),
        (text(index="3"), "not a receipt: Expected `int`"),
        (text(index=-1), ""),
        (text(header="00"), "not a header"),
        (text(message="0"), "not a receipt: non-hexadecimal"),
        (text(extra=1), "not a receipt: Object contains unknown field"),
        (text(format="romer.receipt.2"), "a receipt of format 'romer.receipt.2'; this version reads romer.receipt.1"),
        (text(message="AB" * 9), "not written as receipts are"),
        (text(message="ab ab"), "not written as receipts are"),
        (text(index=3.0), "not written as receipts are|Expected `int`"),
        (json.dumps(json.loads(text())).encode(), "not written as receipts are"),
        (json.dumps(dict(reversed(json.loads(text()).items())), separators=(",", ":")).encode(), "not written as"),
    ],
)
def test_a_receipt_has_one_text(written: bytes, told: str) -> None:
    if not told:
        assert verify_receipt(decode_receipt(written), toy_check) == "its message is not proven to stand there"
        return
    with pytest.raises(InputError, match=told):
        decode_receipt(written)


def test_a_file_may_end_with_a_line_feed() -> None:
    assert decode_receipt(encode_receipt(receipt()) + b"\n") == receipt()


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange_to_be_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        decode_receipt(data)
    strange = replace(receipt(), message=data, acknowledgement_proof=data, signature=data)
    assert verify_receipt(strange, toy_check)
