"""Recovery leads to the node that was, and to what it had open to the outside."""

from __future__ import annotations

from io import BytesIO
from typing import ClassVar

import msgspec
import pytest

from core.errors import JournalDamaged, ReplayDiverged
from core.kernel.codec import Codec
from core.kernel.component import Handler
from core.kernel.journal import Boot, Crash, Header, Journal, Quarantined, control_frame, opening
from core.kernel.kernel import Kernel, Snapshot
from core.kernel.outside import Outside, OutsideState
from core.kernel.reader import JournalReader
from core.kernel.record import (
    Call,
    Close,
    Compute,
    Computed,
    Connect,
    Connected,
    Disconnected,
    Message,
    Record,
    Reply,
    Restarted,
    Resume,
    Start,
    Stop,
    TimerFired,
)
from core.kernel.recover import recover
from core.kernel.segments import segment_name, segment_number, segments, whole_frame_after
from core.units import MILLISECOND, SECOND, Nanos
from tests.helpers.runs import reader, recorded, run, toy_kernel
from tests.helpers.toys import CODEC, Answerer, Asker, Ping, Pong, Square


def fresh() -> Kernel:
    return Kernel("toy", [Asker(), Answerer()], journal=Journal("toy"))


def test_a_recovered_node_does_next_what_the_recorded_one_did_next() -> None:
    data, _ = recorded(SECOND // 2)
    whole = toy_kernel()
    whole.boot(0)
    run(whole, SECOND // 2)
    kernel = fresh()
    assert recover(kernel, reader(data), CODEC) == whole.journal.count  # type: ignore[union-attr]
    assert run(kernel, SECOND) == run(whole, SECOND)


def test_a_delivery_that_the_agenda_does_not_have_next_is_a_divergence() -> None:
    sink = BytesIO()
    journal = Journal("toy", sink)
    journal.open(Header("toy", 1, b"", ""))
    journal.append(0, "answerer", Start(), [])
    journal.flush()
    with pytest.raises(ReplayDiverged, match="not the next thing due"):
        recover(fresh(), reader(sink.getvalue()), CODEC)


def test_a_timer_of_another_deadline_is_a_divergence() -> None:
    sink = BytesIO()
    kernel = toy_kernel(sink)
    kernel.boot(0)
    run(kernel, 0)
    assert kernel.journal is not None
    effects = Asker().handle(MILLISECOND, TimerFired("ask", 7))
    kernel.journal.append(MILLISECOND, "asker", TimerFired("ask", 7), effects)
    kernel.journal.flush()
    with pytest.raises(ReplayDiverged, match="not the next thing due"):
        recover(fresh(), reader(sink.getvalue()), CODEC)


def test_a_snapshot_of_other_components_is_refused() -> None:
    snapshot = toy_kernel().snapshot()
    kernel = Kernel("toy", [Asker()], journal=Journal("toy"))
    with pytest.raises(msgspec.DecodeError, match="components asker, answerer, not asker"):
        kernel.restore(snapshot, CODEC)


def test_the_outside_follows_what_is_opened_and_closed_from_either_side() -> None:
    outside = Outside()
    outside.given("door", Connected("door-1", "peer"))
    outside.given("door", Connected("door-2", "peer"))
    outside.asked("client", Connect("out", "host:1"))
    outside.asked("client", Connect("out2", "host:1"))
    outside.given("door", Disconnected("door-1", "gone"))
    outside.asked("client", Close("out", "done"))
    assert outside.connections == {"door-2": "door", "out2": "client"}


def test_the_outside_knows_what_was_asked_and_not_answered_across_a_snapshot() -> None:
    outside = Outside()
    for effect in (Compute("a", Square(1)), Compute("b", Square(2)), Call("bank", "a", Ping(3))):
        outside.asked("one", effect)
    outside.asked("two", Compute("a", Square(4)))
    outside.given("one", Computed("a", Pong(1)))
    outside.given("two", Stop())
    outside.given("one", Stop())
    outside.given("one", Resume())
    frozen = msgspec.msgpack.decode(msgspec.msgpack.encode(outside.snapshot()), type=OutsideState)
    twin = Outside()
    twin.restore(frozen, Codec((Square, Ping, Pong)))
    expected = [("one", Compute("b", Square(2))), ("one", Call("bank", "a", Ping(3))), ("two", Compute("a", Square(4)))]
    assert twin.unanswered() == expected
    assert list(twin.stopped) == ["two"]
    twin.given("one", Reply("a", Ping(0)))
    assert twin.unanswered() == [expected[0], expected[2]]


def test_a_resumed_node_hears_of_lost_connections_before_anything_that_is_overdue() -> None:
    kernel = toy_kernel()
    kernel.boot(0)
    run(kernel, 5 * MILLISECOND)
    kernel.outside.given("asker", Connected("asker-1", "peer"))
    kernel.outside.given("answerer", Stop())
    kernel.resume()
    due = [kernel.agenda.pop_due(SECOND) for _ in range(3)]
    assert due[:2] == [("asker", Disconnected("asker-1", "restarted")), ("answerer", Resume())]
    assert due[2] is not None
    assert isinstance(due[2][1], TimerFired | Message)


class Waiting(Answerer):
    """An answerer that hears of a restart."""

    def _on_restarted(self, _now: Nanos, _event: Restarted) -> None:
        """It is enough to have heard."""

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {**Answerer.HANDLERS, Restarted: _on_restarted}


def test_who_waits_for_an_answer_and_wants_to_hear_of_a_restart_does_before_anything_that_is_overdue() -> None:
    for waits in (True, False):
        kernel = Kernel("toy", [Asker(), Waiting()])
        kernel.boot(0)
        run(kernel, 5 * MILLISECOND)
        kernel.outside.asked("asker", Compute("a", Square(1)))
        kernel.outside.asked("answerer", Compute("b", Square(2)))
        kernel.outside.asked("answerer", Compute("c", Square(3)))
        if not waits:
            kernel.outside.given("answerer", Computed("b", Pong(4)))
            kernel.outside.given("answerer", Computed("c", Pong(9)))
        kernel.resume()
        due = [kernel.agenda.pop_due(SECOND) for _ in range(2)]
        assert [it == ("answerer", Restarted()) for it in due] == [waits, False]


def crashed_then(*frames: bytes) -> bytes:
    crash = Crash(5, "asker", msgspec.Raw(msgspec.msgpack.encode(TimerFired("ask", 1))), "boom")
    return opening(Header("toy", 1, b"", "")) + control_frame(crash) + b"".join(frames)


def test_a_crash_is_told_until_it_is_quarantined() -> None:
    ended = reader(crashed_then())
    assert list(ended.deliveries(unfinished=True)) == []
    assert ended.crash is not None
    passed = reader(crashed_then(control_frame(Quarantined(9))))
    assert list(passed.deliveries(unfinished=True)) == []
    assert passed.crash is None
    assert [crash.error for crash in passed.take_passed_over()] == ["boom"]
    assert passed.take_passed_over() == []


def test_a_quarantine_without_a_crash_is_damage() -> None:
    data = opening(Header("toy", 1, b"", "")) + control_frame(Quarantined(9))
    with pytest.raises(JournalDamaged, match="quarantine of an event that did not crash"):
        list(reader(data).deliveries(unfinished=True))


def split(at: int) -> tuple[bytes, bytes, str]:
    """A toy journal in two segments, and its digest."""
    first, second = BytesIO(), BytesIO()
    kernel = toy_kernel(first)
    kernel.boot(0)
    run(kernel, at * MILLISECOND)
    journal = kernel.journal
    assert journal is not None
    journal.flush()
    second.write(opening(Header("toy", 1, b"", "", segment=2, boot=2, count=journal.count, digest=journal.digest())))
    second.write(control_frame(Boot(2, 5)))
    journal.attach(second)
    run(kernel, SECOND)
    journal.close()
    return first.getvalue(), second.getvalue(), journal.digest()


@pytest.mark.parametrize("at", [0, 100, 900])
def test_segments_are_read_as_one_journal(at: int) -> None:
    first, second, digest = split(at)
    both = JournalReader("1", first, later=[("2", lambda: second)])
    seqs = [delivery.seq for delivery in both.deliveries()]
    assert seqs == list(range(1, len(seqs) + 1))
    assert both.digest() == digest == recorded()[1]
    assert [boot.number for boot in both.boots] == [2]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"segment": 3}, "segment 3 after segment 1"),
        ({"count": 1}, "segment begins after 1"),
        ({"digest": "00"}, "segment begins after"),
        ({"seed": 2}, "a segment of another journal"),
        ({"node": "other"}, "a segment of another journal"),
    ],
)
def test_a_segment_that_does_not_continue_the_one_before_is_damage(changed: dict[str, object], what: str) -> None:
    first, second, _ = split(100)
    header = msgspec.structs.replace(JournalReader("2", second).header, **changed)
    broken = JournalReader("1", first, later=[("2", lambda: opening(header))])
    with pytest.raises(JournalDamaged, match=what) as caught:
        list(broken.deliveries(unfinished=True))
    assert (caught.value.name, caught.value.offset) == ("2", 8)


