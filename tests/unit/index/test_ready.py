"""Orders that are due, and those that wait for a market to move."""

from __future__ import annotations

from core.index.ready import ReadyLine, of_asset, of_index

BUY, SELL = "buy:IX", "sell:IX"


def line_of(*order_ids: str) -> ReadyLine:
    """A line of orders that are all due."""
    line = ReadyLine()
    for order_id in order_ids:
        line.add(order_id, BUY)
    return line


def test_who_is_parked_is_ready_and_not_due() -> None:
    line = line_of("I-1", "I-2")
    line.park("I-1", of_index("IX"))
    assert "I-1" in line
    assert list(line.due) == ["I-2"]


def test_what_moves_wakes_those_who_wait_for_it_and_nobody_else() -> None:
    line = line_of("I-1", "I-2", "I-3")
    line.park("I-1", of_asset("AX"))
    line.park("I-2", of_asset("AZ"))
    line.park("I-3", of_index("AX"))
    line.wake(of_asset("AX"), of_asset("AW"))
    assert list(line.due) == ["I-1"]
    line.wake(of_index("AX"))
    assert list(line.due) == ["I-1", "I-3"]
    assert line.parked == {"I-2": "asset:AZ"}


def test_woken_orders_let_those_pass_who_were_not_planned_yet() -> None:
    line = line_of("I-1", "I-2")
    line.park("I-1", of_asset("AX"))
    line.wake_all()
    assert list(line.due) == ["I-2", "I-1"]
    assert line.waiting == {}


def test_who_leaves_or_waits_for_something_else_leaves_no_trace() -> None:
    line = line_of("I-1", "I-2")
    line.park("I-1", of_asset("AX"))
    line.park("I-1", of_asset("AZ"))
    line.drop("I-2")
    line.drop("I-2")
    assert line.waiting == {"asset:AZ": {"I-1": None}}
    line.drop("I-1")
    assert line == ReadyLine()


def test_who_gathers_is_ready_and_is_due_when_the_time_has_come() -> None:
    line = line_of("I-1")
    line.gather("I-2", BUY, 5)
    line.gather("I-3", SELL, 7)
    assert "I-2" in line
    assert (list(line.due), line.next_ripe()) == (["I-1"], 5)
    line.ripen(4)
    assert list(line.due) == ["I-1"]
    line.ripen(5)
    assert (list(line.due), line.next_ripe()) == (["I-1", "I-2"], 7)
    line.drop("I-3")
    assert (line.next_ripe(), "I-3" in line) == (None, False)


def test_who_rests_is_ready_and_is_due_when_the_time_has_come_whatever_moves_before() -> None:
    line = line_of("I-1", "I-2", "I-3", "I-4")
    for order_id, until in (("I-2", 9), ("I-1", 7), ("I-3", 7)):
        line.rest(order_id, until)
    line.gather("I-5", SELL, 8)
    line.wake(of_index("IX"))
    line.wake_all()
    assert (list(line.due), line.next_ripe(), line.due_kinds) == (["I-4"], 7, {BUY: 1})
    line.ripen(6)
    assert list(line.due) == ["I-4"]
    line.ripen(7)
    assert (list(line.due), line.next_ripe()) == (["I-4", "I-1", "I-3"], 8)
    line.ripen(9)
    assert (list(line.due), line.next_ripe()) == (["I-4", "I-1", "I-3", "I-2", "I-5"], None)


def test_who_leaves_while_it_rests_leaves_no_trace() -> None:
    line = line_of("I-1", "I-2")
    line.rest("I-1", 7)
    line.rest("I-2", 7)
    line.drop("I-1")
    assert (line.resting, line.rests, "I-1" in line) == ({"I-2": 7}, {7: {"I-2": None}}, False)
    line.park("I-2", of_asset("AX"))
    assert (line.next_ripe(), line.parked) == (None, {"I-2": "asset:AX"})
    line.drop("I-2")
    assert line == ReadyLine()


def test_the_line_knows_how_many_of_each_kind_are_due_and_gather_whatever_has_happened_to_them() -> None:
    line = line_of("I-1", "I-2")
    line.gather("I-3", SELL, 5)
    line.gather("I-4", SELL, 6)
    line.park("I-1", of_asset("AX"))
    assert (line.due_kinds, line.gathering_kinds) == ({BUY: 1}, {SELL: 2})
    line.ripen(5)
    line.release("I-4")
    assert (line.due_kinds, line.gathering_kinds) == ({BUY: 1, SELL: 2}, {})
    line.wake(of_asset("AX"))
    line.park("I-2", of_asset("AX"))
    line.wake_all()
    assert line.due_kinds == {BUY: 2, SELL: 2}
    for order_id in ("I-1", "I-2", "I-3", "I-4"):
        line.drop(order_id)
    assert line == ReadyLine()
