"""What a sealed block is: the order in it, who signs it, and the receipts that it gives."""

from __future__ import annotations

from decimal import Decimal

from core.fix.message import FixMessage
from core.kernel.record import Call, Message, Note, Record, Reply, Send
from core.market.orders import OrderExpired
from core.merkle import root
from core.sequencer.block import NO_KEY
from core.sequencer.facts import BlockSigned
from core.sequencer.leaf import Acknowledgement, Leaf, decode_acknowledgement, decode_leaf, encode_leaf
from core.sequencer.ordering import Ordering
from core.sequencer.receipt import Receipt, ReceiptWanted, verify_receipt
from core.sequencer.sequencer import Sequencer
from core.sequencer.signing import BlockSignature, SignBlock
from tests.helpers.blocks import KEY_ID, PUBLIC_KEY, toy_check, toy_signature
from tests.helpers.orders import from_peer, new_order
from tests.unit.sequencer.test_sequencer import T0, batches, filled, hear, sealed, started, tell, told


def test_the_policy_orders_a_block_when_it_is_sealed_and_the_fact_says_how() -> None:
    sequencer = started(ordering=Ordering("price_time"))
    tell(sequencer, T0 + 1, new_order("c1", price=Decimal(2003)))
    tell(sequencer, T0 + 2, new_order("c2", price=Decimal(2001)))
    effects = tell(sequencer, T0 + 3, new_order("c3", price=Decimal(2002)))
    (block,), (batch,) = sealed(effects), batches(effects)
    assert block.sequence == (2, 3, 1)
    assert [item.order_id for item in batch.items] == ["O-2", "O-3", "O-1"]
    messages: list[FixMessage] = [new_order(f"c{n}", price=Decimal(2000 + (3, 1, 2)[n - 1])) for n in (2, 3, 1)]
    raw = [from_peer(message).body.raw_hash for message in messages]
    leaves = [encode_leaf(Leaf(n, T0 + n, "MM1", each)) for n, each in zip((2, 3, 1), raw, strict=True)]
    assert block.header.message_root == root(leaves)


def test_where_the_policy_changes_nothing_the_fact_has_no_sequence() -> None:
    sequencer = started(ordering=Ordering("cancels_first"), batch_messages=1)
    assert sealed(tell(sequencer, T0 + 1, new_order()))[0].sequence == ()


def test_without_a_key_nobody_is_asked_to_sign() -> None:
    effects = tell(started(batch_messages=1), T0 + 1, new_order())
    assert not [effect for effect in effects if isinstance(effect, Call)]
    assert sealed(effects)[0].header.key_id == NO_KEY


def test_with_a_key_every_block_is_signed_while_the_next_ones_are_sealed() -> None:
    sequencer = started(batch_messages=1, key_id=KEY_ID)
    first = tell(sequencer, T0 + 1, new_order("c1"))
    second = tell(sequencer, T0 + 2, new_order("c2"))
    (block,) = sealed(first)
    message = b"romer.block.signature.2" + block.block_hash
    assert Call("signer", "block-1", SignBlock(1, KEY_ID, message)) in first
    assert (block.header.key_id, sealed(second)[0].header.previous_hash) == (KEY_ID, block.block_hash)
    signature = toy_signature(PUBLIC_KEY, message)
    signed = sequencer.handle(T0 + 3, Reply("block-1", BlockSignature(1, signature)))
    assert signed == [Note(BlockSigned(1, signature))]
    receipt = asked(sequencer, "O-1")
    assert receipt is not None
    assert verify_receipt(receipt, toy_check) == ""


def test_an_order_has_a_receipt_once_its_block_is_sealed() -> None:
    sequencer = started(batch_messages=2)
    tell(sequencer, T0 + 1, new_order("c1"))
    assert asked(sequencer, "O-1") is None
    (block,) = sealed(tell(sequencer, T0 + 2, new_order("c2"), "MM2"))
    receipt = asked(sequencer, "O-2")
    assert receipt is not None
    assert (receipt.header, receipt.index) == (block.header, 1)
    assert verify_receipt(receipt, known_hash=block.block_hash) == ""
    assert decode_leaf(receipt.message).owner == "MM2"
    assert decode_acknowledgement(receipt.acknowledgement) == Acknowledgement(2, "order", "O-2", "c2")
    assert asked(sequencer, "O-9") is None


def test_receipts_of_old_blocks_are_no_longer_at_hand() -> None:
    sequencer = started(batch_messages=1, receipt_blocks=2)
    for number in (1, 2, 3):
        tell(sequencer, T0 + number, new_order(f"c{number}"))
    assert [asked(sequencer, f"O-{number}") is not None for number in (1, 2, 3)] == [False, True, True]


def test_blocks_commit_to_what_the_auction_has_told() -> None:
    def state_root(*outcomes: Record) -> bytes:
        sequencer = started(batch_messages=2)
        tell(sequencer, T0 + 1, new_order("c1"))
        for outcome in outcomes:
            hear(sequencer, T0 + 2, outcome)
        (block,) = sealed(tell(sequencer, T0 + 3, new_order("c2")))
        return block.header.state_root

    assert len({state_root(), state_root(filled("1", "2000", "1")), state_root(filled("1", "2001", "1"))}) == 3
    assert state_root(OrderExpired("O-1", "validity")) == state_root(OrderExpired("O-1", "validity"))


def asked(sequencer: Sequencer, order_id: str) -> Receipt | None:
    """The receipt that a component on the node gets."""
    (answer,) = sequencer.handle(T0 + 9, Message("desk", ReceiptWanted(order_id)))
    assert isinstance(answer, Send)
    assert (answer.dst, answer.body.order_id) == ("desk", order_id)
    receipt: Receipt | None = answer.body.receipt
    return receipt


def test_once_the_block_is_sealed_every_report_says_where_the_order_stands_in_it() -> None:
    sequencer = started(batch_messages=2, ordering=Ordering("price_time"))
    (accepted,) = told(tell(sequencer, T0 + 1, new_order("c1", price=Decimal(2003))))
    assert (accepted.global_seq, accepted.block_height, accepted.leaf_index) == (1, None, None)
    tell(sequencer, T0 + 2, new_order("c2"))
    (report,) = told(hear(sequencer, T0 + 3, filled("1", "2003", "1")))
    assert (report.block_height, report.leaf_index) == (1, 1)
    receipt = asked(sequencer, "O-1")
    assert receipt is not None
    assert (receipt.header.height, receipt.index) == (1, 1)
    (report,) = told(hear(sequencer, T0 + 4, OrderExpired("O-2", "validity")))
    assert (report.block_height, report.leaf_index) == (1, 0)
