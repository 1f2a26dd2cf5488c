"""Waiting lines: in order, after their time, with nobody in front of another for nothing."""

from __future__ import annotations

from collections.abc import Callable

from core.index.queue import WaitingLine
from tests.helpers.effort import growth_of

WAIT = 10


def line(active_max: int = 1) -> WaitingLine:
    """Two orders of user 1, then one of user 2."""
    waiting = WaitingLine(WAIT, active_max)
    for item, user in (("u1 C-01", "u1"), ("u1 C-02", "u1"), ("u2 C-01", "u2")):
        waiting.add(item, user, 0)
    return waiting


def test_the_client_queue_vector() -> None:
    """Of each user the first, in turn; here all that is due is taken at once."""
    waiting = line()
    assert waiting.take(0) == []
    assert waiting.take(10) == ["u1 C-01", "u2 C-01"]
    waiting.put_back("u2 C-01", 10)
    waiting.put_back("u1 C-01", 10)
    assert waiting.take(20) == ["u2 C-01", "u1 C-01"]
    assert waiting.take(20) == []
    waiting.remove("u1 C-01")
    assert waiting.take(20) == ["u1 C-02"]


def test_a_user_may_have_several_in_service() -> None:
    waiting = line(active_max=2)
    assert waiting.take(10) == ["u1 C-01", "u1 C-02", "u2 C-01"]


def test_an_unserved_order_that_leaves_blocks_nobody() -> None:
    waiting = line()
    waiting.remove("u1 C-01")
    waiting.remove("u1 C-02")
    assert waiting.take(10) == ["u2 C-01"]
    assert waiting.next_due() is None


def test_one_that_steps_aside_and_leaves_is_forgotten() -> None:
    waiting = line()
    assert waiting.take(10) == ["u1 C-01", "u2 C-01"]
    waiting.remove("u1 C-02")
    waiting.remove("u1 C-01")
    assert waiting.take(100) == []
    assert (waiting.line, waiting.aside, waiting.freed, waiting.counts) == ({}, {}, {}, {"u2": 1})


def test_what_was_freed_is_next_and_due_at_once() -> None:
    waiting = line()
    assert waiting.take(10) == ["u1 C-01", "u2 C-01"]
    waiting.remove("u1 C-01")
    assert waiting.next_due() == 0
    assert waiting.take(10) == ["u1 C-02"]


def test_the_next_one_is_due_when_it_has_waited() -> None:
    waiting = line()
    assert waiting.next_due() == WAIT
    waiting.take(10)
    waiting.put_back("u1 C-01", 12)
    waiting.remove("u1 C-02")
    waiting.remove("u2 C-01")
    assert waiting.next_due() == 22


def test_one_that_leaves_while_it_waits_again_lets_the_next_of_its_user_in() -> None:
    waiting = line()
    assert waiting.take(10) == ["u1 C-01", "u2 C-01"]
    waiting.put_back("u1 C-01", 10)
    waiting.remove("u1 C-01")
    assert waiting.take(10) == ["u1 C-02"]
    assert (waiting.line, waiting.aside, waiting.counts) == ({}, {}, {"u1": 1, "u2": 1})


def line_of(count: int) -> Callable[[], list[str]]:
    """A line in which all are due."""
    waiting = WaitingLine(WAIT, 1)
    for number in range(count):
        waiting.add(f"I-{number}", f"u{number}", 0)
    return lambda: waiting.take(WAIT)


def test_a_line_is_walked_once_however_long_it_is() -> None:
    """Eight times as many took 64 times as long where the line lost its first item one by one."""
    assert growth_of(line_of, 10_000, 80_000) < 30


def test_removing_what_is_not_there_changes_nothing() -> None:
    waiting = line()
    waiting.remove("nobody")
    assert waiting.take(10) == ["u1 C-01", "u2 C-01"]
