"""Reads a journal back, segment after segment, and checks all that can be checked without handling anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias
from zlib import crc32

import msgspec

from core.errors import JournalDamaged
from core.kernel.journal import (
    FORMAT,
    FRAME_BYTES_MAX,
    HEAD,
    MAGIC,
    Boot,
    Chain,
    Control,
    Crash,
    End,
    Header,
    Journal,
    Quarantined,
)

DELIVERY_MARK: Final = 0x94  # a msgpack array of four

Part: TypeAlias = tuple[str, Callable[[], bytes]]
"""A segment: its name in errors, and what reads it."""


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One delivery frame as read: `seq` counts from 1, `offset` is in its segment, `payload` is its exact bytes."""

    seq: int
    offset: int
    payload: bytes


class JournalReader:
    """Reads a journal: one segment from memory, then those of `later`, each when its turn comes.

    `name` is that of the segment being read, and is used in errors. With `since`, where a snapshot stands, only
    what came after it is given out, and `data` may be any segment that begins before it.

    Raises JournalDamaged, with the byte offset, at the first thing that is not as it was written. Of a journal
    whose first segments are missing, digests cannot be checked, unless `since` says them.
    """

    def __init__(self, name: str, data: bytes, *, later: Sequence[Part] = (), since: Chain | None = None) -> None:
        self.name, self._data, self._later, self._since = name, data, later, since
        self.header, self._offset = read_header(name, data)
        self.first_seq = self.header.count + 1
        """The number of the first delivery that the segments hold."""
        self.end: End | None = None
        self.boots: list[Boot] = []
        self.crash: Crash | None = None
        """What ended the run, and was not passed over."""
        self._passed_over: list[Crash] = []
        self.later_segments = len(later)
        """How many segments follow the one being read."""
        self._journal = Journal(self.header.node)
        self._journal.count = self.header.count
        self._digest_known = self.header.count == 0 and since is None
        if since is not None and self.header.count >= since.count:
            self._catch_up(since)

    def deliveries(self, *, unfinished: bool = False) -> Iterator[Delivery]:
        """Every delivery in order; each end frame and each segment's header are checked against what was read.

        A journal that simply stops (its node was killed, or runs) raises JournalDamaged after its last whole frame,
        unless `unfinished` ones will do.
        """
        yield from self._of_segment()
        for name, load in self._later:
            self.later_segments -= 1
            self._turn_to(name, load())
            yield from self._of_segment()
        if self._since is not None:
            count = self._journal.count
            raise JournalDamaged(self.name, self._offset, f"ends after delivery {count}, before {self._since.count}")
        if self.end is None and not unfinished:
            digest = f" (digest {self._journal.digest()})" if self._digest_known else ""
            reason = f"truncated: no end frame after {self._journal.count} whole deliveries{digest}"
            raise JournalDamaged(self.name, self._offset, reason)

    def chain(self) -> Chain:
        """The digest's state after what was read."""
        return self._journal.chain()

    def digest(self) -> str:
        """The digest of what was read; empty when that cannot be known, because the first segments are missing."""
        return self._journal.digest() if self._digest_known else ""

    @property
    def segment(self) -> bytes:
        """The bytes of the segment being read."""
        return self._data

    @property
    def behind(self) -> bool:
        """Whether the snapshot that it was told of includes more than what was read."""
        return self._since is not None

    def take_passed_over(self) -> list[Crash]:
        """Events that crashed the node and were quarantined, met since the last call."""
        taken, self._passed_over = self._passed_over, []
        return taken

    def _of_segment(self) -> Iterator[Delivery]:
        for offset, after, payload in frames(self.name, self._data, self._offset):
            if payload[0] != DELIVERY_MARK:
                self._control(payload, offset)
                if self.end is not None and after < len(self._data):
                    raise JournalDamaged(self.name, after, "bytes after the end frame")
            elif self.crash is not None:
                raise JournalDamaged(self.name, offset, "a delivery after the crash that ended the run")
            elif self._absorb(payload):
                yield Delivery(self._journal.count, offset, payload)
            self._offset = after

    def _absorb(self, payload: bytes) -> bool:
        """Count one delivery; False when the snapshot includes it."""
        if self._since is None:
            self._journal.absorb(payload)
            return True
        self._journal.count += 1
        if self._journal.count == self._since.count:
            self._catch_up(self._since)
        return False

    def _catch_up(self, since: Chain) -> None:
        if self._journal.count != since.count:
            raise JournalDamaged(self.name, 0, f"begins after delivery {self._journal.count}, not {since.count}")
        self._journal.resume(since)
        self._since, self._digest_known = None, True

    def _turn_to(self, name: str, data: bytes) -> None:
        before, self.name, self._data = self.header, name, data
        self.header, self._offset = header, _ = read_header(name, data)
        if (header.node, header.seed, header.config_hash) != (before.node, before.seed, before.config_hash):
            raise JournalDamaged(name, len(MAGIC), f"a segment of another journal: {header.node}, seed {header.seed}")
        if header.segment != before.segment + 1:
            raise JournalDamaged(name, len(MAGIC), f"segment {header.segment} after segment {before.segment}")
        self._compare("segment begins after", header, len(MAGIC))
        self.end = None

    def _control(self, payload: bytes, offset: int) -> None:
        control = _decode(self.name, payload, offset, Control)
        if isinstance(control, Boot):
            self.boots.append(control)
        elif isinstance(control, Crash):
            self.crash = control
        elif isinstance(control, Quarantined):
            if self.crash is None:
                raise JournalDamaged(self.name, offset, "quarantine of an event that did not crash the node")
            if self._since is None:
                self._passed_over.append(self.crash)
            self.crash = None
        elif isinstance(control, End):
            self._compare("end frame says", control, offset)
            self.end = control

    def _compare(self, says: str, said: End | Header, offset: int) -> None:
        count, digest = self._journal.count, self._journal.digest() if self._digest_known else said.digest
        if (said.count, said.digest) != (count, digest):
            raise JournalDamaged(self.name, offset, f"{says} {said.count}, {said.digest}; read {count}, {digest}")


