"""What only the live driver has: a disk before effects, slow and silent peers, executors, a process that stops."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context
from typing import Any

import pytest

from core.errors import DefectError
from core.kernel.component import Component
from core.kernel.journal import Header, Journal, JournalReader
from core.kernel.kernel import Kernel
from core.kernel.record import (
    Call,
    CancelTimer,
    Connected,
    Disconnected,
    Message,
    Record,
    SetTimer,
    Start,
    TimerFired,
    Transmit,
)
from core.units import MILLISECOND, Nanos
from live import connection
from live.clock import wall_clock
from live.driver import LiveNode, NoteSink, Solve, no_compute
from live.journal_file import JournalFile
from tests.helpers.actors import Actor, Polite
from tests.helpers.drivers import square
from tests.helpers.toys import Client, Ping, Seen, Server


class Happenings(JournalFile):
    """A disk that lists what happens to it, among the notes of its node; its `fails`-th operation fails."""

    def __init__(self, fails: int = 0) -> None:
        self.happened: list[str] = []
        self.data = b""
        self.fails = fails

    def write(self, data: bytes) -> None:
        self._happen("write")
        self.data += data

    def sync(self) -> None:
        self._happen("sync")

    def close(self) -> None:
        self.happened.append("close")

    def notes(self) -> list[str]:
        return [what for what in self.happened if what not in ("write", "sync", "close")]

    def note(self, _node: str, _now: Nanos, _component: str, fact: Record) -> None:
        assert isinstance(fact, Seen)
        self.happened.append(fact.what)

    def _happen(self, what: str) -> None:
        self.happened.append(what)
        if len(self.happened) == self.fails:
            raise OSError(errno.ENOSPC, "No space left on device")


def node(
    *components: Component[Any],
    disk: Happenings | None = None,
    on_note: NoteSink | None = None,
    solve: Solve = no_compute,
    executor: Executor | None = None,
) -> LiveNode:
    """A node with a journal on that disk."""
    disk = disk or Happenings()
    journal = Journal("node", disk)
    journal.open(Header("node", 1, b"", ""))
    kernel = Kernel("node", components, journal=journal)
    noted = on_note or disk.note
    return LiveNode(kernel, clock=wall_clock(), on_note=noted, file=disk, solve=solve, executor=executor)


async def run(make: Callable[[], LiveNode]) -> None:
    """Until something stops it."""
    async with asyncio.timeout(5):
        await make().run()


class Peer:
    """A plain socket at the other end, which does only what it is told."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self.sock, data)

    async def receive(self) -> bytes:
        async with asyncio.timeout(5):
            return await self._loop.sock_recv(self.sock, 1 << 16)


@asynccontextmanager
async def dialled(subject: LiveNode, door: str, *, closes: bool = True) -> AsyncIterator[Peer]:
    """Run a node that listens, with a peer connected to it; stop it at the end. Raises what stopped it before."""
    port = await subject.listen("127.0.0.1", 0, door)
    running = asyncio.create_task(subject.run())
    await asyncio.sleep(0)
    with socket.socket() as sock:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        try:
            yield Peer(sock)
        finally:
            subject.stop()
            if closes:
                sock.close()
            await running


class Noter(Actor):
    """Notes its start, and every number that it is told."""

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        self.seen("start")

    def _on_ping(self, _now: Nanos, event: Message[Ping]) -> None:
        self.seen(f"{event.body.n}")

    HANDLERS = {**Actor.IGNORED, Start: _on_start, Ping: _on_ping}  # noqa: RUF012


def test_inputs_are_written_and_synced_once_a_pump_before_anything_leaves() -> None:
    disk = Happenings()

    async def script() -> None:
        subject = node(Noter("noter"), disk=disk)
        running = asyncio.create_task(subject.run())
        await asyncio.sleep(0.01)
        for n in range(3):
            subject.tell("noter", Ping(n))
        await asyncio.sleep(0.01)
        subject.stop()
        await running

    asyncio.run(script())
    header, *rest = disk.happened
    assert header == "write"
    assert rest == ["write", "sync", "start", "write", "sync", "0", "1", "2", "write", "write", "close"]
    reader = JournalReader("node.romer", disk.data)
    assert len(list(reader.deliveries())) == 5


@pytest.mark.parametrize(("fails", "what"), [(2, "write"), (3, "sync")])
def test_a_disk_that_fails_stops_the_node_before_anything_leaves(fails: int, what: str) -> None:
    disk = Happenings(fails)
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(run(lambda: node(Noter("noter"), disk=disk)))
    assert disk.happened[fails - 1] == what
    assert disk.happened[-1] == "close"
    assert disk.notes() == []


