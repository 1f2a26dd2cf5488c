"""The chain log does what it is asked once, and proves that it did."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from core.index.chain import (
    BurnIndex,
    ChainConfirmed,
    ChainRefused,
    DepositIndex,
    MintIndex,
    ReturnIndex,
    SetSolverWeights,
)
from core.index.chain_log import (
    ChainLog,
    IndexEvent,
    chain_break,
    decode_index_block,
    encode_index_block,
    index_block_hash,
    verify_event,
)

D = Decimal


def mint(key: str = "mint:I-1", quantity: str = "2", user: str = "u1") -> MintIndex:
    return MintIndex(key, "IX", user, D(quantity), 0, "P-1", D(2000), D(1000))


def burn(key: str, quantity: str, user: str = "u1") -> BurnIndex:
    return BurnIndex(key, "IX", user, D(quantity), D(900), D(900))


def filled_log() -> ChainLog:
    """Three events in two blocks."""
    log = ChainLog()
    log.submit(1, SetSolverWeights("weights:IX:1", "IX", 1, (("AX", D(8)),), D(1000)))
    log.submit(1, mint())
    log.seal(2)
    log.submit(3, mint("mint:I-2", "1", "u2"))
    log.seal(4)
    return log


def test_what_is_confirmed_can_be_proved_to_anyone() -> None:
    log = filled_log()
    assert chain_break(log.blocks) is None
    for key, confirmed in log.done.items():
        assert confirmed is not None
        proof = log.proof(confirmed.height, confirmed.index)
        assert proof.event.did.key == key
        assert verify_event(proof, confirmed.block_hash)


def test_a_proof_holds_for_nothing_else() -> None:
    log = filled_log()
    proof, hashes = log.proof(1, 1), [index_block_hash(block) for block in log.blocks]
    replace = msgspec.structs.replace
    richer = replace(proof, event=replace(proof.event, did=mint(quantity="3")))
    wrong = [richer, replace(proof, index=0), replace(proof, path=b""), replace(proof, block=log.blocks[1])]
    wrong.append(replace(proof, block=replace(proof.block, event_root=b"short")))
    wrong.append(replace(proof, block=replace(proof.block, count=1 << 40)))
    assert [verify_event(one, hashes[0]) for one in wrong] == [False] * 6
    assert not verify_event(proof, hashes[1])


def test_a_chain_with_another_past_is_found() -> None:
    log = filled_log()
    changed = msgspec.structs.replace(log.blocks[0], sealed_at=9)
    assert chain_break([changed, log.blocks[1]]) == 2


def test_there_is_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(IndexError, match="no block 3 among 2"):
        filled_log().proof(3, 0)


def test_a_key_is_obeyed_once_and_confirmed_again() -> None:
    log = ChainLog()
    assert log.submit(1, mint()) is None
    assert log.submit(1, mint()) is None
    confirmed = log.seal(2)["mint:I-1"]
    assert log.submit(3, mint()) == confirmed == ChainConfirmed(1, 0, index_block_hash(log.blocks[0]))
    assert log.seal(4) == {}
    assert log.supply("IX") == log.balance("IX", "u1") == 2


def test_tokens_are_burned_and_returned_out_of_custody_only() -> None:
    log = filled_log()
    assert log.submit(5, burn("burn:I-3", "1")) == ChainRefused("custody holds 0 IX for u1")
    assert log.give(5, "IX", "u1", D(3)) is None
    given = log.give(5, "IX", "u1", D("1.5"))
    assert given is not None
    assert (given.seq_num, given.amount) == (0, D("1.5"))
    assert log.submit(6, burn("burn:I-3", "1")) is None
    assert log.submit(6, ReturnIndex("return:I-3", "IX", "u1", D("0.5"))) is None
    assert (log.balance("IX", "u1"), log.supply("IX")) == (D(1), D(2))


def test_what_is_given_into_custody_is_on_the_chain_with_a_proof() -> None:
    log = filled_log()
    given = log.give(5, "IX", "u1", D("1.5"))
    assert given is not None
    confirmed = log.seal(6)["deposit:0"]
    proof = log.proof(confirmed.height, confirmed.index)
    assert proof.event == IndexEvent(5, DepositIndex("deposit:0", "IX", "u1", D("1.5"), given.seq_num))
    assert verify_event(proof, confirmed.block_hash)


def test_a_header_has_one_encoding_and_comes_back_from_it() -> None:
    block = filled_log().blocks[1]
    data = encode_index_block(block)
    assert (len(data), decode_index_block(data)) == (102, block)
    for other in (b"", data[:-1], data + b"\0", b"R" + data[1:]):
        with pytest.raises(ValueError, match="no header of a block of index events"):
            decode_index_block(other)


def test_nothing_is_minted_for_nothing() -> None:
    assert ChainLog().submit(1, mint(quantity="0")) == ChainRefused("quantity is not positive")


def test_the_newest_weights_are_on_the_chain() -> None:
    log = filled_log()
    second = SetSolverWeights("weights:IX:2", "IX", 2, (("AZ", D(1)),), D(990))
    log.submit(5, second)
    assert log.weights("IX") == second
    assert log.weights("IY") is None


def test_a_log_survives_being_put_down() -> None:
    log = filled_log()
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(log), type=ChainLog)
    assert again == log
