"""Runs a node's kernel on asyncio, with sockets. With `live.connection` the only place where core meets asyncio.

What arrives during one pass of the loop is posted into the agenda, and one pump follows: deliver, write
and sync the journal, and only then let the effects leave. (A pump from which nothing leaves is written
with the next one.) The agenda orders everything; asyncio has one timer, for its head.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any, Final, TypeAlias

from core.errors import ComponentFailed, DefectError
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
    Reply,
    Stop,
    Transmit,
)
from core.market.world import StorageRestored, StorageShort
from core.units import MILLISECOND, SECOND, Nanos
from live.clock import Clock
from live.connection import LINGER_SECONDS, READ_BYTES_MAX, READ_BYTES_MIN, Connection, Filter
from live.doors import EVERYBODY, Door, Guard, bound
from live.journal.store import Store
from live.tls import ClientTls

BUSY_MAX: Final = 5 * MILLISECOND
"""How long what floods the node may keep it from everybody else at a time."""

NoteSink: TypeAlias = Callable[[str, Nanos, str, Record], None]
Solve: TypeAlias = Callable[[Any], Record]
NO_SERVICES: Final[Mapping[str, Solve]] = {}
OnPump: TypeAlias = Callable[[Nanos, Nanos], None]
"""Told after every pump how long handling took, and then writing and syncing; 0 when nothing left the node."""


def no_compute(problem: Any) -> Record:
    """For nodes without `Compute`."""
    raise DefectError(f"this node computes nothing, asked for {problem!r}")


class LiveNode:
    """One node on the running loop. `store` is where the kernel's journal writes; the node keeps and closes it.

    `solve` and `services`, which answer a `Call` by its name, run in `executor`, by default in threads; for a process
    pool they must be picklable. The node ends it: what has not begun then is never done. What is
    sent on a connection that the node has dialled goes through `outward` last, and by TLS if there is `tls`.
    """

    def __init__(
        self,
        kernel: Kernel,
        *,
        clock: Clock,
        on_note: NoteSink,
        store: Store | None = None,
        solve: Solve = no_compute,
        executor: Executor | None = None,
        outward: Filter | None = None,
        on_pump: OnPump | None = None,
        tls: ClientTls | None = None,
        services: Mapping[str, Solve] = NO_SERVICES,
    ) -> None:
        self.name = kernel.node
        self.kernel = kernel
        self._buffers = memoryview(bytearray(READ_BYTES_MAX))
        self.buffer = self._buffers
        self.started = asyncio.Event()
        """Set when its doors are open."""
        self._clock, self._on_note, self._store, self._solve, self._executor = clock, on_note, store, solve, executor
        self._outward, self._on_pump, self._tls, self._services = outward, on_pump, tls, services
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._ids = Ids()
        self._doors: list[Door] = []
        self._fed: dict[Connection, None] = {}
        self._intake = READ_BYTES_MAX
        self._named: dict[str, Connection] = {}
        self._alive: dict[Connection, asyncio.Future[None]] = {}
        self._awake = self._stopping = self._cut = self._began = self._short = self._held = False
        self._timer: asyncio.TimerHandle | None = None
        self._armed: Nanos = 0

    async def listen(
        self,
        host: str,
        port: int,
        component: str,
        *,
        door: str = "",
        guard: Guard = EVERYBODY,
        inward: Callable[[], Filter] | None = None,
    ) -> int:
        """Take a port for `component` (0 for any free one) and return it; `run` begins to accept. Raises OSError."""
        return self.listen_on(bound(host, port), component, door=door, guard=guard, inward=inward)

    def listen_on(
        self,
        sock: socket.socket,
        component: str,
        *,
        door: str = "",
        guard: Guard = EVERYBODY,
        inward: Callable[[], Filter] | None = None,
    ) -> int:
        """Accept for `component` on a socket that listens, from `run` on, and return its port.

        `door` is what the component is told; `guard` says who may come in. What arrives on a connection goes first
        through a filter of its own that `inward` makes.
        """

        def accept() -> Connection:
            connection = Connection(self, component, self._name(component), inward=inward() if inward else None)
            connection.entrance = opened
            return connection

        opened = Door(sock, door, guard, accept, refuse=partial(self.note, component), failed=self._fail)
        self._doors.append(opened)
        return opened.port

    async def run(self) -> None:
        """Start every component, or take up what was recovered, and serve until `stop`; then close.

        Raises whatever stopped the node otherwise.
        """
        try:
            self._begin()
            for door in self._doors:
                door.open()
            self.started.set()
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

    def wind_down(self, *components: str) -> None:
        """Deliver `Stop` to some components ahead of the others, and go on. They have handled it when this returns."""
        for name in components:
            self.post(name, name, Stop())
        self._pump()

    def cut(self) -> None:
        """End `run` now: the journal is closed in order, connections are cut off."""
        self._cut = True
        self._end()
        for connection in self._alive:
            connection.abort()

    @property
    def failed(self) -> bool:
        """Whether something has stopped it that should not have."""
        return self._ended.done() and not self._ended.cancelled() and self._ended.exception() is not None

    @property
    def connections(self) -> tuple[Connection, ...]:
        """All that have a socket, or are to have one."""
        return tuple(self._alive)

    def unsent_bytes(self, conn: str) -> int:
        """How many bytes wait for the peer on `conn` to take them."""
        return self._named[conn].unsent if conn in self._named else 0

    async def close(self) -> None:
        """Close the journal, then doors and connections, whose unsent bytes get LINGER_SECONDS. Part of `run`.

        After a failure connections are cut off. What was to be computed is asked for again at the next start.
        """
        if not self._ended.done():
            self._ended.cancel()
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
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

    def note(self, component: str, fact: Record) -> None:
        """State a fact of the sockets, which no component knows."""
        self._on_note(self.name, self._clock(), component, fact)

    def fed(self, connection: Connection) -> None:
        """A connection has brought bytes. One that has brought as much as may wait is not read from until the node
        has handled it."""
        self._fed[connection] = None
        if connection.waiting >= READ_BYTES_MAX:
            connection.pause()

    def admit(self, connection: Connection) -> bool:
        """A connection has a socket. False when that is not wanted, now or any more."""
        if self._ended.done() or not connection.open:
            return False
        if self._held:
            if connection.entrance is not None:
                return False
            connection.pause()
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

    def _pump(self, *, last: bool = False) -> None:
        self._awake = False
        if self._ended.done():
            return
        try:
            now = self._clock()
            outgoing = self.kernel.pump(now)
            handled = self._clock()
            if outgoing:
                self._commit()
            if self._store is not None:
                self._keep(self._store, last=last)
            if self._on_pump is not None:
                self._on_pump(handled - now, self._clock() - handled if outgoing else 0)
            if outgoing:
                self._release(now, outgoing)
            self._arm()
            self._catch_up(handled - now)
        except ComponentFailed as error:
            self._fail(self._located(error))
        except Exception as error:
            self._fail(error)

    def _catch_up(self, busy: Nanos) -> None:
        """All that had arrived is handled, for which the node was `busy` so long.

        Connections that brought a lot are read from only after one pass of the loop for the others, and together
        bring no more in a pass than is handled in about BUSY_MAX, as far as the last passes show: however many flood
        the node, nobody else waits much longer.
        """
        heavy = [connection for connection in self._fed if connection.waiting >= len(self.buffer)]
        for connection in self._fed:
            connection.waiting = 0
        self._fed = {}
        if heavy and busy > BUSY_MAX:
            self._intake = max(READ_BYTES_MIN, self._intake // 2)
        elif busy < BUSY_MAX // 2:
            self._intake = min(READ_BYTES_MAX, self._intake * 2)
        self.buffer = self._buffers[: max(READ_BYTES_MIN, self._intake // max(1, len(heavy)))]
        for connection in heavy:
            connection.pause()
            self._loop.call_soon(self._go_on, connection)

    def _go_on(self, connection: Connection) -> None:
        if not self._held:
            connection.go_on()

    def _begin(self) -> None:
        now = self._clock()
        if not self.kernel.booted:
            self.kernel.boot(now)
        for src, effect in self.kernel.outside.unanswered():
            self._perform(now, src, effect)
        if self._store is not None:
            self._short = self._store.short
            if self._short or self._store.boot > 1:
                self._tell_storage(self._store)
            self._tend(self._store)
        self._began = True
        self._wake()

    def _commit(self) -> None:
        if self.kernel.journal is not None:
            self.kernel.journal.flush()
        if self._store is not None:
            self._store.sync()

    def _keep(self, store: Store, *, last: bool) -> None:
        if last:
            store.snapshot(self.kernel)
        else:
            store.keep(self.kernel)
        self._heed(store)

    def _tend(self, store: Store) -> None:
        if self._ended.done():
            return
        try:
            store.tend()
            self._heed(store)
            self._loop.call_later(store.tend_seconds, self._tend, store)
        except Exception as error:
            self._fail(error)

    def _heed(self, store: Store) -> None:
        """Take no new work without room for it; and when hardly any is left, hear nobody, since refusals need some."""
        if store.short != self._short:
            self._short = store.short
            self._tell_storage(store)
        if store.nearly_full != self._held:
            self._held = store.nearly_full
            for connection in self._alive:
                (Connection.pause if self._held else Connection.go_on)(connection)

    def _tell_storage(self, store: Store) -> None:
        """Let those know who take new work, and whoever reads notes, unless it is as it should be from the start."""
        body = StorageShort(store.trouble) if store.short else StorageRestored()
        if store.short or self._began:
            self._on_note(self.name, self._clock(), "storage", body)
        for name, component in self.kernel.components.items():
            if type(body) in component.HANDLERS:
                self.post("storage", name, Message("storage", body))

    def _located(self, error: ComponentFailed) -> ComponentFailed:
        """The same, with the place of the event in the journal and what to do about it."""
        if self._store is None:
            return error
        path, offset = self._store.where
        remedy = f"`romer-live journal quarantine {self._store.folder}` lets the next start pass over it"
        located = ComponentFailed(f"the event at byte {offset} of {path} crashed the node; {remedy}: {error}")
        located.__cause__ = error.__cause__
        return located

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
            job.add_done_callback(partial(self._on_done, "compute", src, partial(Computed, effect.job_id)))
        elif isinstance(effect, Connect):
            self._connect(src, effect)
        elif isinstance(effect, Call):
            if effect.service not in self._services:
                raise DefectError(f"{self.name}/{src} calls `{effect.service}`, which this node does not have")
            job = self._loop.run_in_executor(self._executor, self._services[effect.service], effect.body)
            job.add_done_callback(partial(self._on_done, effect.service, src, partial(Reply, effect.call_id)))

    def _on_done(
        self,
        by: str,
        src: str,
        answer: Callable[[Record], Computed[Record] | Reply[Record]],
        job: asyncio.Future[Record],
    ) -> None:
        if job.cancelled():
            return
        if error := job.exception():
            self._fail(error)
        else:
            self.post(by, src, answer(job.result()))

    def _name(self, component: str) -> str:
        """A name that no connection had before, at this start or an earlier one."""
        boot = self._store.boot if self._store is not None else 1
        name = self._ids.next(component)
        return name if boot == 1 else name.replace(f"{component}-", f"{component}-{boot}.", 1)

    def _know(self, connection: Connection) -> None:
        self._named[connection.conn] = connection
        self._alive[connection] = self._loop.create_future()

    def _connect(self, component: str, effect: Connect) -> None:
        connection = Connection(self, component, effect.conn, outward=self._outward)
        self._know(connection)
        connection.dialling = self._loop.create_task(self._dial(connection, effect.address))

    async def _dial(self, connection: Connection, address: str) -> None:
        host, _, port = address.rpartition(":")
        try:
            await self._loop.create_connection(lambda: connection, host.strip("[]"), int(port), **self._how(host))
        except (OSError, OverflowError, ValueError) as error:
            connection.end(f"cannot connect to {address}: {error}")
        except Exception as error:
            self._fail(error)
        finally:
            if not connection.made:
                self.forget(connection)

    def _how(self, host: str) -> dict[str, Any]:
        if self._tls is None:
            return {}
        return {"ssl": self._tls.context, "server_hostname": self._tls.server_name or host.strip("[]")}

    def _close(self, conn: str, last: bytes) -> None:
        connection = self._named.pop(conn, None)
        if connection is not None and connection.open:
            connection.close(last)

    def _end(self) -> None:
        self._pump(last=True)
        if not self._ended.done():
            self._ended.set_result(None)

    def _fail(self, error: BaseException) -> None:
        if not self._ended.done():
            self._cut = True
            self._ended.set_exception(error)

    def _close_journal(self) -> None:
        try:
            if self.kernel.journal is not None:
                self.kernel.journal.close()
        finally:
            if self._store is not None:
                self._store.close()

    async def _hang_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for door in self._doors:
            door.close()
        for connection in self._alive:
            if self._cut:
                connection.abort()
            elif connection.open:
                connection.close()
        if self._alive:
            await asyncio.wait(self._alive.values(), timeout=2 * LINGER_SECONDS)
