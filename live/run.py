"""One node as a process: it runs until somebody asks it to stop, drains, and ends.

The first SIGTERM or SIGINT, or the end of stdin where the process was told to watch it, starts the drain. Who
takes new work is told to stop; what is open may end until the deadline; then everybody is told to stop,
which logs sessions out, and the node ends. A second signal ends it at once, with the journal closed in
order: what was open goes on after the next start.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from signal import SIGINT, SIGTERM, default_int_handler, signal
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
import structlog

from core.faults import one_line
from core.units import SECOND, Nanos, format_duration
from live.clock import clock_offset
from live.observe.http import Health
from live.opening import Opened

_LOOK_SECONDS: Final = 0.02
_CLOCK_SECONDS: Final = 1.0
_CLOCK_OFFSET_MAX: Final = SECOND


class Drain(NamedTuple):
    """How a node winds down: who stops first, what is waited for, and how long; then `goodbye` for logouts."""

    first: tuple[str, ...] = ()
    left: Callable[[], Mapping[str, int]] = dict
    """What is still open, and how much of it."""
    deadline: Nanos = 0
    progress: Callable[[], object] = lambda: None
    """The deadline begins anew whenever this changes."""
    goodbye: Nanos = SECOND


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What a node has done, and the digest of its journal.

    `drained` is False where it was ended at once, or by the deadline of its drain with something still open.
    """

    node: str
    deliveries: int
    digest: str
    drained: bool

    def __str__(self) -> str:
        how = "has stopped" if self.drained else "was stopped before its drain was done"
        return f"{self.node} {how}: {self.deliveries:,} deliveries, digest {self.digest}"


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a process says once its node runs, in three lines or as JSON."""

    node: str
    pid: int
    places: dict[str, str]
    """`host:port` of its doors, or of what it dials, by name."""
    http: str = ""
    """Where its pages are, or empty."""
    journal: str
    sync: str
    boot: int
    """The number of this start of the node."""
    drain: str
    dials: bool = False

    def __str__(self) -> str:
        places = [f"{name} on {address}" for name, address in self.places.items()]
        places += [f"metrics on http://{self.http}/metrics"] if self.http else []
        return "\n".join(
            (
                f"{self.node} {'dials' if self.dials else 'listens'}: {', '.join(places)}",
                f"journal: {self.journal} (sync {self.sync}, boot {self.boot})",
                f"stop: Ctrl-C or `kill {self.pid}` drains for up to {self.drain}; a second time stops at once",
            )
        )


OnUp: TypeAlias = Callable[[Opening], None]


class Life:
    """One node from start to end."""

    def __init__(self, opened: Opened, drain: Drain) -> None:
        self._node, self._store, self._clock, self._drain = opened.node, opened.store, opened.clock, drain
        self._asked, self._again = asyncio.Event(), asyncio.Event()
        self._cut_off: dict[str, int] = {}
        """What was open when the drain's deadline came."""
        self._log = structlog.get_logger().bind(node=self._node.name)

    def health(self) -> Health:
        """How the node stands, for whoever asks meanwhile."""
        if self._node.failed:
            return Health.FAILED
        if self._asked.is_set():
            return Health.DRAINING
        if self._store.short:
            return Health.STORAGE_SHORT
        return Health.READY if self._node.started.is_set() else Health.STARTING

    def ask(self, why: str) -> None:
        """Ask the node to stop: the first time to drain, the second to end at once. One that has failed is stopping."""
        if self._node.failed:
            return
        event, name = (self._again, "stop_at_once") if self._asked.is_set() else (self._asked, "drain_started")
        if not event.is_set():
            self._log.info(name, why=why)
            event.set()

    async def run(self, *world: Coroutine[Any, Any, None]) -> Ended:
        """Run the node to its end, and `world` beside it until the drain. Raises whatever stopped the node before.

        What is in memory by now stays: no garbage collection looks through it again, which would hold up the node.
        """
        gc.freeze()
        with _signals(self.ask):
            running = asyncio.create_task(self._node.run())
            beside = [asyncio.create_task(each) for each in (self._watch_clock(), *world)]
            winding = asyncio.create_task(self._wind_down(beside))
            try:
                await running
            except Exception as error:
                self._log.critical("node_failed", why=one_line(str(error) or repr(error)))
                raise
            finally:
                for task in (winding, *beside):
                    task.cancel()
                results = await asyncio.gather(winding, *beside, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return self._ended()

    async def when_up(self, tell: OnUp, places: dict[str, str], *, http: str = "", dials: bool = False) -> None:
        """Tell where the node is to be found, once it runs."""
        await self._node.started.wait()
        tell(
            Opening(
                node=self._node.name,
                pid=os.getpid(),
                places=places,
                http=http,
                journal=str(self._store.folder),
                sync=str(self._store.policy),
                boot=self._store.boot,
                drain=format_duration(self._drain.deadline),
                dials=dials,
            )
        )

    async def until_stdin_ends(self) -> None:
        """Ask the node to stop when whoever holds the other end of stdin closes it, or dies."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while await reader.read(1 << 12):
            pass
        self.ask("stdin has ended")

    async def _watch_clock(self) -> None:
        """Say it once whenever the system's clock has left the node's, whose peers go by theirs."""
        far = False
        while True:
            offset = clock_offset(self._clock)
            if not far and abs(offset) > _CLOCK_OFFSET_MAX:
                hint = "start the node again, so that it goes by the system's clock"
                self._log.warning("clock_offset", seconds=round(offset / SECOND, 3), hint=hint)
            far = abs(offset) > _CLOCK_OFFSET_MAX
            await asyncio.sleep(_CLOCK_SECONDS)

    async def _wind_down(self, world: list[asyncio.Task[None]]) -> None:
        await self._asked.wait()
        for task in world:
            task.cancel()
        self._node.wind_down(*self._drain.first)
        loop = asyncio.get_running_loop()
        began, seen = loop.time(), self._drain.progress()
        while self._left() and loop.time() - began < self._drain.deadline / SECOND and not self._again.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._again.wait(), _LOOK_SECONDS)
            if self._drain.progress() != seen:
                began, seen = loop.time(), self._drain.progress()
        if not self._again.is_set():
            self._cut_off = self._left()
            if self._cut_off:
                self._log.warning("drain_cut_off", after=format_duration(self._drain.deadline), open=self._cut_off)
            self._node.stop(self._drain.goodbye / SECOND)
            await self._again.wait()
        self._node.cut()

    def _left(self) -> dict[str, int]:
        return {what: count for what, count in self._drain.left().items() if count}

    def _ended(self) -> Ended:
        journal = self._node.kernel.journal
        assert journal is not None
        return Ended(
            node=self._node.name,
            deliveries=journal.count,
            digest=journal.digest(),
            drained=not self._again.is_set() and not self._cut_off,
        )


@contextmanager
def ending_at_once() -> Iterator[None]:
    """While the loop is kept waiting by what a journal can lose at any time: a signal is a KeyboardInterrupt, now.

    For the main thread.
    """
    before = {number: signal(number, default_int_handler) for number in (SIGINT, SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)


@contextmanager
def _signals(ask: Callable[[str], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (SIGINT, SIGTERM):
        loop.add_signal_handler(number, partial(ask, number.name))
    try:
        yield
    finally:
        for number in (SIGINT, SIGTERM):
            loop.remove_signal_handler(number)
