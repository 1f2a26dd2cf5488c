"""Runs a node's kernel on asyncio, with sockets. With `live.connection` the only place where core meets asyncio.

What arrives during one pass of the loop is posted into the agenda, and one pump follows: deliver, write
and sync the journal, and only then let the effects leave. (A pump from which nothing leaves is written
with the next one.) The agenda orders everything; asyncio has one timer, for its head.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any, TypeAlias

from core.errors import DefectError
from core.kernel.ids import Ids
from core.kernel.kernel import Kernel, Outgoing
from core.kernel.record import (
    Call,
    Close,
    Compute,
    Computed,
    Connect,
    Event,
    Message,
    Note,
    Outward,
    Record,
    Transmit,
)
from core.units import SECOND, Nanos
from live.clock import Clock
from live.connection import LINGER_SECONDS, READ_BYTES_MAX, Connection
from live.journal_file import JournalFile

NoteSink: TypeAlias = Callable[[str, Nanos, str, Record], None]
Solve: TypeAlias = Callable[[Any], Record]


def no_compute(problem: Any) -> Record:
    """For nodes without `Compute`."""
    raise DefectError(f"this node computes nothing, asked for {problem!r}")


class LiveNode:
    """One node on the running loop. `file` is where the kernel's journal writes; the node syncs and closes it.

    `solve` runs in `executor`, by default in a thread; for a process pool it must be picklable.
    """

    def __init__(
        self,
        kernel: Kernel,
        *,
        clock: Clock,
        on_note: NoteSink,
        file: JournalFile | None = None,
        solve: Solve = no_compute,
        executor: Executor | None = None,
    ) -> None:
        self.name = kernel.node
        self.kernel = kernel
        self.buffer = memoryview(bytearray(READ_BYTES_MAX))
        self._clock, self._on_note, self._file, self._solve, self._executor = clock, on_note, file, solve, executor
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._ids = Ids()
        self._servers: list[asyncio.Server] = []
        self._named: dict[str, Connection] = {}
        self._alive: dict[Connection, asyncio.Future[None]] = {}
        self._awake = self._stopping = False
        self._timer: asyncio.TimerHandle | None = None
        self._armed: Nanos = 0

    async def listen(self, host: str, port: int, component: str) -> int:
        """Take a port for `component` (0 for any free one) and return it; `run` begins to accept. Raises OSError."""
        server = await self._loop.create_server(
            lambda: Connection(self, component, self._ids.next(component)), host, port, start_serving=False
        )
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def run(self) -> None:
        """Start every component and serve until `stop`; then close. Raises whatever stopped the node otherwise."""
        try:
            self.kernel.boot(self._clock())
            self._wake()
            for server in self._servers:
                await server.start_serving()
            await self._ended
        finally:
            await self.close()

    def stop(self, goodbye: float = 0.0) -> None:
        """Deliver `Stop` to every component, do what they ask for, go on for `goodbye` seconds, and end `run`."""
        if not self._stopping:
            self._stopping = True
            self.kernel.stop(self._clock())
            self._wake()
            self._loop.call_later(goodbye, self._end)

    async def close(self) -> None:
        """Close the journal, then doors and connections, whose unsent bytes get LINGER_SECONDS. Part of `run`."""
        if not self._ended.done():
            self._ended.cancel()
        try:
            self._close_journal()
        finally:
            await self._hang_up()

    def post(self, src: str, dst: str, event: Event) -> None:
        """Queue what arrives from outside."""
        if not self._ended.done():
            self.kernel.agenda.post(self._clock(), src, dst, event)
            self._wake()

    def tell(self, dst: str, body: Record) -> None:
        """The world says something to a component, now."""
        self.post("world", dst, Message("world", body))

    def admit(self, connection: Connection) -> bool:
        """A connection has a socket. False when that is no longer wanted."""
        if self._ended.done() or not connection.open:
            return False
        if connection not in self._alive:
            self._know(connection)
        return True

    def forget(self, connection: Connection) -> None:
        """A connection has no socket any more, or never had one."""
        if self._named.get(connection.conn) is connection:
            del self._named[connection.conn]
        if closed := self._alive.pop(connection, None):
            closed.set_result(None)

    def _wake(self) -> None:
        if not self._awake:
            self._awake = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._awake = False
        if self._ended.done():
            return
        try:
            now = self._clock()
            if outgoing := self.kernel.pump(now):
                self._commit()
                self._release(now, outgoing)
            self._arm()
        except Exception as error:
            self._fail(error)

    def _commit(self) -> None:
        if self.kernel.journal is not None:
            self.kernel.journal.flush()
        if self._file is not None:
            self._file.sync()

    def _arm(self) -> None:
        at = self.kernel.agenda.next_at()
        if at is None or (self._timer is not None and self._armed <= at):
            return  # a timer that comes too early finds nothing due, and arms the next
        if self._timer is not None:
            self._timer.cancel()
        self._armed = at
        self._timer = self._loop.call_later((at - self._clock()) / SECOND, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._pump()

    def _release(self, now: Nanos, outgoing: list[Outgoing]) -> None:
        unsent: dict[str, list[bytes]] = {}
        for src, effect in outgoing:
            if isinstance(effect, Transmit):
                unsent.setdefault(effect.conn, []).append(effect.data)
            elif isinstance(effect, Close):
                self._close(effect.conn, b"".join(unsent.pop(effect.conn, [])))
            else:
                self._perform(now, src, effect)
        for conn, parts in unsent.items():
            if conn in self._named:
                self._named[conn].write(b"".join(parts))

    def _perform(self, now: Nanos, src: str, effect: Outward) -> None:
        if isinstance(effect, Note):
            self._on_note(self.name, now, src, effect.fact)
        elif isinstance(effect, Compute):
            job = self._loop.run_in_executor(self._executor, self._solve, effect.problem)
            job.add_done_callback(partial(self._on_computed, src, effect.job_id))
        elif isinstance(effect, Connect):
            self._connect(src, effect)
        elif isinstance(effect, Call):
            raise DefectError(f"{self.name}/{src} calls `{effect.service}`, which this node does not have")

    def _on_computed(self, src: str, job_id: str, job: asyncio.Future[Record]) -> None:
        if job.cancelled():
            return
        if error := job.exception():
            self._fail(error)
        else:
            self.post("compute", src, Computed(job_id, job.result()))

    def _know(self, connection: Connection) -> None:
        self._named[connection.conn] = connection
        self._alive[connection] = self._loop.create_future()

    def _connect(self, component: str, effect: Connect) -> None:
        connection = Connection(self, component, effect.conn)
        self._know(connection)
        connection.dialling = self._loop.create_task(self._dial(connection, effect.address))

    async def _dial(self, connection: Connection, address: str) -> None:
        host, _, port = address.rpartition(":")
        try:
            await self._loop.create_connection(lambda: connection, host.strip("[]"), int(port))
        except (OSError, OverflowError, ValueError) as error:
            connection.end(f"cannot connect to {address}: {error}")
        except Exception as error:
            self._fail(error)
        finally:
            if not connection.made:
                self.forget(connection)

    def _close(self, conn: str, last: bytes) -> None:
        connection = self._named.pop(conn, None)
        if connection is not None and connection.open:
            connection.close(last)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _fail(self, error: BaseException) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)

    def _close_journal(self) -> None:
        try:
            if self.kernel.journal is not None:
                self.kernel.journal.close()
        finally:
            if self._file is not None:
                self._file.close()

    async def _hang_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for server in self._servers:
            server.close()
        for connection in self._alive:
            if connection.open:
                connection.close()
        if self._alive:
            await asyncio.wait(self._alive.values(), timeout=2 * LINGER_SECONDS)
