"""Toy nodes on a journal's directory, driven without asyncio: opened, pumped, killed, opened again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.kernel.codec import Codec
from core.kernel.component import Component
from core.kernel.journal import Header
from core.kernel.kernel import Kernel, Outgoing
from core.kernel.replay import Replayed, replay
from core.units import MILLISECOND, Nanos
from live.journal.files import open_reader, segment_paths
from live.journal.policy import ALWAYS, SyncPolicy
from live.journal.recovery import Recovered, recover
from live.journal.store import Store
from tests.helpers.toys import CODEC, Answerer, Asker

HEADER = Header("toy", 1, b"", "")
SEGMENT_BYTES = 1 << 12
STEP = 5 * MILLISECOND
Build = Callable[[], list[Component[Any]]]


def toys() -> list[Component[Any]]:
    """An asker and an answerer."""
    return [Asker(), Answerer()]


class Toy:
    """A node in one process. `kill` leaves the directory as the death of the process would."""

    def __init__(
        self,
        folder: Path,
        *,
        build: Build = toys,
        header: Header = HEADER,
        snapshot_deliveries: int = 1 << 30,
        policy: SyncPolicy = ALWAYS,
    ) -> None:
        self.store = Store.open(
            folder, header, policy=policy, segment_bytes=SEGMENT_BYTES, snapshot_deliveries=snapshot_deliveries
        )
        try:
            self.recovered: Recovered = recover(self.store, build, CODEC)
        except BaseException:
            self.store.close()
            raise
        self.kernel: Kernel = self.recovered.kernel
        self.now: Nanos = self.kernel.at

    @property
    def digest(self) -> str:
        assert self.kernel.journal is not None
        return self.kernel.journal.digest()

    @property
    def count(self) -> int:
        assert self.kernel.journal is not None
        return self.kernel.journal.count

    def pump(self, times: int = 1) -> list[Outgoing]:
        """Let time go on by steps, and commit and keep after each, as the driver does."""
        outgoing = []
        for _ in range(times):
            self.now += STEP
            outgoing += self.kernel.pump(self.now)
            assert self.kernel.journal is not None
            self.kernel.journal.flush()
            self.store.sync()
            self.store.keep(self.kernel)
        return outgoing

    def kill(self) -> None:
        """The lock goes with the process, and nothing else happens."""
        self.store._lock.release()

    def stop(self) -> None:
        """End in order."""
        assert self.kernel.journal is not None
        self.store.snapshot(self.kernel)
        self.kernel.journal.close()
        self.store.close()


def replayed(folder: Path, build: Build = toys, codec: Codec = CODEC) -> Replayed:
    """What all segments of a directory replay to."""
    return replay(open_reader(segment_paths(folder)), build(), codec, unfinished=True)


def unbroken(folder: Path, times: int) -> tuple[int, str]:
    """Deliveries and digest of a node that was never stopped."""
    toy = Toy(folder)
    toy.pump(times)
    toy.stop()
    return toy.count, toy.digest