def test_with_a_snapshot_reading_may_begin_at_the_segment_that_it_stands_in() -> None:
    first, second, digest = split(100)
    kernel = toy_kernel()
    kernel.boot(0)
    run(kernel, 500 * MILLISECOND)
    snapshot: Snapshot = kernel.snapshot()
    tail = JournalReader("2", second, since=snapshot.chain)
    assert next(iter(tail.deliveries())).seq == snapshot.chain.count + 1
    twin = fresh()
    recover(twin, JournalReader("2", second, since=snapshot.chain), CODEC, snapshot)
    assert twin.journal is not None
    assert twin.journal.digest() == digest
    run(kernel, SECOND)
    with pytest.raises(JournalDamaged, match=r"ends after delivery .* before"):
        list(JournalReader("1", first, since=kernel.snapshot().chain).deliveries(unfinished=True))


def test_without_the_first_segments_the_digest_is_unknown_and_said_to_be() -> None:
    _, second, _ = split(100)
    tail = JournalReader("2", second)
    assert list(tail.deliveries())
    assert tail.digest() == ""


def test_reserved_room_is_no_damage_and_anything_in_it_is() -> None:
    data, _ = recorded(SECOND // 5)
    without_end = data[: data.rindex(b"End") - 20]
    cut = without_end[: list(reader(data).deliveries())[-1].offset]
    assert list(reader(cut + bytes(1000)).deliveries(unfinished=True))
    with pytest.raises(JournalDamaged) as caught:
        list(reader(cut + bytes(500) + b"x" + bytes(499)).deliveries(unfinished=True))
    assert caught.value.offset == len(cut)


def test_the_next_whole_frame_is_found_on_damaged_ground() -> None:
    data, _ = recorded(SECOND // 5)
    offsets = [delivery.offset for delivery in reader(data).deliveries()]
    assert whole_frame_after(data, offsets[3] + 1) == offsets[4]
    assert whole_frame_after(b"\x94" * 1000, 0) is None


def test_segments_are_found_among_other_files_in_order_and_once() -> None:
    names = ["000002.romer.zst", "000010.romer", "000002.romer", "lock", "venue.romer", "000001.romer.zst", "1.romer"]
    assert segments(names) == ["000001.romer.zst", "000002.romer", "000010.romer"]
    assert segment_number(segment_name(1_234_567)) == 1_234_567
