"""Small components for tests of the kernel and the drivers: they use every kind of event and effect."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.kernel.codec import Codec
from core.kernel.component import Component, Handler
from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
    Compute,
    Computed,
    Connect,
    Connected,
    Disconnected,
    Message,
    Note,
    Record,
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
    Transmit,
)
from core.kernel.rng import Stream, stream
from core.units import MILLISECOND, Nanos


class Ping(Record, frozen=True):
    """A numbered question."""

    n: int


class Pong(Record, frozen=True):
    """Its answer."""

    n: int


class Seen(Record, frozen=True):
    """A fact: something happened here."""

    what: str


class Square(Record, frozen=True):
    """A problem to compute."""

    n: int


CODEC = Codec((Ping, Pong, Seen, Square))


class AskerState(msgspec.Struct):
    asked: int = 0
    answered: dict[str, int] = {}
    draws: Stream = msgspec.field(default_factory=lambda: stream(1, "asker"))


class Asker(Component[AskerState]):
    """Asks its local `answerer` every few milliseconds, at random, and is reminded by a timer it keeps moving."""

    def __init__(self, name: str = "asker", limit: int = 1_000_000) -> None:
        super().__init__(name, AskerState())
        self.limit = limit

    def _on_start(self, now: Nanos, _event: Start) -> None:
        self.emit(SetTimer("ask", now + MILLISECOND))

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        if event.key == "idle":
            self.emit(Note(Seen(f"idle at {now}")))
        elif self.state.asked < self.limit:
            self.state.asked += 1
            self.emit(Send("answerer", Ping(self.state.asked)))
            self.emit(SetTimer("ask", now + self.state.draws.between(1, 5) * MILLISECOND))
            self.emit(SetTimer("idle", now + 20 * MILLISECOND))

    def _on_pong(self, now: Nanos, event: Message[Pong]) -> None:
        self.state.answered[str(event.body.n)] = now
        if event.body.n % 7 == 0:
            self.emit(CancelTimer("idle"))
        self.emit(Note(Seen(f"pong {event.body.n}")))

    def _ignore(self, _now: Nanos, _event: Stop) -> None: ...

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _ignore,
        TimerFired: _on_timer,
        Pong: _on_pong,
    }


class AnswererState(msgspec.Struct):
    total: int = 0


class Answerer(Component[AnswererState]):
    """Answers every ping at once."""

    def __init__(self, name: str = "answerer") -> None:
        super().__init__(name, AnswererState())

    def _on_ping(self, _now: Nanos, event: Message[Ping]) -> None:
        self.state.total += event.body.n
        self.emit(Send(event.src, Pong(event.body.n)))

    def _ignore(self, _now: Nanos, _event: Start | Stop) -> None: ...

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {Start: _ignore, Stop: _ignore, Ping: _on_ping}


class PeerState(msgspec.Struct):
    conns: list[str] = []
    received: bytes = b""
    log: list[str] = []


class Server(Component[PeerState]):
    """Accepts connections, echoes lines in capitals, computes squares, closes on `bye`."""

    def __init__(self, name: str = "server") -> None:
        super().__init__(name, PeerState())

    def _on_connected(self, _now: Nanos, event: Connected) -> None:
        self.state.conns.append(event.conn)
        self.emit(Note(Seen("connected")))

    def _on_bytes(self, _now: Nanos, event: Bytes) -> None:
        self.state.received += event.data
        *lines, self.state.received = self.state.received.split(b"\n")
        for line in lines:
            self._on_line(event.conn, line)

    def _on_line(self, conn: str, line: bytes) -> None:
        if line == b"bye":
            self.emit(Transmit(conn, b"BYE\n"))
            self.emit(Close(conn, "asked to"))
        elif line.isdigit():
            self.emit(Compute(conn, Square(int(line))))
        else:
            self.emit(Transmit(conn, line.upper() + b"\n"))

    def _on_computed(self, _now: Nanos, event: Computed[Pong]) -> None:
        self.emit(Transmit(event.job_id, b"%d\n" % event.result.n))

    def _on_disconnected(self, _now: Nanos, event: Disconnected) -> None:
        self.state.conns.remove(event.conn)
        self.emit(Note(Seen("disconnected")))

    def _ignore(self, _now: Nanos, _event: Start | Stop) -> None: ...

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _ignore,
        Stop: _ignore,
        Connected: _on_connected,
        Bytes: _on_bytes,
        Pong: _on_computed,
        Disconnected: _on_disconnected,
    }


class Client(Component[PeerState]):
    """Dials on start, says its lines one after the other (each when the last was answered), notes the answers."""

    def __init__(self, lines: tuple[bytes, ...], address: str, name: str = "client") -> None:
        super().__init__(name, PeerState())
        self.lines, self.address = lines, address

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        self.emit(Connect("out", self.address))

    def _on_connected(self, _now: Nanos, _event: Connected) -> None:
        self._say()

    def _on_bytes(self, _now: Nanos, event: Bytes) -> None:
        self.state.received += event.data
        *lines, self.state.received = self.state.received.split(b"\n")
        for line in lines:
            self.state.log.append(line.decode())
            self.emit(Note(Seen(line.decode())))
            self._say()

    def _say(self) -> None:
        if len(self.state.log) < len(self.lines):
            self.emit(Transmit("out", self.lines[len(self.state.log)] + b"\n"))

    def _on_disconnected(self, _now: Nanos, _event: Disconnected) -> None:
        self.emit(Note(Seen("gone")))

    def _on_stop(self, _now: Nanos, _event: Stop) -> None:
        self.emit(Close("out", "stopping"))

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Connected: _on_connected,
        Bytes: _on_bytes,
        Disconnected: _on_disconnected,
    }
