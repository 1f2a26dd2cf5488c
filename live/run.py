"""A whole market in one process, under the wall clock: a kernel, sockets and a journal on disk for every node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from core.config import NodeConfig, VenueConfig, encode_node
from core.kernel.component import Component
from core.kernel.journal import Header, Journal
from core.kernel.kernel import Kernel
from core.solver.strategies.registry import solve
from core.units import SECOND
from live.clock import wall_clock
from live.config import DOORS, Telling
from live.driver import LiveNode, NoteSink
from live.journal_file import JournalFile

HOST: Final = "127.0.0.1"
DRAIN_SECONDS: Final = 1.0
"""How long nodes go on when the world has fallen silent, so that what is open can end."""
GOODBYE_SECONDS: Final = 1.0
"""How long nodes go on after `Stop`, to log out."""

Build: TypeAlias = Callable[[NodeConfig, int], list[Component[Any]]]


class Ended(NamedTuple):
    """What a node has done, and the digest of its journal."""

    node: str
    deliveries: int
    digest: str


class Market:
    """Nodes on loopback sockets. `build` makes components of a configuration and a seed; journals go to `folder`."""

    def __init__(self, build: Build, *, seed: int, folder: Path, on_note: NoteSink) -> None:
        self.doors: dict[str, str] = {}
        """Where venues listen: `host:port` by `venue/component`."""
        self._nodes: dict[str, LiveNode] = {}
        self._build, self._seed, self._folder, self._on_note = build, seed, folder, on_note
        self._clock = wall_clock()

    async def open(self, configs: Mapping[str, NodeConfig]) -> None:
        """Make nodes, by name, and their journals; venues before those who dial them.

        Raises InputError for a journal that exists and OSError for a port that cannot be had.
        """
        try:
            for name, config in configs.items():
                await self._open(name, config)
        except BaseException:
            for node in self._nodes.values():
                await node.close()
            raise

    async def run(self, seconds: float, tellings: Iterable[Telling] = ()) -> list[Ended]:
        """Run all nodes for so long, or until SIGINT or SIGTERM. Raises what stopped a node before."""
        interrupted = asyncio.Event()
        for number in (SIGINT, SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
        runs = [asyncio.create_task(node.run()) for node in self._nodes.values()]
        world = [asyncio.create_task(interrupted.wait()), *(asyncio.create_task(self._tell(it)) for it in tellings)]
        await asyncio.wait([*runs, *world], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in world:
            task.cancel()
        await asyncio.wait(runs, timeout=DRAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for node in self._nodes.values():
            node.stop(GOODBYE_SECONDS)
        for result in await asyncio.gather(*runs, *world, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        return [self._ended(node.kernel) for node in self._nodes.values()]

    async def _open(self, name: str, config: NodeConfig) -> None:
        if not isinstance(config, VenueConfig):
            config = msgspec.structs.replace(config, address=self.doors.get(config.address, config.address))
        encoded = encode_node(config)
        file = JournalFile(self._folder / f"{name}.romer")
        journal = Journal(name, file)
        journal.open(Header(name, self._seed, encoded, blake2b(encoded, digest_size=16).hexdigest()))
        kernel = Kernel(name, self._build(config, self._seed), journal=journal)
        node = self._nodes[name] = LiveNode(kernel, clock=self._clock, on_note=self._on_note, file=file, solve=solve)
        if isinstance(config, VenueConfig):
            for door in DOORS:
                self.doors[f"{name}/{door}"] = f"{HOST}:{await node.listen(HOST, 0, door)}"

    async def _tell(self, telling: Telling) -> None:
        while True:
            self._nodes[telling.node].tell(telling.component, telling.body)
            await asyncio.sleep(telling.every / SECOND)

    def _ended(self, kernel: Kernel) -> Ended:
        assert kernel.journal is not None
        return Ended(kernel.node, kernel.journal.count, kernel.journal.digest())