def read_header(name: str, data: bytes) -> tuple[Header, int]:
    """The header of a segment, and where its frames begin. Raises JournalDamaged."""
    if len(data) < len(MAGIC) and MAGIC.startswith(data):
        raise JournalDamaged(name, len(data), "truncated: no header")
    if not data.startswith(MAGIC):
        raise JournalDamaged(name, 0, f"not a journal: it does not start with {MAGIC!r}")
    for offset, after, payload in frames(name, data, len(MAGIC)):
        header: Header = _decode(name, payload, offset, Header)
        if header.format != FORMAT:
            raise JournalDamaged(name, offset, f"format {header.format}; this version reads {FORMAT}")
        return header, after
    raise JournalDamaged(name, len(MAGIC), "truncated: no header")


def frames(name: str, data: bytes, offset: int) -> Iterator[tuple[int, int, bytes]]:
    """Every frame from `offset` on: where it begins, where it ends, its payload. Zeros to the end are no frames.

    Raises JournalDamaged at what is not a whole frame.
    """
    size = len(data)
    while offset < size:
        start = offset + HEAD.size
        if not data[offset:start].strip(b"\0") and not data[offset:].strip(b"\0"):
            return
        if start > size:
            raise JournalDamaged(name, offset, "truncated inside a frame head")
        length, crc = HEAD.unpack_from(data, offset)
        if not 0 < length <= FRAME_BYTES_MAX:
            raise JournalDamaged(name, offset, f"frame length {length} is outside 1..{FRAME_BYTES_MAX}")
        payload = data[start : start + length]
        if len(payload) < length:
            raise JournalDamaged(name, offset, f"truncated: frame of {length} bytes, {len(payload)} present")
        if crc32(payload, length) != crc:
            raise JournalDamaged(name, offset, "checksum mismatch")
        yield offset, start + length, payload
        offset = start + length


def _decode(name: str, payload: bytes, offset: int, kind: Any) -> Any:
    try:
        return msgspec.msgpack.decode(payload, type=kind)
    except msgspec.DecodeError as error:
        raise JournalDamaged(name, offset, f"unreadable control frame: {error}") from None
