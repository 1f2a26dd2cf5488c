from __future__ import annotations

from msgspec.structs import replace

from core.market.orders import CancelOrder, Order
from core.sequencer.block import Block
from core.sequencer.receipt import verify_receipt
from core.sequencer.recent import RecentBlocks
from tests.helpers.blocks import KEY_ID, blocks, signed, toy_check
from tests.helpers.checkers import ORDER

CHAIN = [replace(block, signature=b"") for block in blocks([2, 1, 3], KEY_ID)]


def items(block: Block, first: int) -> tuple[Order | CancelOrder, ...]:
    return tuple(replace(ORDER, order_id=f"O-{first + n}") for n in range(len(block.messages)))


def kept(blocks_max: int) -> RecentBlocks:
    recent, seq = RecentBlocks(), 1
    for block in CHAIN:
        recent.keep(block, items(block, seq), blocks_max)
        seq += len(block.messages)
    return recent


def test_of_the_newest_blocks_every_order_has_its_receipt() -> None:
    recent = kept(3)
    for number, (height, index) in enumerate([(1, 0), (1, 1), (2, 0), (3, 0), (3, 1), (3, 2)], 1):
        receipt = recent.receipt(f"O-{number}")
        assert receipt is not None
        assert (receipt.header.height, receipt.index) == (height, index)
        assert verify_receipt(receipt) == ""


def test_older_blocks_are_forgotten() -> None:
    assert list(kept(2).by_height) == [2, 3]
    assert kept(2).receipt("O-1") is None
    assert kept(0).by_height == {}


def test_a_signature_that_comes_later_is_in_receipts_from_then_on() -> None:
    recent = kept(2)
    recent.sign(1, bytes(96))
    recent.sign(2, signed(CHAIN[1]).signature)
    receipt = recent.receipt("O-3")
    assert receipt is not None
    assert verify_receipt(receipt, toy_check) == ""
    unsigned = recent.receipt("O-4")
    assert unsigned is not None
    assert verify_receipt(unsigned, toy_check) == "it is not signed"


def test_a_cancel_request_is_no_order() -> None:
    recent = RecentBlocks()
    recent.keep(CHAIN[1], (CancelOrder("O-1", "MM1", "x1"),), 1)
    assert recent.receipt("O-1") is None
