"""Whose Logon is checked next, whoever else brings Logons and how many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.identity.turns import ADDRESS_MAX, LANE_MAX, Turns


def order(turns: Turns) -> list[str]:
    """All that waits, in the order of its turns."""
    found = list[str]()
    while job := turns.take():
        found.append(job)
    return found


def test_lanes_take_turns_and_in_each_of_them_addresses_do() -> None:
    turns = Turns()
    for job in ("a1", "a2", "b1", "a3"):
        assert turns.add("MM1", job[0], job) == ""
    assert turns.add("MM2", "c", "c1") == ""
    assert order(turns) == ["a1", "c1", "b1", "a2", "a3"]
    assert turns == Turns()


def test_of_one_address_so_many_wait_in_a_lane_and_no_more() -> None:
    turns = Turns()
    assert [turns.add("MM1", "a", str(n)) for n in range(ADDRESS_MAX + 1)] == [""] * ADDRESS_MAX + [str(ADDRESS_MAX)]
    assert turns.add("MM2", "a", "other lane") == ""


def test_in_a_full_lane_the_address_that_has_most_yields_to_one_that_has_fewer() -> None:
    turns = Turns()
    for n in range(LANE_MAX):
        turns.add("MM1", f"a{n % 8}", f"{n % 8}/{n}")
    assert turns.add("MM1", "b", "b1") == f"0/{LANE_MAX - 8}"
    for n in range(LANE_MAX):
        turns.add("MM1", f"each{n}", f"{n}")
    assert sum(len(jobs) for jobs in turns.lanes["MM1"].values()) == LANE_MAX


def test_in_a_lane_that_is_full_of_addresses_with_one_each_the_newest_yields() -> None:
    turns = Turns()
    for n in range(LANE_MAX):
        turns.add("MM1", f"a{n}", str(n))
    assert turns.add("MM1", "b", "late") == "late"
    assert "b" not in turns.lanes["MM1"]


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("abcdefgh"), st.integers(0, 5)), max_size=300))
def test_each_job_is_taken_dropped_or_yields_once_and_nothing_is_left_of_it(steps: list[tuple[str, str, int]]) -> None:
    turns, waiting = Turns(), dict[str, tuple[str, str]]()
    for n, (lane, address, what) in enumerate(steps):
        if what == 0 and waiting:
            job = next(iter(waiting))
            assert turns.drop(*waiting.pop(job), job)
            assert not turns.drop(lane, address, job)
        elif what == 1:
            job = turns.take()
            assert (job in waiting) is bool(waiting)
            waiting.pop(job, None)
        else:
            waiting[str(n)] = lane, address
            waiting.pop(turns.add(lane, address, str(n)), None)
    assert sorted(order(turns)) == sorted(waiting)
    assert turns == Turns()


@given(st.lists(st.sampled_from("abcdefgh"), max_size=200))
def test_whoever_comes_alone_in_a_lane_waits_for_one_check_of_each_other_lane(flood: list[str]) -> None:
    turns = Turns()
    for n, address in enumerate(flood):
        turns.add(f"lane {n % 3}", address, f"flood {n}")
    turns.add("MM1", "honest", "mine")
    assert order(turns).index("mine") <= 3
