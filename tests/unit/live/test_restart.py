"""A live node that was stopped or killed comes back: connections end, computations run again, nothing starts twice."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from concurrent.futures import Executor, Future
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from shutil import copytree
from typing import Any, ClassVar

import pytest

from core.errors import ComponentFailed
from core.kernel.codec import Codec
from core.kernel.component import Component, Handler
from core.kernel.journal import Header
from core.kernel.record import (
    Compute,
    Computed,
    Connected,
    Disconnected,
    Message,
    Note,
    Record,
    Restarted,
    Resume,
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
)
from core.market.world import StorageRestored, StorageShort
from core.units import MILLISECOND, SECOND, Nanos
from live.clock import wall_clock
from live.driver import LiveNode
from live.journal import segment
from live.journal.files import segment_paths
from live.journal.recovery import Recovered, recover
from live.journal.store import Store
from tests.helpers.actors import Actor, Fragile
from tests.helpers.stores import replayed
from tests.helpers.toys import Pong, Seen, Server, Square

HEADER = Header("node", 1, b"", "")
CODEC = Codec((Pong, Seen, Square, StorageShort, StorageRestored))


class Once(Actor):
    """Notes what happens to it; asks for a computation and arms a timer as it starts."""

    def _on_start(self, now: Nanos, _event: Start) -> None:
        self.seen("start")
        self.emit(Compute("job", Square(7)))
        self.emit(SetTimer("soon", now + 30 * MILLISECOND))

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        self.seen(f"timer {'late' if now >= event.at + 20 * MILLISECOND else 'in time'}")

    def _on_computed(self, _now: Nanos, event: Computed[Pong]) -> None:
        self.seen(f"computed {event.result.n}")

    def _on_connected(self, _now: Nanos, event: Connected) -> None:
        self.seen(f"connected {event.conn}")

    def _on_disconnected(self, _now: Nanos, event: Disconnected) -> None:
        self.seen(f"disconnected {event.conn}: {event.reason}")

    def _on_stop(self, _now: Nanos, _event: Stop) -> None:
        self.seen("stop")

    def _on_resume(self, _now: Nanos, _event: Resume) -> None:
        self.seen("resume")

    def _on_storage(self, _now: Nanos, event: Message[StorageShort | StorageRestored]) -> None:
        self.seen(type(event.body).__name__)

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        **Actor.IGNORED,
        Start: _on_start,
        TimerFired: _on_timer,
        Pong: _on_computed,
        Connected: _on_connected,
        Disconnected: _on_disconnected,
        Stop: _on_stop,
        Resume: _on_resume,
        StorageShort: _on_storage,
        StorageRestored: _on_storage,
    }


class Patient(Once):
    """One that wants to know that its computation runs again."""

    def _on_restarted(self, _now: Nanos, _event: Restarted) -> None:
        self.seen("restarted")

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {**Once.HANDLERS, Restarted: _on_restarted}


class Process:
    """One start of the node of `folder`, with what it noted."""

    def __init__(self, folder: Path, *components: Component[Any], executor: Executor | None = None) -> None:
        self.notes: list[str] = []
        self._news = asyncio.Event()
        self.folder = folder
        self.store = Store.open(folder, HEADER, segment_bytes=1 << 14)
        self.recovered: Recovered = recover(self.store, lambda: list(components), CODEC)
        self.node = LiveNode(
            self.recovered.kernel,
            clock=wall_clock(self.recovered.not_before),
            on_note=self._note,
            store=self.store,
            solve=square,
            executor=executor,
        )

    def _note(self, _node: str, _now: Nanos, _component: str, fact: Record) -> None:
        if isinstance(fact, Seen):
            self.notes.append(fact.what)
            self._news.set()

    @asynccontextmanager
    async def running(self, door: str = "") -> AsyncIterator[int]:
        """Run it, and give the port of its door; stop it in the end."""
        port = await self.node.listen("127.0.0.1", 0, door) if door else 0
        task = asyncio.create_task(self.node.run())
        await asyncio.sleep(0.01)
        try:
            yield port
        finally:
            self.node.stop()
            await task

    async def until(self, what: str) -> None:
        async with asyncio.timeout(5):
            while what not in self.notes:
                self._news.clear()
                await self._news.wait()

    def killed(self) -> Path:
        """What its death at this moment would leave."""
        left = self.folder.with_name(f"{self.folder.name} after the kill")
        copytree(self.folder, left)
        return left


class Silent(Executor):
    """Never answers."""

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        return Future()


def square(problem: Square) -> Pong:
    return Pong(problem.n**2)


def test_what_was_open_when_a_node_was_killed_is_ended_asked_again_or_overdue(tmp_path: Path) -> None:
    async def script() -> tuple[list[str], list[str], Path]:
        first = Process(tmp_path / "node", Once("once"), executor=Silent())
        async with first.running("once") as port:
            with socket.create_connection(("127.0.0.1", port)):
                await first.until("connected once-1")
                left, before = first.killed(), list(first.notes)
        await asyncio.sleep(0.06)
        second = Process(left, Once("once"))
        async with second.running("once") as port:
            await second.until("computed 49")
            with socket.create_connection(("127.0.0.1", port)):
                await second.until("connected once-2.1")
            await second.until("disconnected once-2.1: closed by peer")
        return before, second.notes, left

    before, after, left = asyncio.run(script())
    assert before == ["start", "connected once-1"]
    assert after[:3] == ["disconnected once-1: restarted", "timer late", "StorageRestored"]
    assert after[3:] == ["computed 49", "connected once-2.1", "disconnected once-2.1: closed by peer", "stop"]
    assert replayed(left, lambda: [Once("once")], CODEC).count == 9


def test_who_waits_for_a_computation_hears_of_the_restart_before_its_overdue_timer_and_so_does_a_replay(
    tmp_path: Path,
) -> None:
    async def script() -> tuple[list[str], Path]:
        first = Process(tmp_path / "node", Patient("once"), executor=Silent())
        async with first.running():
            await first.until("start")
            left = first.killed()
        await asyncio.sleep(0.06)
        second = Process(left, Patient("once"))
        async with second.running():
            await second.until("computed 49")
        return second.notes, left

    notes, left = asyncio.run(script())
    assert notes == ["restarted", "timer late", "StorageRestored", "computed 49", "stop"]
    assert replayed(left, lambda: [Patient("once")], CODEC).count == 6


def test_a_node_that_was_stopped_in_order_is_told_to_go_on_and_needs_no_replay(tmp_path: Path) -> None:
    async def script() -> list[list[str]]:
        notes = []
        for _ in range(3):
            process = Process(tmp_path, Once("once"))
            async with process.running():
                await asyncio.sleep(0.04)
            assert process.recovered.replayed == 0
            notes.append(process.notes)
        return notes

    first, *later = asyncio.run(script())
    assert (first[0], first[-1]) == ("start", "stop")
    assert later == [["resume", "StorageRestored", "stop"]] * 2
    assert replayed(tmp_path, lambda: [Once("once")], CODEC).crash == ""


class Chain(Actor):
    """Sends itself a chain of messages at one instant, then notes the end."""

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        self.emit(Send(self.name, Pong(0)))

    def _on_pong(self, _now: Nanos, event: Message[Pong]) -> None:
        if event.body.n < 20:
            self.emit(Send(self.name, Pong(event.body.n + 1)))
        else:
            self.emit(Note(Seen("end")))

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {**Actor.IGNORED, Start: _on_start, Pong: _on_pong}


def test_a_pump_that_was_cut_in_the_middle_is_finished(tmp_path: Path) -> None:
    async def script() -> list[str]:
        first = Process(tmp_path / "node", Chain("chain"))
        first.recovered.kernel.pump(SECOND)
        assert first.recovered.kernel.journal is not None
        first.recovered.kernel.journal.flush()
        left = first.killed()
        first.store.close()
        (path,) = segment_paths(left)
        path.write_bytes(path.read_bytes().rstrip(b"\0")[:-300])
        second = Process(left, Chain("chain"))
        assert second.recovered.kernel.at == SECOND
        async with second.running():
            await second.until("end")
        return second.notes

    assert asyncio.run(script()) == ["end"]


def test_those_who_take_new_work_hear_when_the_disk_is_short_and_when_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.journal.store._TEND_SECONDS", 0.01)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async def script() -> list[str]:
        process = Process(tmp_path, Once("once"), Server())
        async with process.running():
            with monkeypatch.context() as patched:
                patched.setattr(segment, "reserve", full)
                process.store._spare.remove()
                await process.until("StorageShort")
            await process.until("StorageRestored")
        return process.notes

    notes = asyncio.run(script())
    assert notes.index("StorageShort") < notes.index("StorageRestored")


def test_when_hardly_any_room_is_left_nobody_is_heard_until_there_is_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.journal.store._TEND_SECONDS", 0.01)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async def script() -> None:
        process = Process(tmp_path, Once("once"), Server())
        async with asyncio.timeout(20), process.running("server") as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with monkeypatch.context() as patched:
                patched.setattr(segment, "reserve", full)
                process.store._spare.remove()
                with suppress(TimeoutError):
                    while True:
                        writer.write(b"x" * 200 + b"\n")
                        await asyncio.wait_for(reader.readline(), 0.5)
                assert process.store.nearly_full
                assert process.store._segment is not None
                assert process.store._segment.left > 0
                assert not process.node.failed
                stranger, to_stranger = await asyncio.open_connection("127.0.0.1", port)
                assert await stranger.read() == b""
                to_stranger.close()
            assert await reader.readline() == b"X" * 200 + b"\n"
            writer.write(b"again\n")
            assert await reader.readline() == b"AGAIN\n"
            writer.close()

    asyncio.run(script())
    assert replayed(tmp_path, lambda: [Once("once"), Server()], CODEC).crash == ""


def test_a_crash_says_where_its_event_is_and_what_to_do(tmp_path: Path) -> None:
    async def script() -> None:
        process = Process(tmp_path, Fragile("fragile"))
        async with asyncio.timeout(5), process.running("fragile") as port:
            with socket.create_connection(("127.0.0.1", port)) as peer:
                peer.sendall(b"hello\n")
                await process.node._ended

    with pytest.raises(ComponentFailed, match=r"node/fragile failed on Bytes") as caught:
        asyncio.run(script())
    (path,) = segment_paths(tmp_path)
    told = str(caught.value)
    offset = int(told.removeprefix("the event at byte ").partition(" ")[0])
    assert f" of {path} crashed the node; `romer-live journal quarantine {tmp_path}` lets the next start" in told
    assert b"Crash" in path.read_bytes()[offset : offset + 100]
