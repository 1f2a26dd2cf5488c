"""A node's journal directory, as the one process that runs the node holds it.

    store = Store.open(folder, header)
    recovered = recover(store, build, CODEC)
    node = LiveNode(recovered.kernel, store=store, clock=wall_clock(recovered.not_before), ...)

From then on the node writes, syncs, keeps and closes it. What is in the directory:

    000001.romer ...       segments, each begun when the one before was full, or at a start of the node
    index.json             what the segments' headers say; made again whenever it is missing or wrong
    snapshot-....          the newest snapshots
    spare                  room for the next segment
    lock                   the process that has it open
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from msgspec.structs import replace

from core.errors import InputError, JournalDamaged
from core.kernel.journal import Boot, Header, Journal, control_frame, opening
from core.kernel.kernel import Kernel
from core.kernel.segments import segment_number
from live.journal import snapshots
from live.journal.files import segment_header, segment_paths
from live.journal.index import add_to_index, write_index
from live.journal.lock import Lock
from live.journal.policy import ALWAYS, SyncPolicy
from live.journal.segment import NONCE_BYTES, OpenSegment, Spare
from live.journal.tail import not_a_tail

SEGMENT_BYTES: Final = 64 << 20
SNAPSHOT_DELIVERIES: Final = 100_000
SNAPSHOT_SECONDS: Final = 60.0
_TEND_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 5.0
"""After a snapshot that could not be written."""
_ENDING_BYTES: Final = 2 << 10
"""For each thing under way. An order that waits is two, itself and its timer; its end was seen to take 1,400 bytes."""
_HELD_PART: Final = 4
"""The last quarter of the last segment is for what is under way alone."""


class Store:
    """What a journal writes to, and what keeps its directory.

    What is written always finds its room reserved: a write that does not fit in the rest of a segment begins the
    next. Only a single delivery larger than a whole segment takes more from the disk as it comes.

    It is `short` as soon as the disk has no room for the segment after the present one, which has room for the end of
    all that is under way: time to take no new work. It is `nearly_full` when no more than that is left, or little at
    all: time to hear nobody. What is written after that room too is used up takes whatever the disk has, or raises
    OSError.
    """

    def __init__(
        self,
        folder: Path,
        header: Header,
        lock: Lock,
        *,
        policy: SyncPolicy = ALWAYS,
        segment_bytes: int = SEGMENT_BYTES,
        snapshot_deliveries: int = SNAPSHOT_DELIVERIES,
        snapshot_seconds: float = SNAPSHOT_SECONDS,
    ) -> None:
        self.folder, self.header, self.policy = folder, header, policy
        self.boot = 1
        """The number of this start of the node; known once recovered."""
        self.under_way: Callable[[], int] = lambda: 0
        """How many things will end by themselves, and be written down."""
        self.trouble = ""
        """Why it is short, or empty."""
        self.bytes_written = 0
        """Since this start."""
        self.snapshot_count = 0
        """How many deliveries the newest snapshot includes."""
        self._written = header
        """Of the segment being written."""
        self._lock = lock
        self._spare = Spare(folder, segment_bytes)
        snapshots.sweep(folder)
        self._segment: OpenSegment | None = None
        self._journal: Journal | None = None
        self._snapshot_deliveries, self._snapshot_seconds = snapshot_deliveries, snapshot_seconds
        self._snapshot_at = self._synced_at = time.monotonic()
        self._unsaved = ""

    @classmethod
    def open(
        cls,
        folder: Path,
        header: Header,
        *,
        policy: SyncPolicy = ALWAYS,
        segment_bytes: int = SEGMENT_BYTES,
        snapshot_deliveries: int = SNAPSHOT_DELIVERIES,
        snapshot_seconds: float = SNAPSHOT_SECONDS,
    ) -> Self:
        """Lock `folder`, made if it is missing, for the node that `header` describes.

        Raises InputError when another process has it (naming its id), when it holds the journal of another node,
        seed or configuration, or when it cannot be made or read; JournalDamaged when the last header is damaged.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make {folder}: {error.strerror}") from None
        lock = Lock(folder)
        try:
            _check_same(folder, header)
            return cls(
                folder,
                header,
                lock,
                policy=policy,
                segment_bytes=segment_bytes,
                snapshot_deliveries=snapshot_deliveries,
                snapshot_seconds=snapshot_seconds,
            )
        except BaseException:
            lock.release()
            raise

    @property
    def short(self) -> bool:
        """Whether new work should be refused for want of room."""
        return bool(self.trouble)

    @property
    def nearly_full(self) -> bool:
        """Whether what is left has to be kept for what is under way."""
        assert self._segment is not None
        return not self._spare.ready and self._segment.left < max(self._spare.room // _HELD_PART, self._needed)

    @property
    def where(self) -> tuple[Path, int]:
        """The segment being written, and the offset of its last write."""
        assert self._segment is not None
        return self._segment.path, self._segment.written_at

    @property
    def tend_seconds(self) -> float:
        """How often `tend` wants to be called."""
        return min(self.policy.seconds, _TEND_SECONDS) if self.policy.kind == "interval" else _TEND_SECONDS

    def begin(self, journal: Journal, boot: int, at: int) -> None:
        """Begin this boot's first segment, at the wall time `at`, and let `journal` write to it.

        Raises InputError when the disk has no room for it.
        """
        if not self._spare.prepare():
            raise InputError(f"{self.folder}: {self._spare.problem}", "make room, then start again")
        self.boot, self._journal = boot, journal
        write_index(self.folder)
        number = 1 + max((segment_number(path.name) for path in segment_paths(self.folder)), default=0)
        journal.attach(self)
        self._begin(number, control_frame(Boot(boot, at, self.header.commit, self.header.versions)))

    def write(self, data: bytes) -> None:
        """Write whole frames, all or none, into the next segment if this one has not the room. Raises OSError."""
        assert self._segment is not None
        if not self._segment.fits(data) and self._spare.prepare():
            self._turn()
        self._segment.write(data)
        self.bytes_written += len(data)

    def sync(self) -> None:
        """Do what the sync policy wants before effects leave. Raises OSError."""
        assert self._segment is not None
        if self.policy.kind == "always":
            self._segment.sync()
        elif self.policy.kind == "interval" and time.monotonic() >= self._synced_at + self.policy.seconds:
            self._sync_now()

    def keep(self, kernel: Kernel) -> None:
        """Take a snapshot if one is due. Call right after a pump. Raises OSError for a failing sync only.

        When a snapshot cannot be written, the node goes on, and the store is `short`.
        """
        assert kernel.journal is not None
        if not self.trouble and self._spare.taken < self._needed:
            self._look()
        if self._is_due(kernel.journal):
            self.snapshot(kernel)

    def snapshot(self, kernel: Kernel) -> None:
        """Take a snapshot, unless the newest is of this very moment. Call right after a pump."""
        assert kernel.journal is not None
        self._snapshot_at = time.monotonic()
        if kernel.journal.count == self.snapshot_count:
            return
        snapshot = kernel.snapshot()
        self._sync_now()  # a snapshot must never know more than the journal
        try:
            snapshots.save(self.folder, self._written, snapshot)
        except OSError as error:
            self._unsaved = f"a snapshot cannot be written: {error.strerror}"
        else:
            self._unsaved, self.snapshot_count = "", snapshot.chain.count
        self._look()

    def tend(self) -> None:
        """Sync what is overdue, and see whether the disk has room. Raises OSError for a failing write or sync."""
        assert self._segment is not None
        if self.policy.kind == "interval":
            self._sync_now()
        self._segment.note()
        self._look()

    def close(self) -> None:
        """Sync, give back what was reserved, and unlock. Raises OSError for a failing sync."""
        try:
            if self._segment is not None:
                self._segment.close()
            self._spare.close()
        finally:
            self._lock.release()

    def _turn(self) -> None:
        assert self._segment is not None
        before = self._segment
        before.sync()
        self._begin(self._written.segment + 1, b"")
        before.close()

    def _begin(self, number: int, boot: bytes) -> None:
        assert self._journal is not None
        count, digest = self._journal.written()
        self._written = replace(
            self.header,
            segment=number,
            boot=self.boot,
            count=count,
            digest=digest if number > 1 else "",
            nonce=os.urandom(NONCE_BYTES),
        )
        self._segment = self._spare.begin(
            number, self._written.nonce, opening(self._written) + boot, trusting=self.policy.kind == "off"
        )
        add_to_index(self.folder, self._written)
        self._look()

    def _look(self) -> None:
        self.trouble = self._unsaved if self._spare.prepare(self._needed) else self._spare.problem

    @property
    def _needed(self) -> int:
        return self.under_way() * _ENDING_BYTES

    def _sync_now(self) -> None:
        assert self._segment is not None
        self._segment.sync()
        self._synced_at = time.monotonic()

    def _is_due(self, journal: Journal) -> bool:
        if journal.count < self.snapshot_count + self._snapshot_deliveries:
            seconds = _RETRY_SECONDS if self._unsaved else self._snapshot_seconds
            return journal.count > self.snapshot_count and time.monotonic() >= self._snapshot_at + seconds
        return not self._unsaved or time.monotonic() >= self._snapshot_at + _RETRY_SECONDS


def _check_same(folder: Path, header: Header) -> None:
    paths = segment_paths(folder)
    if not paths:
        return
    try:
        found = segment_header(paths[-1])
    except JournalDamaged as damage:
        raise not_a_tail(folder, damage) from None
    for what, here, wanted in (
        ("node", found.node, header.node),
        ("seed", found.seed, header.seed),
        ("configuration", found.config_hash, header.config_hash),
    ):
        if here != wanted:
            raise InputError(
                f"{folder}: the journal of {what} {here}, and this is {what} {wanted}",
                "go on with what it was written with, or name another directory",
            )
