"""The chain of index tokens: whatever happened on it proves, gives the same balances again, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.errors import InputError
from core.index.chain import BurnIndex, ChainRequest, MintIndex, RecordInvoice, ReturnIndex, SetSolverWeights
from core.index.chain_history import ChainFlaw, redo
from core.index.chain_log import (
    ChainLog,
    IndexBlockSealed,
    IndexProof,
    decode_index_block,
    encode_index_block,
    index_block_hash,
    prove_event,
    verify_event,
)
from core.index.chain_proof import ChainProof, decode_proof, encode_proof, proof_flaw
from core.kernel.codec import encode
from core.merkle import HASH_BYTES
from tests.helpers.blocks import flip

USERS, INDEXES = ("1:0xaa", "1:0xbb"), ("IX", "IY")
AMOUNTS = st.decimals("0.000001", "1000", places=6)
STEPS = st.tuples(
    st.sampled_from(["mint", "mint", "burn", "return", "give", "weights", "invoice", "seal"]),
    st.sampled_from(USERS),
    st.sampled_from(INDEXES),
    AMOUNTS,
)


def request(kind: str, number: int, user: str, symbol: str, amount: Decimal) -> ChainRequest:
    key = f"{kind}:I-{number}"
    made: dict[str, Callable[[], ChainRequest]] = {
        "mint": lambda: MintIndex(key, symbol, user, amount, number, f"P-{number}", amount, Decimal(1)),
        "burn": lambda: BurnIndex(key, symbol, user, amount, amount, Decimal(1)),
        "return": lambda: ReturnIndex(key, symbol, user, amount),
        "weights": lambda: SetSolverWeights(key, symbol, number + 1, (("AX", amount),), amount),
        "invoice": lambda: RecordInvoice(key, symbol, user, f"I-{number}", bytes(32)),
    }
    return made[kind]()


def log_of(steps: list[tuple[str, str, str, Decimal]]) -> ChainLog:
    """A log that was asked for all these; what it refuses did not happen."""
    log = ChainLog()
    for now, (kind, user, symbol, amount) in enumerate(steps):
        if kind == "give":
            log.give(now, symbol, user, min(amount, log.balance(symbol, user)))
        elif kind == "seal":
            log.seal(now)
        else:
            log.submit(now, request(kind, now, user, symbol, amount))
    log.seal(len(steps))
    return log


LOGS = st.lists(STEPS, min_size=1, max_size=60).map(log_of)
SEALED = LOGS.filter(lambda log: bool(log.blocks))


def history(log: ChainLog) -> list[IndexBlockSealed]:
    return [log.sealed(height) for height in range(1, len(log.blocks) + 1)]


def drawn(log: ChainLog, data: st.DataObject) -> IndexProof:
    sealed = data.draw(st.sampled_from(history(log)))
    return prove_event(sealed, data.draw(st.integers(0, sealed.block.count - 1)))


def flipped(value: bytes, data: st.DataObject) -> bytes:
    return flip(value, data.draw(st.integers(0, 8 * len(value) - 1)))


@given(LOGS)
def test_every_event_proves_and_the_events_alone_give_all_balances(log: ChainLog) -> None:
    for sealed in history(log):
        for index, event in enumerate(sealed.events):
            proof = prove_event(sealed, index)
            confirmed = log.done[event.did.key]
            assert confirmed is not None
            assert verify_event(proof, confirmed.block_hash)
            assert decode_proof(encode_proof(ChainProof(proof))) == ChainProof(proof)
    assert redo(history(log)) == log


@given(SEALED, st.data())
def test_any_changed_bit_of_event_index_count_path_root_or_hash_fails(log: ChainLog, data: st.DataObject) -> None:
    proof = drawn(log, data)
    known = index_block_hash(proof.block)
    assert verify_event(proof, known)
    assert not verify_event(proof, flipped(known, data))
    assert not verify_event(replace(proof, index=proof.index ^ 1 << data.draw(st.integers(0, 63))), known)
    count, root = proof.block.count ^ 1 << data.draw(st.integers(0, 31)), flipped(proof.block.event_root, data)
    for block in (replace(proof.block, count=count), replace(proof.block, event_root=root)):
        assert not verify_event(replace(proof, block=block), known)
        assert not verify_event(replace(proof, block=block), index_block_hash(block))
    if proof.path:
        assert not verify_event(replace(proof, path=flipped(proof.path, data)), known)


@given(SEALED, st.data())
def test_a_path_with_a_byte_or_a_node_more_or_less_fails(log: ChainLog, data: st.DataObject) -> None:
    proof = drawn(log, data)
    known = index_block_hash(proof.block)
    for path in (proof.path + b"\0", proof.path + bytes(HASH_BYTES), proof.path[:-1], proof.path[:-HASH_BYTES]):
        assert path == proof.path or not verify_event(replace(proof, path=path), known)


@given(SEALED, st.data())
def test_any_changed_bit_of_the_text_fails(log: ChainLog, data: st.DataObject) -> None:
    proof = drawn(log, data)
    text = encode_proof(ChainProof(proof))
    assert not proof_flaw(decode_proof(text), index_block_hash(proof.block))
    try:
        found = decode_proof(flipped(text, data))
    except InputError:
        return
    assert proof_flaw(found, index_block_hash(proof.block))


@given(SEALED, st.data())
def test_any_changed_bit_of_a_header_has_another_hash_or_none(log: ChainLog, data: st.DataObject) -> None:
    header = encode_index_block(data.draw(st.sampled_from(log.blocks)))
    changed = flipped(header, data)
    try:
        block = decode_index_block(changed)
    except ValueError:
        return
    assert encode_index_block(block) == changed
    assert index_block_hash(block) != index_block_hash(decode_index_block(header))


@given(SEALED, st.data())
def test_a_chain_without_one_of_its_events_or_with_another_is_broken_there(log: ChainLog, data: st.DataObject) -> None:
    past = history(log)
    at = data.draw(st.integers(0, len(past) - 1))
    sealed = past[at]
    place = data.draw(st.integers(0, sealed.block.count - 1))
    event = sealed.events[place]
    other = replace(event, did=replace(event.did, symbol="IZ"))
    for events in (
        (*sealed.events[:place], *sealed.events[place + 1 :]),
        (*sealed.events[:place], other, *sealed.events[place + 1 :]),
        (*sealed.events[:place], event, event, *sealed.events[place + 1 :]),
    ):
        assert [encode(each) for each in events] != [encode(each) for each in sealed.events]
        found = redo([*past[:at], replace(sealed, events=events), *past[at + 1 :]])
        assert isinstance(found, ChainFlaw)
        assert found.height == at + 1
