"""The venue's doors for solvers: who may come in, what they may say, and who hears what.

A connection begins with a `Hello` that names a known solver and shows its token; anything else closes
it. Later lines are bids, withdrawals and deposits, and go to the auction under the solver's name. A line
that is none of these is refused with a reason, and the third one closes the connection.

A solver has one connection for everything, or one by each door (core/solver/protocol.py); these come and
go independently. A new one that shows the token replaces what stands in its place: whoever reconnects
after a broken link must not wait for the venue to notice the break. What is told to a solver that is not
connected is lost to it, but the auction hears when it is back, and says again what still counts. The `Welcome`
says what its capital was at the start, so a solver keeps its own account of it from then on. Bids of a
solver that could not hear of an award are refused.

After `Stop` nobody new comes in; who is inside stays, because commitments still have to be paid.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from hmac import compare_digest
from typing import ClassVar, Final, TypeAlias

import msgspec

from core.kernel.component import Component, Handler
from core.kernel.doorway import who_yields
from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
    Connected,
    Disconnected,
    Message,
    Note,
    Record,
    Resume,
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
    Transmit,
)
from core.solver.facts import LineRefusal, SolverConnected, SolverDisconnected, SolverLineRefused
from core.solver.lines import LineBuffer, decode_line, encode_line
from core.solver.protocol import (
    DOORS,
    HELLO_BYTES_MAX,
    VERSION,
    Door,
    FromSolver,
    FromVenue,
    Hello,
    Ping,
    PlaceBids,
    Pong,
    Refused,
    SolverArrived,
    SolverSaid,
    TellSolver,
    Welcome,
)
from core.solver.pulse import Pulse, Sign
from core.solver.settings import DoorSettings
from core.units import Nanos

AUCTION: Final = "auction"
STRIKES: Final = 3
_HELLO: Final = "hello:"
_PING: Final = "ping:"
_DOORS: Final = tuple(Door)

_Said: TypeAlias = FromSolver | Ping | Pong
_hello: Final = msgspec.json.Decoder(Hello)
_said: Final[msgspec.json.Decoder[_Said]] = msgspec.json.Decoder(_Said)


class Peer(msgspec.Struct):
    """One connection. `solver` is empty until the hello."""

    address: str
    door: Door
    pulse: Pulse
    lines: LineBuffer = msgspec.field(default_factory=LineBuffer)
    solver: str = ""
    strikes: int = 0


class DoorState(msgspec.Struct):
    """Connections by name, and the connections of each solver inside."""

    peers: dict[str, Peer] = {}
    inside: dict[str, dict[Door, str]] = {}
    stopping: bool = False


class SolverDoor(Component[DoorState]):
    """Speaks the line protocol to solvers and records to the auction."""

    __slots__ = ("_settings",)

    def __init__(self, name: str, settings: DoorSettings) -> None:
        super().__init__(name, DoorState())
        self._settings = settings

    @property
    def complete(self) -> int:
        """How many solvers have every connection that they need to trade."""
        return sum(map(_is_complete, self.state.inside.values()))

    # --- coming and going ------------------------------------------------------------------------

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        """Connections come to the door; it has nothing to begin with."""

    def _on_stop(self, _now: Nanos, _event: Stop) -> None:
        self.state.stopping = True

    def _on_resume(self, _now: Nanos, _event: Resume) -> None:
        self.state.stopping = False

    def _on_connected(self, now: Nanos, event: Connected) -> None:
        if self.state.stopping:
            self._turn_away(event.conn, LineRefusal.STOPPED)
            return
        if event.door not in _DOORS:
            self._turn_away(event.conn, LineRefusal.WRONG_DOOR)
            return
        yields = self._who_yields(event)
        if yields:
            self._turn_away(yields, LineRefusal.TOO_MANY_CONNECTIONS)
        if yields != event.conn:
            self.state.peers[event.conn] = Peer(event.peer, Door(event.door), Pulse(now))
            self.emit(SetTimer(_HELLO + event.conn, now + self._settings.hello_timeout))

    def _who_yields(self, event: Connected) -> str:
        peers, settings = self.state.peers, self._settings
        waiting = {conn: peer.address for conn, peer in peers.items() if not peer.solver}
        full = len(peers) >= settings.connections_max
        return who_yields(event.conn, event.peer, waiting, full=full, per_address_max=settings.waiting_per_address_max)

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        if event.key.startswith(_HELLO):
            self._turn_away(event.key.removeprefix(_HELLO), LineRefusal.HELLO_TIMEOUT)
            return
        conn = event.key.removeprefix(_PING)
        peer = self.state.peers[conn]
        sign = peer.pulse.take(now, self._settings.pulse)
        if sign is Sign.DEAD:
            self._refuse(conn, peer.solver, LineRefusal.SILENT)
            self._close(conn, LineRefusal.SILENT)
            return
        if sign is Sign.SILENT:
            self.emit(Transmit(conn, encode_line(Ping())))
        self.emit(SetTimer(event.key, peer.pulse.next_at(now, self._settings.pulse)))

    def _on_disconnected(self, _now: Nanos, event: Disconnected) -> None:
        self._forget(event.conn, event.reason)

    # --- hearing ---------------------------------------------------------------------------------

    def _on_bytes(self, now: Nanos, event: Bytes) -> None:
        peer = self.state.peers.get(event.conn)
        if peer is None:
            return
        peer.pulse.heard(now)
        for line in _lines(peer, event.data):
            if peer.solver:
                self._hear(event.conn, peer, line)
            else:
                self._greet(now, event.conn, peer, line)
            if self.state.peers.get(event.conn) is not peer:
                return
        if not peer.solver and peer.lines.overlong:
            self._turn_away(event.conn, LineRefusal.LINE_TOO_LONG)

    def _greet(self, now: Nanos, conn: str, peer: Peer, line: bytes | None) -> None:
        """The first line of a connection lets the solver in, or closes the connection."""
        hello = None if line is None else decode_line(_hello, line)
        if hello is None:
            self._turn_away(conn, LineRefusal.LINE_TOO_LONG if line is None else LineRefusal.NOT_HELLO)
        elif hello.version != VERSION:
            self._turn_away(conn, LineRefusal.VERSION)
        elif not self._proves(hello):
            self._turn_away(conn, LineRefusal.UNAUTHORISED)
        else:
            self._admit(now, conn, peer, hello.solver)

    def _proves(self, hello: Hello) -> bool:
        account = self._settings.solvers.get(hello.solver)
        expected = account.token if account is not None else ""
        return compare_digest(hello.token.encode(), expected.encode()) and account is not None

    def _admit(self, now: Nanos, conn: str, peer: Peer, solver: str) -> None:
        inside = self.state.inside.get(solver, {})
        for door, earlier in list(inside.items()):
            if Door.ALL in (door, peer.door) or door is peer.door:
                self._close(earlier, "replaced")
        peer.solver = solver
        self.state.inside.setdefault(solver, {})[peer.door] = conn
        self.emit(CancelTimer(_HELLO + conn))
        self.emit(Note(SolverConnected(solver, conn, peer.door.value)))
        capital = tuple(self._settings.solvers[solver].capital.items())
        self.emit(Transmit(conn, encode_line(Welcome(VERSION, self._settings.venue, capital))))
        if self._settings.pulse.interval:
            self.emit(SetTimer(_PING + conn, peer.pulse.next_at(now, self._settings.pulse)))
        if _is_complete(self.state.inside[solver]):
            self.emit(Send(AUCTION, SolverArrived(solver)))

    def _hear(self, conn: str, peer: Peer, line: bytes | None) -> None:
        said = None if line is None else decode_line(_said, line)
        if said is None:
            self._strike(conn, peer, LineRefusal.LINE_TOO_LONG if line is None else LineRefusal.MALFORMED)
        elif isinstance(said, Ping):
            self.emit(Transmit(conn, encode_line(Pong())))
        elif isinstance(said, Pong):
            pass
        elif peer.door not in (Door.ALL, DOORS[type(said)]):
            self._strike(conn, peer, LineRefusal.WRONG_DOOR)
        elif isinstance(said, PlaceBids) and self._way_to(peer.solver, Door.ORDERS) is None:
            self._strike(conn, peer, LineRefusal.NO_ORDERS_CONNECTION)
        else:
            self.emit(Send(AUCTION, SolverSaid(peer.solver, said)))

    # --- telling ---------------------------------------------------------------------------------

    def _on_tell(self, _now: Nanos, event: Message[TellSolver[FromVenue]]) -> None:
        said = event.body.said
        line, door = encode_line(said), DOORS.get(type(said), Door.ALL)
        for solver in [event.body.solver] if event.body.solver else self.state.inside:
            conn = self._way_to(solver, door)
            if conn is not None:
                self.emit(Transmit(conn, line))

    def _way_to(self, solver: str, door: Door) -> str | None:
        """The connection by which a solver hears what goes by that door."""
        inside = self.state.inside.get(solver, {})
        return inside.get(door) or inside.get(Door.ALL)

    def _strike(self, conn: str, peer: Peer, reason: LineRefusal) -> None:
        self._refuse(conn, peer.solver, reason)
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
            self.emit(CancelTimer(_HELLO + conn))
            return
        inside = self.state.inside[peer.solver]
        del inside[peer.door]
        if not inside:
            del self.state.inside[peer.solver]
        if self._settings.pulse.interval:
            self.emit(CancelTimer(_PING + conn))
        self.emit(Note(SolverDisconnected(peer.solver, reason, peer.door.value)))

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Resume: _on_resume,
        TimerFired: _on_timer,
        Connected: _on_connected,
        Bytes: _on_bytes,
        Disconnected: _on_disconnected,
        TellSolver: _on_tell,
    }


def _is_complete(doors: Collection[Door]) -> bool:
    """Whether who has connections to these has all that it needs to trade."""
    return Door.ALL in doors or len(doors) == len(_DOORS) - 1


def _lines(peer: Peer, data: bytes) -> Iterator[bytes | None]:
    """The lines that `data` completes; the first of a connection, its hello, has a length of its own."""
    if not peer.solver:
        hello, end, data = data.partition(b"\n")
        yield from peer.lines.feed(hello + end, HELLO_BYTES_MAX)
    if data:
        yield from peer.lines.feed(data)
