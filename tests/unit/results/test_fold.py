"""Rows that repeat what a fact says."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.index.facts import LotAssigned
from core.index.records import FillStatus, IndexOrderFill, IndexQuoteRejected
from sim.results.desk.rows import IndexFillRow, LotRow, QuoteRow
from sim.results.facts import Noted
from sim.results.fold import row_of

D = Decimal
ASSIGNED = Noted(1, 7, "desk", "desk", LotAssigned("L-1", "I-1", "B-1", "AX", "buy", D(100), D(2), D("0.2")))


def test_a_row_has_what_the_fact_says_under_the_same_names_and_when_it_was_stated() -> None:
    assert row_of(LotRow, ASSIGNED, step="assigned") == LotRow(
        time=7,
        lot_id="L-1",
        step="assigned",
        symbol="AX",
        side="buy",
        batch_id="B-1",
        order_id="I-1",
        quantity=D(2),
        price=D(100),
        fee=D("0.2"),
    )


def test_what_is_given_counts_before_what_the_fact_says() -> None:
    row = row_of(LotRow, ASSIGNED, step="assigned", quantity=D(1), time=8)
    assert (row.time, row.quantity, row.price) == (8, D(1), D(100))


def test_no_text_is_null_where_null_may_be_and_empty_where_not() -> None:
    fill = IndexOrderFill("I-1", "8453:0xa", "C-1", D(0), D(1), D(9), D("0.1"), FillStatus.IN_PROGRESS)
    given = {"spent": D(1), "remaining": D(9)}
    assert row_of(IndexFillRow, Noted(1, 7, "desk", "desk", fill), **given).batch_id is None
    refused = Noted(1, 7, "desk", "desk", IndexQuoteRejected("", "Q-1", ""))
    row = row_of(QuoteRow, refused, status="rejected")
    assert (row.user, row.reason) == ("", None)


def test_a_column_that_nobody_says_is_missed() -> None:
    with pytest.raises(TypeError, match="step"):
        row_of(LotRow, ASSIGNED)
