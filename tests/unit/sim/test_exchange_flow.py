"""What a flow of orders is around."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice

from sim.exchange_flow import played
from sim.exchange_models import Played


def looked_at(*rows: tuple[int, int], tick: int, count: int) -> list[int]:
    recorded = Played(rows=[(at, Decimal(price)) for at, price in rows], tick=tick)
    return [int(price) for price in islice(played(recorded), count)]


def test_a_recorded_price_is_that_of_the_latest_row_at_each_tick() -> None:
    assert looked_at((0, 100), (3, 101), (10, 102), tick=5, count=4) == [100, 101, 102, 102]


def test_of_several_rows_at_one_time_the_last_counts() -> None:
    assert looked_at((0, 100), (0, 99), (5, 101), (5, 98), tick=5, count=2) == [99, 98]


def test_a_recording_stays_at_its_last_price() -> None:
    assert looked_at((0, 100), tick=1, count=3) == [100, 100, 100]
