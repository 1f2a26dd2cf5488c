"""The simulated wire keeps TCP's promises, and its latency models are what they say."""

from __future__ import annotations

from typing import Any

import pytest

from core.kernel.record import Bytes, Connected, Disconnected, Event
from core.kernel.rng import stream
from core.units import MILLISECOND, SECOND, Nanos
from sim.latency import Constant, Exponential, Latency, Lognormal, Sampler, Uniform, sampler
from sim.network import Network


class Post:
    """A host that keeps what arrives, with the time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.arrived: list[tuple[Nanos, str, Event]] = []

    def post(self, at: Nanos, src: str, dst: str, event: Event) -> None:
        self.arrived.append((at, dst, event))


def falling(start: Nanos) -> Sampler:
    """Each packet would overtake the one before it."""
    spans = iter(range(start, 0, -1))
    return lambda: next(spans)


def pair(latency: Any = lambda _a, _b: lambda: 10) -> tuple[Network, Post, Post]:
    network, venue, maker = Network(latency), Post("venue"), Post("mm1")
    network.listen("venue/fix", venue, "fix")
    network.connect(0, maker, "fix", "out", "venue/fix")
    return network, venue, maker


def test_both_ends_learn_of_a_connection_after_its_handshake() -> None:
    _, venue, maker = pair()
    assert venue.arrived == [(10, "fix", Connected("fix-1", "mm1"))]
    assert maker.arrived == [(20, "fix", Connected("out", "venue"))]


def test_bytes_never_overtake_each_other() -> None:
    network, venue, maker = pair(lambda _a, _b: falling(50))
    for n in range(5):
        network.transmit(100, maker, "out", b"%d" % n)
    assert [event for _, _, event in venue.arrived[1:]] == [Bytes("fix-1", b"%d" % n) for n in range(5)]
    assert sorted(venue.arrived, key=lambda row: row[0]) == venue.arrived


def test_the_end_of_a_connection_arrives_after_what_was_sent() -> None:
    network, venue, maker = pair(lambda _a, _b: falling(50))
    network.transmit(100, maker, "out", b"last words")
    network.close(100, maker, "out", "done")
    assert [event for _, _, event in venue.arrived[1:]] == [
        Bytes("fix-1", b"last words"),
        Disconnected("fix-1", "done"),
    ]


def test_nothing_travels_on_an_ended_connection() -> None:
    network, venue, maker = pair()
    network.close(100, venue, "fix-1", "shut")
    network.transmit(100, venue, "fix-1", b"late")
    network.transmit(100, maker, "out", b"late")
    network.close(100, maker, "out", "again")
    assert len(venue.arrived) == 1
    assert [event for _, _, event in maker.arrived[1:]] == [Disconnected("out", "shut")]


def test_dialling_where_nothing_listens_is_answered() -> None:
    network, maker = Network(lambda _a, _b: lambda: 1), Post("mm1")
    network.connect(7, maker, "fix", "out", "nowhere")
    assert maker.arrived == [(7, "fix", Disconnected("out", "nothing listens on nowhere"))]


def test_a_latency_without_measure_ends_after_a_day() -> None:
    draw = sampler(Lognormal(3600 * SECOND, 5000), stream(4, "latency"))
    assert max(draw() for _ in range(200)) == 86_400 * SECOND


@pytest.mark.parametrize(
    ("model", "low", "high", "median"),
    [
        (Constant(2 * MILLISECOND), 2 * MILLISECOND, 2 * MILLISECOND, 2 * MILLISECOND),
        (Uniform(MILLISECOND, 3 * MILLISECOND), MILLISECOND, 3 * MILLISECOND, 2 * MILLISECOND),
        (Exponential(MILLISECOND, MILLISECOND), MILLISECOND, 60 * MILLISECOND, 1_693_000),
        (Lognormal(2 * MILLISECOND, 400), 1, 20 * MILLISECOND, 2 * MILLISECOND),
    ],
)
def test_latency_models_stay_in_range_around_their_median(
    model: Latency, low: Nanos, high: Nanos, median: Nanos
) -> None:
    draw = sampler(model, stream(4, "latency"))
    spans = sorted(draw() for _ in range(2001))
    assert low <= spans[0] <= spans[-1] <= high
    assert abs(spans[1000] - median) < median // 12
