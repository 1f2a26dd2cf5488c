"""A node costs SimPy one event per distinct instant, however often its next wake-up moves; services answer or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from simpy import Environment

from core.kernel.component import Component, Handler
from core.kernel.kernel import Kernel
from core.kernel.record import Call, Message, Record, Reply, Start
from core.units import Nanos
from sim.driver import NO_SERVICES, Caller, Service, SimNode
from sim.network import Network


class Ping(Record, frozen=True):
    """Anything at all."""


class Pong(Record, frozen=True):
    """The answer to `Ping`."""

    number: int


class Heard(msgspec.Struct):
    """When it arrived, and what."""

    at: list[Nanos] = []
    pongs: list[tuple[Nanos, str, int]] = []


class Listener(Component[Heard]):
    """Writes down the time, and asks a service whenever it starts."""

    __slots__ = ()

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        for call_id in ("a", "b", "c"):
            self.emit(Call("oracle", call_id, Ping()))

    def _on_message(self, now: Nanos, _event: Message[Ping]) -> None:
        self.state.at.append(now)

    def _on_pong(self, now: Nanos, event: Message[Pong] | Reply[Pong]) -> None:
        said_as = event.call_id if isinstance(event, Reply) else f"from {event.src}"
        self.state.pongs.append((now, said_as, event.body.number))

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {Start: _on_start, Ping: _on_message, Pong: _on_pong}


class Counted(Environment):
    """SimPy, which says for which instants it was asked."""

    def __init__(self) -> None:
        super().__init__(0)
        self.asked: list[int] = []

    def schedule(self, event: Any, priority: Any = 1, delay: Any = 0) -> None:
        self.asked.append(self.now + delay)
        super().schedule(event, priority, delay)


class Moody:
    """Answers the second of three calls later than the third, never the first, and speaks unasked."""

    def ask(self, caller: Caller, call: Call[Ping]) -> None:
        if call.call_id != "a":
            caller.reply(20 if call.call_id == "b" else 10, call.call_id, Pong(1))
            caller.tell(15, Pong(2))


def listening(services: Mapping[str, Service] = NO_SERVICES) -> tuple[Counted, SimNode, Listener]:
    env, listener = Counted(), Listener("ear", Heard())
    kernel, network = Kernel("node", [listener]), Network(lambda _a, _b: lambda: 0)
    return env, SimNode(env, kernel, network, on_note=lambda *_: None, services=services), listener


def test_each_distinct_instant_is_one_event_even_when_an_earlier_one_comes_between() -> None:
    env, node, listener = listening()
    for at in (30, 20, 30, 10, 20, 10):
        node.post(at, "world", "ear", Message("world", Ping()))
    env.run()
    assert listener.state.at == [10, 10, 20, 20, 30, 30]
    assert sorted(env.asked) == [10, 20, 30]


def test_a_service_may_answer_by_a_function_within_a_span() -> None:
    env, node, listener = listening({"oracle": lambda _ping: (Pong(7), 5)})
    node.boot()
    env.run()
    assert listener.state.pongs == [(5, "a", 7), (5, "b", 7), (5, "c", 7)]


def test_a_service_with_a_life_of_its_own_may_stay_silent_answer_later_and_speak_unasked() -> None:
    env, node, listener = listening({"oracle": Moody()})
    node.boot()
    env.run()
    assert listener.state.pongs == [
        (10, "c", 1),
        (15, "from oracle", 2),
        (15, "from oracle", 2),
        (20, "b", 1),
    ]
