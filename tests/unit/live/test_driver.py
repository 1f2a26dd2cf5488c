"""What only the live driver has: a disk before effects, slow and silent peers, executors, a process that stops."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from multiprocessing import get_context
from typing import Any

import pytest

from core.errors import DefectError
from core.kernel.component import Component
from core.kernel.journal import Header, Journal
from core.kernel.kernel import Kernel
from core.kernel.reader import JournalReader
from core.kernel.record import (
    Bytes,
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
from live.connection import SlowReaderDropped
from live.driver import LiveNode, NoteSink, Solve, no_compute
from live.journal.policy import ALWAYS
from live.journal.store import Store
from tests.helpers.actors import Actor, Polite
from tests.helpers.drivers import square
from tests.helpers.toys import Client, Ping, Seen, Server, Square


class Happenings(Store):
    """A disk that lists what happens to it, among the notes of its node; its `fails`-th operation fails."""

    nearly_full = False

    def __init__(self, fails: int = 0) -> None:
        self.boot, self.trouble, self.policy = 1, "", ALWAYS
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

    def keep(self, kernel: Kernel) -> None: ...

    def snapshot(self, kernel: Kernel) -> None: ...

    def tend(self) -> None: ...

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
    return LiveNode(kernel, clock=wall_clock(), on_note=noted, store=disk, solve=solve, executor=executor)


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


def test_a_node_that_has_failed_says_so_at_once_and_waits_for_no_peer() -> None:
    disk = Happenings(fails=6)

    async def script() -> float:
        subject = node(Busy("busy"), Noter("noter"), disk=disk)
        began = 0.0
        try:
            async with dialled(subject, "busy", closes=False):
                assert not subject.failed
                began = time.monotonic()
                while not subject.failed:
                    subject.tell("noter", Ping(1))
                    await asyncio.sleep(0.01)
        except OSError:
            assert subject.failed
        return time.monotonic() - began

    assert asyncio.run(script()) < 1


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


def test_a_node_that_ends_waits_for_no_computation() -> None:
    began, released, solved = threading.Event(), threading.Event(), []

    def stuck(problem: Any) -> Record:
        solved.append(problem)
        began.set()
        assert released.wait(5)
        return square(problem)

    async def script() -> None:
        async with dialled(node(Server(), solve=stuck, executor=pool), "server") as peer:
            await peer.send(b"1\n2\n3\n")
            await asyncio.to_thread(began.wait, 5)
            await asyncio.sleep(0.01)

    with ThreadPoolExecutor(1) as pool:
        asyncio.run(script())
        assert not released.is_set()
        with pytest.raises(RuntimeError, match="after shutdown"):
            pool.submit(square, Square(4))
        released.set()
    assert solved == [Square(1)]


class Flood(Actor):
    """Sends a megabyte every millisecond to whoever connects."""

    def _flood(self, now: Nanos, event: Connected | TimerFired) -> None:
        self.emit(Transmit(f"{self.name}-1", b"x" * (1 << 20)))
        self.emit(SetTimer("more", now + MILLISECOND))

    def _on_disconnected(self, _now: Nanos, event: Disconnected) -> None:
        self.emit(CancelTimer("more"))
        self.seen(event.reason)

    HANDLERS = {**Actor.IGNORED, Connected: _flood, TimerFired: _flood, Disconnected: _on_disconnected}  # noqa: RUF012


class Burst(Actor):
    """Sends more at once, to whoever connects, than a peer may leave waiting for long."""

    SIZE = 16 << 20

    def _on_connected(self, _now: Nanos, event: Connected) -> None:
        self.emit(Transmit(event.conn, b"x" * self.SIZE))

    HANDLERS = {**Actor.IGNORED, Connected: _on_connected}  # noqa: RUF012


class Busy(Actor):
    """Takes 10 ms to handle whatever arrives, and knows the most that arrived between two of its handlings."""

    most = 0

    def _on_bytes(self, _now: Nanos, event: Bytes) -> None:
        self.most = max(self.most, len(event.data))
        time.sleep(0.01)

    HANDLERS = {**Actor.IGNORED, Bytes: _on_bytes}  # noqa: RUF012


def test_a_peer_that_does_not_read_is_cut_off() -> None:
    async def script() -> list[Record]:
        noted: asyncio.Queue[Record] = asyncio.Queue()
        flooding = node(Flood("flood"), on_note=lambda *note: noted.put_nowait(note[3]))
        async with dialled(flooding, "flood") as peer:
            facts = [await noted.get(), await noted.get()]
            while await peer.receive():
                pass
            return facts

    dropped, seen = asyncio.run(script())
    assert isinstance(dropped, SlowReaderDropped)
    assert (dropped.conn, dropped.reason) == ("flood-1", "slow reader: more than 67108864 bytes are waiting")
    assert dropped.unsent_bytes > 64 << 20
    assert seen == Seen(dropped.reason)


def test_a_peer_that_takes_next_to_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.1)

    async def script() -> Record:
        noted: asyncio.Queue[Record] = asyncio.Queue()
        subject = node(Burst("burst"), on_note=lambda *note: noted.put_nowait(note[3]))
        async with dialled(subject, "burst"), asyncio.timeout(5):
            return await noted.get()

    dropped = asyncio.run(script())
    assert isinstance(dropped, SlowReaderDropped)
    assert dropped.reason == "slow reader: took less than 65536 bytes in 0.1 s"


def test_a_burst_is_no_reason_to_cut_off_a_peer_that_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.05)

    async def script() -> int:
        async with dialled(node(Burst("burst")), "burst") as peer:
            received = 0
            while received < Burst.SIZE:
                received += len(await peer.receive())
                await asyncio.sleep(0.001)
            return received

    assert asyncio.run(script()) == Burst.SIZE


def test_a_sender_is_held_up_by_a_node_that_is_behind() -> None:
    async def script() -> tuple[int, int]:
        busy = Busy("busy")
        async with dialled(node(busy), "busy", closes=False) as peer:
            sent, deadline = 0, asyncio.get_running_loop().time() + 1
            while asyncio.get_running_loop().time() < deadline:
                with suppress(BlockingIOError):
                    sent += peer.sock.send(b"x" * (1 << 20))
                await asyncio.sleep(0)
            return sent, busy.most

    sent, most = asyncio.run(script())
    assert most <= connection.READ_BYTES_MAX
    assert sent < 40 << 20


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
        with pytest.raises(OSError, match="Address already in use"):
            await subject.listen("127.0.0.1", port, "server")
        await subject.close()

    with socket.create_server(("127.0.0.1", 0)) as taken:
        asyncio.run(script(taken.getsockname()[1]))
