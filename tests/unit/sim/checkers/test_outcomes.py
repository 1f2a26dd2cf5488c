"""What comes of an order: every one ends, the best bid wins it, and its owner is told what happened."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from core.auction.facts import (
    BatchCreated,
    BidReceived,
    BidRejected,
    BidSelected,
    BidWithdrawn,
    CommitmentDefaulted,
    OrderAdded,
    OrderReopened,
)
from core.errors import FactViolated
from core.fix.messages import ExecutionReport
from core.fix.records import ToPeer
from core.fix.tags import ExecTransType, ExecType, OrdStatus, Side
from core.kernel.record import Effect, Record, Send, Start
from core.market.orders import OrderExpired, Pair, Token
from core.sequencer.facts import OrderSequenced
from sim.checkers import Checker, Checkers
from sim.checkers.ends import EveryOrderEnds
from sim.checkers.reports import FillsReported
from sim.checkers.selection import BestBidWins
from tests.helpers.checkers import ORDER, commitment, filled, show, violation

BATCH = BatchCreated(1, ("O-1",), 20)
PAIR = Pair("ETHUSDC", Token("ETH", 9), Token("USDC", 6), Decimal("0.01"), Decimal("0.5"), Decimal(50))


def unfinished(checker: Checker) -> str:
    with pytest.raises(FactViolated) as caught:
        checker.finish()
    return caught.value.detail


class TestEveryOrderEnds:
    SEQUENCED = OrderSequenced(1, ORDER)
    ADDED = OrderAdded(1, ORDER)

    def watched(self, until: int, *facts: Record) -> EveryOrderEnds:
        checker = EveryOrderEnds(grace=3)
        show(checker, self.SEQUENCED, *facts)
        Checkers([checker])("venue", until, "auction", Start(), [])
        return checker

    @pytest.mark.parametrize("end", [filled("2", "200", "0"), OrderExpired("O-1", "late")])
    def test_an_order_that_has_ended_is_accepted(self, end: Record) -> None:
        self.watched(1_000, self.ADDED, BATCH, commitment("C-1"), end).finish()

    def test_an_order_that_never_reached_the_auction_is_caught(self) -> None:
        assert unfinished(self.watched(0)) == "O-1 was sequenced and never reached the auction"

    @pytest.mark.parametrize(
        ("facts", "due"),
        [
            ([ADDED], 10),
            ([ADDED, BATCH], 20),
            ([ADDED, BATCH, commitment("C-1")], 8),
            ([ADDED, BATCH, OrderReopened("O-1", "no_bid")], 10),
            ([ADDED, BATCH, commitment("C-1"), filled("1", "100", "1")], 8),
        ],
        ids=["valid", "in an auction", "promised", "reopened", "filled in part"],
    )
    def test_a_live_order_is_accepted_until_its_next_step_is_overdue(self, facts: list[Record], due: int) -> None:
        self.watched(due, *facts).finish()
        told = unfinished(self.watched(due + 1, *facts))
        assert told == f"O-1 has not ended: something was due at {due}, it is {due + 1}"


class TestFillsReported:
    FILL = filled("1", "100", "1")

    def report(self, shares: str = "1", px: str = "100", cum: str = "1", leaves: str = "1") -> ExecutionReport:
        return ExecutionReport(
            order_id="O-1",
            exec_id="E-1",
            exec_trans_type=ExecTransType.NEW,
            exec_type=ExecType.PARTIAL_FILL,
            ord_status=OrdStatus.PARTIALLY_FILLED,
            symbol="ETHUSDC",
            side=Side.SELL,
            leaves_qty=Decimal(leaves),
            cum_qty=Decimal(cum),
            avg_px=Decimal(100),
            last_shares=Decimal(shares),
            last_px=Decimal(px),
        )

    def happened(self, *fills: Record) -> FillsReported:
        checker = FillsReported()
        show(checker, OrderSequenced(1, ORDER), *fills)
        return checker

    def tell(self, checker: FillsReported, report: ExecutionReport, owner: str = "MM1") -> None:
        sent: list[Effect] = [Send("fix", ToPeer(owner, report))]
        Checkers([checker])("venue", 0, "sequencer", Start(), sent)

    def test_each_fill_told_once_is_accepted(self) -> None:
        checker = self.happened(self.FILL, filled("1", "101", "0"))
        self.tell(checker, self.report())
        self.tell(checker, self.report(px="101", cum="2", leaves="0"))
        checker.finish()

    @pytest.mark.parametrize("wrong", [{"shares": "2"}, {"px": "99"}, {"cum": "2"}, {"leaves": "0"}])
    def test_a_report_that_differs_from_the_fill_is_caught(self, wrong: dict[str, str]) -> None:
        with pytest.raises(FactViolated, match=r"E-1 reports F-1 of O-1 as .*; it was 1 at 100.00000000, 1 in all"):
            self.tell(self.happened(self.FILL), self.report(**wrong))

    def test_a_fill_told_twice_is_caught(self) -> None:
        checker = self.happened(self.FILL)
        self.tell(checker, self.report())
        with pytest.raises(FactViolated, match="E-1 reports a fill of O-1 that did not happen"):
            self.tell(checker, self.report())

    def test_a_fill_told_to_somebody_else_is_caught(self) -> None:
        with pytest.raises(FactViolated, match="E-1 tells MM2 of F-1, a fill of O-1"):
            self.tell(self.happened(self.FILL), self.report(), owner="MM2")

    def test_a_fill_that_is_never_told_is_caught_at_the_end(self) -> None:
        assert unfinished(self.happened(self.FILL)) == "F-1 of O-1 was never reported to its owner"


def bid(solver: str, output: str, given: str = "2") -> BidReceived:
    rate = Decimal(output) / Decimal(given)
    return BidReceived(1, solver, f"b-{solver}", "O-1", Decimal(given), rate, Decimal(output), "")


def selected(solver: str, ranked: int = 2) -> BidSelected:
    return BidSelected(1, "O-1", solver, f"b-{solver}", "first_price", ranked)


def promised(solver: str, commitment_id: str = "C-1") -> Record:
    return replace(commitment(commitment_id), solver=solver, bid_id=f"b-{solver}")


class TestBestBidWins:
    BIDS = (OrderAdded(1, ORDER), BATCH, bid("s1", "201"), bid("s2", "202"))

    def test_the_best_bid_and_after_its_default_the_next_are_accepted(self) -> None:
        default = CommitmentDefaulted("C-1", "O-1", "s2", Decimal(50))
        show(BestBidWins([PAIR]), *self.BIDS, selected("s2"), promised("s2"), default, promised("s1", "C-2"))

    def test_a_bid_that_cannot_be_paid_yields_to_the_next(self) -> None:
        refused = BidRejected(1, "s2", "b-s2", "O-1", "unfunded", None, None)
        show(BestBidWins([PAIR]), *self.BIDS, selected("s2"), refused, promised("s1"))

    def test_a_replaced_or_withdrawn_bid_does_not_count(self) -> None:
        gone = BidWithdrawn(1, "s2", "b-s2", "O-1")
        show(BestBidWins([PAIR]), *self.BIDS, bid("s1", "200"), gone, selected("s1", 1), promised("s1"))

    def test_of_equal_outputs_the_one_for_less_input_wins(self) -> None:
        bids = (bid("s1", "200"), bid("s2", "200", "1"))
        assert violation(BestBidWins([PAIR]), BATCH, *bids, selected("s1")).endswith("but b-s2 of s2 is better")

    def test_of_equal_bids_for_a_buy_the_cheaper_one_wins(self) -> None:
        buy = replace(ORDER, side="buy", sell_token="USDC", buy_token="ETH", input_amount=Decimal(200))
        cheap, dear = (
            BidReceived(1, solver, f"b-{solver}", "O-1", Decimal(200), Decimal(rate), Decimal(2), "")
            for solver, rate in (("s1", "0.0102"), ("s2", "0.0101"))
        )
        told = violation(BestBidWins([PAIR]), OrderAdded(1, buy), BATCH, dear, cheap, selected("s2"))
        assert told == "O-1 goes to b-s2 of s2, but b-s1 of s1 is better"

    @pytest.mark.parametrize(
        ("facts", "told"),
        [
            ([selected("s1")], "O-1 goes to b-s1 of s1, but b-s2 of s2 is better"),
            ([selected("s2", 1)], "O-1: 1 bids are ranked, 2 stood"),
            ([selected("s2"), promised("s1")], "O-1 goes to b-s1 of s1, but b-s2 of s2 is better"),
            ([promised("s2")], "O-1 goes to b-s2 of s2, which is not in line for it"),
            ([OrderReopened("O-1", "no_bid")], "O-1 goes unsold, though 2 bids stood for it"),
        ],
    )
    def test_any_other_winner_is_caught(self, facts: list[Record], told: str) -> None:
        assert violation(BestBidWins([PAIR]), *self.BIDS, *facts) == told
