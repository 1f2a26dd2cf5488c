"""A node costs SimPy one event per distinct instant, however often its next wake-up moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from simpy import Environment

from core.kernel.component import Component, Handler
from core.kernel.kernel import Kernel
from core.kernel.record import Message, Record
from core.units import Nanos
from sim.driver import SimNode
from sim.network import Network


class Ping(Record, frozen=True):
    """Anything at all."""


class Heard(msgspec.Struct):
    """When it arrived."""

    at: list[Nanos] = []


class Listener(Component[Heard]):
    """Writes down the time."""

    __slots__ = ()

    def _on_message(self, now: Nanos, _event: Message[Ping]) -> None:
        self.state.at.append(now)

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {Ping: _on_message}


class Counted(Environment):
    """SimPy, which says for which instants it was asked."""

    def __init__(self) -> None:
        super().__init__(0)
        self.asked: list[int] = []

    def schedule(self, event: Any, priority: Any = 1, delay: Any = 0) -> None:
        self.asked.append(self.now + delay)
        super().schedule(event, priority, delay)


def listening() -> tuple[Counted, SimNode, Listener]:
    env, listener = Counted(), Listener("ear", Heard())
    kernel = Kernel("node", [listener])
    return env, SimNode(env, kernel, Network(lambda _a, _b: lambda: 0), on_note=lambda *_: None), listener


def test_each_distinct_instant_is_one_event_even_when_an_earlier_one_comes_between() -> None:
    env, node, listener = listening()
    for at in (30, 20, 30, 10, 20, 10):
        node.post(at, "world", "ear", Message("world", Ping()))
    env.run()
    assert listener.state.at == [10, 10, 20, 20, 30, 30]
    assert sorted(env.asked) == [10, 20, 30]
