"""Ordering policies on one recorded trace of arrivals: the fairness ledgers of the recording and of the rerun."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from core.sequencer.facts import BlockSealed
from core.sequencer.ordering import Policy
from sim.results.tables import build_tables
from sim.whatif.comparison import Comparison
from sim.whatif.fairness import Ledger, compare_fairness
from tests.helpers.blocks import header
from tests.unit.results.stories import Story
from tests.unit.sim.whatif.conftest import compare

POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)
LANE: Final = ("sequencer.head_start=200ms", 'sequencer.express=["MM2"]')


@pytest.fixture(scope="module")
def reruns(recorded: Path) -> dict[Policy, Comparison]:
    return {
        policy: compare(recorded, f"sequencer.ordering={policy}", *(LANE if policy == "express_lane" else ()))
        for policy in POLICIES
    }


def placements(comparison: Comparison, run: str) -> list[dict[str, Any]]:
    return [row for row in comparison.fairness.placements.to_pylist() if row["run"] == run]


def told(*owners: str, sequence: tuple[int, ...] = ()) -> dict[str, pa.Table]:
    """The tables of a run with one block, of an order by each of these."""
    story = Story()
    for n, owner in enumerate(owners, 1):
        story.order(owner, f"c{n}", "sell", "1", "100")
    if owners:
        story.say("sequencer", BlockSealed(header(1, message_count=len(owners)), bytes(32), "full", 0, sequence))
    return build_tables(story.notes)


def test_a_ledger_counts_pairs_and_places() -> None:
    assert Ledger.of("shuffle", told("MM10", "MM2", "MM10", "MM2", sequence=(3, 1, 2, 4))) == Ledger(
        policy="shuffle", blocks=1, messages=4, inversions=2, displaced=3, places_mean=1.0, places_max=2
    )


def test_who_is_in_one_of_the_runs_only_has_no_places_in_the_other() -> None:
    fairness = compare_fairness(("fifo", "shuffle"), told(), told("MM10", "MM2", "MM10", sequence=(3, 1, 2)))
    assert fairness.before == Ledger(
        policy="fifo", blocks=0, messages=0, inversions=0, displaced=0, places_mean=0.0, places_max=0
    )
    one, two = fairness.participants
    assert (one.participant, one.messages_before, one.mean_before, one.max_before) == ("MM2", 0, None, None)
    assert (one.messages_after, one.mean_after, one.p5_after, one.max_after) == (1, 1.0, 1.0, 1)
    assert (two.participant, two.messages_after, two.median_after, two.max_after) == ("MM10", 2, -0.5, 1)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_ledger_of_the_recording_is_that_of_its_run(
    recorded: Path, reruns: dict[Policy, Comparison], policy: Policy
) -> None:
    tables = {"blocks": reruns[policy].fairness.blocks, "placements": reruns[policy].fairness.placements}
    for name, table in tables.items():
        before = table.filter(pc.equal(table["run"], "before")).drop_columns("run")
        assert before == pq.read_table(recorded / "tables" / f"{name}.parquet")


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_is_given_the_recorded_arrivals(reruns: dict[Policy, Comparison], policy: Policy) -> None:
    def arrivals(run: str) -> list[tuple[object, ...]]:
        names = ("height", "global_seq", "participant", "kind", "received_time")
        return sorted(tuple(row[name] for name in names) for row in placements(reruns[policy], run))

    assert len(arrivals("before")) > 100
    assert arrivals("after") == arrivals("before")
    assert reruns[policy].fairness.after.blocks == reruns[policy].fairness.before.blocks


@pytest.mark.parametrize("policy", POLICIES)
def test_what_some_lose_others_gain(reruns: dict[Policy, Comparison], policy: Policy) -> None:
    rows = reruns[policy].fairness.participants
    assert sum(row.messages_after * (row.mean_after or 0) for row in rows) == pytest.approx(0)


def test_policies_differ_in_inversions_and_arrival_has_none(reruns: dict[Policy, Comparison]) -> None:
    found = {policy: comparison.fairness.after for policy, comparison in reruns.items()}
    assert {policy: ledger.policy for policy, ledger in found.items()} == {policy: policy for policy in POLICIES}
    assert (found["fifo"].inversions, found["fifo"].displaced, found["fifo"].places_max) == (0, 0, 0)
    assert found["shuffle"].inversions > found["cancels_first"].inversions > 0
    assert all(ledger.displaced > 0 for policy, ledger in found.items() if policy != "fifo")
    assert {comparison.fairness.before for comparison in reruns.values()} == {found["fifo"]}


def test_the_express_lane_puts_its_members_forward(reruns: dict[Policy, Comparison]) -> None:
    lane = next(row for row in reruns["express_lane"].fairness.participants if row.participant == "MM2")
    assert (lane.mean_before, lane.max_before) == (0, 0)
    assert lane.mean_after is not None
    assert lane.mean_after < -1
    assert lane.max_after is not None
    assert lane.max_after <= 0
