"""The venue's door for solvers: who may come in, what they may say, and who hears what.

A connection begins with a `Hello` that names a known solver and shows its token; anything else closes
it. Later lines are bids, withdrawals and deposits, and go to the auction under the solver's name. A line
that is none of these is refused with a reason, and the third one closes the connection.

A solver has one connection. A second one that shows the token replaces the first: whoever reconnects
after a broken link must not wait for the venue to notice the break. What is told to a solver that is
not connected is lost to it; the `Welcome` says what its capital was at the start, so a solver keeps its
own account of it from then on.

After `Stop` nobody new comes in; who is inside stays, because commitments still have to be paid.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import ClassVar, Final

import msgspec

from core.kernel.component import Component, Handler
from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
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
from core.solver.facts import LineRefusal, SolverConnected, SolverDisconnected, SolverLineRefused
from core.solver.lines import LineBuffer, decode_line, encode_line
from core.solver.protocol import VERSION, FromSolver, FromVenue, Hello, Refused, SolverSaid, TellSolver, Welcome
from core.solver.settings import DoorSettings
from core.units import Nanos

AUCTION: Final = "auction"
STRIKES: Final = 3

_hello: Final = msgspec.json.Decoder(Hello)
_said: Final[msgspec.json.Decoder[FromSolver]] = msgspec.json.Decoder(FromSolver)


class Peer(msgspec.Struct):
    """One connection. `solver` is empty until the hello."""

    lines: LineBuffer = msgspec.field(default_factory=LineBuffer)
    solver: str = ""
    strikes: int = 0


class DoorState(msgspec.Struct):
    """Connections by name, and the connection of each solver inside."""

    peers: dict[str, Peer] = {}
    inside: dict[str, str] = {}
    stopping: bool = False


class SolverDoor(Component[DoorState]):
    """Speaks the line protocol to solvers and records to the auction."""

    __slots__ = ("_settings",)

    def __init__(self, name: str, settings: DoorSettings) -> None:
        super().__init__(name, DoorState())
        self._settings = settings

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        """Connections come to the door; it has nothing to begin with."""

    def _on_stop(self, _now: Nanos, _event: Stop) -> None:
        self.state.stopping = True

    def _on_connected(self, now: Nanos, event: Connected) -> None:
        if self.state.stopping:
            self._turn_away(event.conn, LineRefusal.STOPPED)
        elif len(self.state.peers) >= self._settings.connections_max:
            self._turn_away(event.conn, LineRefusal.TOO_MANY_CONNECTIONS)
        else:
            self.state.peers[event.conn] = Peer()
            self.emit(SetTimer(_hello_timer(event.conn), now + self._settings.hello_timeout))

    def _on_timer(self, _now: Nanos, event: TimerFired) -> None:
        self._turn_away(event.key.removeprefix(_hello_timer("")), LineRefusal.HELLO_TIMEOUT)

    def _on_disconnected(self, _now: Nanos, event: Disconnected) -> None:
        self._forget(event.conn, event.reason)

    def _on_bytes(self, _now: Nanos, event: Bytes) -> None:
        peer = self.state.peers.get(event.conn)
        if peer is None:
            return
        for line in peer.lines.feed(event.data):
            if not peer.solver:
                self._greet(event.conn, peer, line)
            else:
                self._hear(event.conn, peer, line)
            if self.state.peers.get(event.conn) is not peer:
                return

    def _on_tell(self, _now: Nanos, event: Message[TellSolver[FromVenue]]) -> None:
        line = encode_line(event.body.said)
        if event.body.solver:
            conn = self.state.inside.get(event.body.solver)
            if conn is not None:
                self.emit(Transmit(conn, line))
            return
        for conn in self.state.inside.values():
            self.emit(Transmit(conn, line))

    def _greet(self, conn: str, peer: Peer, line: bytes | None) -> None:
        """The first line of a connection lets the solver in, or closes the connection."""
        hello = None if line is None else decode_line(_hello, line)
        if hello is None:
            self._turn_away(conn, LineRefusal.LINE_TOO_LONG if line is None else LineRefusal.NOT_HELLO)
        elif hello.version != VERSION:
            self._turn_away(conn, LineRefusal.VERSION)
        elif not self._proves(hello):
            self._turn_away(conn, LineRefusal.UNAUTHORISED)
        else:
            self._admit(conn, peer, hello.solver)

    def _proves(self, hello: Hello) -> bool:
        account = self._settings.solvers.get(hello.solver)
        expected = account.token if account is not None else ""
        return compare_digest(hello.token.encode(), expected.encode()) and account is not None

    def _admit(self, conn: str, peer: Peer, solver: str) -> None:
        earlier = self.state.inside.get(solver)
        if earlier is not None:
            self._close(earlier, "replaced")
        peer.solver = solver
        self.state.inside[solver] = conn
        self.emit(CancelTimer(_hello_timer(conn)))
        self.emit(Note(SolverConnected(solver, conn)))
        capital = tuple(self._settings.solvers[solver].capital.items())
        self.emit(Transmit(conn, encode_line(Welcome(VERSION, self._settings.venue, capital))))

    def _hear(self, conn: str, peer: Peer, line: bytes | None) -> None:
        said = None if line is None else decode_line(_said, line)
        if said is not None:
            self.emit(Send(AUCTION, SolverSaid(peer.solver, said)))
            return
        self._refuse(conn, peer.solver, LineRefusal.LINE_TOO_LONG if line is None else LineRefusal.MALFORMED)
        peer.strikes += 1
        if peer.strikes >= STRIKES:
            self._close(conn, "strikes")

    def _refuse(self, conn: str, solver: str, reason: LineRefusal) -> None:
        self.emit(Note(SolverLineRefused(conn, solver, reason)))
        self.emit(Transmit(conn, encode_line(Refused(reason, f"protocol version {VERSION}"))))

    def _turn_away(self, conn: str, reason: LineRefusal) -> None:
        self._refuse(conn, "", reason)
        self._close(conn, reason)

    def _close(self, conn: str, reason: str) -> None:
        self._forget(conn, reason)
        self.emit(Close(conn, reason))

    def _forget(self, conn: str, reason: str) -> None:
        peer = self.state.peers.pop(conn, None)
        if peer is None:
            return
        if not peer.solver:
            self.emit(CancelTimer(_hello_timer(conn)))
            return
        del self.state.inside[peer.solver]
        self.emit(Note(SolverDisconnected(peer.solver, reason)))

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        TimerFired: _on_timer,
        Connected: _on_connected,
        Bytes: _on_bytes,
        Disconnected: _on_disconnected,
        TellSolver: _on_tell,
    }


def _hello_timer(conn: str) -> str:
    return f"hello:{conn}"
