"""The agenda against the obvious, eager implementation."""

from __future__ import annotations

from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.kernel.agenda import Agenda, Ties
from core.kernel.record import Bytes, Connected, Disconnected, Event, Start, Stop, TimerFired
from core.units import Nanos
from tests.helpers.toys import CODEC

Row: TypeAlias = tuple[Nanos, int, str, Event]
Step: TypeAlias = tuple[object, ...]


class Eager:
    """Keeps every row, sorts when asked, removes the replaced at once. Takes its ties from the agenda's own hash."""

    def __init__(self, ties: Agenda) -> None:
        self.ties = ties
        self.seq = 0
        self.rows: list[Row] = []

    def post(self, at: Nanos, src: str, dst: str, event: Event) -> None:
        self.seq += 1
        self.rows.append((at, self._tie(at, src, dst), dst, event))

    def set_timer(self, dst: str, key: str, at: Nanos) -> None:
        self.cancel_timer(dst, key)
        self.post(at, key, dst, TimerFired(key, at))

    def cancel_timer(self, dst: str, key: str) -> None:
        self.rows = [r for r in self.rows if not (r[2] == dst and isinstance(r[3], TimerFired) and r[3].key == key)]

    def pop_due(self, now: Nanos) -> tuple[str, Event] | None:
        row = min(self.rows, key=lambda r: r[:2], default=None)
        if row is None or row[0] > now:
            return None
        self.rows.remove(row)
        return row[2], row[3]

    def _tie(self, at: Nanos, src: str, dst: str) -> int:
        if not self.ties._shuffled:
            return self.seq
        self.ties._seq, kept = self.seq, self.ties._seq
        tie = self.ties._tie(at, src, dst)
        self.ties._seq = kept
        return tie


times = st.integers(0, 6)
names = st.sampled_from("ab")
keys = st.sampled_from("xy")
steps = st.one_of(
    st.tuples(st.just("post"), times, names, names),
    st.tuples(st.just("set"), times, names, keys),
    st.tuples(st.just("cancel"), names, keys),
    st.tuples(st.just("peek")),
    st.tuples(st.just("pop")),
    st.tuples(st.just("restore")),
)


@pytest.mark.parametrize("ties", ["fifo", "shuffled"])
@settings(max_examples=400, deadline=None)
@given(script=st.lists(steps, max_size=40), seed=st.integers(0, 3))
def test_the_agenda_equals_the_eager_model(ties: Ties, script: list[Step], seed: int) -> None:
    agenda = Agenda(ties, seed)
    model = Eager(Agenda(ties, seed))
    now = 0
    for step in [*script, *[("pop",)] * 41]:
        agenda, now = _apply(step, agenda, model, now, (ties, seed))
    assert agenda.next_at() is None
    assert not model.rows


def _apply(step: Step, agenda: Agenda, model: Eager, now: Nanos, made: tuple[Ties, int]) -> tuple[Agenda, Nanos]:
    match step:
        case ("post", int(after), str(lane), str(dst)):
            for it in (agenda, model):
                it.post(now + after, lane, dst, Start())
        case ("set", int(after), str(dst), str(key)):
            for it in (agenda, model):
                it.set_timer(dst, key, now + after)
        case ("cancel", str(dst), str(key)):
            for it in (agenda, model):
                it.cancel_timer(dst, key)
        case ("restore",):
            seq, entries = agenda.snapshot()
            agenda = Agenda(*made)
            agenda.restore(seq, entries, CODEC.events)
        case ("peek",):
            agenda.next_at()
        case _:
            first = min((row[0] for row in model.rows), default=now)
            assert agenda.pop_due(first - 1) is None
            assert agenda.pop_due(first) == model.pop_due(first)
            now = max(now, first)
    return agenda, now


def test_moving_a_timer_later_adds_no_heap_entry() -> None:
    agenda = Agenda()
    for at in range(10_000):
        agenda.set_timer("session", "heartbeat", at)
    assert len(agenda) == 1
    assert agenda.next_at() == 9_999


def test_shuffled_ties_change_order_between_lanes_but_never_within_one() -> None:
    orders = set()
    for seed in range(20):
        agenda = Agenda("shuffled", seed)
        for lane in "abc":
            agenda.post(5, lane, lane, Start())
            agenda.post(5, lane, lane, Stop())
        out = drain(agenda)
        for lane in "abc":
            assert [event for dst, event in out if dst == lane] == [Start(), Stop()]
        orders.add("".join(dst for dst, _ in out))
    assert len(orders) > 3


def test_fifo_ties_keep_the_order_of_asking() -> None:
    agenda = Agenda()
    for dst in "cab":
        agenda.post(5, dst, dst, Start())
    assert [dst for dst, _ in drain(agenda)] == ["c", "a", "b"]


@pytest.mark.parametrize("ties", ["fifo", "shuffled"])
@given(st.lists(st.tuples(names, times), max_size=30))
def test_hanging_up_removes_what_is_pending_from_that_connection_only(
    ties: Ties, arrivals: list[tuple[str, int]]
) -> None:
    whole, cut = Agenda(ties), Agenda(ties)
    for agenda in (whole, cut):
        agenda.set_timer("x", "a", 3)
        for conn, at in arrivals:
            for event in (Connected(conn, "peer"), Bytes(conn, b"data"), Disconnected(conn, "gone")):
                agenda.post(at, conn, "x", event)
    cut.hang_up("a")
    assert drain(cut) == [(dst, event) for dst, event in drain(whole) if getattr(event, "conn", None) != "a"]


def drain(agenda: Agenda) -> list[tuple[str, Event]]:
    out = []
    while (due := agenda.pop_due(10)) is not None:
        out.append(due)
    return out


@pytest.mark.parametrize("ties", ["fifo", "shuffled"])
def test_what_leads_comes_before_what_is_posted_for_the_same_instant(ties: Ties) -> None:
    for seed in range(20):
        agenda = Agenda(ties, seed)
        for dst in "ab":
            agenda.lead(5, dst, Start())
        for lane in "xyz":
            agenda.post(5, lane, lane, Stop())
        assert drain(agenda)[:2] == [("a", Start()), ("b", Start())]
