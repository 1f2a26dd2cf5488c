"""Each checker catches the violation planted for it, and accepts the story without it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.auction.facts import (
    BatchCreated,
    CommitmentDefaulted,
    CommitmentSettled,
    EscrowDeposited,
    OrderAdded,
    OrderReopened,
)
from core.errors import FactViolated
from core.fix.messages import Heartbeat
from core.fix.records import FromPeer
from core.kernel.record import Effect, Message, Note, Record, Start, Transmit
from core.market.ledger import Ledger, Transferred
from core.market.orders import OrderExpired, OrderFilled
from core.sequencer import booklog
from core.sequencer.block import NO_BLOCK, block_hash, roots
from core.sequencer.facts import BlockSealed, OrderSequenced
from core.sequencer.leaf import Leaf, acknowledgement, encode_acknowledgement, encode_leaf
from sim.checkers import Checkers
from sim.checkers.blocks import BlockChain
from sim.checkers.conservation import Conservation
from sim.checkers.fix import FixSequence
from sim.checkers.orders import FillsWithinLimits, NothingAfterTheEnd, OneCommitment
from tests.helpers.blocks import header as empty
from tests.helpers.checkers import ORDER, commitment, filled, show, violation

LOTS = {"ETHUSDC": Decimal("0.5")}


class TestConservation:
    def test_transfers_that_the_ledger_made_agree_with_it(self) -> None:
        ledger = Ledger()
        checker = Conservation(lambda: ledger)
        show(checker, ledger.transfer("ETH", Decimal(5), "world", "user:MM1", "deposit"))
        show(checker, ledger.transfer("ETH", Decimal(5), "user:MM1", "order:O-1", "reserve"))
        show(checker, BatchCreated(1, (), 0))
        checker.finish()

    def test_a_credit_without_a_debit_is_caught_at_that_event(self) -> None:
        ledger = Ledger({"user:MM1": {"ETH": Decimal(5)}})
        told = violation(Conservation(lambda: ledger), Transferred("ETH", Decimal(4), "world", "user:MM1", "deposit"))
        assert told == "world holds 0 ETH, its transfers add up to -4"

    def test_a_balance_that_changed_without_a_transfer_is_caught_by_the_next_audit(self) -> None:
        ledger = Ledger()
        checker = Conservation(lambda: ledger)
        show(checker, ledger.transfer("ETH", Decimal(5), "world", "user:MM1", "deposit"))
        ledger.balances["bond:s1"] = {"USDC": Decimal(1)}
        assert violation(checker, BatchCreated(1, (), 0)) == "bond:s1 holds 1 USDC, its transfers add up to 0"

    def test_an_overdrawn_account_is_caught(self) -> None:
        ledger = Ledger({"user:MM1": {"ETH": Decimal(-1)}, "world": {"ETH": Decimal(1)}})
        told = violation(Conservation(lambda: ledger), Transferred("ETH", Decimal(1), "user:MM1", "world", "theft"))
        assert told == "user:MM1 is overdrawn: -1 ETH"

    def test_a_transfer_of_less_than_nothing_is_caught(self) -> None:
        told = violation(Conservation(Ledger), Transferred("ETH", Decimal(-1), "world", "user:MM1", "deposit"))
        assert told.startswith("negative transfer Transferred(token='ETH', amount=Decimal('-1')")

    def test_books_that_agree_with_the_ledger_and_do_not_add_up_to_zero_are_caught_at_the_end(self) -> None:
        ledger = Ledger({"user:MM1": {"ETH": Decimal(5)}})
        checker = Conservation(lambda: ledger)
        checker._books = {"user:MM1": {"ETH": Decimal(5)}}
        with pytest.raises(FactViolated, match="all accounts of ETH add up to 5, not 0"):
            checker.finish()


class TestOneCommitment:
    def test_reassignment_after_a_default_is_accepted(self) -> None:
        default = CommitmentDefaulted("C-1", "O-1", "s1", Decimal(1))
        settle = CommitmentSettled("C-2", "O-1", "s2", Decimal(2), Decimal(200))
        show(OneCommitment(), commitment("C-1"), default, commitment("C-2"), settle)

    def test_two_live_commitments_are_caught(self) -> None:
        told = violation(OneCommitment(), commitment("C-1"), commitment("C-2"))
        assert told == "O-1 is given C-2 while C-1 is live"

    def test_a_payment_for_a_dead_commitment_is_caught(self) -> None:
        default = CommitmentDefaulted("C-1", "O-1", "s1", Decimal(1))
        paid = EscrowDeposited("C-1", "s1", "USDC", Decimal(200))
        assert violation(OneCommitment(), commitment("C-1"), default, paid) == "C-1 is paid, but is not live"

    def test_settling_twice_is_caught(self) -> None:
        settle = CommitmentSettled("C-1", "O-1", "s1", Decimal(2), Decimal(200))
        assert violation(OneCommitment(), commitment("C-1"), settle, settle) == "C-1 ends, but is not live"

    def test_a_commitment_made_twice_is_caught(self) -> None:
        default = CommitmentDefaulted("C-1", "O-1", "s1", Decimal(1))
        assert violation(OneCommitment(), commitment("C-1"), default, commitment("C-1")) == "C-1 is created twice"


class TestFillsWithinLimits:
    def test_partial_fills_up_to_the_quantity_are_accepted(self) -> None:
        show(FillsWithinLimits(LOTS), OrderAdded(1, ORDER), filled("1", "100", "1"), filled("1", "101", "0"))

    def test_what_is_left_of_an_order_that_is_no_whole_number_of_lots_is_accepted(self) -> None:
        odd = replace(ORDER, quantity=Decimal("1.3"), input_amount=Decimal("1.3"), min_output=Decimal(130))
        show(FillsWithinLimits(LOTS), OrderAdded(1, odd), filled("0.5", "50", "0.8"), filled("0.8", "80", "0"))

    @pytest.mark.parametrize(
        ("fills", "told"),
        [
            ([filled("1", "100", "1"), filled("2", "200", "-1")], "O-1: filled 3 of 2"),
            ([filled("1", "99.99", "1")], "F-1 of O-1 is worse than the limit: 99.99 for 1, limit 200 for 2"),
            ([filled("1", "100", "2")], "F-1 says 2 left, not 1"),
            ([filled("0.3", "30", "1.7")], "F-1 of O-1: 0.3 is not whole lots"),
        ],
    )
    def test_a_fill_outside_the_limits_is_caught(self, fills: list[OrderFilled], told: str) -> None:
        assert violation(FillsWithinLimits(LOTS), OrderAdded(1, ORDER), *fills) == told

    def test_fills_that_give_more_than_the_input_are_caught(self) -> None:
        greedy = replace(filled("1", "300", "1"), input_amount=Decimal(3))
        assert violation(FillsWithinLimits(LOTS), OrderAdded(1, ORDER), greedy) == "O-1: gave 3 of 2"

    @pytest.mark.parametrize("quantity", [0, -1])
    def test_a_fill_of_nothing_is_caught(self, quantity: int) -> None:
        nothing = replace(filled("1", "100", "2"), quantity=Decimal(quantity))
        assert violation(FillsWithinLimits(LOTS), OrderAdded(1, ORDER), nothing).endswith(" fills nothing")

    def test_a_fill_of_an_unknown_order_is_caught(self) -> None:
        assert violation(FillsWithinLimits(LOTS), filled("1", "100", "1")) == "F-1 fills O-1, which was never added"


class TestNothingAfterTheEnd:
    def test_a_commitment_after_expiry_is_caught(self) -> None:
        told = violation(NothingAfterTheEnd(), OrderExpired("O-1", "no_bid"), commitment("C-9"))
        assert told == "O-1: CommitmentCreated after OrderExpired"

    def test_an_order_that_ends_twice_is_caught(self) -> None:
        told = violation(NothingAfterTheEnd(), filled("2", "200", "0"), OrderExpired("O-1", "late"))
        assert told == "O-1: OrderExpired after OrderFilled"

    def test_an_ended_order_in_a_new_batch_is_caught(self) -> None:
        told = violation(NothingAfterTheEnd(), OrderExpired("O-1", "late"), BatchCreated(2, ("O-1",), 0))
        assert told == "O-1: BatchCreated after OrderExpired"

    def test_a_partial_fill_is_not_the_end(self) -> None:
        show(NothingAfterTheEnd(), filled("1", "100", "1"), OrderReopened("O-1", "partial"), filled("1", "100", "0"))


def fix(number: int, extra: bytes = b"", *, sender: bytes = b"A", again: bool = False, kind: bytes = b"0") -> bytes:
    dup, original = (b"43=Y\x01", b"122=0\x01") if again else (b"", b"")
    head = b"8=FIX.4.2\x019=1\x0135=%s\x0134=%d\x01%s49=%s\x0152=1\x01" % (kind, number, dup, sender)
    return head + b"56=B\x01" + original + extra + b"10=000\x01"


ASKED = b"58=hello\x01"


def gap_fill(number: int, upto: int) -> bytes:
    return fix(number, b"123=Y\x0136=%d\x01" % upto, again=True, kind=b"4")


class TestFixSequence:
    def watch(self, *writes: bytes) -> None:
        watch = Checkers([FixSequence()])
        for data in writes:
            sent: list[Effect] = [Transmit("c", data)]
            watch("venue", 0, "fix", Start(), sent)

    def test_numbers_in_sequence_per_direction_are_accepted(self) -> None:
        self.watch(fix(1), fix(2) + fix(3), fix(1, sender=b"C"), fix(4))

    def test_resent_and_reset_numbers_are_accepted(self) -> None:
        resent = fix(1, ASKED, again=True)
        self.watch(fix(1, ASKED), fix(2), resent, gap_fill(2, 3), fix(3), fix(1, b"141=Y\x01"), fix(2))

    @pytest.mark.parametrize(
        "resent",
        [
            fix(1, b"58=something else\x01", again=True),
            fix(1, ASKED, again=True, kind=b"8"),
            fix(2, ASKED, again=True),
            fix(3, ASKED, again=True),
        ],
        ids=["another body", "another type", "another number", "a number still to come"],
    )
    def test_what_is_sent_again_and_was_not_sent_so_is_caught(self, resent: bytes) -> None:
        with pytest.raises(FactViolated, match=r"FIX sequence: venue: A->B sends . again as ., which was not sent so"):
            self.watch(fix(1, ASKED), fix(2), resent)

    def test_what_was_sent_before_a_reset_is_not_sent_again_after_it(self) -> None:
        with pytest.raises(FactViolated, match="again as 2, which was not sent so"):
            self.watch(fix(1), fix(2, ASKED), fix(1, b"141=Y\x01"), fix(2, ASKED, again=True))

    @pytest.mark.parametrize("fill", [gap_fill(2, 4), gap_fill(3, 4), gap_fill(1, 1)])
    def test_a_gap_fill_for_anything_but_old_numbers_is_caught(self, fill: bytes) -> None:
        with pytest.raises(FactViolated, match="FIX sequence: venue: A->B sends 4 to fill"):
            self.watch(fix(1), fix(2), fill)

    @pytest.mark.parametrize("writes", [[fix(1), fix(1)], [fix(1), fix(3)], [fix(2)], [fix(1) + fix(2) + fix(2)]])
    def test_a_gap_or_a_repetition_is_caught(self, writes: list[bytes]) -> None:
        with pytest.raises(FactViolated, match="FIX sequence: venue: A->B sends 0 as"):
            self.watch(*writes)


LOG = booklog.with_message(
    booklog.EMPTY,
    encode_leaf(Leaf(1, 0, "MM1", bytes([7] * 32))),
    encode_acknowledgement(acknowledgement(1, ORDER)),
)


def sealed(height: int, previous: bytes, count: int, **changes: Any) -> BlockSealed:
    """The block of as many first orders, all alike; a later one has none, and the state that one order left."""
    leaves = tuple(encode_leaf(Leaf(1 + n, 0, "MM1", bytes([7] * 32))) for n in range(count))
    told = tuple(encode_acknowledgement(acknowledgement(1 + n, ORDER)) for n in range(count))
    message_root, receipt_root = roots(leaves, told)
    changes = {"message_count": count, "message_root": message_root, "receipt_root": receipt_root} | changes
    state = {"state_root": LOG if count or height > 1 else booklog.EMPTY}
    header = empty(height, previous, **(state | changes))
    return BlockSealed(header, block_hash(header), "window", 0)


def place(checker: BlockChain, *facts: Record, sender: str = "MM1") -> None:
    """Let the sequencer place a message of that sender."""
    received = Message("fix", FromPeer(sender, 1, bytes([7] * 32), Heartbeat()))
    Checkers([checker])("venue", 0, "sequencer", received, [Note(fact) for fact in facts])


FIRST = sealed(1, NO_BLOCK, 1)
EMPTY = sealed(1, NO_BLOCK, 0)


class TestBlockChain:
    def test_linked_blocks_with_every_message_are_accepted(self) -> None:
        checker = BlockChain()
        place(checker, OrderSequenced(1, ORDER))
        show(checker, FIRST, sealed(2, FIRST.block_hash, 0))
        checker.finish()

    def test_a_root_of_other_messages_is_caught(self) -> None:
        checker = BlockChain()
        place(checker, OrderSequenced(1, ORDER), sender="MM2")
        assert violation(checker, FIRST) == "block 1 has a root that is not that of its 1 messages"

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"receipt_root": bytes(32)}, "has a root that is not that of its acknowledgements"),
            ({"state_root": bytes(32)}, "has a state root that is not that of the orders so far"),
        ],
    )
    def test_a_block_that_commits_to_another_story_is_caught(self, changes: dict[str, bytes], told: str) -> None:
        checker = BlockChain()
        place(checker, OrderSequenced(1, ORDER))
        assert violation(checker, sealed(1, NO_BLOCK, 1, **changes)) == f"block 1 {told}"

    def test_a_sequence_of_other_messages_is_caught(self) -> None:
        checker = BlockChain()
        place(checker, OrderSequenced(1, ORDER))
        block = replace(FIRST, sequence=(2,))
        assert violation(checker, block) == "block 1 has the sequence of other messages than came"

    @pytest.mark.parametrize(
        ("facts", "told"),
        [
            ([sealed(2, NO_BLOCK, 0)], "block 2 follows 0"),
            ([sealed(1, bytes([1] * 32), 0)], "block 1 does not link to the hash of block 0"),
            ([EMPTY, sealed(2, NO_BLOCK, 0)], "block 2 does not link to the hash of block 1"),
            ([BlockSealed(EMPTY.header, bytes(32), "window", 0)], "block 1 has a hash that is not its header's"),
            ([FIRST], "1 messages sealed, 0 sequenced"),
            ([OrderSequenced(2, ORDER)], "sequence 2 follows 0"),
        ],
    )
    def test_a_broken_chain_is_caught(self, facts: list[Record], told: str) -> None:
        assert violation(BlockChain(), *facts) == told

    def test_a_message_left_outside_every_block_is_caught_at_the_end(self) -> None:
        checker = BlockChain()
        show(checker, OrderSequenced(1, ORDER))
        with pytest.raises(FactViolated, match="1 sequenced, 0 sealed"):
            checker.finish()
