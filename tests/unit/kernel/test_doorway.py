"""Who yields when a connection is made."""

from __future__ import annotations

import pytest

from core.kernel.doorway import address_of, who_yields

WAITING = {"c1": "10.0.0.1:1", "c2": "10.0.0.2:1", "c3": "10.0.0.2:2"}


@pytest.mark.parametrize(
    ("peer", "address"), [("10.0.0.1:4000", "10.0.0.1"), ("::1:4000", "::1"), ("mm1", "mm1"), ("unknown", "unknown")]
)
def test_the_address_of_a_peer_is_without_its_port(peer: str, address: str) -> None:
    assert address_of(peer) == address


@pytest.mark.parametrize(
    ("peer", "full", "per_address_max", "yields"),
    [
        ("10.0.0.3:1", False, 2, ""),
        ("10.0.0.2:9", False, 3, ""),
        ("10.0.0.2:9", False, 2, "c2"),
        ("10.0.0.3:1", True, 2, "c1"),
        ("10.0.0.2:9", True, 2, "c2"),
    ],
)
def test_the_oldest_that_is_in_the_way_yields(peer: str, full: bool, per_address_max: int, yields: str) -> None:
    assert who_yields("new", peer, WAITING, full=full, per_address_max=per_address_max) == yields


def test_the_newcomer_leaves_where_everybody_has_said_who_they_are() -> None:
    assert who_yields("new", "10.0.0.1:1", {}, full=True, per_address_max=1) == "new"
