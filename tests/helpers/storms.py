"""Two FIX engines in the simulator, and a network that treats their connections badly.

A connection may go deaf (everything on it is lost from then on), and each end then hears of it at a time of its
own, so that an acceptor may learn of the next connection before it learns that the last one has ended. What
an initiator said on an earlier connection may arrive again, on a connection of its own. A new connection may be slow.
An engine may die at any instant, or stop in order, and is then taken up again from its journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from io import BytesIO
from random import Random
from typing import Any, ClassVar, Final

import msgspec
from simpy import Environment

from core.fix.engine import FixEngine
from core.fix.message import FixMessage
from core.fix.messages import NewOrderSingle
from core.fix.records import FromPeer, SessionChanged, SessionClosed, SessionOpened, ToPeer
from core.fix.settings import EngineConfig
from core.fix.states import Status
from core.fix.store import SessionState
from core.kernel.component import Component, Handler
from core.kernel.journal import Header, Journal
from core.kernel.kernel import Kernel
from core.kernel.reader import JournalReader
from core.kernel.record import Disconnected, Effect, Event, Message, Note, Record, Resume, Start, Stop, Transmit
from core.kernel.recover import recover
from core.units import MILLISECOND, SECOND, Nanos
from core.wiring import CODEC
from sim.driver import SimNode
from sim.network import End, Host, Network
from tests.helpers.fix import NOW, acceptor_config, initiator_config, order, report

HEARTBEAT: Final = 2 * SECOND
STORM: Final = 60 * SECOND
CALM: Final = 120 * SECOND
LARGE: Final = 2_000
_AGAIN: Final = b"\x0143=Y\x01"
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
        Resume: _on_nothing,
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

    def lose(self, now: Nanos, host: Host) -> None:
        """The host is gone, and with it its ends of all connections. The others hear of that."""
        for name, conn in list(self._ends):
            if name == host.name:
                self.close(now, host, conn, "reset")

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


class Mortal:
    """A node that dies and comes back: engine, listener, and the journal that outlives both."""

    def __init__(self, env: Environment, network: BadNetwork, name: str, config: EngineConfig) -> None:
        self.env, self.network, self.name, self.config = env, network, name, config
        self.disk = BytesIO()
        self.restarts = 0
        self.ends: Counter[str] = Counter()
        """Why its connections have ended."""
        self._was_resending = False
        kernel = self._kernel()
        assert kernel.journal is not None
        kernel.journal.attach(self.disk)
        kernel.journal.open(Header(name, 0, b"", ""))
        self._host(kernel)
        self.node.boot()

    def _kernel(self) -> Kernel:
        components: list[Component[Any]] = [FixEngine("fix", self.config), Listener("app", Heard())]
        return Kernel(self.name, components, journal=Journal(self.name), observer=self._watch)

    def _watch(self, _node: str, _now: Nanos, dst: str, _event: Event, effects: list[Effect]) -> None:
        """What must hold after every single event."""
        if dst != "fix":
            return
        state = self.session
        if state.status in (Status.CONNECTING, Status.TERMINATED):
            left = state.early, state.gap_end, state.resend_next, state.resend_end, state.resend_at
            assert left == ({}, 0, 0, 0, 0), f"{self.name}: {left} outlives a connection"
        if state.resend_end:
            new = [data for data in _since_resend(effects, was_open=self._was_resending) if _is_new(data)]
            assert not new, f"{self.name}: {new[0]!r} overtakes what the peer is getting again"
        self._was_resending = state.resend_end > 0
        self.ends.update(str(note.reason) for note in changes(effects) if note.after is Status.CONNECTING)

    def _host(self, kernel: Kernel) -> None:
        self.node = SimNode(self.env, kernel, self.network, on_note=lambda *_: None)
        self.post = self.node.post
        if self.config.role == "acceptor":
            self.network.listen("venue/fix", self.node, "fix")

    def restart(self) -> None:
        """Die; what was on its way here is lost with its connections. The journal brings everything else back."""
        self.restarts += 1
        assert self.node.kernel.journal is not None
        self.node.kernel.journal.flush()
        self.network.lose(self.node.now, self.node)
        bury(self.node)
        kernel = self._kernel()
        recover(kernel, JournalReader(self.name, self.disk.getvalue()), CODEC)
        assert kernel.journal is not None
        assert kernel.journal.digest() == self.node.kernel.journal.digest()
        kernel.journal.attach(self.disk)
        kernel.resume()
        self._host(kernel)
        self.node._wake_at(self.node.now, self.node.now)

    @property
    def heard(self) -> list[FixMessage]:
        """What has arrived here."""
        messages: list[FixMessage] = self.node.kernel.components["app"].state.messages
        return messages

    @property
    def session(self) -> SessionState:
        """The state of its one session."""
        (state,) = self.node.kernel.components["fix"].state.sessions.values()
        assert isinstance(state, SessionState)
        return state


def changes(effects: list[Effect]) -> Iterator[SessionChanged]:
    """The steps of the session among the effects."""
    for effect in effects:
        if isinstance(effect, Note) and isinstance(effect.fact, SessionChanged):
            yield effect.fact


def _since_resend(effects: list[Effect], *, was_open: bool) -> list[bytes]:
    """What was sent since a resend has begun that goes on: it may have begun before the event, or within it."""
    sent = [effect.data for effect in effects if isinstance(effect, Transmit)]
    again = [place for place, data in enumerate(sent) if _AGAIN in data]
    return sent if was_open else sent[again[0] :] if again else []


def _is_new(raw: bytes) -> bool:
    """Whether this is an application's message that is sent for the first time."""
    return _AGAIN not in raw and raw.split(b"\x0135=", 1)[1][:1] in (b"D", b"8")


