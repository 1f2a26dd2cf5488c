from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.results.columns import columns_of, schema_of, to_frame, to_table
from sim.results.rows import TABLES, BlockRow, EscrowRow, OrderRow, Row
from sim.results.tables import build_tables
from tests.unit.results.markets import small_market


def moved(amount: Decimal) -> Row:
    return EscrowRow(seq=1, time=0, token="USD", amount=amount, src="a", dst="b", reason="r")


@pytest.mark.parametrize("row", TABLES.values(), ids=TABLES)
def test_every_column_says_what_it_means_and_numbers_say_their_unit(row: type[Row]) -> None:
    for column in columns_of(row):
        assert column.meaning
        assert column.unit or column.kind in {"text", "time", "count", "flag"}
        assert (column.kind == "span") == column.name.endswith("_ns")


def test_the_schema_carries_types_units_and_meaning() -> None:
    schema = schema_of(OrderRow)
    assert schema.field("created_time").type == pa.timestamp("ns", tz="UTC")
    assert schema.field("limit_price").type == pa.decimal128(38, 18)
    assert schema.field("average_price").metadata == {
        b"meaning": b"Fill prices weighted by quantity; null unfilled",
        b"unit": b"quote per base",
    }
    assert schema.field("limit_price").nullable
    assert not schema.field("owner").nullable


@given(st.decimals(min_value=-(10**19), max_value=10**19, places=18))
def test_money_is_exact_in_a_table(amount: Decimal) -> None:
    assert to_table(EscrowRow, [moved(amount)])["amount"].to_pylist() == [amount]


def test_money_finer_than_the_type_is_rounded_and_larger_is_null() -> None:
    rows = [moved(Decimal(amount)) for amount in ("1E-30", "0.3333333333333333333333", "1E+30", "7")]
    found = to_table(EscrowRow, rows)["amount"].to_pylist()
    assert found == [0, Decimal("0.333333333333333333"), None, 7]


def test_frames_have_the_same_dtypes_for_any_data() -> None:
    empty, full = build_tables([]), build_tables(small_market())
    for name, row in TABLES.items():
        pd.testing.assert_series_equal(to_frame(row, empty[name]).dtypes, to_frame(row, full[name]).dtypes)


def test_frames_hold_floats_instants_and_integers_that_may_be_missing() -> None:
    frame = to_frame(OrderRow, build_tables(small_market())["orders"])
    assert frame["surplus_quote"].dtype == "float64"
    assert str(frame["created_time"].dtype) == "datetime64[ns, UTC]"
    assert frame["time_to_end_ns"].dtype == "Int64"
    assert frame["bids"].dtype == "int64"
    assert to_frame(BlockRow, build_tables(small_market())["blocks"])["lateness_ns"].dtype == "int64"
