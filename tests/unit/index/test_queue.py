"""Waiting lines: in order, after their time, with nobody in front of another for nothing."""

from __future__ import annotations

from core.index.queue import WaitingLine

WAIT = 10


def line(active_max: int = 1) -> WaitingLine:
    """Two orders of user 1, then one of user 2."""
    waiting = WaitingLine(WAIT, active_max)
    for item, user in (("u1 C-01", "u1"), ("u1 C-02", "u1"), ("u2 C-01", "u2")):
        waiting.add(item, user, 0)
    return waiting


def test_the_client_queue_vector() -> None:
    waiting = line()
    assert waiting.next(0) is None
    assert waiting.next(10) == "u1 C-01"
    waiting.put_back("u1 C-01", 10)
    assert waiting.next(20) == "u2 C-01"
    assert waiting.next(20) == "u1 C-01"
    assert waiting.next(20) is None
    waiting.remove("u1 C-01")
    assert waiting.next(20) == "u1 C-02"


def test_a_user_may_have_several_in_service() -> None:
    waiting = line(active_max=2)
    assert [waiting.next(10) for _ in range(4)] == ["u1 C-01", "u1 C-02", "u2 C-01", None]


def test_an_unserved_order_that_leaves_blocks_nobody() -> None:
    waiting = line()
    waiting.remove("u1 C-01")
    waiting.remove("u1 C-02")
    assert waiting.next(10) == "u2 C-01"
    assert waiting.next_due() is None


def test_one_that_steps_aside_and_leaves_is_forgotten() -> None:
    waiting = line()
    assert [waiting.next(10), waiting.next(10)] == ["u1 C-01", "u2 C-01"]
    waiting.remove("u1 C-02")
    waiting.remove("u1 C-01")
    assert waiting.next(100) is None
    assert (waiting.line, waiting.aside, waiting.freed, waiting.counts) == ({}, {}, {}, {"u2": 1})


def test_what_was_freed_is_next_and_due_at_once() -> None:
    waiting = line()
    assert [waiting.next(10), waiting.next(10)] == ["u1 C-01", "u2 C-01"]
    waiting.remove("u1 C-01")
    assert waiting.next_due() == 0
    assert waiting.next(10) == "u1 C-02"


def test_the_next_one_is_due_when_it_has_waited() -> None:
    waiting = line()
    assert waiting.next_due() == WAIT
    waiting.next(10)
    waiting.put_back("u1 C-01", 12)
    waiting.remove("u1 C-02")
    waiting.remove("u2 C-01")
    assert waiting.next_due() == 22


def test_removing_what_is_not_there_changes_nothing() -> None:
    waiting = line()
    waiting.remove("nobody")
    assert waiting.next(10) == "u1 C-01"
