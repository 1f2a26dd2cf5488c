"""Components for the scripts that run on both drivers: each shows one promise of a driver in its notes."""

from __future__ import annotations

from typing import ClassVar

from core.kernel.component import Component, Handler
from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
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
from core.units import MILLISECOND, SECOND, Nanos
from tests.helpers.toys import PeerState, Ping, Seen


class Actor(Component[PeerState]):
    """Ignores what its subclass does not handle, and notes whatever `seen` is told."""

    def __init__(self, name: str) -> None:
        super().__init__(name, PeerState())

    def seen(self, what: str) -> None:
        self.emit(Note(Seen(what)))

    def lines(self, event: Bytes) -> list[str]:
        """The whole lines that have arrived."""
        self.state.received += event.data
        *lines, self.state.received = self.state.received.split(b"\n")
        return [line.decode() for line in lines]

    def _ignore(self, _now: Nanos, _event: Record) -> None: ...

    IGNORED: ClassVar[dict[type[Record], Handler]] = dict.fromkeys(
        (Start, Stop, TimerFired, Connected, Bytes, Disconnected), _ignore
    )


class Timekeeper(Actor):
    """Arms timers with equal deadlines, cancels one, moves two; notes each that fires, and `end` as the last."""

    def _on_start(self, now: Nanos, _event: Start) -> None:
        for key, after in (("c", 10), ("a", 10), ("b", 10), ("cancelled", 3), ("later", 3), ("sooner", 300)):
            self.emit(SetTimer(key, now + after * MILLISECOND))
        self.emit(CancelTimer("cancelled"))
        self.emit(SetTimer("later", now + 20 * MILLISECOND))
        self.emit(SetTimer("sooner", now + 5 * MILLISECOND))
        self.emit(SetTimer("end", now + 30 * MILLISECOND))

    def _on_timer(self, _now: Nanos, event: TimerFired) -> None:
        self.seen(event.key)

    HANDLERS = {**Actor.IGNORED, Start: _on_start, TimerFired: _on_timer}  # noqa: RUF012


class Relay(Actor):
    """Tells a local `teller` three things about each line, then answers it."""

    def _on_bytes(self, _now: Nanos, event: Bytes) -> None:
        for line in self.lines(event):
            self.seen(f"line {line}")
            for n in range(3):
                self.emit(Send("teller", Ping(n)))
            self.emit(Transmit(event.conn, b"%b\n" % line.encode()))

    HANDLERS = {**Actor.IGNORED, Bytes: _on_bytes}  # noqa: RUF012


class Teller(Actor):
    """Notes what it is told."""

    def _on_ping(self, _now: Nanos, event: Message[Ping]) -> None:
        self.seen(f"told {event.body.n}")

    HANDLERS = {**Actor.IGNORED, Ping: _on_ping}  # noqa: RUF012


class Rude(Actor):
    """Answers the first line with `answer` and closes while the peer goes on talking; `later` comes well after."""

    def __init__(self, name: str, answer: bytes) -> None:
        super().__init__(name)
        self.answer = answer

    def _on_start(self, now: Nanos, _event: Start) -> None:
        self.emit(SetTimer("much later", now + 3600 * SECOND))

    def _on_bytes(self, now: Nanos, event: Bytes) -> None:
        self.emit(Transmit(event.conn, self.answer[:10]))
        self.emit(Transmit(event.conn, self.answer[10:]))
        self.emit(Close(event.conn, "heard enough"))
        self.emit(Transmit(event.conn, b"too late\n"))
        self.emit(SetTimer("later", now + 30 * MILLISECOND))

    def _on_timer(self, _now: Nanos, _event: TimerFired) -> None:
        self.seen("later")

    HANDLERS = {**Actor.IGNORED, Start: _on_start, Bytes: _on_bytes, TimerFired: _on_timer}  # noqa: RUF012


class Chatterbox(Actor):
    """Says a line every 100 us, whatever the peer says; notes the peer's lines and `gone`."""

    def __init__(self, name: str, address: str) -> None:
        super().__init__(name)
        self.address = address

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        self.emit(Connect("out", self.address))

    def _chat(self, now: Nanos, _event: Connected | TimerFired) -> None:
        self.emit(Transmit("out", b"and another thing\n"))
        self.emit(SetTimer("chat", now + MILLISECOND // 10))

    def _on_bytes(self, _now: Nanos, event: Bytes) -> None:
        for line in self.lines(event):
            self.seen(line)

    def _on_disconnected(self, _now: Nanos, _event: Disconnected) -> None:
        self.emit(CancelTimer("chat"))
        self.seen("gone")

    HANDLERS = {  # noqa: RUF012
        **Actor.IGNORED,
        Start: _on_start,
        Connected: _chat,
        TimerFired: _chat,
        Bytes: _on_bytes,
        Disconnected: _on_disconnected,
    }


class Leaver(Actor):
    """Dials (given an address) or is dialled, and closes its connection 10 ms after it opened."""

    def __init__(self, name: str, address: str = "") -> None:
        super().__init__(name)
        self.address = address

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        if self.address:
            self.emit(Connect("out", self.address))

    def _on_connected(self, now: Nanos, event: Connected) -> None:
        self.state.conns.append(event.conn)
        self.emit(SetTimer("leave", now + 10 * MILLISECOND))
        self.emit(SetTimer("end", now + 30 * MILLISECOND))

    def _on_timer(self, _now: Nanos, event: TimerFired) -> None:
        if event.key == "end":
            self.seen("end")
        elif self.state.conns:
            self.emit(Close(self.state.conns.pop(), "leaving"))

    def _on_disconnected(self, _now: Nanos, event: Disconnected) -> None:
        self.state.conns.remove(event.conn)

    HANDLERS = {  # noqa: RUF012
        **Actor.IGNORED,
        Start: _on_start,
        Connected: _on_connected,
        TimerFired: _on_timer,
        Disconnected: _on_disconnected,
    }


class Redialler(Actor):
    """Says one line, and once answered closes and dials again under the same name, three times."""

    def __init__(self, name: str, address: str) -> None:
        super().__init__(name)
        self.address = address

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        self.emit(Connect("out", self.address))

    def _on_connected(self, _now: Nanos, _event: Connected) -> None:
        self.emit(Transmit("out", b"again\n"))

    def _on_bytes(self, _now: Nanos, event: Bytes) -> None:
        for line in self.lines(event):
            self.state.log.append(line)
            self.seen(f"{line} {len(self.state.log)}")
            self.emit(Close("out", "again"))
            if len(self.state.log) < 3:
                self.emit(Connect("out", self.address))

    HANDLERS = {**Actor.IGNORED, Start: _on_start, Connected: _on_connected, Bytes: _on_bytes}  # noqa: RUF012


class Polite(Actor):
    """Says goodbye on every connection when asked to stop."""

    def _on_connected(self, _now: Nanos, event: Connected) -> None:
        self.state.conns.append(event.conn)
        self.seen("met")

    def _on_stop(self, _now: Nanos, _event: Stop) -> None:
        self.seen(f"{self.name} stops")
        for conn in self.state.conns:
            self.emit(Transmit(conn, b"goodbye\n"))
            self.emit(Close(conn, "stopping"))

    HANDLERS = {**Actor.IGNORED, Connected: _on_connected, Stop: _on_stop}  # noqa: RUF012


class Fragile(Actor):
    """Has a bug that the first line brings out."""

    def _on_bytes(self, _now: Nanos, event: Bytes) -> None:
        raise ZeroDivisionError("a planted bug")

    HANDLERS = {**Actor.IGNORED, Bytes: _on_bytes}  # noqa: RUF012
