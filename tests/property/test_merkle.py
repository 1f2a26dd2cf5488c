"""Merkle trees: what is in proves, and nothing else does."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sequencer.merkle import prove, root, verify

LEAVES = st.lists(st.binary(max_size=40), min_size=1, max_size=40)


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(LEAVES)
def test_every_leaf_proves(leaves: list[bytes]) -> None:
    top = root(leaves)
    assert all(verify(top, len(leaves), i, leaf, prove(leaves, i)) for i, leaf in enumerate(leaves))


@given(LEAVES, st.data())
def test_any_changed_bit_of_leaf_path_or_root_fails(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    leaf, path, top = leaves[index], prove(leaves, index), root(leaves)
    parts = [leaf, *path, top]
    part = data.draw(st.sampled_from([i for i, piece in enumerate(parts) if piece]))
    parts[part] = flip(parts[part], data.draw(st.integers(0, 8 * len(parts[part]) - 1)))
    assert not verify(parts[-1], len(leaves), index, parts[0], parts[1:-1])


@given(LEAVES, st.data(), st.integers(0, 70))
def test_any_changed_bit_of_the_count_fails(leaves: list[bytes], data: st.DataObject, bit: int) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert not verify(root(leaves), len(leaves) ^ 1 << bit, index, leaves[index], prove(leaves, index))


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=40, unique=True), st.data(), st.integers(0, 70))
def test_any_changed_bit_of_the_index_fails(leaves: list[bytes], data: st.DataObject, bit: int) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert not verify(root(leaves), len(leaves), index ^ 1 << bit, leaves[index], prove(leaves, index))


@given(LEAVES, st.data())
def test_a_path_cut_short_or_drawn_out_fails(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = prove(leaves, index)
    assert not verify(root(leaves), len(leaves), index, leaves[index], (*path, bytes(32)))
    assert not path or not verify(root(leaves), len(leaves), index, leaves[index], path[:-1])


@given(LEAVES, LEAVES)
def test_different_lists_have_different_roots(left: list[bytes], right: list[bytes]) -> None:
    assert (root(left) == root(right)) == (left == right)


@given(LEAVES)
def test_repeating_the_last_leaf_changes_the_root(leaves: list[bytes]) -> None:
    assert root(leaves) != root([*leaves, leaves[-1]])


def h(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def test_the_root_of_nothing_is_defined() -> None:
    assert root([]) == h(b"\x02", bytes(8))


def test_the_root_of_one_leaf_is_defined() -> None:
    assert root([b"a"]) == h(b"\x02", bytes(7), b"\x01", h(b"\x00a"))
    assert prove([b"a"], 0) == ()


def test_the_tree_of_three_leaves_is_the_documented_one() -> None:
    a, b, c = (h(b"\x00", leaf) for leaf in (b"a", b"b", b"c"))
    top = h(b"\x01", h(b"\x01", a, b), c)
    assert root([b"a", b"b", b"c"]) == h(b"\x02", bytes(7), b"\x03", top)
    assert prove([b"a", b"b", b"c"], 1) == (a, c)
    assert prove([b"a", b"b", b"c"], 2) == (h(b"\x01", a, b),)


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    a, b, c, d = (h(b"\x00", leaf) for leaf in (b"a", b"b", b"c", b"d"))
    top = root([b"a", b"b", b"c", b"d"])
    assert not verify(top, 2, 0, b"\x01" + a + b, (h(b"\x01", c, d),))
    assert not verify(top, 2, 0, a + b, (h(b"\x01", c, d),))


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int) -> None:
    leaves = [b"a", b"b", b"c"]
    with pytest.raises(IndexError):
        prove(leaves, index)
    assert not verify(root(leaves), 3, index, b"c", prove(leaves, 2))


def test_a_count_beyond_eight_bytes_fails_however_long_the_path() -> None:
    assert not verify(root([b"a"]), 1 << 65, 0, b"a", [bytes(32)] * 65)
