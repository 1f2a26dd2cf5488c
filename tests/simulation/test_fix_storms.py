"""Two engines that die, and whose connections are lost, delayed and repeated: in the end both know the same, once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from core.fix.message import FixMessage
from core.fix.messages import NewOrderSingle
from core.fix.states import Status
from tests.helpers.storms import LARGE, Storm

SHORT, LONG, TOGETHER = 1_000, 8_000, 50
HARMLESS = {"connection_lost", "heartbeat_timeout", "logon_timeout", "logout_timeout", "peer_logout", "logged_out"}
ENDS = {"maker": HARMLESS | {"resumed"}, "venue": HARMLESS | {"resumed", "sequence_too_low"}}
"""Why a connection may end: the venue also hears ghosts, whose numbers are old."""
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


def check(storm: Storm, refused: Collection[FixMessage] = ()) -> None:
    """Nothing lost but what was `refused`, nothing twice, equal numbers, both up, no harmful end, and no more asking
    than gaps.
    """
    assert storm.venue.heard == [order for order in storm.orders if order not in refused]
    assert storm.maker.heard == storm.reports
    maker, venue = storm.maker.session, storm.venue.session
    assert maker.status is venue.status is Status.ACTIVE
    assert abs(maker.next_out - venue.next_in) <= 1
    assert abs(venue.next_out - maker.next_in) <= 1
    assert (maker.early, venue.early, maker.pending, venue.pending) == ({}, {}, [], [])
    assert storm.asked_again() <= 4 * (1 + len(storm.network.said))
    for mortal in (storm.maker, storm.venue):
        assert mortal.ends.keys() <= ENDS[mortal.name], (mortal.name, mortal.ends)


def check_all(first: int) -> None:
    """Each storm from the `first` on; one that goes wrong is named."""
    for seed in range(first, first + TOGETHER):
        try:
            check(weather(seed))
        except Exception as error:
            raise AssertionError(f"storm {seed}: {error}") from error


@pytest.mark.parametrize("first", range(0, SHORT, TOGETHER))
def test_after_a_storm_both_sides_know_the_same(first: int) -> None:
    check_all(first)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(SHORT, LONG, TOGETHER))
def test_after_any_of_thousands_of_storms_both_sides_know_the_same(first: int) -> None:
    check_all(first)


@pytest.mark.parametrize("seed", range(100))
def test_a_message_that_the_other_side_cannot_take_is_refused_once_and_nobody_asks_for_it_for_ever(seed: int) -> None:
    variant = VARIANTS[seed % len(VARIANTS)]
    storm = Storm(seed, variant, variant | {"message_bytes_max": LARGE}, large_every=7)
    storm.run()
    check(storm, [order for order in storm.orders if isinstance(order, NewOrderSingle) and order.text])


@pytest.mark.parametrize("seed", [1_387])
def test_a_storm_that_once_went_wrong_does_not_again(seed: int) -> None:
    """1387: what has waited leaves with the logon, in the same event as a resend that is asked for right behind it."""
    check(weather(seed))


def test_a_storm_is_a_storm() -> None:
    storms = [weather(seed) for seed in range(8)]
    assert sum(len(storm.network.said) for storm in storms) > 40
    assert sum(storm.network.ghosts for storm in storms) > 10
    assert sum(storm.asked_again() for storm in storms) > 10
    assert sum(storm.maker.restarts + storm.venue.restarts for storm in storms) > 20
