"""Merkle trees: what is in proves, and nothing else does."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.merkle import prove, prove_many, prove_range, root, verify, verify_many, verify_range
from tests.helpers.blocks import flip

LEAVES = st.lists(st.binary(max_size=40), min_size=1, max_size=40)
UNIQUE = st.lists(st.binary(max_size=40), min_size=1, max_size=40, unique=True)


@st.composite
def chosen(draw: st.DrawFn) -> tuple[list[bytes], list[int]]:
    """Some leaves, and the indexes of a few of them."""
    leaves = draw(UNIQUE)
    indexes = draw(st.sets(st.integers(0, len(leaves) - 1), min_size=1))
    return leaves, sorted(indexes)


def at(leaves: list[bytes], indexes: list[int]) -> list[tuple[int, bytes]]:
    return [(index, leaves[index]) for index in indexes]


def naive_proof(leaves: list[bytes], indexes: list[int]) -> bytes:
    """By the definition: of each level the nodes that cannot be computed and whose neighbours can, left to right."""
    level, known, proof = [h(b"\x00", leaf) for leaf in leaves], set(indexes), []
    while len(level) > 1:
        proof += [node for i, node in enumerate(level) if i not in known and i ^ 1 in known]
        known = {i // 2 for i in known}
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [h(b"\x01", *pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return b"".join(proof)


def h(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


# --- one leaf ------------------------------------------------------------------------------------


@given(LEAVES)
def test_every_leaf_proves(leaves: list[bytes]) -> None:
    top = root(leaves)
    assert all(verify(top, len(leaves), i, leaf, prove(leaves, i)) for i, leaf in enumerate(leaves))


@given(LEAVES, st.data())
def test_any_changed_bit_of_leaf_path_or_root_fails(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    parts = [leaves[index], prove(leaves, index), root(leaves)]
    part = data.draw(st.sampled_from([i for i, piece in enumerate(parts) if piece]))
    parts[part] = flip(parts[part], data.draw(st.integers(0, 8 * len(parts[part]) - 1)))
    assert not verify(parts[2], len(leaves), index, parts[0], parts[1])


@given(LEAVES, st.data(), st.integers(0, 70))
def test_any_changed_bit_of_the_count_fails(leaves: list[bytes], data: st.DataObject, bit: int) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert not verify(root(leaves), len(leaves) ^ 1 << bit, index, leaves[index], prove(leaves, index))


@given(UNIQUE, st.data(), st.integers(0, 70))
def test_any_changed_bit_of_the_index_fails(leaves: list[bytes], data: st.DataObject, bit: int) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert not verify(root(leaves), len(leaves), index ^ 1 << bit, leaves[index], prove(leaves, index))


@given(LEAVES, st.data(), st.integers(1, 64))
def test_a_path_cut_short_or_drawn_out_fails(leaves: list[bytes], data: st.DataObject, by: int) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = prove(leaves, index)
    assert not verify(root(leaves), len(leaves), index, leaves[index], path + bytes(by))
    assert not path or not verify(root(leaves), len(leaves), index, leaves[index], path[:-by])


@given(LEAVES, LEAVES)
def test_different_lists_have_different_roots(left: list[bytes], right: list[bytes]) -> None:
    assert (root(left) == root(right)) == (left == right)


@given(LEAVES)
def test_repeating_the_last_leaf_changes_the_root(leaves: list[bytes]) -> None:
    assert root(leaves) != root([*leaves, leaves[-1]])


# --- several leaves ------------------------------------------------------------------------------


@given(chosen())
def test_a_proof_of_several_leaves_is_that_of_the_definition_and_verifies(given: tuple[list[bytes], list[int]]) -> None:
    leaves, indexes = given
    proof = prove_many(leaves, indexes)
    assert proof == naive_proof(leaves, indexes)
    assert verify_many(root(leaves), len(leaves), at(leaves, indexes), proof)


@given(UNIQUE, st.data())
def test_a_range_proves_that_its_leaves_stand_there_in_this_order(leaves: list[bytes], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(leaves) - 1))
    stop = data.draw(st.integers(start + 1, len(leaves)))
    proof, top, within = prove_range(leaves, start, stop), root(leaves), leaves[start:stop]
    assert proof == naive_proof(leaves, list(range(start, stop)))
    assert verify_range(top, len(leaves), start, within, proof)
    assert not verify_range(top, len(leaves), start + 1, within, proof)
    assert not verify_range(top, len(leaves), start, within[:-1], proof)
    assert len(within) == 1 or not verify_range(top, len(leaves), start, within[::-1], proof)


@given(chosen(), st.data())
def test_any_changed_bit_of_several_leaves_their_path_or_root_fails(
    given: tuple[list[bytes], list[int]], data: st.DataObject
) -> None:
    leaves, indexes = given
    parts = [*(leaves[index] for index in indexes), prove_many(leaves, indexes), root(leaves)]
    part = data.draw(st.sampled_from([i for i, piece in enumerate(parts) if piece]))
    parts[part] = flip(parts[part], data.draw(st.integers(0, 8 * len(parts[part]) - 1)))
    *some, proof, top = parts
    assert not verify_many(top, len(leaves), list(zip(indexes, some, strict=True)), proof)


@given(chosen(), st.data(), st.integers(0, 70))
def test_any_changed_bit_of_an_index_or_of_the_count_fails(
    given: tuple[list[bytes], list[int]], data: st.DataObject, bit: int
) -> None:
    leaves, indexes = given
    proof, top, some = prove_many(leaves, indexes), root(leaves), at(leaves, indexes)
    assert not verify_many(top, len(leaves) ^ 1 << bit, some, proof)
    which = data.draw(st.integers(0, len(some) - 1))
    some[which] = some[which][0] ^ 1 << bit, some[which][1]
    assert not verify_many(top, len(leaves), some, proof)
    assert not verify_many(top, len(leaves), sorted(some), proof)


@given(chosen(), st.integers(1, 64))
def test_a_proof_of_several_with_a_byte_too_many_or_too_few_fails(
    given: tuple[list[bytes], list[int]], by: int
) -> None:
    leaves, indexes = given
    proof, top, some = prove_many(leaves, indexes), root(leaves), at(leaves, indexes)
    assert not verify_many(top, len(leaves), some, proof + bytes(by))
    assert not proof or not verify_many(top, len(leaves), some, proof[:-by])
    assert not verify_many(top, len(leaves), some, proof + proof[-32:]) or not proof


@given(chosen())
def test_leaves_out_of_order_or_twice_fail(given: tuple[list[bytes], list[int]]) -> None:
    leaves, indexes = given
    proof, top, some = prove_many(leaves, indexes), root(leaves), at(leaves, indexes)
    assert not verify_many(top, len(leaves), [*some, some[-1]], proof)
    assert len(some) == 1 or not verify_many(top, len(leaves), some[::-1], proof)
    with pytest.raises(IndexError):
        prove_many(leaves, [*indexes, indexes[-1]])


@given(st.binary(max_size=200), st.integers(-2, 40), st.lists(st.tuples(st.integers(-3, 40), st.binary(max_size=9))))
def test_no_proof_is_too_strange_to_be_refused(proof: bytes, count: int, leaves: list[tuple[int, bytes]]) -> None:
    assert not verify_many(bytes(32), count, leaves, proof)
    assert not verify_many(b"", count, leaves, proof)


@pytest.mark.parametrize("indexes", [[], [-1], [3], [1, 0], [0, 0]])
def test_there_is_no_proof_of_leaves_that_are_not_there(indexes: list[int]) -> None:
    leaves = [b"a", b"b", b"c"]
    with pytest.raises(IndexError, match=r"no leaves .* among 3"):
        prove_many(leaves, indexes)
    assert not verify_many(root(leaves), 3, [(index, b"a") for index in indexes], b"")


def test_of_all_leaves_the_proof_is_empty() -> None:
    leaves = [b"a", b"b", b"c"]
    assert prove_range(leaves, 0, 3) == b""
    assert verify_range(root(leaves), 3, 0, leaves, b"")


# --- the tree as documented ----------------------------------------------------------------------


def test_the_root_of_nothing_is_defined_and_proves_nothing() -> None:
    assert root([]) == h(b"\x02", bytes(8))
    assert not verify(root([]), 0, 0, b"", b"")
    assert not verify_many(root([]), 0, [], b"")


def test_the_root_of_one_leaf_is_defined() -> None:
    assert root([b"a"]) == h(b"\x02", bytes(7), b"\x01", h(b"\x00a"))
    assert prove([b"a"], 0) == b""


def test_the_tree_of_three_leaves_is_the_documented_one() -> None:
    a, b, c = (h(b"\x00", leaf) for leaf in (b"a", b"b", b"c"))
    top = h(b"\x01", h(b"\x01", a, b), c)
    assert root([b"a", b"b", b"c"]) == h(b"\x02", bytes(7), b"\x03", top)
    assert prove([b"a", b"b", b"c"], 1) == a + c
    assert prove([b"a", b"b", b"c"], 2) == h(b"\x01", a, b)
    assert prove_many([b"a", b"b", b"c"], [0, 2]) == b


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    a, b, c, d = (h(b"\x00", leaf) for leaf in (b"a", b"b", b"c", b"d"))
    top = root([b"a", b"b", b"c", b"d"])
    assert not verify(top, 2, 0, b"\x01" + a + b, h(b"\x01", c, d))
    assert not verify(top, 2, 0, a + b, h(b"\x01", c, d))


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int) -> None:
    leaves = [b"a", b"b", b"c"]
    with pytest.raises(IndexError):
        prove(leaves, index)
    assert not verify(root(leaves), 3, index, b"c", prove(leaves, 2))


def test_a_count_beyond_eight_bytes_fails_however_long_the_path() -> None:
    assert not verify(root([b"a"]), 1 << 65, 0, b"a", bytes(32) * 65)


def test_a_tree_is_built_once_for_proof_after_proof_of_the_same_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    leaves = tuple(b"leaf %d" % number for number in range(500))
    first = prove(leaves, 17)

    def none(_data: bytes) -> None:
        raise AssertionError("hashed again")

    monkeypatch.setattr("core.merkle.sha256", none)
    assert prove(leaves, 17) == first
    assert len(prove_range(leaves, 3, 400)) > 0
