"""Ordering policies on one trace of arrivals: who is put before whom, and that nothing else changes."""

from __future__ import annotations

from typing import Final, get_args

import pytest

from core.sequencer.facts import BlockSealed, CancelSequenced, OrderSequenced
from core.sequencer.ordering import Policy
from sim.results.placement_rows import Placements
from sim.results.rows import PlacementRow
from tests.simulation.test_market import Ran

LANE: Final = ("sequencer.head_start=200ms", 'sequencer.express=["MM2"]')
POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[Policy, Ran]:
    return {
        policy: Ran(
            tmp_path_factory.mktemp(policy),
            2,
            f"sequencer.ordering={policy}",
            *(LANE if policy == "express_lane" else ()),
        ).run()
        for policy in POLICIES
    }


def placements(ran: Ran) -> list[PlacementRow]:
    return Placements({}).fold(ran.facts)


def mean(rows: list[PlacementRow]) -> float:
    return sum(row.displacement for row in rows) / len(rows)


def test_every_policy_is_given_the_same_arrivals_and_seals_the_same_blocks(runs: dict[Policy, Ran]) -> None:
    def arrivals(ran: Ran) -> list[tuple[int, int]]:
        placed = (OrderSequenced, CancelSequenced)
        return [(noted.time, noted.fact.global_seq) for noted in ran.facts if isinstance(noted.fact, placed)]

    def sizes(ran: Ran) -> list[int]:
        return [noted.fact.header.message_count for noted in ran.facts if isinstance(noted.fact, BlockSealed)]

    assert len(arrivals(runs["fifo"])) > 100
    for ran in runs.values():
        assert (arrivals(ran), sizes(ran)) == (arrivals(runs["fifo"]), sizes(runs["fifo"]))


def test_first_come_first_served_displaces_nobody(runs: dict[Policy, Ran]) -> None:
    assert {row.displacement for row in placements(runs["fifo"])} == {0}


@pytest.mark.parametrize("policy", POLICIES)
def test_what_some_lose_others_gain(runs: dict[Policy, Ran], policy: Policy) -> None:
    assert mean(placements(runs[policy])) == 0


def test_cancels_first_puts_them_forward(runs: dict[Policy, Ran]) -> None:
    rows = placements(runs["cancels_first"])
    assert mean([row for row in rows if row.kind == "cancel"]) < 0 < mean([row for row in rows if row.kind == "order"])


def test_the_express_lane_puts_its_members_forward(runs: dict[Policy, Ran]) -> None:
    rows = placements(runs["express_lane"])
    assert all(row.displacement <= 0 for row in rows if row.participant == "MM2")
    assert mean([row for row in rows if row.participant == "MM2"]) < -1
