"""Who is let in by a door, before anything is read."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest

from core.kernel.kernel import Kernel
from core.kernel.record import Connected, Record
from core.units import Nanos
from live import doors
from live.clock import wall_clock
from live.doors import ConnectionRefused, Guard
from live.driver import LiveNode
from tests.helpers.actors import Actor


class Greeter(Actor):
    """Notes by which door somebody came."""

    def _on_connected(self, _now: Nanos, event: Connected) -> None:
        self.seen(event.door)

    HANDLERS = {**Actor.IGNORED, Connected: _on_connected}  # noqa: RUF012


@asynccontextmanager
async def guarded(guard: Guard) -> AsyncIterator[tuple[int, asyncio.Queue[Record]]]:
    """A node behind that guard: its port, and what it states."""
    noted: asyncio.Queue[Record] = asyncio.Queue()
    node = LiveNode(
        Kernel("node", [Greeter("greeter")]), clock=wall_clock(), on_note=lambda *note: noted.put_nowait(note[3])
    )
    port = await node.listen("127.0.0.1", 0, "greeter", door="front", guard=guard)
    running = asyncio.create_task(node.run())
    try:
        async with asyncio.timeout(30):
            yield port, noted
    finally:
        node.stop()
        await running


async def refused(noted: asyncio.Queue[Record]) -> str:
    """The reason why the next one was not let in."""
    while not isinstance(fact := await noted.get(), ConnectionRefused):
        pass
    assert fact.door == "front"
    return fact.reason


@pytest.mark.parametrize(
    ("network", "reason"), [("127.0.0.0/8", ""), ("10.0.0.0/8", "not_allowed"), ("::/0", "not_allowed")]
)
def test_only_networks_on_the_list_may_connect(network: str, reason: str) -> None:
    async def script() -> str:
        async with guarded(Guard(allow=(ip_network(network),))) as (port, noted):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            fact = await noted.get()
            if isinstance(fact, ConnectionRefused):
                assert await reader.read() == b""
            writer.close()
            return fact.reason if isinstance(fact, ConnectionRefused) else ""

    assert asyncio.run(script()) == reason


def test_one_address_has_so_many_connections_and_no_more_until_one_ends() -> None:
    async def script() -> str:
        async with guarded(Guard(per_address_max=1)) as (port, noted):
            _, first = await asyncio.open_connection("127.0.0.1", port)
            await noted.get()
            reader, second = await asyncio.open_connection("127.0.0.1", port)
            reason = await refused(noted)
            assert await reader.read() == b""
            first.close()
            second.close()
            while True:
                reader, third = await asyncio.open_connection("127.0.0.1", port)
                fact = await noted.get()
                third.close()
                if not isinstance(fact, ConnectionRefused):
                    return reason

    assert asyncio.run(script()) == "too_many_connections"


def test_a_process_without_descriptors_says_so_and_accepts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "RETRY_SECONDS", 0.01)

    async def script() -> str:
        loop, accepted = asyncio.get_running_loop(), []

        async def accept(sock: socket.socket) -> tuple[socket.socket, object]:
            accepted.append(sock)
            if len(accepted) == 1:
                raise OSError(errno.EMFILE, "Too many open files")
            return await original(sock)

        original = loop.sock_accept
        monkeypatch.setattr(loop, "sock_accept", accept)
        async with guarded(Guard()) as (port, noted):
            reason = await refused(noted)
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            await noted.get()
            writer.close()
            return reason

    assert asyncio.run(script()) == "out_of_descriptors"
