from __future__ import annotations

import pandas as pd
import pytest

from sim.results.result import RunResult
from tests.unit.results.stories import manifest


def records(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    return list(frame.itertuples(index=False, name=None))


def test_surplus_is_by_pair_and_side(small: RunResult) -> None:
    buy, sell = records(small.metrics.surplus())
    assert buy[:6] == ("ETH-USD", "buy", "USD", 1, 12048.0, 12.0)
    assert sell[:6] == ("ETH-USD", "sell", "USD", 1, 4006.0, 6.0)
    assert buy[6:] == pytest.approx((10_000 * 12 / 12060, 10_000 * 2 / 2010))


def test_solver_share_counts_bids_refusals_and_wins(small: RunResult) -> None:
    assert records(small.metrics.solver_share()) == [
        ("s1", 3, 0, 2, 2 / 3, 2 / 3),
        ("s2", 2, 1, 1, 1 / 2, 1 / 3),
        ("s3", 1, 0, 0, 0.0, 0.0),
    ]


def test_default_rate_is_of_the_commitments_that_ended(small: RunResult) -> None:
    assert records(small.metrics.default_rate()) == [("s1", 2, 2, 0, 0.0, 0.0), ("s2", 1, 0, 1, 1.0, 100.0)]


def test_solver_volume_is_in_quote(small: RunResult) -> None:
    assert records(small.metrics.solver_volume()) == [("s1", "USD", 2, 16054.0)]


def test_time_to_fill_is_of_orders_filled_in_full(small: RunResult) -> None:
    assert records(small.metrics.time_to_fill()) == [("O-1", "ETH-USD", "sell", 2, 1.18)]


def test_batch_sizes_are_those_of_the_blocks(small: RunResult) -> None:
    assert records(small.metrics.batch_sizes()) == [(1, 4, 4, "window", 1_000_000), (2, 0, 2, "window", 2_000_000)]


@pytest.mark.parametrize(
    "name", ["surplus", "solver_share", "default_rate", "solver_volume", "time_to_fill", "batch_sizes"]
)
def test_an_empty_run_gives_empty_frames_with_the_same_columns(small: RunResult, name: str) -> None:
    empty = getattr(RunResult.of(manifest(), []).metrics, name)()
    assert empty.empty
    assert list(empty.columns) == list(getattr(small.metrics, name)().columns)
