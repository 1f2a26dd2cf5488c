from __future__ import annotations

from hashlib import sha256

import msgspec
import pytest

from core.sequencer.block import NO_BLOCK, ChainBreak, Leaf, block_hash, encode_header, encode_leaf, verify_chain
from core.sequencer.facts import BlockHeader

ROOT = bytes(range(32))


def chain(length: int) -> list[BlockHeader]:
    headers: list[BlockHeader] = []
    previous = NO_BLOCK
    for height in range(1, length + 1):
        headers.append(BlockHeader(1, height, previous, 10 * height, 10 * height + 10, 3, ROOT))
        previous = block_hash(headers[-1])
    return headers


def test_a_leaf_is_laid_out_as_documented() -> None:
    leaf = encode_leaf(Leaf(global_seq=258, received_at=3, owner="MÜ", raw_hash=ROOT))
    assert leaf == b"romer.leaf.1" + bytes([0] * 6 + [1, 2] + [0] * 7 + [3] + [0, 3]) + "MÜ".encode() + ROOT


def test_a_header_is_laid_out_as_documented() -> None:
    header = encode_header(BlockHeader(1, 2, ROOT, 3, 4, 5, NO_BLOCK))
    numbers = [n.to_bytes(8, "big") for n in (2, 3, 4)]
    expected = b"romer.block.1\x00\x01" + numbers[0] + ROOT + numbers[1] + numbers[2] + b"\0\0\0\x05" + NO_BLOCK
    assert header == expected
    assert len(header) == 107


def test_the_block_hash_is_the_hash_of_the_header() -> None:
    header = chain(1)[0]
    assert block_hash(header) == sha256(encode_header(header)).digest()


def test_owner_and_hash_cannot_trade_bytes() -> None:
    assert encode_leaf(Leaf(1, 1, "MM", b"1" + ROOT)) != encode_leaf(Leaf(1, 1, "MM1", ROOT))


def test_a_whole_chain_verifies() -> None:
    headers = chain(4)
    assert verify_chain(headers) is None
    assert verify_chain(headers, block_hash(headers[-1])) is None
    assert verify_chain([], NO_BLOCK) is None


@pytest.mark.parametrize(
    "field", ["opened_at", "closed_at", "message_count", "message_root", "previous_hash", "height"]
)
@pytest.mark.parametrize("height", [1, 2, 4])
def test_any_changed_field_breaks_the_chain_at_once_or_at_the_next_block(field: str, height: int) -> None:
    headers = chain(4)
    old = getattr(headers[height - 1], field)
    headers[height - 1] = msgspec.structs.replace(
        headers[height - 1], **{field: old + 1 if isinstance(old, int) else old[1:] + b"!"}
    )
    broken = verify_chain(headers, block_hash(chain(4)[-1]))
    assert broken is not None
    assert broken.height in (height, height + 1)


def test_a_missing_block_is_named_by_its_height() -> None:
    headers = chain(4)
    del headers[1]
    assert verify_chain(headers) == ChainBreak(2, "height 3 stands where 2 belongs")


def test_a_chain_that_does_not_reach_the_head_is_broken_at_its_end() -> None:
    headers = chain(3)
    assert verify_chain(headers[:2], block_hash(headers[2])) == ChainBreak(2, "its hash is not the head's")
    assert verify_chain([], block_hash(headers[2])) == ChainBreak(1, "its hash is not the head's")


@pytest.mark.parametrize(
    ("field", "value"),
    [("message_root", ROOT + b"!"), ("message_root", ROOT[:-1]), ("opened_at", -1), ("message_count", 1 << 32)],
)
def test_a_field_that_does_not_fit_its_place_breaks_the_chain(field: str, value: object) -> None:
    headers = [msgspec.structs.replace(chain(1)[0], **{field: value})]
    assert verify_chain(headers) == ChainBreak(1, "a field is longer or larger than its place in the header")


def test_an_unknown_version_breaks_the_chain() -> None:
    headers = [msgspec.structs.replace(chain(1)[0], version=2)]
    assert verify_chain(headers) == ChainBreak(1, "version 2 is unknown")


def test_time_does_not_run_backwards_along_a_chain() -> None:
    first, second = chain(2)
    early = msgspec.structs.replace(second, opened_at=first.closed_at - 1)
    assert verify_chain([first, early]) == ChainBreak(2, "it did not open when the block before closed")
    backwards = msgspec.structs.replace(second, closed_at=second.opened_at - 1)
    assert verify_chain([first, backwards]) == ChainBreak(2, "it closed before it opened")
