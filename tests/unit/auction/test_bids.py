"""Which bids count: each reason for refusal, and the boundary of the deadline."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from core.auction import bids
from core.auction.facts import BidReceived, BidRejected, BidSelected, BidWithdrawn
from core.auction.reasons import BidRefusal
from core.kernel.record import Effect
from core.market.orders import Side
from core.solver.protocol import Bid, BidRefused, WithdrawBid
from tests.helpers.auction import BID_WINDOW, FULFIL_WINDOW, GRACE, Rig, bid, noted, order, told, with_settings


def rig(side: Side = "sell", *, partial: bool = True) -> Rig:
    bench = Rig()
    bench.batch(1, order(side=side, partial=partial))
    return bench


def refusal(effects: list[Effect]) -> str:
    """The reason of the only refusal, which fact and answer must agree on."""
    [fact] = noted(effects, BidRejected)
    [(solver, answer)] = told(effects, BidRefused)
    assert (solver, answer.bid_id, answer.order_id) == (fact.solver, fact.bid_id, fact.order_id)
    assert answer.reason == fact.reason
    return fact.reason


def test_a_bid_at_the_limit_counts_and_is_not_answered() -> None:
    effects = rig().place("s1", bid("b1", "2000"))
    assert noted(effects, BidReceived) == [
        BidReceived(1, "s1", "b1", "O-1", Decimal(2), Decimal(2000), Decimal("4000.00"), "")
    ]
    assert len(effects) == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (bid("b1", "2000", order_id="O-9"), BidRefusal.UNKNOWN_ORDER),
        (bid("b1", "0"), BidRefusal.INVALID),
        (bid("b1", "-2000"), BidRefusal.INVALID),
        (bid("b1", "2000", max_input="0"), BidRefusal.INVALID),
        (bid("b1", "2000", max_input="-1"), BidRefusal.INVALID),
        (bid("b1", "2000", max_input="2.000001"), BidRefusal.INVALID),
        (bid("b1", "2001", max_input="0.0000001"), BidRefusal.INVALID),
        (bid("b1", "2000", max_input="1.9995"), BidRefusal.OFF_LOT),
        (bid("b1", "1E+27"), BidRefusal.INVALID),
        (bid("b1", "2000", valid_till=BID_WINDOW), BidRefusal.INVALID),
        (bid("b1", "1999.999999"), BidRefusal.BELOW_LIMIT),
        (bid("b1", "100000.01"), BidRefusal.UNFUNDED),
    ],
)
def test_a_bid_that_does_not_count_is_refused_with_its_reason(bad: Bid, reason: BidRefusal) -> None:
    assert refusal(rig().place("s1", bad)) == reason


def test_a_bid_for_part_of_an_all_or_nothing_order_is_invalid() -> None:
    assert refusal(rig(partial=False).place("s1", bid("b1", "2000", max_input="1"))) == BidRefusal.INVALID
    assert noted(rig().place("s1", bid("b1", "2000", max_input="1")), BidReceived)


def test_a_bid_that_does_not_pay_for_one_lot_of_a_buy_is_off_the_lot() -> None:
    bench = rig("buy")
    assert refusal(bench.place("s1", bid("b1", "0.0005", max_input="1.99"))) == BidRefusal.OFF_LOT
    assert noted(bench.place("s1", bid("b1", "0.0005", max_input="2.00")), BidReceived)


def test_a_bid_for_part_of_a_buy_is_for_the_whole_lots_that_its_input_pays_for() -> None:
    [received] = noted(rig("buy").place("s1", bid("b1", "0.0005", max_input="999.99")), BidReceived)
    assert (received.max_input, received.min_output) == (Decimal("999.99"), Decimal("0.499"))


@pytest.mark.parametrize("side", ["sell", "buy"])
def test_what_is_left_of_an_order_that_is_no_whole_number_of_lots_trades_as_a_whole(side: Side) -> None:
    bench = Rig()
    bench.batch(1, odd := order(side=side, quantity="0.0005"))
    rate = "2000" if side == "sell" else "0.0005"
    assert noted(bench.place("s1", bid("b1", rate, max_input=str(odd.input_amount))), BidReceived)


def test_a_bid_one_instant_before_the_deadline_counts_and_at_the_deadline_is_late() -> None:
    bench = rig()
    bench.now = BID_WINDOW - 1
    assert noted(bench.place("s1", bid("b1", "2000")), BidReceived)
    bench.now = BID_WINDOW
    assert refusal(bench.place("s1", bid("b2", "2001"))) == BidRefusal.LATE


def test_a_bid_after_selection_is_late_too() -> None:
    bench = rig()
    bench.advance(BID_WINDOW)
    assert refusal(bench.place("s1", bid("b1", "2000"))) == BidRefusal.LATE


def test_a_bid_for_a_batch_not_yet_opened_is_refused() -> None:
    assert refusal(rig().place("s1", bid("b1", "2000"), height=2)) == BidRefusal.UNKNOWN_BATCH


def test_a_bid_for_an_order_of_another_batch_is_not_for_an_open_order() -> None:
    bench = rig()
    bench.batch(2, order("O-2"))
    assert refusal(bench.place("s1", bid("b1", "2000"), height=2)) == BidRefusal.ORDER_NOT_OPEN


def test_a_stranger_may_not_bid() -> None:
    assert refusal(rig().place("s9", bid("b1", "2000"))) == BidRefusal.UNAUTHORISED


def test_a_solver_whose_bond_is_below_the_penalty_may_not_bid() -> None:
    bench = Rig(with_settings(bonds={"s1": Decimal("9.99"), "s2": Decimal(10)}))
    bench.batch(1, order())
    assert refusal(bench.place("s1", bid("b1", "2000"))) == BidRefusal.UNBONDED
    assert noted(bench.place("s2", bid("b1", "2000")), BidReceived)


def test_a_bid_id_counts_once_per_batch_even_after_it_was_replaced_or_withdrawn() -> None:
    bench = rig()
    bench.place("s1", bid("b1", "2000"))
    bench.place("s1", bid("b2", "2001"))
    assert refusal(bench.place("s1", bid("b1", "2002"))) == BidRefusal.DUPLICATE_BID_ID
    bench.said("s1", WithdrawBid(1, "O-1"))
    assert refusal(bench.place("s1", bid("b2", "2002"))) == BidRefusal.DUPLICATE_BID_ID
    assert noted(bench.place("s2", bid("b1", "2002")), BidReceived)


def test_a_refused_bid_does_not_use_up_its_id() -> None:
    bench = rig()
    bench.place("s1", bid("b1", "1999"))
    assert noted(bench.place("s1", bid("b1", "2000")), BidReceived)


def test_a_later_bid_replaces_the_standing_one_even_when_it_is_worse() -> None:
    bench = rig()
    bench.place("s1", bid("b1", "2100"))
    [received] = noted(bench.place("s1", bid("b2", "2000")), BidReceived)
    assert received.replaces == "b1"
    bench.advance(BID_WINDOW)
    assert [(s.bid_id, s.ranked) for s in bench.facts(BidSelected)] == [("b2", 1)]


def test_a_withdrawn_bid_cannot_win() -> None:
    bench = rig()
    bench.place("s1", bid("b1", "2100"))
    bench.place("s2", bid("b2", "2000"))
    assert noted(bench.said("s1", WithdrawBid(1, "O-1")), BidWithdrawn) == [BidWithdrawn(1, "s1", "b1", "O-1")]
    bench.advance(BID_WINDOW)
    assert [(s.solver, s.ranked) for s in bench.facts(BidSelected)] == [("s2", 1)]


def test_a_withdrawal_is_refused_without_a_bid_and_after_the_deadline() -> None:
    bench = rig()
    assert refusal(bench.said("s1", WithdrawBid(1, "O-1"))) == BidRefusal.UNKNOWN_BID
    assert refusal(bench.said("s1", WithdrawBid(1, "O-9"))) == BidRefusal.UNKNOWN_BID
    bench.place("s1", bid("b1", "2000"))
    bench.now = BID_WINDOW
    assert refusal(bench.said("s1", WithdrawBid(1, "O-1"))) == BidRefusal.LATE
    assert refusal(bench.said("s1", WithdrawBid(7, "O-1"))) == BidRefusal.UNKNOWN_BATCH


def test_bids_of_one_line_are_judged_one_by_one() -> None:
    bench = Rig()
    bench.batch(1, order("O-1"), order("O-2"))
    effects = bench.place("s1", bid("b1", "2000"), bid("b2", "1", order_id="O-2"), bid("b3", "2000", order_id="O-2"))
    assert [fact.bid_id for fact in noted(effects, BidReceived)] == ["b1", "b3"]
    assert [fact.bid_id for fact in noted(effects, BidRejected)] == ["b2"]


def test_a_bid_that_does_not_count_is_stated_with_its_terms_and_a_refused_withdrawal_without() -> None:
    bench = rig()
    [fact] = noted(bench.place("s1", bid("b1", "1999.5", max_input="1.5")), BidRejected)
    assert (fact.reason, fact.max_input, fact.conversion_rate) == ("below_limit", Decimal("1.5"), Decimal("1999.5"))
    [fact] = noted(bench.said("s1", WithdrawBid(1, "O-1")), BidRejected)
    assert (fact.reason, fact.max_input, fact.conversion_rate) == ("unknown_bid", None, None)


def test_a_solver_may_place_only_so_many_bids_in_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bids, "BIDS_PER_SOLVER_MAX", 2)
    bench = rig()
    bench.place("s1", bid("b1", "2000"), bid("b2", "2000"))
    assert refusal(bench.place("s1", bid("b3", "2000"))) == BidRefusal.TOO_MANY_BIDS
    assert noted(bench.place("s2", bid("b3", "2000")), BidReceived)


def test_capital_promised_elsewhere_does_not_fund_a_bid() -> None:
    bench = Rig(with_settings(capital={"s1": {"USDC": Decimal(6000)}, "s2": {"USDC": Decimal(6000)}}))
    bench.batch(1, order())
    bench.place("s1", bid("b1", "2000"))
    bench.advance(BID_WINDOW)
    bench.batch(2, order("O-2", valid_until=5000))
    assert refusal(bench.place("s1", bid("b2", "2000", order_id="O-2"), height=2)) == BidRefusal.UNFUNDED
    assert noted(bench.place("s2", bid("b2", "2000", order_id="O-2"), height=2), BidReceived)


def test_a_bid_that_lapsed_before_its_turn_is_passed_over_with_a_reason() -> None:
    bench = rig()
    bench.place("s1", bid("b1", "2100"))
    bench.place("s2", bid("b2", "2050", valid_till=BID_WINDOW + FULFIL_WINDOW + GRACE))
    bench.place("s3", bid("b3", "2000"))
    bench.advance(BID_WINDOW + FULFIL_WINDOW + GRACE)
    [rejected] = bench.facts(BidRejected)
    assert (rejected.bid_id, rejected.reason) == ("b2", BidRefusal.LAPSED)


def test_a_book_does_not_depend_on_who_bid_first() -> None:
    books = []
    for solvers in (("s1", "s2"), ("s2", "s1")):
        bench = rig()
        for solver in solvers:
            bench.place(solver, bid("b1", "2000"))
        books.append(bench.auction.state.books[1].bids)
    assert books[0] == books[1]
    assert replace(books[0]["O-1"]["s1"], solver="s2") == books[0]["O-1"]["s2"]
