"""A chain is gone through from its first block on, and what could not have happened on it is named."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from core.index.chain import BurnIndex, DepositIndex, MintIndex
from core.index.chain_history import ChainFlaw, redo
from core.index.chain_log import (
    NO_BLOCK,
    ChainLog,
    IndexBlock,
    IndexBlockSealed,
    IndexEvent,
    index_block_hash,
)
from core.kernel.codec import encode
from core.merkle import root

D = Decimal
ALICE = "1:0xaa"
MINT = IndexEvent(1, MintIndex("mint:I-1", "IX", ALICE, D(2), 0, "P-1", D(2000), D(1000)))
GIVE = IndexEvent(3, DepositIndex("deposit:0", "IX", ALICE, D("1.5"), 0))
BURN = IndexEvent(5, BurnIndex("burn:I-2", "IX", ALICE, D(1), D(900), D(900)))


def blocks(*events: IndexEvent) -> list[IndexBlockSealed]:
    """A chain that links and commits as it should, with one event in each block, whatever it is."""
    past: list[IndexBlockSealed] = []
    for height, event in enumerate(events, 1):
        previous = index_block_hash(past[-1].block) if past else NO_BLOCK
        block = IndexBlock(height, previous, event.at + 1, 1, root([encode(event)]))
        past.append(IndexBlockSealed(block, (event,)))
    return past


def flaw(past: list[IndexBlockSealed], head: bytes | None = None) -> str:
    found = redo(past, head)
    return str(found) if isinstance(found, ChainFlaw) else ""


def test_events_alone_give_who_holds_what() -> None:
    log = redo(blocks(MINT, GIVE, BURN))
    assert isinstance(log, ChainLog)
    assert (log.balance("IX", ALICE), log.custody["IX"][ALICE], log.supply("IX")) == (D("0.5"), D("0.5"), D(1))


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (replace(MINT, at=5), "event 0, mint:I-1, could not be: it was done before"),
        (replace(BURN, did=replace(BURN.did, quantity=D(2))), "could not be: custody holds 1.5 IX for 1:0xaa"),
        (
            IndexEvent(5, DepositIndex("deposit:1", "IX", ALICE, D(1), 1)),
            "deposit:1, could not be: 1:0xaa holds 0.5 IX",
        ),
        (
            IndexEvent(5, DepositIndex("deposit:7", "IX", ALICE, D("0.5"), 7)),
            "deposit:7, could not be: it is deposit 1",
        ),
        (replace(BURN, at=3), "event 0 is out of its time"),
    ],
)
def test_what_could_not_be_is_named_however_well_it_is_committed_to(event: IndexEvent, reason: str) -> None:
    assert flaw(blocks(MINT, GIVE)) == ""
    assert flaw(blocks(MINT, GIVE, event)).startswith("block 3: ")
    assert reason in flaw(blocks(MINT, GIVE, event))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"height": 3}, "its height is not one more than that of the block before"),
        ({"previous_hash": bytes(32)}, "it does not follow the block before"),
        ({"count": 2}, "it does not hold as many events as it says"),
        ({"event_root": bytes(32)}, "its root is not that of its events"),
        ({"sealed_at": 2}, "event 0 is out of its time"),
    ],
)
def test_a_block_that_is_not_the_next_one_is_named(change: dict[str, object], reason: str) -> None:
    first, second, third = blocks(MINT, GIVE, BURN)
    changed = replace(second, block=replace(second.block, **change))
    assert flaw([first, changed, third]) == f"block 2: {reason}"


def test_a_block_without_events_is_none() -> None:
    first, second = blocks(MINT, GIVE)
    assert flaw([first, replace(second, events=())]) == "block 2: it has no events"


def test_a_head_that_is_known_vouches_for_all_before_it() -> None:
    past = blocks(MINT, GIVE, BURN)
    assert flaw(past, index_block_hash(past[1].block)) == ""
    assert flaw(past, bytes(32)) == "block 3: neither its hash nor one before is the head's"
    assert flaw(past[:1], index_block_hash(past[1].block)) != ""
    forged = replace(past[2], block=replace(past[2].block, sealed_at=99))
    assert flaw([*past[:2], forged]) == ""
    assert flaw([*past[:2], forged], index_block_hash(past[2].block)) != ""
    assert flaw([], bytes(32)) == "block 0: neither its hash nor one before is the head's"
