from __future__ import annotations

from core.sequencer.known import ENDED_KEPT, REMEMBERED, KnownIds
from tests.helpers.orders import reported as ended


def test_a_live_order_is_known_for_its_whole_life() -> None:
    known = KnownIds()
    known.open("live", "O-1")
    for n in range(3 * REMEMBERED):
        known.remember(f"c{n}")
    assert "live" in known


def test_an_ended_order_is_known_while_as_many_others_end_as_are_remembered() -> None:
    known = KnownIds()
    known.open("first", "O-1")
    known.end(ended("first"))
    assert "first" not in known.live
    for n in range(REMEMBERED):
        assert "first" in known
        known.remember(f"c{n}")
    assert "first" in known
    for n in range(REMEMBERED):
        known.remember(f"d{n}")
    assert "first" not in known


def test_memory_of_ended_orders_is_bounded() -> None:
    known = KnownIds()
    for n in range(5 * REMEMBERED):
        known.remember(f"c{n}")
        assert len(known.young) + len(known.old) <= 2 * REMEMBERED


def test_only_the_last_orders_that_ended_are_kept() -> None:
    known = KnownIds()
    for n in range(ENDED_KEPT + 2):
        known.open(f"c{n}", f"O-{n}")
        known.end(ended(f"c{n}"))
    assert list(known.ended) == [f"c{n}" for n in range(2, ENDED_KEPT + 2)]


def test_a_renamed_order_is_known_by_both_names() -> None:
    known = KnownIds()
    known.open("c1", "O-1")
    known.remember("c2")
    known.rename("c1", "c2")
    assert known.live == {"c2": "O-1"}
    assert "c1" in known
