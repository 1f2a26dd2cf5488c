from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from core.market.ledger import WORLD
from core.sequencer.facts import BlockSealed
from sim.results.result import RunResult
from tests.helpers.blocks import header
from tests.unit.results.stories import Deal, Story, manifest


def records(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    return list(frame.itertuples(index=False, name=None))


def test_surplus_is_by_pair_and_side(small: RunResult) -> None:
    buy, sell = records(small.metrics.surplus())
    assert buy[:6] == ("ETH-USD", "buy", "USD", 1, 12048.0, 12.0)
    assert sell[:6] == ("ETH-USD", "sell", "USD", 1, 4006.0, 6.0)
    assert buy[6:] == pytest.approx((10_000 * 12 / 12060, 10_000 * 2 / 2010))


def test_solver_share_counts_bids_refusals_and_wins(small: RunResult) -> None:
    assert records(small.metrics.solver_share())[:3] == [
        ("s1", 3, 0, 2, 2 / 3, 2 / 3),
        ("s2", 2, 1, 1, 1 / 2, 1 / 3),
        ("s3", 1, 0, 0, 0.0, 0.0),
    ]


def test_every_solver_of_the_scenario_has_a_row_in_the_order_of_the_scenario(small: RunResult) -> None:
    for frame in (small.metrics.solver_share(), small.metrics.default_rate()):
        assert [*frame["solver"]] == ["s1", "s2", "s3", "s4", "s10"]
        assert set(records(frame.drop(columns=["solver", "win_rate", "default_rate"], errors="ignore"))[-1]) == {0}
        assert frame.iloc[-1].isna().sum() == 1


def test_names_are_in_natural_order_where_no_scenario_says_so() -> None:
    story = Story()
    for number, solver in enumerate(("s10", "s2"), 1):
        story.move("ETH", Decimal(100), WORLD, f"user:MM{number}", "funding")
        story.move("USD", Decimal(100_000), WORLD, f"solver:{solver}", "funding")
        sold = story.order(f"MM{number}", "a", "sell", "1", "100")
        story.seal(number, 0, [sold])
        story.bid(number, f"{solver}-b", sold, "100")
        deal = Deal(f"C-{number}", number, sold, solver, f"{solver}-b", Decimal(1), Decimal(100))
        story.award(deal)
        story.deposit(deal)
        story.settle(deal)
    volumes = RunResult.of(manifest(), story.notes).metrics.solver_volume()
    assert records(volumes) == [("s2", "USD", 1, 100.0), ("s10", "USD", 1, 100.0)]


def test_default_rate_is_of_the_commitments_that_ended(small: RunResult) -> None:
    rates = records(small.metrics.default_rate())
    assert rates[:2] == [("s1", 2, 2, 0, 0.0, 0.0), ("s2", 1, 0, 1, 1.0, 100.0)]


def test_solver_volume_is_in_quote(small: RunResult) -> None:
    assert records(small.metrics.solver_volume()) == [("s1", "USD", 2, 16054.0)]


def test_time_to_fill_is_of_orders_filled_in_full(small: RunResult) -> None:
    assert records(small.metrics.time_to_fill()) == [("O-1", "ETH-USD", "sell", 2, 1.18)]


def test_latency_is_by_what_was_waited_for_and_by_whom() -> None:
    story = Story()
    sold = story.order("MM1", "a", "sell", "1", "100")
    for height, answers in ((1, {"s10": 3, "s2": 5}), (2, {"s2": 9}), (3, {"s2": 10})):
        story.at(1000 * height)
        story.seal(height, 0, [], carried=[sold])
        for solver, ms in answers.items():
            story.at(1000 * height + ms)
            story.bid(height, f"{solver}-{height}", sold, "101")
    frame = RunResult.of(manifest(), story.notes).metrics.latency()
    assert records(frame) == [("bid", "s2", 3, 9.0, 9.9, 10.0), ("bid", "s10", 1, 3.0, 3.0, 3.0)]


def test_batch_sizes_are_those_of_the_blocks(small: RunResult) -> None:
    assert records(small.metrics.batch_sizes()) == [(1, 4, 4, "window", 1_000_000), (2, 0, 2, "window", 2_000_000)]


def test_fairness_is_of_the_places_that_each_participant_lost() -> None:
    story = Story()
    for n, owner in enumerate(("MM10", "MM2", "MM10"), 1):
        story.order(owner, f"c{n}", "sell", "1", "100")
    block = header(1, message_count=3)
    story.say("sequencer", BlockSealed(block, bytes(32), "full", 0, (3, 1, 2)))
    result = RunResult.of(manifest(), story.notes)
    one, two = records(result.metrics.fairness())
    assert one == ("MM2", 1, 1.0, 1.0, 1.0, 1.0, 1.0)
    assert two[:2] == ("MM10", 2)
    assert two[2:] == pytest.approx((-0.5, -1.85, -0.5, 0.85, 1.0))
    assert list(result.blocks["inversions"]) == [2]
    columns = ["index", "global_seq", "participant", "kind", "displacement"]
    assert records(result.placements[columns]) == [
        (0, 3, "MM10", "order", -2),
        (1, 1, "MM10", "order", 1),
        (2, 2, "MM2", "order", 1),
    ]


@pytest.mark.parametrize(
    "name",
    ["surplus", "solver_share", "default_rate", "solver_volume", "time_to_fill", "latency", "batch_sizes", "fairness"],
)
def test_an_empty_run_gives_frames_of_nothing_with_the_same_columns(small: RunResult, name: str) -> None:
    empty = getattr(RunResult.of(manifest(), []).metrics, name)()
    assert not empty.select_dtypes("number").fillna(0).to_numpy().any()
    assert list(empty.columns) == list(getattr(small.metrics, name)().columns)
