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

    def lead(self, at: Nanos, dst: str, event: Event) -> None:
        self.seq += 1
        self.rows.append((at, self.seq, dst, event))

    def set_timer(self, dst: str, key: str, at: Nanos) -> None:
        self.cancel_timer(dst, key)
        self.post(at, key, dst, TimerFired(key, at))

    def cancel_timer(self, dst: str, key: str) -> None:
        self.rows = [r for r in self.rows if not (r[2] == dst and isinstance(r[3], TimerFired) and r[3].key == key)]

    def hang_up(self, conn: str) -> None:
        self.rows = [row for row in self.rows if not (isinstance(row[3], Bytes) and row[3].conn == conn)]

    def first(self) -> Row | None:
        return min(self.rows, key=lambda row: row[:2], default=None)

    def next_at(self) -> Nanos | None:
        return min((row[0] for row in self.rows), default=None)

    def pop_due(self, now: Nanos) -> tuple[str, Event] | None:
        row = self.first()
        if row is None or row[0] > now:
            return None
        self.rows.remove(row)
        return row[2], row[3]

    def take(self, now: Nanos, dst: str, event: Event) -> bool:
        row = self.first()
        if row is None or row[2:] != (dst, event):
            return False
        return self.pop_due(now) is not None

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
    st.tuples(st.just("arrive"), times, names, names),
    st.tuples(st.just("lead"), times, names),
    st.tuples(st.just("hang up"), names),
    st.tuples(st.just("set"), times, names, keys),
    st.tuples(st.just("cancel"), names, keys),
    st.tuples(st.just("peek")),
    st.tuples(st.just("pop")),
    st.tuples(st.just("take"), times, names),
    st.tuples(st.just("restore")),
)
scripts = st.lists(steps, max_size=60) | st.lists(steps, min_size=30, max_size=60)


@pytest.mark.parametrize("ties", ["fifo", "shuffled"])
@settings(max_examples=400, deadline=None)
@given(script=scripts, seed=st.integers(0, 3))
def test_the_agenda_equals_the_eager_model(ties: Ties, script: list[Step], seed: int) -> None:
    agenda = Agenda(ties, seed)
    model = Eager(Agenda(ties, seed))
    now = 0
    for step in [*script, *[("pop",)] * 61]:
        agenda, now = _apply(step, agenda, model, now, (ties, seed))
    assert agenda.next_at() is None
    assert not model.rows


def _apply(step: Step, agenda: Agenda, model: Eager, now: Nanos, made: tuple[Ties, int]) -> tuple[Agenda, Nanos]:
    match step:
        case ("restore",):
            seq, entries = agenda.snapshot()
            agenda = Agenda(*made)
            agenda.restore(seq, entries, CODEC.events)
        case ("peek",):
            assert agenda.next_at() == model.next_at()
        case ("take", int(after), str(dst)):
            at, _, to, event = model.first() or (now, 0, dst, Start())
            for guess in ((now + after, dst, Start()), (at - 1, to, event), (at, to, event)):
                assert agenda.take(*guess) == model.take(*guess)
        case ("pop",):
            due = model.next_at()
            first = now if due is None else due
            assert agenda.pop_due(first - 1) is None
            assert agenda.pop_due(first) == model.pop_due(first)
            now = max(now, first)
        case _:
            for one in (agenda, model):
                _ask(step, one, now)
    return agenda, now


def _ask(step: Step, one: Agenda | Eager, now: Nanos) -> None:
    match step:
        case ("post", int(after), str(lane), str(dst)):
            one.post(now + after, lane, dst, Start())
        case ("arrive", int(after), str(conn), str(dst)):
            one.post(now + after, conn, dst, Bytes(conn, b"data"))
        case ("lead", int(after), str(dst)):
            one.lead(max(now + after - 3, 0), dst, Stop())  # perhaps in the past, as when a node is taken up again
        case ("hang up", str(conn)):
            one.hang_up(conn)
        case ("set", int(after), str(dst), str(key)):
            one.set_timer(dst, key, now + after)
        case ("cancel", str(dst), str(key)):
            one.cancel_timer(dst, key)
        case _:
            raise AssertionError(step)


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
