"""The kernel delivers in order, routes effects, stops on a bug, and can be put down and taken up again."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import msgspec
import pytest

from core.errors import ComponentFailed, UnhandledEvent, UnknownComponent
from core.kernel.agenda import Ties
from core.kernel.component import Component
from core.kernel.journal import Header, Journal
from core.kernel.kernel import Kernel, Snapshot
from core.kernel.reader import JournalReader
from core.kernel.record import Effect, Event, Message, Note, Send, Start
from core.units import MILLISECOND, SECOND, Nanos
from tests.helpers.runs import run, toy_kernel
from tests.helpers.toys import CODEC, Answerer, Asker, Ping, Pong, Seen


def test_a_local_send_is_queued_and_delivered_at_the_same_instant() -> None:
    kernel = Kernel("toy", [Asker(limit=1), Answerer()])
    kernel.boot(0)
    assert kernel.pump(0) == []
    assert kernel.pump(MILLISECOND) == [("asker", Note(Seen("pong 1")))]


def test_outward_effects_come_back_in_order_with_the_component_that_asked() -> None:
    kernel = toy_kernel()
    kernel.boot(0)
    facts = [(src, effect.fact.what) for src, effect in run(kernel, 100 * MILLISECOND) if isinstance(effect, Note)]
    assert facts[:2] == [("asker", "pong 1"), ("asker", "pong 2")]


def test_a_timer_in_the_past_fires_now_and_never_before() -> None:
    kernel = Kernel("toy", [Asker(), Answerer()])
    kernel.boot(5 * SECOND)
    kernel.pump(5 * SECOND)
    assert kernel.agenda.next_at() == 5 * SECOND + MILLISECOND


def test_an_event_that_a_component_does_not_declare_is_our_bug() -> None:
    with pytest.raises(UnhandledEvent, match=r"answerer \(Answerer\) does not handle Pong"):
        Answerer().handle(0, Message("x", Pong(1)))


def test_a_send_to_nobody_names_sender_message_and_address() -> None:
    kernel = Kernel("toy", [Asker(limit=1)])
    kernel.boot(0)
    kernel.pump(0)
    with pytest.raises(ComponentFailed, match=r"toy/asker sends Ping\(n=1\) to `answerer`") as caught:
        kernel.pump(MILLISECOND)
    assert isinstance(caught.value.__cause__, UnknownComponent)


class Broken(Answerer):
    def handle(self, now: Nanos, event: Event) -> list[Effect]:
        if isinstance(event, Message):
            raise ZeroDivisionError("a planted bug")
        return super().handle(now, event)


def test_a_component_that_raises_stops_the_run_and_is_the_last_frame_of_the_journal() -> None:
    sink = BytesIO()
    journal = Journal("toy", sink)
    kernel = Kernel("toy", [Asker(), Broken()], journal=journal)
    journal.open(Header("toy", 1, b"", ""))
    kernel.boot(0)
    kernel.pump(0)
    with pytest.raises(ComponentFailed, match=r"toy/answerer failed on Message.*planted bug") as caught:
        kernel.pump(MILLISECOND)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    journal.close()
    reader = JournalReader("toy.romer", sink.getvalue())
    assert len(list(reader.deliveries())) == 3
    assert reader.crash is not None
    assert reader.crash.dst == "answerer"
    assert CODEC.events.decode(reader.crash.event) == Message("asker", Ping(1))


def test_the_observer_sees_every_delivery_with_its_effects() -> None:
    seen: list[tuple[str, str, Event, list[Effect]]] = []
    components: list[Component[Any]] = [Asker(limit=1), Answerer()]
    kernel = Kernel(
        "toy", components, observer=lambda node, _now, dst, event, effects: seen.append((node, dst, event, effects))
    )
    kernel.boot(0)
    run(kernel, MILLISECOND)
    assert seen[1] == ("toy", "answerer", Start(), [])
    assert seen[3] == ("toy", "answerer", Message("asker", Ping(1)), [Send("asker", Pong(1))])


@pytest.mark.parametrize("ties", ["fifo", "shuffled"])
@pytest.mark.parametrize("cut", [0, 1, 17, 350, 999])
def test_a_restored_node_goes_on_to_the_digest_of_the_whole_run(ties: Ties, cut: int) -> None:
    whole = toy_kernel(ties=ties)
    whole.boot(0)
    run(whole, cut * MILLISECOND)
    frozen = msgspec.msgpack.decode(msgspec.msgpack.encode(whole.snapshot()), type=Snapshot)
    run(whole, SECOND)
    twin = toy_kernel(ties=ties)
    twin.restore(frozen, CODEC)
    run(twin, SECOND)
    assert whole.journal is not None
    assert twin.journal is not None
    assert whole.journal.count > 1000
    assert (twin.journal.count, twin.journal.digest()) == (whole.journal.count, whole.journal.digest())
