"""The chain log does what it is asked once, and proves that it did."""

from __future__ import annotations

from decimal import Decimal, localcontext

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
    decode_index_block,
    encode_index_block,
    index_block_hash,
    prove_event,
    verify_event,
)
from core.units import MONEY

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
    for key, confirmed in log.done.items():
        assert confirmed is not None
        proof = prove_event(log.sealed(confirmed.height), confirmed.index)
        assert proof.event.did.key == key
        assert verify_event(proof, confirmed.block_hash)


def test_a_proof_holds_for_nothing_else() -> None:
    log = filled_log()
    proof, hashes = prove_event(log.sealed(1), 1), [index_block_hash(block) for block in log.blocks]
    replace = msgspec.structs.replace
    richer = replace(proof, event=replace(proof.event, did=mint(quantity="3")))
    wrong = [richer, replace(proof, index=0), replace(proof, path=b""), replace(proof, block=log.blocks[1])]
    wrong.append(replace(proof, block=replace(proof.block, event_root=b"short")))
    wrong.append(replace(proof, block=replace(proof.block, count=1 << 40)))
    assert [verify_event(one, hashes[0]) for one in wrong] == [False] * 6
    assert not verify_event(proof, hashes[1])


def test_there_is_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(IndexError, match="no block 3 among 2"):
        prove_event(filled_log().sealed(3), 0)


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
    proof = prove_event(log.sealed(confirmed.height), confirmed.index)
    assert proof.event == IndexEvent(5, DepositIndex("deposit:0", "IX", "u1", D("1.5"), given.seq_num))
    assert verify_event(proof, confirmed.block_hash)


def test_a_header_has_one_encoding_and_comes_back_from_it() -> None:
    block = filled_log().blocks[1]
    data = encode_index_block(block)
    assert (len(data), decode_index_block(data)) == (102, block)
    for other in (b"", data[:-1], data + b"\0", b"R" + data[1:]):
        with pytest.raises(ValueError, match="no header of a block of index events"):
            decode_index_block(other)


def test_balances_of_tokens_with_more_digits_than_money_are_exact() -> None:
    whole, part = "12345678901234.123456789012345678", "9876543210.987654321098765432"
    rest = D("12335802358023.135802467913580246")
    with localcontext(MONEY):
        log = ChainLog()
        log.submit(1, mint("mint:I-1", whole))
        log.submit(2, mint("mint:I-2", "1E-18", "u2"))
        assert log.supply("IX") == D("12345678901234.123456789012345679")
        log.give(3, "IX", "u1", D(whole))
        log.submit(4, ReturnIndex("return:I-3", "IX", "u1", D(part)))
        assert (log.balance("IX", "u1"), log.custody["IX"]["u1"]) == (D(part), rest)
        log.submit(5, burn("burn:I-4", str(rest)))
        assert (log.custody["IX"], log.supply("IX")) == ({}, D("9876543210.987654321098765433"))


def test_nothing_is_minted_for_nothing() -> None:
    assert ChainLog().submit(1, mint(quantity="0")) == ChainRefused("quantity is not positive")


def test_a_log_survives_being_put_down() -> None:
    log = filled_log()
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(log), type=ChainLog)
    assert again == log
