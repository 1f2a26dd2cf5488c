"""One TCP connection as a component sees it: at most one `Connected`, bytes in order, at most one `Disconnected`.

Closing, from either side, never cuts off what was written: the connection says that it has finished,
then reads (and ignores) until the peer has too. A peer that does not within LINGER_SECONDS is cut off.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

from core.kernel.record import Bytes, Connected, Disconnected, Event

READ_BYTES_MAX: Final = 1 << 16
UNSENT_BYTES_MAX: Final = 8 << 20
"""A peer that lets more than this pile up is cut off."""
LINGER_SECONDS: Final = 5.0


class Node(Protocol):
    """Whose connections these are."""

    buffer: memoryview
    """All of them read into it: a selector loop fills it and hands it over in one step."""

    def post(self, src: str, dst: str, event: Event) -> None: ...
    def admit(self, connection: Connection) -> bool: ...
    def forget(self, connection: Connection) -> None: ...


class Connection(asyncio.BufferedProtocol):
    """Tells `component` what happens, until the peer ends the connection or `close` does."""

    __slots__ = ("_linger", "_node", "_transport", "component", "conn", "dialling", "open")

    def __init__(self, node: Node, component: str, conn: str) -> None:
        self.component, self.conn = component, conn
        self.open = True
        self.dialling: asyncio.Task[None] | None = None
        self._node = node
        self._transport: asyncio.Transport | None = None
        self._linger: asyncio.TimerHandle | None = None

    @property
    def made(self) -> bool:
        """There is, or was, a socket."""
        return self._transport is not None

    def write(self, data: bytes) -> None:
        """Send `data` after all that was sent before; nowhere, once the connection has ended."""
        if self.open and self._transport is not None:
            self._transport.write(data)

    def close(self, last: bytes = b"") -> None:
        """End it from this side, after `last`: nothing more is told."""
        self.open = False
        if self._transport is not None:
            self._start_lingering(self._transport)
            self._transport.write(last)
            try:
                self._transport.write_eof()
            except OSError:  # the peer was faster
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
        if not self._node.admit(self):
            transport.abort()
            return
        transport.set_write_buffer_limits(UNSENT_BYTES_MAX)
        self._node.post(self.conn, self.component, Connected(self.conn, _name(transport.get_extra_info("peername"))))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # asyncio's signature
        return self._node.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self.open:
            self._node.post(self.conn, self.component, Bytes(self.conn, bytes(self._node.buffer[:nbytes])))

    def eof_received(self) -> None:
        """The peer has finished. asyncio sends what is left and closes."""
        self.end("closed by peer")
        if self._transport is not None:
            self._start_lingering(self._transport)

    def pause_writing(self) -> None:
        """More than UNSENT_BYTES_MAX is waiting."""
        if self.open and self._transport is not None:
            self.end(f"slow reader: more than {UNSENT_BYTES_MAX} bytes are waiting")
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(str(exc) if exc else "closed by peer")
        if self._linger is not None:
            self._linger.cancel()
        self._node.forget(self)

    def _start_lingering(self, transport: asyncio.Transport) -> None:
        if self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(LINGER_SECONDS, transport.abort)


def _name(address: Any) -> str:
    return f"{address[0]}:{address[1]}" if address else "unknown"
