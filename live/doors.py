"""Where connections come in: who may, how many, and how long they may take to show who they are.

A socket is judged by its address before anything is read from it; what it sends afterwards is the component's
business, which knows who has proved who they are (core/kernel/doorway.py). A TLS handshake counts as silence:
nothing that stays in one can keep others out.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final, NamedTuple, TypeAlias

from core.kernel.doorway import who_yields
from core.kernel.record import Record
from live.certified import LogonScreen
from live.connection import Connection, peer_name
from live.tls import ServerTls

SOCKETS_MAX: Final = 2_048
"""Of one door that is told no other limit. A component has a lower one of its own, and lets those yield that have not
said who they are."""
HANDSHAKES_PER_ADDRESS_MAX: Final = 16
RETRY_SECONDS: Final = 0.5
"""The pause before the next try when the machine is out of descriptors or memory."""
_SHORT: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_BACKLOG: Final = 512

Network: TypeAlias = IPv4Network | IPv6Network
Refuse: TypeAlias = Callable[["ConnectionRefused"], None]


class ConnectionRefused(Record, frozen=True):
    """Nobody was let in by `door`: `not_allowed`, `too_many_connections`, `handshake_failed`, `client_name` or
    `out_of_descriptors`."""

    door: str
    peer: str
    reason: str
    detail: str = ""


class Guard(NamedTuple):
    """Who may come in."""

    allow: tuple[Network, ...] = ()
    """Where from; empty is from everywhere."""
    sockets_max: int = SOCKETS_MAX
    per_address_max: int = SOCKETS_MAX
    tls: ServerTls | None = None
    handshake_seconds: float = 10.0
    logon_bytes_max: int = 65_536
    """Of the first message behind a client certificate, which has to name whom the certificate names."""


EVERYBODY: Final = Guard()


class Door:
    """One listening socket. `make` makes the protocol of a connection that was let in, and `refuse` is told of others.

    `failed` is told of an error of ours.
    """

    def __init__(
        self,
        sock: socket.socket,
        name: str,
        guard: Guard,
        make: Callable[[], Connection],
        *,
        refuse: Refuse,
        failed: Callable[[BaseException], None],
    ) -> None:
        self.name = name
        self.port = int(sock.getsockname()[1])
        self._sock, self._guard, self._make, self._tell, self._failed = sock, guard, make, refuse, failed
        self._peers: dict[Connection, str] = {}
        """Every connection that has a socket."""
        self._handshakes: dict[Connection, asyncio.Task[None]] = {}
        self._accepting: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to accept."""
        self._accepting = asyncio.create_task(self._accept())
        self._accepting.add_done_callback(self._on_done)

    def close(self) -> None:
        """Let nobody in any more; who is inside stays."""
        for task in self._handshakes.values():
            task.cancel()
        if self._accepting is None:
            self._sock.close()
        else:
            self._accepting.cancel()

    def admits(self, connection: Connection, transport: asyncio.Transport) -> bool:
        """Whether a connection whose handshake is done may come in."""
        self._handshakes.pop(connection, None)
        tls = self._guard.tls
        if tls is None:
            return True
        stranger = tls.stranger(transport)
        if stranger:
            self.turn_out(connection, stranger)
        elif tls.certified:
            connection.screen = LogonScreen(tls.comp_ids(transport), self._guard.logon_bytes_max)
        return not stranger

    def turn_out(self, connection: Connection, detail: str) -> None:
        """Say that a connection's certificate is not for what it is used for."""
        self._refuse(self._peers.get(connection, ""), "client_name", detail)

    def forget(self, connection: Connection) -> None:
        """A connection has no socket any more."""
        self._peers.pop(connection, None)
        self._handshakes.pop(connection, None)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        with self._sock:
            while True:
                try:
                    sock, address = await loop.sock_accept(self._sock)
                except OSError as error:  # of that connection, or of the machine; the next may do better
                    if error.errno in _SHORT:
                        self._refuse("", "out_of_descriptors", error.strerror or "")
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                self._judge(sock, address)
                await asyncio.sleep(0)  # a flood of connections is not all that happens

    def _judge(self, sock: socket.socket, address: Any) -> None:
        peer = peer_name(address)
        if not self._allowed(address[0]):
            self._turn_away(sock, peer, "not_allowed")
        elif not self._has_room(address[0], peer):
            self._turn_away(sock, peer, "too_many_connections")
        else:
            connection = self._make()
            self._peers[connection] = peer
            task = asyncio.create_task(self._let_in(connection, sock))
            self._handshakes[connection] = task
            task.add_done_callback(self._on_done)

    def _allowed(self, host: str) -> bool:
        if not self._guard.allow:
            return True
        address = ip_address(host.partition("%")[0])
        plain = getattr(address, "ipv4_mapped", None) or address
        return any(plain in network for network in self._guard.allow)

    def _has_room(self, host: str, peer: str) -> bool:
        """Whether there is room, or a handshake that yields."""
        full = len(self._peers) >= self._guard.sockets_max
        if sum(other.rpartition(":")[0] == host for other in self._peers.values()) >= self._guard.per_address_max:
            full = True
        names = {str(number): connection for number, connection in enumerate(self._handshakes)}
        waiting = {name: self._peers[connection] for name, connection in names.items()}
        yields = who_yields("", peer, waiting, full=full, per_address_max=HANDSHAKES_PER_ADDRESS_MAX)
        if yields:
            self._handshakes[names[yields]].cancel()
        return bool(yields) or not full

    async def _let_in(self, connection: Connection, sock: socket.socket) -> None:
        tls, peer = self._guard.tls, self._peers[connection]
        timeouts = {"ssl_handshake_timeout": self._guard.handshake_seconds} if tls else {}
        loop = asyncio.get_running_loop()
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.connect_accepted_socket(
                lambda: connection,
                sock,
                ssl=tls.context if tls else None,
                **timeouts,
            )
        except (OSError, asyncio.CancelledError) as error:  # a handshake that fails is an OSError, too
            self._refuse(peer, "handshake_failed", str(error) or "another connection needed the place")
            sock.close()
        finally:
            if not connection.made:
                self.forget(connection)

    def _turn_away(self, sock: socket.socket, peer: str, reason: str) -> None:
        sock.close()
        self._refuse(peer, reason)

    def _refuse(self, peer: str, reason: str, detail: str = "") -> None:
        self._tell(ConnectionRefused(self.name, peer, reason, detail))

    def _on_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._failed(error)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, _, _, _, address = found[0]
    sock = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    sock.setblocking(False)
    return sock
