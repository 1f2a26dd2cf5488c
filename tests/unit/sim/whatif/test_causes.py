"""Why two lives of one order differ: the first step at which they part decides."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sim.results.rows import BidRow, CommitmentRow, OrderRow
from sim.whatif.causes import Life, Why, why
from sim.whatif.rows import Cause


def order(status: str = "filled", reason: str | None = None, *, order_id: str | None = "O-1") -> OrderRow:
    return OrderRow(
        order_id=order_id,
        cl_ord_id="c1",
        owner="MM1",
        symbol="ETHUSDC",
        side="sell",
        quantity=Decimal(2),
        limit_price=Decimal(2000),
        created_time=0,
        status=status,
        reason=reason,
    )


def bid(
    solver: str, rate: int = 2010, *, status: str = "received", reason: str | None = None, height: int = 1
) -> BidRow:
    return BidRow(
        height=height,
        order_id="O-1",
        solver=solver,
        bid_id="b1",
        time=0,
        max_input=Decimal(2),
        conversion_rate=Decimal(rate),
        status=status,
        reason=reason,
    )


def award(solver: str, output: int = 4020, *, status: str = "settled", height: int = 1) -> CommitmentRow:
    return CommitmentRow(
        commitment_id="C-1",
        order_id="O-1",
        height=height,
        solver=solver,
        bid_id="b1",
        attempt=1,
        status=status,
        input_amount=Decimal(2),
        min_output=Decimal(output),
        awarded_time=0,
        deadline=0,
    )


def life(*rows: BidRow | CommitmentRow, of: OrderRow | None = None) -> Life:
    bids = [row for row in rows if isinstance(row, BidRow)]
    return Life(of or order(), bids, [row for row in rows if isinstance(row, CommitmentRow)])


S1 = life(bid("s1"), bid("s2", 2005), award("s1"))


def test_equal_lives_have_no_cause() -> None:
    assert why(S1, life(bid("s1"), award("s1"))) is None


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (life(of=order("refused", "closed", order_id=None)), Why(Cause.ADMISSION, None, "closed")),
        (
            life(bid("s1", status="rejected", reason="late"), bid("s2", 2005), award("s2", 4010)),
            Why(Cause.BID_REFUSED, "s1", "late"),
        ),
        (
            life(bid("s1", status="passed_over", reason="unfunded"), of=order("expired")),
            Why(Cause.BID_REFUSED, "s1", "unfunded"),
        ),
        (life(bid("s2", 2005), award("s2", 4010)), Why(Cause.NOT_BID, "s1")),
        (life(bid("s1"), bid("s3", 2020), award("s3", 4040)), Why(Cause.NEW_BID, "s3")),
        (life(bid("s1"), bid("s2", 2020), award("s2", 4040)), Why(Cause.OTHER_TERMS, "s2")),
        (life(bid("s1"), bid("s2", 2005), award("s2", 4010)), Why(Cause.OUTRANKED, "s2")),
        (life(bid("s1"), bid("s2", 2005), award("s1", 4010)), Why(Cause.PAYMENT, "s1")),
        (life(bid("s1", 2005), award("s1", 4010)), Why(Cause.OTHER_TERMS, "s1")),
        (life(bid("s1"), award("s1", status="defaulted"), bid("s2"), award("s2")), Why(Cause.DEFAULTED, "s1")),
        (life(bid("s1"), award("s1"), of=order("cancelled")), Why(Cause.END)),
    ],
)
def test_the_first_difference_is_the_cause(after: Life, expected: Why) -> None:
    assert why(S1, after) == expected


def test_a_bid_that_did_not_count_then_and_wins_now() -> None:
    before = life(bid("s1"), bid("s2", 2020, status="rejected", reason="late"), award("s1"))
    after = life(bid("s1"), bid("s2", 2020), award("s2", 4040))
    assert why(before, after) == Why(Cause.BID_COUNTS, "s2", "late")


def test_a_solver_that_pays_now_is_the_cause_and_not_the_one_that_would_have_taken_over() -> None:
    before = life(bid("s1"), bid("s2", 2005), award("s1", status="defaulted"), award("s2", 4010))
    assert why(before, S1) == Why(Cause.PAID, "s1")


def test_a_sale_in_an_auction_that_there_is_no_more_is_named_as_that() -> None:
    before = life(bid("s1"), award("s1", status="defaulted"), bid("s2", height=2), award("s2", height=2))
    after = life(bid("s1"), award("s1", status="defaulted"), bid("s2", height=1), of=order("expired", "validity"))
    assert why(before, after) == Why(Cause.LATER_AUCTION, "s2", "validity")
