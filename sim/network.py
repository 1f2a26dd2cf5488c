"""The simulated wire: connections between nodes, ordered in each direction, with latency.

What TCP promises is kept: bytes of one connection arrive in the order they were sent or not at all,
and the end of a connection arrives after them. Everything else is the latency model's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from core.kernel.ids import Ids
from core.kernel.record import Bytes, Connected, Disconnected, Event
from core.units import Nanos
from sim.latency import Sampler


class Host(Protocol):
    """What the network needs of a node: a name, and a place to put what arrives."""

    name: str

    def post(self, at: Nanos, src: str, dst: str, event: Event) -> None: ...


class End:
    """One end of a connection: whose it is, and when the last thing sent towards it arrives."""

    __slots__ = ("component", "conn", "host", "last_arrival", "latency", "open", "other")

    other: End

    def __init__(self, host: Host, component: str, conn: str, latency: Sampler) -> None:
        self.host, self.component, self.conn, self.latency = host, component, conn, latency
        self.last_arrival: Nanos = 0
        self.open = True

    def receive(self, now: Nanos, event: Event) -> Nanos:
        """Schedule `event` here, after everything sent before it; return when."""
        self.last_arrival = at = max(self.last_arrival, now + self.latency())
        self.host.post(at, self.conn, self.component, event)
        return at


class Network:
    """All doors and connections. `latency(src, dst)` gives the sampler of one direction between nodes."""

    def __init__(self, latency: Callable[[str, str], Sampler]) -> None:
        self._latency = latency
        self._doors: dict[str, tuple[Host, str]] = {}
        self._ends: dict[tuple[str, str], End] = {}
        self._ids: dict[str, Ids] = {}

    def listen(self, address: str, host: Host, component: str) -> None:
        """Accept connections to `address` for a component of `host`."""
        self._doors[address] = (host, component)

    def connect(self, now: Nanos, host: Host, component: str, conn: str, address: str) -> None:
        """Open a connection; each end learns of it once the handshake has reached it."""
        if address not in self._doors:
            host.post(now, conn, component, Disconnected(conn, f"nothing listens on {address}"))
            return
        there, door = self._doors[address]
        accepted = self._ids.setdefault(there.name, Ids()).next(door)
        near = End(host, component, conn, self._latency(there.name, host.name))
        far = End(there, door, accepted, self._latency(host.name, there.name))
        near.other, far.other = far, near
        self._ends[host.name, conn] = near
        self._ends[there.name, accepted] = far
        near.receive(far.receive(now, Connected(accepted, host.name)), Connected(conn, there.name))

    def transmit(self, now: Nanos, host: Host, conn: str, data: bytes) -> None:
        """Send bytes; on a connection that has ended they go nowhere, as on a socket."""
        end = self._ends.get((host.name, conn))
        if end is not None and end.other.open:
            end.other.receive(now, Bytes(end.other.conn, data))

    def close(self, now: Nanos, host: Host, conn: str, reason: str) -> None:
        """End a connection; the other end hears of it after everything that was sent."""
        end = self._ends.pop((host.name, conn), None)
        if end is None:
            return
        end.open = False
        if end.other.open:
            self._ends.pop((end.other.host.name, end.other.conn), None)
            end.other.receive(now, Disconnected(end.other.conn, reason))
