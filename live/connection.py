"""One TCP connection as a component sees it: at most one `Connected`, bytes in order, at most one `Disconnected`.

Closing, from either side, never cuts off what was written: the connection says that it has finished,
then reads (and ignores) until the peer has too. A peer that does not within LINGER_SECONDS is cut off.

What a peer sends is read no faster than the node handles it, so that the sender is held up, and not this
memory filled. A peer that reads too slowly is cut off: not for what a single burst leaves waiting, but when
it takes hardly any of it for STALL_SECONDS, or when more than UNSENT_BYTES_MAX has piled up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias

from core.kernel.record import Bytes, Connected, Disconnected, Event, Record

READ_BYTES_MAX: Final = 1 << 16
READ_BYTES_MIN: Final = 1 << 12
UNSENT_BYTES_WATCHED: Final = 1 << 20
"""With more than this waiting a peer is watched,"""
STALL_SECONDS: Final = 10.0
PROGRESS_BYTES_MIN: Final = 1 << 16
"""and has to take so much of it in each STALL_SECONDS."""
UNSENT_BYTES_MAX: Final = 64 << 20
LINGER_SECONDS: Final = 5.0

Filter: TypeAlias = Callable[[bytes], bytes]
"""Sees all bytes of one direction of a connection, and says what becomes of them; it may hold some back."""


class SlowReaderDropped(Record, frozen=True):
    """A peer that did not read was cut off, with so many bytes unsent."""

    conn: str
    peer: str
    reason: str
    unsent_bytes: int


class Node(Protocol):
    """Whose connections these are."""

    @property
    def buffer(self) -> memoryview:
        """All of them read into it: a selector loop fills it and hands it over in one step."""

    def post(self, src: str, dst: str, event: Event) -> None: ...
    def fed(self, connection: Connection) -> None: ...
    def note(self, component: str, fact: Record) -> None: ...
    def admit(self, connection: Connection) -> bool: ...
    def forget(self, connection: Connection) -> None: ...


class Entrance(Protocol):
    """The door by which a connection came."""

    @property
    def name(self) -> str: ...
    def admits(self, connection: Connection, transport: asyncio.Transport) -> bool: ...
    def turn_out(self, connection: Connection, detail: str) -> None: ...
    def forget(self, connection: Connection) -> None: ...


class Screen(Protocol):
    """Judges the first thing that a peer says, for which it may not be the one that it is let in as."""

    @property
    def done(self) -> bool: ...
    def objection(self, data: bytes) -> str: ...


class Connection(asyncio.BufferedProtocol):
    """Tells `component` what happens, until the peer ends the connection or `close` does."""

    __slots__ = (
        "_inward",
        "_linger",
        "_node",
        "_outward",
        "_stall",
        "_taken",
        "_transport",
        "_written",
        "component",
        "conn",
        "dialling",
        "entrance",
        "open",
        "screen",
        "waiting",
    )

    def __init__(
        self, node: Node, component: str, conn: str, *, inward: Filter | None = None, outward: Filter | None = None
    ) -> None:
        self.component, self.conn = component, conn
        self.entrance: Entrance | None = None
        self.open = True
        self.waiting = 0
        """Bytes that the node was given and has not handled yet."""
        self._written = self._taken = 0
        self._stall: asyncio.TimerHandle | None = None
        self.dialling: asyncio.Task[None] | None = None
        self.screen: Screen | None = None
        self._node, self._inward, self._outward = node, inward, outward
        self._transport: asyncio.Transport | None = None
        self._linger: asyncio.TimerHandle | None = None

    @property
    def made(self) -> bool:
        """There is, or was, a socket."""
        return self._transport is not None

    @property
    def unsent(self) -> int:
        """How many bytes wait for the peer to take them."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def write(self, data: bytes) -> None:
        """Send `data` after all that was sent before; nowhere, once the connection has ended."""
        if self.open and self._transport is not None:
            self._written += len(data)
            self._transport.write(self._outward(data) if self._outward else data)
            if self.unsent > UNSENT_BYTES_MAX:
                self._drop(f"slow reader: more than {UNSENT_BYTES_MAX} bytes are waiting")

    def close(self, last: bytes = b"") -> None:
        """End it from this side, after `last`: nothing more is told."""
        self.open = False
        if self._transport is not None:
            self._start_lingering(self._transport)
            self._transport.write(last)
            try:
                self._finish(self._transport)
            except OSError:  # the peer was faster
                self._transport.abort()
        elif self.dialling is not None:
            self.dialling.cancel()

    def abort(self) -> None:
        """End it now, whatever is unsent: nothing more is told."""
        self.open = False
        if self._transport is not None:
            self._transport.abort()
        elif self.dialling is not None:
            self.dialling.cancel()

    def end(self, reason: str) -> None:
        """It is over, and not by our wish: tell so, unless this side had closed it."""
        if self.open:
            self.open = False
            self._node.post(self.conn, self.component, Disconnected(self.conn, reason))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._node.admit(self) or (self.entrance is not None and not self.entrance.admits(self, transport)):
            self.open = False
            transport.abort()
            return
        transport.set_write_buffer_limits(UNSENT_BYTES_WATCHED)
        door = self.entrance.name if self.entrance is not None else ""
        self._node.post(self.conn, self.component, Connected(self.conn, self._peer(), door))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # asyncio's signature
        return self._node.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if not self.open:
            return
        data = bytes(self._node.buffer[:nbytes])
        if self.screen is not None and not self._passes(self.screen, data):
            return
        if self._inward is not None:
            data = self._inward(data)
        if data:
            self.waiting += nbytes
            self._node.post(self.conn, self.component, Bytes(self.conn, data))
            self._node.fed(self)

    def pause(self) -> None:
        """Read no more, so that the peer is held up, until `go_on`."""
        if self._transport is not None:
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read again."""
        if self._transport is not None:
            self._transport.resume_reading()

    def eof_received(self) -> None:
        """The peer has finished. asyncio sends what is left and closes."""
        self.end("closed by peer")
        if self._transport is not None:
            self._start_lingering(self._transport)

    def pause_writing(self) -> None:
        """More than UNSENT_BYTES_WATCHED is waiting."""
        self._taken = self._written - self.unsent
        self._stall = asyncio.get_running_loop().call_later(STALL_SECONDS, self._on_stall)

    def resume_writing(self) -> None:
        """The peer has taken most of it."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(str(exc) if exc else "closed by peer")
        for timer in (self._linger, self._stall):
            if timer is not None:
                timer.cancel()
        self._node.forget(self)
        if self.entrance is not None:
            self.entrance.forget(self)

    def _passes(self, screen: Screen, data: bytes) -> bool:
        detail = screen.objection(data)
        if screen.done:
            self.screen = None
        if detail and self.entrance is not None and self._transport is not None:
            self.entrance.turn_out(self, detail)
            self.end("client_name")
            self._transport.abort()
        return not detail

    def _on_stall(self) -> None:
        taken = self._written - self.unsent
        if taken - self._taken < PROGRESS_BYTES_MIN:
            self._drop(f"slow reader: took less than {PROGRESS_BYTES_MIN} bytes in {STALL_SECONDS:g} s")
        else:
            self._taken = taken
            self._stall = asyncio.get_running_loop().call_later(STALL_SECONDS, self._on_stall)

    def _drop(self, reason: str) -> None:
        if self.open and self._transport is not None:
            self._node.note(self.component, SlowReaderDropped(self.conn, self._peer(), reason, self.unsent))
            self.end(reason)
            self._transport.abort()

    def _peer(self) -> str:
        assert self._transport is not None
        return peer_name(self._transport.get_extra_info("peername"))

    def _finish(self, transport: asyncio.Transport) -> None:
        """Say that nothing more comes. TLS can say so only for both directions."""
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()

    def _start_lingering(self, transport: asyncio.Transport) -> None:
        if self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(LINGER_SECONDS, transport.abort)


def peer_name(address: Any) -> str:
    """An address as a socket has it, for people."""
    return f"{address[0]}:{address[1]}" if address else "unknown"
