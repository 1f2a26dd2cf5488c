from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.market.orders import CancelOrder
from core.sequencer.leaf import (
    Acknowledgement,
    Leaf,
    acknowledgement,
    decode_acknowledgement,
    decode_leaf,
    encode_acknowledgement,
    encode_leaf,
)

HASH = bytes(range(32))
NUMBERS = st.integers(0, (1 << 64) - 1)
LEAVES = st.builds(Leaf, NUMBERS, NUMBERS, st.text(max_size=9), st.binary(min_size=32, max_size=32))
TOLD = st.builds(
    Acknowledgement, NUMBERS, st.sampled_from(["order", "cancel"]), st.text(max_size=9), st.text(max_size=9)
)


def test_a_leaf_is_laid_out_as_documented() -> None:
    leaf = encode_leaf(Leaf(global_seq=258, received_at=3, owner="MÜ", raw_hash=HASH))
    assert leaf == b"romer.leaf.1" + bytes([0] * 6 + [1, 2] + [0] * 7 + [3] + [0, 3]) + "MÜ".encode() + HASH


def test_an_acknowledgement_is_laid_out_as_documented() -> None:
    told = encode_acknowledgement(acknowledgement(258, CancelOrder("O-7", "MM1", "x1")))
    assert told == b"romer.ack.1" + bytes([0] * 6 + [1, 2]) + b"\x02" + b"\0\x03O-7" + b"\0\x02x1"
    assert encode_acknowledgement(Acknowledgement(258, "order", "O-7", "x1"))[19:20] == b"\x01"


def test_owner_and_hash_cannot_trade_bytes() -> None:
    assert encode_leaf(Leaf(1, 1, "MM", b"1" + HASH)) != encode_leaf(Leaf(1, 1, "MM1", HASH))


@given(LEAVES, TOLD)
def test_both_are_read_back(leaf: Leaf, told: Acknowledgement) -> None:
    assert decode_leaf(encode_leaf(leaf)) == leaf
    assert decode_acknowledgement(encode_acknowledgement(told)) == told


@given(st.one_of(st.binary(max_size=80), LEAVES.map(encode_leaf), TOLD.map(encode_acknowledgement)), st.data())
def test_whatever_is_read_is_what_would_be_written(data: bytes, draw: st.DataObject) -> None:
    changed = bytearray(data)
    if changed:
        changed[draw.draw(st.integers(0, len(changed) - 1))] ^= draw.draw(st.integers(0, 255))
    cut = bytes(changed)[: draw.draw(st.integers(0, len(changed)))] if draw.draw(st.booleans()) else bytes(changed)
    with suppress(InputError):
        assert encode_leaf(decode_leaf(cut)) == cut
    with suppress(InputError):
        assert encode_acknowledgement(decode_acknowledgement(cut)) == cut


@pytest.mark.parametrize("kind", [0, 5])
def test_an_unknown_kind_of_message_is_refused(kind: int) -> None:
    with pytest.raises(InputError, match="another tag, kind or length"):
        decode_acknowledgement(b"romer.ack.1" + bytes(8) + bytes([kind]) + bytes(4))
