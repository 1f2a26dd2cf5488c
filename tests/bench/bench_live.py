"""Round trips a second through the live driver, journal synced to disk, against a bare asyncio echo in the same run.

    python -m tests.bench.bench_live

The client is a process of its own, and the same for all servers: lines of 200 bytes on some
connections, each with a window of unanswered lines. With one line on the way every line waits for
its own sync; what arrives together shares one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import ClassVar, Final, NamedTuple, TypeAlias

import msgspec

from core.kernel.codec import Codec
from core.kernel.component import Component, Handler
from core.kernel.journal import Header
from core.kernel.kernel import Kernel
from core.kernel.record import Bytes, Connected, Disconnected, Record, Start, Stop, Transmit
from core.units import Nanos
from live.clock import wall_clock
from live.driver import LiveNode
from live.journal.recovery import recover
from live.journal.store import Store
from tests.bench.command import run_bench

LINE: Final = b"x" * 199 + b"\n"


class Sizes(NamedTuple):
    """How much is measured."""

    seconds: float = 1.0
    loads: tuple[tuple[int, int], ...] = ((1, 1), (32, 1), (8, 64))
    """Connections, and unanswered lines on each."""


FULL, TINY = Sizes(), Sizes(0.05, ((2, 4),))

Load: TypeAlias = Callable[[int], Coroutine[None, None, float]]
"""Loads the server on that port; the round trips per second."""


class Talker(asyncio.Protocol):
    """Sends a line for each that comes back."""

    def __init__(self, window: int) -> None:
        self.window, self.received = window, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(LINE * self.window)

    def data_received(self, data: bytes) -> None:
        before = self.received // len(LINE)
        self.received += len(data)
        self.transport.write(LINE * (self.received // len(LINE) - before))


def talk(port: int, connections: int, window: int, seconds: float) -> float:
    """Keep the server busy for so long, after a tenth of that to warm up; the round trips per second."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        talkers = [Talker(window) for _ in range(connections)]
        for talker in talkers:
            await loop.create_connection(lambda talker=talker: talker, "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.sleep(seconds / 10)
        before, started = sum(talker.received for talker in talkers), perf_counter()
        await asyncio.sleep(seconds)
        rate = (sum(talker.received for talker in talkers) - before) / len(LINE) / (perf_counter() - started)
        for talker in talkers:
            talker.transport.abort()
        return rate

    return asyncio.run(main())


class BareEcho(asyncio.Protocol):
    """The least that a server can do."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Empty(msgspec.Struct):
    """An echo remembers nothing."""


class Echo(Component[Empty]):
    """The same as a component."""

    def _on_bytes(self, _now: Nanos, event: Bytes) -> None:
        self.emit(Transmit(event.conn, event.data))

    def _ignore(self, _now: Nanos, _event: Record) -> None: ...

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        **dict.fromkeys((Start, Stop, Connected, Disconnected), _ignore),
        Bytes: _on_bytes,
    }


class CountingStore(Store):
    """Knows how often it was synced."""

    syncs = 0

    def sync(self) -> None:
        self.syncs += 1
        super().sync()


async def bare(load: Load) -> float:
    """A bare asyncio server under load."""
    server = await asyncio.get_running_loop().create_server(BareEcho, "127.0.0.1", 0)
    async with server:
        return await load(server.sockets[0].getsockname()[1])


async def driver(load: Load, store: CountingStore | None) -> tuple[float, float]:
    """A live node under load: round trips per second, and deliveries per sync."""
    kernel = Kernel("echo", [Echo("echo", Empty())])
    if store is not None:
        kernel = recover(store, lambda: [Echo("echo", Empty())], Codec((Record,))).kernel
    node = LiveNode(kernel, clock=wall_clock(), on_note=lambda *_: None, store=store)
    port = await node.listen("127.0.0.1", 0, "echo")
    running = asyncio.create_task(node.run())
    await asyncio.sleep(0)
    rate = await load(port)
    node.stop()
    await running
    return rate, kernel.journal.count / store.syncs if store and kernel.journal else 0.0


def main(sizes: Sizes = FULL) -> None:
    """Print the table."""
    names = f"{'bare':>9} {'driver':>9} {'ratio':>6} {'journal':>9} {'ratio':>6} {'per sync':>9}"
    print(f"{'round trips per second':28} {names}")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool, TemporaryDirectory() as folder:
        for connections, window in sizes.loads:

            async def load(port: int, connections: int = connections, window: int = window) -> float:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(pool, talk, port, connections, window, sizes.seconds)

            first = asyncio.run(bare(load))
            second, _ = asyncio.run(driver(load, None))
            header = Header("echo", 0, b"", "")
            store = CountingStore.open(Path(folder) / f"{connections}x{window}", header)
            third, shared = asyncio.run(driver(load, store))
            name = f"{connections} connections, window {window}"
            print(
                f"{name:28} {first:9,.0f} {second:9,.0f} {second / first:6.2f}"
                f" {third:9,.0f} {third / first:6.2f} {shared:9.1f}"
            )


if __name__ == "__main__":
    run_bench(main, FULL, TINY)
