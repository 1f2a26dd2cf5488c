"""Recorded trades and bars, from Parquet and CSV, as exact rows; and what is said about files that are neither."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from core.errors import InputError
from core.market.orders import Pair, Token
from core.units import SECOND
from sim.scenario.load import load
from sim.scenario.models import Arrivals, Columns, Price
from sim.scenario.recorded import Recording, Row, read_recording, read_recordings, recordings
from tests.helpers.scenarios import changed

PAIR = Pair("BTCUSDT", Token("BTC", 8), Token("USDT", 6), Decimal("0.01"), Decimal("0.001"), Decimal(100))
EVER = 10**18
START = datetime(2021, 1, 8, tzinfo=UTC)


def orders(path: Path, until: int = EVER, **options: Any) -> Recording:
    return read_recording(path, Arrivals(replay=path.name, **options), PAIR, until)


def prices(path: Path, until: int = EVER, **options: Any) -> Recording:
    return read_recording(path, Price(replay=path.name, **options), PAIR, until)


def csv_file(folder: Path, *lines: str) -> Path:
    path = folder / "file.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def parquet_file(folder: Path, **columns: Any) -> Path:
    path = folder / "file.parquet"
    parquet.write_table(pa.table(columns), path)
    return path


def trades(folder: Path, **changes: Any) -> Path:
    columns = {
        "timestamp": pa.array(
            [START + timedelta(milliseconds=ms) for ms in (0, 32, 32, 500)], pa.timestamp("ms", "UTC")
        ),
        "price": [39432.48, 39439.444, 39439.22, 39439.0],
        "quantity": [0.00631, 0.0004, 0.004376, 1.0],
        "buyer_maker": ["True", "False", "False", "True"],
    }
    return parquet_file(folder, **{**columns, **changes})


def assert_refused(path: Path, problem: str, hint: str = "", **options: Any) -> None:
    with pytest.raises(InputError) as refused:
        orders(path, **options)
    assert (refused.value.message, refused.value.hint) == (f"{path}: {problem}", hint)


# --- what rows become ----------------------------------------------------------------------------


def test_trades_become_exact_rows_on_tick_and_lot(tmp_path: Path) -> None:
    recording = orders(trades(tmp_path))
    assert recording.rows == [
        Row(0, Decimal("39432.48"), Decimal("0.006"), "sell"),
        Row(32_000_000, Decimal("39439.22"), Decimal("0.004"), "buy"),
        Row(500_000_000, Decimal("39439.00"), Decimal("1.000"), "sell"),
    ]
    assert recording.dropped == 1


def test_a_price_needs_no_quantity_and_no_lot(tmp_path: Path) -> None:
    recording = prices(trades(tmp_path))
    assert [row.price for row in recording.rows] == [
        Decimal(p) for p in ("39432.48", "39439.44", "39439.22", "39439.00")
    ]
    assert {(row.quantity, row.side) for row in recording.rows} == {(None, None)}
    assert prices(csv_file(tmp_path, "time,price", "5,1.005", "6,2")).rows[0].price == Decimal("1.00")


def test_bars_give_opening_price_and_volume(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "timestamp,open,high,low,close,volume",
        "2021-12-31 23:01:00.000000,46319.0,46385.0,46319.0,46377.0,2300413.7295",
        "",
        "2021-12-31T23:02:00Z,46377.0,46411.0,46377.0,46411.0,1829623.1938",
    )
    assert orders(path, quantity_scale=Decimal("0.00002")).rows == [
        Row(0, Decimal("46319.00"), Decimal("46.008"), None),
        Row(60 * SECOND, Decimal("46377.00"), Decimal("36.592"), None),
    ]


def test_speed_limit_and_the_end_of_the_run_cut_a_recording(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "time,price", *(f"{second},{second + 1}" for second in range(100)))
    assert [row.offset for row in prices(path, limit=3).rows] == [0, SECOND, 2 * SECOND]
    assert [row.offset for row in prices(path, until=SECOND, speed=2).rows] == [0, SECOND // 2, SECOND]


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "time,price,quantity,when,px,vol,taker", "x,x,x,1,2,3,BUY", "x,x,x,2,2,3,s")
    columns = Columns(time="when", price="px", quantity="vol", side="taker")
    assert [row.side for row in orders(path, columns=columns).rows] == ["buy", "sell"]


def test_usual_names_are_recognised_in_any_case(tmp_path: Path) -> None:
    assert orders(csv_file(tmp_path, "Date,Price,QTY,Side", "1,2,3,buy")).rows[0].side == "buy"


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_numbers_are_times_since_1970_in_the_unit_that_their_size_suggests(tmp_path: Path, unit: int) -> None:
    second = 1_610_064_000
    path = csv_file(tmp_path, "time,price", f"{second * unit},1", f"{(second + 3) * unit},1")
    assert prices(path).rows[1].offset == 3 * SECOND
    table = parquet_file(tmp_path, time=[second * unit, (second + 3) * unit], price=[1, 1])
    assert prices(table).rows[1].offset == 3 * SECOND


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_times_are_read_in_their_own_unit(tmp_path: Path, unit: str) -> None:
    times = pa.array([0, 5], pa.timestamp(unit))
    scale = {"s": SECOND, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    assert prices(parquet_file(tmp_path, time=times, price=[1, 1])).rows[1].offset == 5 * scale


def test_decimals_and_text_in_parquet_are_exact(tmp_path: Path) -> None:
    path = parquet_file(
        tmp_path, time=[1, 2], price=pa.array([Decimal("1.10"), Decimal("1.20")]), qty=["0.001", "0.002"]
    )
    assert [row.quantity for row in orders(path).rows] == [Decimal("0.001"), Decimal("0.002")]


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**9), st.integers(0, 10**9)), min_size=1, max_size=20)
)
@settings(max_examples=30, deadline=None)
def test_both_formats_give_the_same_rows_on_the_grid(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[int, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("recorded")
    at = [1_600_000_000_000 + sum(gap for gap, _, _ in cells[: n + 1]) for n in range(len(cells))]
    price = [ticks / 1000 + 1 for _, ticks, _ in cells]
    size = [lots / 10_000 + 0.001 for _, _, lots in cells]
    text = csv_file(
        folder, "time,price,size", *(f"{row[0]},{row[1]!r},{row[2]!r}" for row in zip(at, price, size, strict=True))
    )
    recording = orders(text)
    assert recording == orders(parquet_file(folder, time=at, price=price, size=size))
    for row in recording.rows:
        assert row.price % PAIR.tick == 0
        assert row.quantity is not None
        assert row.quantity % PAIR.lot == 0
    assert len(recording.rows) + recording.dropped == len(cells)


# --- what cannot be used -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["time,price,qty", "1,2,3", "0,2,3"], "line 3: time: goes back behind the row before"),
        (["time,price,qty", "soon,2,3"], 'line 2: time: expected a date and time or seconds since 1970, got "soon"'),
        (["time,price,qty", "nan,2,3"], 'line 2: time: expected a date and time or seconds since 1970, got "nan"'),
        (["time,price,qty", "1,dear,3"], 'line 2: price: expected an amount, got "dear"'),
        (["time,price,qty", "1,-2,3"], 'line 2: price: expected an amount, got "-2"'),
        (["time,price,qty", "1,1e99,3"], 'line 2: price: expected an amount, got "1e99"'),
        (
            ["time,price,qty", "1,0.001,3"],
            'line 2: price: expected at least one tick and less than 1000000000000, got "0.001"',
        ),
        (
            ["time,price,qty", "1,1e12,3"],
            'line 2: price: expected at least one tick and less than 1000000000000, got "1e12"',
        ),
        (["time,price,qty", "1,2,inf"], 'line 2: quantity: expected an amount, got "inf"'),
        (["time,price,qty", "1,2"], "line 2: quantity: expected an amount, got null"),
        (
            ["time,price,qty,side", "1,2,3,up"],
            'line 2: side: expected buy or sell, or true or false for the buyer as maker, got "up"',
        ),
        (["time,price,qty"], "no rows below the header"),
        (["time,price,qty", "1,2,0.0001"], "no rows of at least one lot"),
        ([], "the file is empty"),
        (["time,price,qty", '1,2,"3'], "after line 2: not CSV text: unexpected end of data"),
    ],
)
def test_a_bad_row_is_named_with_its_column(tmp_path: Path, lines: list[str], problem: str) -> None:
    assert_refused(csv_file(tmp_path, *lines), problem)


def test_a_bad_row_of_parquet_is_named_with_its_column(tmp_path: Path) -> None:
    assert_refused(trades(tmp_path, price=[1.0, None, 1.0, 1.0]), "row 2: price: expected an amount, got null")
    assert_refused(
        trades(tmp_path, quantity=[1.0, 1.0, float("nan"), 1.0]), "row 3: quantity: expected an amount, got NaN"
    )
    back = pa.array([START, START, START - timedelta(seconds=1), START], pa.timestamp("us", "UTC"))
    assert_refused(trades(tmp_path, timestamp=back), "row 3: time: goes back behind the row before")


def test_a_missing_column_lists_what_is_there(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "time,bid,ask", "1,2,3")
    hint = 'say which it is: columns = { price = "..." }; the file has time, bid, ask'
    assert_refused(path, "no column is recognised as the price", hint)
    assert_refused(path, 'has no column "bit"', "did you mean `bid`?", columns=Columns(price="bit"))
    hint = 'say which it is: columns = { quantity = "..." }; the file has time, bid, ask'
    assert_refused(path, "no column is recognised as the quantity", hint, columns=Columns(price="bid"))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    path.write_text("time,price\n")
    with pytest.raises(InputError, match="not a Parquet file"):
        orders(path)
    whole = trades(tmp_path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a Parquet file"):
        orders(path)
    binary = tmp_path / "file.csv"
    binary.write_bytes(b"time,price,qty\n\xff\xfe\n")
    with pytest.raises(InputError, match="not CSV text"):
        orders(binary)
    with pytest.raises(InputError, match="no such file"):
        orders(tmp_path / "none.csv")


# --- in a scenario -------------------------------------------------------------------------------


def test_prices_are_read_for_as_long_as_a_scenario_runs_and_orders_for_as_long_as_they_are_sent(tmp_path: Path) -> None:
    trades(tmp_path)
    text = changed(
        ('{ constant = "2000" }', '{ replay = "file.parquet" }'),
        ('{ poisson = "20ms" }', '{ replay = "file.parquet" }'),
    )
    (tmp_path / "scenario.toml").write_text(text.replace('"1s"', '"100ms"\ndrain = "900ms"'))
    loaded = load(tmp_path / "scenario.toml")
    assert {what: len(rows) for what, rows in recordings(loaded).items()} == {"pair.ETHUSDC": 4, "market_maker.MM1": 2}
    assert [recording.dropped for _, recording in read_recordings(loaded)] == [0, 1]
