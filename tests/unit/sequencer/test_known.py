from __future__ import annotations

from core.sequencer.known import REMEMBERED, KnownIds


def test_a_live_order_is_known_for_its_whole_life() -> None:
    known = KnownIds()
    known.open("live", "O-1")
    for n in range(3 * REMEMBERED):
        known.remember(f"c{n}")
    assert "live" in known


def test_an_ended_order_is_known_while_as_many_others_end_as_are_remembered() -> None:
    known = KnownIds()
    known.open("first", "O-1")
    known.end("first")
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
