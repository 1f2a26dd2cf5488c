"""Replay gives the same digest, from the start or from a snapshot, and shows the first difference."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ComponentFailed, ReplayDiverged
from core.kernel.journal import Header, Journal
from core.kernel.kernel import Kernel
from core.kernel.record import Message, SetTimer, TimerFired
from core.kernel.replay import replay
from core.units import MILLISECOND, SECOND, Nanos
from tests.helpers.runs import reader, recorded, run, toy_kernel
from tests.helpers.toys import CODEC, Answerer, Asker, Ping


def test_a_replay_gives_the_digest_of_the_run() -> None:
    data, digest = recorded()
    replayed = replay(reader(data), [Asker(), Answerer()], CODEC)
    assert (replayed.digest, replayed.count) == (digest, len(list(reader(data).deliveries())))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_snapshot_and_tail_give_the_digest_of_the_run(cut_ms: int) -> None:
    data, digest = recorded()
    kernel = toy_kernel()
    kernel.boot(0)
    run(kernel, cut_ms * MILLISECOND)
    assert replay(reader(data), [Asker(), Answerer()], CODEC, since=kernel.snapshot()).digest == digest


class SlowAsker(Asker):
    """Differs from an Asker at its fifth question only."""

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        super()._on_timer(now, event)
        if self.state.asked == 5 and event.key == "ask":
            self.emit(SetTimer("ask", now + SECOND))

    HANDLERS = {**Asker.HANDLERS, TimerFired: _on_timer}  # noqa: RUF012


def test_the_first_diverging_effect_is_shown_from_both_sides() -> None:
    data, _ = recorded()
    with pytest.raises(ReplayDiverged) as caught:
        replay(reader(data), [SlowAsker(), Answerer()], CODEC)
    told = str(caught.value)
    assert "toy/asker <- TimerFired(key='ask'" in told
    assert "recorded: 3 effects, then []" in told
    assert "replayed: 3 effects, then [SetTimer(key='ask'" in told


class Silent(Answerer):
    def _on_ping(self, now: Nanos, event: Message[Ping]) -> None: ...

    HANDLERS = {**Answerer.HANDLERS, Ping: _on_ping}  # noqa: RUF012


def test_a_component_that_says_less_diverges_at_its_first_silence() -> None:
    data, _ = recorded()
    with pytest.raises(ReplayDiverged) as caught:
        replay(reader(data), [Asker(), Silent()], CODEC)
    assert caught.value.seq == 4
    assert "Send(dst='asker', body=Pong(n=1))" in caught.value.recorded


def test_a_missing_component_is_a_divergence_that_names_it() -> None:
    data, _ = recorded()
    with pytest.raises(ReplayDiverged, match="no component `answerer` on this node"):
        replay(reader(data), [Asker()], CODEC)


class Fragile(Answerer):
    """Breaks on its fifth question."""

    def _on_ping(self, now: Nanos, event: Message[Ping]) -> None:
        if event.body.n == 5:
            raise ZeroDivisionError("five")
        super()._on_ping(now, event)

    HANDLERS = {**Answerer.HANDLERS, Ping: _on_ping}  # noqa: RUF012


def crashed() -> bytes:
    sink = BytesIO()
    journal = Journal("toy", sink)
    journal.open(Header("toy", 1, b"", ""))
    kernel = Kernel("toy", [Asker(), Fragile()], journal=journal)
    kernel.boot(0)
    with pytest.raises(ComponentFailed):
        run(kernel, SECOND)
    journal.close()
    return sink.getvalue()


def test_a_crash_comes_again_and_is_told() -> None:
    replayed = replay(reader(crashed()), [Asker(), Fragile()], CODEC)
    assert replayed.crash == "ZeroDivisionError('five')"


def test_a_crash_that_does_not_come_again_is_a_divergence() -> None:
    with pytest.raises(ReplayDiverged) as caught:
        replay(reader(crashed()), [Asker(), Answerer()], CODEC)
    assert caught.value.recorded == "raised ZeroDivisionError('five')"
    assert "Pong(n=5)" in caught.value.replayed


def test_a_snapshot_of_another_run_is_a_divergence_at_the_end() -> None:
    data, _ = recorded()
    kernel = toy_kernel()
    kernel.boot(MILLISECOND)
    run(kernel, SECOND)
    with pytest.raises(ReplayDiverged):
        replay(reader(data), [Asker(), Answerer()], CODEC, since=kernel.snapshot())
