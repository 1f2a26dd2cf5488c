"""Two engines whose connections are lost, delayed and repeated: in the end both know the same, once."""

from __future__ import annotations

from typing import Any

import pytest

from core.fix.states import Status
from tests.helpers.storms import Storm

SHORT, LONG = 60, 4_000
VARIANTS: list[dict[str, Any]] = [
    {},
    {"resend_request_chunk_size": 7, "resend_batch": 5},
    {"next_expected_msg_seq_num": True, "early_messages_max": 3},
    {"closed_resend_interval": True, "resend_batch": 1, "early_messages_max": 1},
]


def weather(seed: int) -> Storm:
    """A storm under the settings that this seed has."""
    variant = VARIANTS[seed % len(VARIANTS)]
    storm = Storm(seed, variant, variant)
    storm.run()
    return storm


def check(storm: Storm) -> None:
    """Nothing lost, nothing twice, equal numbers, both up, and no endless asking."""
    assert storm.heard_by_venue == storm.orders
    assert storm.heard_by_maker == storm.reports
    maker, venue = storm.sessions
    assert maker.status is venue.status is Status.ACTIVE
    assert abs(maker.next_out - venue.next_in) <= 1
    assert abs(venue.next_out - maker.next_in) <= 1
    assert (maker.early, venue.early, maker.pending, venue.pending) == ({}, {}, [], [])
    assert storm.asked_again() <= 40 * (1 + len(storm.network.said))


@pytest.mark.parametrize("seed", range(SHORT))
def test_after_a_storm_both_sides_know_the_same(seed: int) -> None:
    check(weather(seed))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(SHORT, LONG, 100))
def test_after_any_of_thousands_of_storms_both_sides_know_the_same(first: int) -> None:
    for seed in range(first, min(first + 100, LONG)):
        try:
            check(weather(seed))
        except AssertionError as error:
            raise AssertionError(f"storm {seed}: {error}") from error


def test_a_storm_is_a_storm() -> None:
    storms = [weather(seed) for seed in range(8)]
    assert sum(len(storm.network.said) for storm in storms) > 40
    assert sum(storm.network.ghosts for storm in storms) > 10
    assert sum(storm.asked_again() for storm in storms) > 10
