"""Two FIX engines in the simulator, and a network that treats their connections badly.

A connection may go deaf (everything on it is lost from then on), and each end then hears of it at a time of its
own, so that an acceptor may learn of the next connection before it learns that the last one has ended. What
an initiator said on an earlier connection may arrive again, on a connection of its own. A new connection may be slow.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, ClassVar, Final

import msgspec
from simpy import Environment

from core.fix.engine import FixEngine
from core.fix.message import FixMessage
from core.fix.records import FromPeer, SessionClosed, SessionOpened, ToPeer
from core.fix.settings import EngineConfig
from core.fix.store import SessionState
from core.kernel.component import Component, Handler
from core.kernel.kernel import Kernel
from core.kernel.record import Disconnected, Event, Message, Record, Start, Stop
from core.units import MILLISECOND, SECOND, Nanos
from sim.driver import SimNode
from sim.network import End, Host, Network
from tests.helpers.fix import NOW, acceptor_config, initiator_config, order, report

HEARTBEAT: Final = 2 * SECOND
STORM: Final = 60 * SECOND
CALM: Final = 120 * SECOND
"""How long it storms, and how long the engines have to agree afterwards."""


class Heard(msgspec.Struct):
    """What has arrived."""

    messages: list[FixMessage] = []


class Listener(Component[Heard]):
    """An application that only listens."""

    def _on_nothing(self, _now: Nanos, _event: Event) -> None:
        pass

    def _on_message(self, _now: Nanos, event: Message[FromPeer[Any]]) -> None:
        self.state.messages.append(event.body.message)

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {
        Start: _on_nothing,
        Stop: _on_nothing,
        SessionOpened: _on_nothing,
        SessionClosed: _on_nothing,
        FromPeer: _on_message,
    }


class Ghost:
    """Nobody: the far end of a connection on which old bytes arrive again."""

    name = "ghost"

    def post(self, at: Nanos, src: str, dst: str, event: Event) -> None:
        """Nobody listens."""


class BadNetwork(Network):
    """Loses, delays and repeats whole connections."""

    def __init__(self, rng: Random) -> None:
        super().__init__(lambda _src, _dst: self._latency_of_one)
        self._rng = rng
        self.deaf: set[End] = set()
        self.said: dict[str, bytes] = {}
        """What the maker has said on each of its connections."""
        self.ghosts = 0

    def _latency_of_one(self) -> Nanos:
        return self._rng.choice([1, 1, 5, 300]) * MILLISECOND

    def transmit(self, now: Nanos, host: Host, conn: str, data: bytes) -> None:
        """Send, unless the connection is deaf."""
        if host.name == "maker":
            self.said[conn] = self.said.get(conn, b"") + data
        end = self._ends.get((host.name, conn))
        if end is None or end not in self.deaf:
            super().transmit(now, host, conn, data)

    def close(self, now: Nanos, host: Host, conn: str, reason: str) -> None:
        """End, and let the other end of a deaf connection hear of it when it may."""
        end = self._ends.get((host.name, conn))
        if end is not None and end in self.deaf:
            end.open = False
            del self._ends[host.name, conn]
        else:
            super().close(now, host, conn, reason)

    def deafen(self, now: Nanos) -> None:
        """From now on everything is lost, on every connection. Each end hears of it, sooner or later."""
        for end in [end for end in self._ends.values() if end not in self.deaf]:
            self.deaf.add(end)
            end.last_arrival = max(end.last_arrival, now)
            later = round(self._rng.choice([0, 0.01, 1, 3, 20]) * SECOND)
            end.host.post(end.last_arrival + later, end.conn, end.component, Disconnected(end.conn, "lost"))

    def repeat(self, now: Nanos) -> None:
        """What the maker said on some connection arrives again."""
        if not self.said:
            return
        data = self.said[self._rng.choice(sorted(self.said))]
        self.ghosts += 1
        conn = f"ghost-{self.ghosts}"
        ghost = Ghost()
        self.connect(now, ghost, "", conn, "venue/fix")
        self.transmit(now, ghost, conn, data[: self._rng.randrange(len(data) + 1)])
        if self._rng.random() < 0.7:
            self.close(now, ghost, conn, "the ghost is gone")


class Storm:
    """One run: what both sides were told to send, and what came of it."""

    def __init__(self, seed: int, maker: dict[str, Any] | None = None, venue: dict[str, Any] | None = None) -> None:
        self.rng = Random(seed)
        self.env = Environment(NOW)
        self.network = BadNetwork(self.rng)
        maker_config = initiator_config(
            heartbeat_interval=HEARTBEAT, reconnect_interval_max=4 * SECOND, **(maker or {})
        )
        self.maker, self.heard_by_maker = self._node("maker", maker_config)
        self.venue, self.heard_by_venue = self._node("venue", acceptor_config(**(venue or {})))
        self.network.listen("venue/fix", self.venue, "fix")
        self.orders: list[FixMessage] = []
        self.reports: list[FixMessage] = []

    def _node(self, name: str, config: EngineConfig) -> tuple[SimNode, list[FixMessage]]:
        app = Listener("app", Heard())
        kernel = Kernel(name, [FixEngine("fix", config), app])
        node = SimNode(self.env, kernel, self.network, on_note=lambda *_: None)
        node.boot()
        return node, app.state.messages

    def run(self) -> None:
        """Storm, then calm."""
        until = self.env.now + STORM
        while self.env.now < until:
            self.env.run(until=self.env.now + round(self.rng.choice([0.0005, 0.01, 0.3, 2, 6]) * SECOND))
            self._strike()
        self.env.run(until=self.env.now + CALM)

    def _strike(self) -> None:
        strike = self.rng.choice(["orders", "orders", "reports", "reports", "deafen", "repeat", "close"])
        now = self.maker.now
        if strike == "orders":
            for _ in range(self.rng.choice([1, 3, 40])):
                self.orders.append(order(f"a{len(self.orders)}"))
                self.maker.tell("fix", ToPeer("ROMER", self.orders[-1]))
        elif strike == "reports":
            for _ in range(self.rng.choice([1, 3, 40])):
                self.reports.append(report(f"E-{len(self.reports)}"))
                self.venue.tell("fix", ToPeer("MM1", self.reports[-1]))
        elif strike == "deafen":
            self.network.deafen(now)
        elif strike == "repeat":
            self.network.repeat(now)
        else:
            for name, conn in list(self.network._ends):
                if name == "maker":
                    self.network.close(now, self.maker, conn, "cut")
                    self.maker.post(now, conn, "fix", Disconnected(conn, "cut"))

    @property
    def sessions(self) -> tuple[SessionState, SessionState]:
        """The state of either side: maker, venue."""
        engines = [node.kernel.components["fix"] for node in (self.maker, self.venue)]
        maker, venue = (next(iter(engine.state.sessions.values())) for engine in engines)
        return maker, venue

    def asked_again(self) -> int:
        """How many ResendRequests the maker has sent."""
        return sum(data.count(b"\x0135=2\x01") for data in self.network.said.values())
