"""An agenda of cues: each at its instant, in its place among the node's deliveries, none after its connection's end."""

from __future__ import annotations

from core.kernel.agenda import Agenda
from core.kernel.record import Bytes, Connected, Disconnected, Event, Message, Start, TimerFired
from core.units import Nanos
from sim.whatif.tape import Cue, Cut, Ring, Tape
from tests.helpers.toys import Ping


def cue(at: Nanos, conn: str = "c1", *, after: int = 0, event: Event | None = None) -> Cue:
    return Cue(at, after, "fix", event or Bytes(conn, b"x"))


def tape(*cues: Cue, rang: dict[Ring, Nanos] | None = None) -> Tape:
    return Tape(cues, rang or {})


def drain(agenda: Agenda, now: Nanos) -> list[Event]:
    given = []
    while (due := agenda.pop_due(now)) is not None:
        given.append(due[1])
    return given


def test_a_cue_is_due_at_its_instant_and_comes_once() -> None:
    agenda = tape(cue(10), cue(20))
    assert agenda.next_at() == 10
    assert drain(agenda, 9) == []
    assert drain(agenda, 15) == [Bytes("c1", b"x")]
    assert agenda.next_at() == 20
    assert len(drain(agenda, 20)) == 1
    assert agenda.next_at() is None


def test_a_cue_comes_after_as_many_deliveries_of_the_node_s_own_as_it_did() -> None:
    first, second = Message("a", Ping(1)), Message("a", Ping(2))
    agenda = tape(cue(10, after=1))
    agenda.post(10, "a", "b", first)
    agenda.post(10, "a", "b", second)
    assert drain(agenda, 10) == [first, Bytes("c1", b"x"), second]


def test_a_cue_does_not_wait_for_deliveries_that_do_not_come_this_time() -> None:
    agenda = tape(cue(10, after=3))
    agenda.post(10, "a", "b", Message("a", Ping(1)))
    assert [type(event) for event in drain(agenda, 10)] == [Message, Bytes]


def test_the_count_of_own_deliveries_starts_anew_at_each_instant() -> None:
    agenda = tape(cue(20, after=1))
    agenda.post(10, "a", "b", Message("a", Ping(1)))
    agenda.post(20, "a", "b", Message("a", Ping(2)))
    drain(agenda, 10)
    assert [type(event) for event in drain(agenda, 20)] == [Message, Bytes]


def test_nothing_comes_on_a_connection_that_the_node_has_closed() -> None:
    agenda = tape(cue(5, event=Connected("c1", "peer")), cue(10), cue(12, "c2"))
    drain(agenda, 5)
    assert list(agenda.open) == ["c1"]
    agenda.hang_up("c1")
    assert not agenda.can_carry("c1", 10)
    assert not agenda.open
    assert agenda.next_at() == 12
    assert drain(agenda, 12) == [Bytes("c2", b"x")]


def test_a_connection_carries_nothing_before_it_is_open() -> None:
    agenda = tape(cue(5, event=Connected("c1", "peer")), cue(30, "c2", event=Connected("c2", "peer")))
    assert [agenda.can_carry(conn, 20) for conn in ("c1", "c2", "c3")] == [True, False, False]
    assert agenda.can_carry("c2", 30)


def test_nothing_comes_on_a_connection_that_its_peer_has_left() -> None:
    agenda = tape(cue(5, event=Disconnected("c1", "gone")), cue(10))
    assert len(drain(agenda, 5)) == 1
    assert agenda.next_at() is None


def test_a_timer_that_rang_late_rings_as_late_again_and_any_other_at_its_deadline() -> None:
    agenda = tape(rang={("a", "k", 10): 13})
    agenda.set_timer("a", "k", 10)
    assert agenda.next_at() == 13
    assert drain(agenda, 13) == [TimerFired("k", 10)]
    agenda.set_timer("a", "k", 20)
    assert agenda.next_at() == 20


def test_the_recording_s_own_start_is_the_only_one() -> None:
    agenda = tape(cue(5, event=Start()))
    agenda.lead(5, "fix", Start())
    assert drain(agenda, 5) == [Start()]


def test_what_a_killed_node_left_undone_at_an_instant_comes_at_its_next_start() -> None:
    done, left = Message("a", Ping(1)), Message("a", Ping(2))
    agenda = Tape([cue(10), cue(50, event=Disconnected("c1", "restarted"))], {}, cuts={10: Cut(1, 50)})
    agenda.post(10, "a", "b", done)
    agenda.post(10, "a", "b", left)
    assert drain(agenda, 10) == [Bytes("c1", b"x"), done]
    assert agenda.next_at() == 50
    assert drain(agenda, 50) == [Disconnected("c1", "restarted"), left]


def test_a_cue_at_the_instant_of_a_kill_does_not_wait_for_what_was_left_undone() -> None:
    agenda = Tape([cue(10, after=3)], {}, cuts={10: Cut(0, 50)})
    agenda.post(10, "a", "b", Message("a", Ping(1)))
    assert [type(event) for event in drain(agenda, 10)] == [Bytes]
    assert [type(event) for event in drain(agenda, 50)] == [Message]