def bury(node: SimNode) -> None:
    """Nothing reaches the node any more, and its bell rings for nobody."""
    node._armed = None
    node.post = lambda *_: None  # type: ignore[method-assign]


class Storm:
    """One run: what both sides were told to send, and what came of it.

    Every `large_every`th order, if that is above 0, has more bytes than `LARGE`.
    """

    def __init__(
        self,
        seed: int,
        maker: dict[str, Any] | None = None,
        venue: dict[str, Any] | None = None,
        *,
        large_every: int = 0,
    ) -> None:
        self._large_every = large_every
        self.rng = Random(seed)
        self.env = Environment(NOW)
        self.network = BadNetwork(self.rng)
        maker_config = initiator_config(
            heartbeat_interval=HEARTBEAT, reconnect_interval_max=4 * SECOND, **(maker or {})
        )
        self.maker = Mortal(self.env, self.network, "maker", maker_config)
        self.venue = Mortal(self.env, self.network, "venue", acceptor_config(**(venue or {})))
        self.orders: list[FixMessage] = []
        self.reports: list[FixMessage] = []

    def run(self) -> None:
        """Storm, then calm."""
        until = self.env.now + STORM
        while self.env.now < until:
            self.env.run(until=self.env.now + round(self.rng.choice([0.0005, 0.01, 0.3, 2, 6]) * SECOND))
            self._strike()
        self.env.run(until=self.env.now + CALM)

    def _strike(self) -> None:
        strike = self.rng.choice(["orders", "orders", "reports", "reports", "deafen", "repeat", "close", "restart"])
        now = self.maker.node.now
        if strike == "orders":
            for _ in range(self.rng.choice([1, 3, 40])):
                self.orders.append(self._order(len(self.orders)))
                self.maker.node.tell("fix", ToPeer("ROMER", self.orders[-1]))
        elif strike == "reports":
            for _ in range(self.rng.choice([1, 3, 40])):
                self.reports.append(report(f"E-{len(self.reports)}"))
                self.venue.node.tell("fix", ToPeer("MM1", self.reports[-1]))
        elif strike == "deafen":
            self.network.deafen(now)
        elif strike == "repeat":
            self.network.repeat(now)
        elif strike == "restart":
            self._restart(self.rng.choice([self.maker, self.venue]))
        else:
            for name, conn in list(self.network._ends):
                if name == "maker":
                    self.network.close(now, self.maker.node, conn, "cut")
                    self.maker.node.post(now, conn, "fix", Disconnected(conn, "cut"))

    def _order(self, number: int) -> NewOrderSingle:
        is_large = self._large_every and number % self._large_every == 0
        return order(f"a{number}", text="x" * LARGE if is_large else None)

    def _restart(self, mortal: Mortal) -> None:
        """At once, or after it was stopped in order."""
        if self.rng.random() < 0.5:
            mortal.node.stop()
            self.env.run(until=self.env.now + round(self.rng.choice([0.001, 0.3, 4]) * SECOND))
        mortal.restart()

    def asked_again(self) -> int:
        """How many ResendRequests the maker has sent."""
        return sum(data.count(b"\x0135=2\x01") for data in self.network.said.values())
