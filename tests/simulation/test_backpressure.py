"""scenarios/fix_storm.toml: who floods is throttled, who does not is not, and nothing piles up."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.sequencer.facts import BlockSealed
from sim.results.result import RunResult
from sim.runner import run

STORM = Path(__file__).parents[2] / "scenarios" / "fix_storm.toml"
CALM = ("calm", "quick")


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run(STORM, overrides=["run.duration=3s"], out=tmp_path_factory.mktemp("runs"))


def throttled(result: RunResult) -> dict[str, int]:
    """How many messages of each session went beyond its limit."""
    notes = result.notes[result.notes["kind"] == "MessageRejected"]
    sessions = notes["detail"].str.extract('"session":"([^"]*)"')[0]
    return {str(session): int(count) for session, count in sessions.value_counts().items()}


def acknowledgement_ms(result: RunResult, maker: str) -> float:
    """What half of a market maker's orders took at most to be acknowledged."""
    table = result.metrics.latency().reset_index()
    row = table[(table["kind"] == "acknowledgement") & (table["participant"] == maker)]
    return float(row["median_ms"].iloc[0])


def test_the_flooder_is_throttled_and_others_are_not(storm: RunResult) -> None:
    accepted = storm.orders[storm.orders["status"] != "refused"]["owner"].value_counts()
    assert throttled(storm).keys() == {"flood"}
    assert throttled(storm)["flood"] > 2_000
    assert accepted["flood"] <= 4 * 250
    assert accepted["quick"] > 290


@pytest.mark.parametrize("maker", CALM)
def test_others_wait_no_longer_than_without_a_flood(
    storm: RunResult, maker: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    quiet = ["run.duration=3s", "market_maker.flood.arrivals.fixed=1s"]
    calm = run(STORM, overrides=quiet, out=tmp_path_factory.mktemp("calm"))
    assert acknowledgement_ms(storm, maker) == acknowledgement_ms(calm, maker)


def test_a_flood_makes_blocks_come_earlier_and_no_larger(storm: RunResult) -> None:
    blocks = storm.blocks
    assert blocks["messages"].max() == 200
    assert BlockSealed.__name__ in set(storm.notes["kind"])
    assert "full" in set(blocks["trigger"])