def test_a_note_sink_that_raises_stops_the_node() -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a planted bug in the sink")

    disk = Happenings()
    with pytest.raises(RuntimeError, match="planted"):
        asyncio.run(run(lambda: node(Noter("noter"), disk=disk, on_note=broken)))
    assert JournalReader("node.romer", disk.data).header.node == "node"
    assert disk.happened[-1] == "close"


class Caller(Actor):
    """Calls a service as it starts."""

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        self.emit(Call("bank", "1", Ping(1)))

    HANDLERS = {**Actor.IGNORED, Start: _on_start}  # noqa: RUF012


def test_a_service_that_the_node_does_not_have_is_our_bug() -> None:
    with pytest.raises(DefectError, match="node/caller calls `bank`"):
        asyncio.run(run(lambda: node(Caller("caller"))))


def test_a_failing_computation_stops_the_node() -> None:
    async def script() -> None:
        async with dialled(node(Server()), "server") as peer:
            await peer.send(b"12\n")
            assert await peer.receive() == b""

    with pytest.raises(DefectError, match="computes nothing, asked for Square"):
        asyncio.run(script())


def test_computations_may_run_in_other_processes() -> None:
    async def script(pool: ProcessPoolExecutor) -> None:
        async with dialled(node(Server(), solve=square, executor=pool), "server") as peer:
            await peer.send(b"12\n")
            assert await peer.receive() == b"144\n"

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        asyncio.run(script(pool))


class Flood(Actor):
    """Sends a megabyte every millisecond to whoever connects."""

    def _flood(self, now: Nanos, event: Connected | TimerFired) -> None:
        self.emit(Transmit(f"{self.name}-1", b"x" * (1 << 20)))
        self.emit(SetTimer("more", now + MILLISECOND))

    def _on_disconnected(self, _now: Nanos, event: Disconnected) -> None:
        self.emit(CancelTimer("more"))
        self.seen(event.reason)

    HANDLERS = {**Actor.IGNORED, Connected: _flood, TimerFired: _flood, Disconnected: _on_disconnected}  # noqa: RUF012


def test_a_peer_that_does_not_read_is_cut_off() -> None:
    async def script() -> Record:
        noted: asyncio.Future[Record] = asyncio.get_running_loop().create_future()
        flooding = node(Flood("flood"), on_note=lambda *note: noted.set_result(note[3]))
        async with dialled(flooding, "flood") as peer:
            fact = await noted
            while await peer.receive():
                pass
            return fact

    assert asyncio.run(script()) == Seen("slow reader: more than 8388608 bytes are waiting")


def test_a_peer_that_has_finished_talking_still_gets_its_answer() -> None:
    async def script() -> None:
        async with dialled(node(Server()), "server") as peer:
            await peer.send(b"hello\n")
            peer.sock.shutdown(socket.SHUT_WR)
            assert await peer.receive() == b"HELLO\n"
            assert await peer.receive() == b""

    asyncio.run(script())


def test_a_peer_that_never_closes_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.05)

    async def script() -> float:
        began = asyncio.get_running_loop().time()
        async with dialled(node(Polite("door")), "door", closes=False) as peer:
            await peer.send(b"hello")
        return asyncio.get_running_loop().time() - began

    assert 0.05 <= asyncio.run(script()) < 2


def test_small_writes_do_not_wait_for_company() -> None:
    async def script() -> None:
        subject = node(Server())
        async with dialled(subject, "server") as peer:
            await peer.send(b"hello\n")
            await peer.receive()
            (alive,) = subject._alive
            assert alive._transport is not None
            sock = alive._transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0

    asyncio.run(script())


def test_a_node_can_be_stopped_while_it_dials() -> None:
    async def script(address: str) -> None:
        subject = node(Client((b"hello",), address))
        running = asyncio.create_task(subject.run())
        await asyncio.sleep(0.01)
        assert len(subject._alive) == 1
        subject.stop()
        async with asyncio.timeout(2):
            await running
        assert not subject._alive

    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as one, socket.socket() as two:
        for sock in (one, two):
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        asyncio.run(script(f"127.0.0.1:{full.getsockname()[1]}"))


def test_a_cancelled_run_closes_everything() -> None:
    disk = Happenings()

    async def script() -> None:
        subject = node(Server(), disk=disk)
        await subject.listen("127.0.0.1", 0, "server")
        async with asyncio.timeout(0.05):
            await subject.run()

    with pytest.raises(TimeoutError):
        asyncio.run(script())
    reader = JournalReader("node.romer", disk.data)
    assert len(list(reader.deliveries())) == 1
    assert reader.end is not None


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_open() -> None:
    async def script(port: int) -> None:
        subject = node(Server())
        with pytest.raises(OSError, match="address already in use"):
            await subject.listen("127.0.0.1", port, "server")
        await subject.close()

    with socket.create_server(("127.0.0.1", 0)) as taken:
        asyncio.run(script(taken.getsockname()[1]))
