"""The journal: what a node was given, what it did, and a digest of both. One format for sim and live.

    file     magic, header frame, delivery frames, end frame
    frame    u32 length, u32 CRC-32 of the payload seeded with the length, payload
    payload  msgpack: a delivery is the array [now, dst, event, effects]; header, crash and end are maps

A frame is appended after its event is handled and reaches the sink before the effects leave the node
(the driver flushes in between). An event whose handling failed is written as a `Crash`.

The digest chains BLAKE2b over the delivery frames, 256 at a time: d' = H(d || frames). Its state is
a few kilobytes that a snapshot can carry, so a restored node ends at the digest of the whole run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from struct import Struct
from typing import Any, Final, Protocol, TypeAlias
from zlib import crc32

import msgspec

from core.errors import JournalDamaged
from core.kernel.record import Effect, Event, Record
from core.units import Nanos

MAGIC: Final = b"ROMERJ1\n"
FORMAT: Final = 1
FRAME_BYTES_MAX: Final = 64 << 20
_HEAD: Final = Struct("<II")
_FRAMES_PER_FOLD: Final = 256
_DIGEST_BYTES: Final = 32
_DELIVERY_MARK: Final = 0x94  # a msgpack array of four
_encode: Final = msgspec.msgpack.Encoder().encode

Delivered: TypeAlias = tuple[Nanos, str, Event, list[Effect]]


class Header(Record, frozen=True):
    """Whose journal this is and what it takes to build the node again. Not part of the digest."""

    node: str
    seed: int
    config: bytes
    config_hash: str
    commit: str = ""
    versions: tuple[tuple[str, str], ...] = ()
    format: int = FORMAT


class Crash(Record, frozen=True):
    """The event whose handling raised; always the last frame but the end."""

    now: Nanos
    dst: str
    event: msgspec.Raw
    error: str


class End(Record, frozen=True):
    """The journal was closed in order, after `count` deliveries with this digest."""

    count: int
    digest: str


class Chain(msgspec.Struct, frozen=True):
    """The digest's state between two deliveries, as a snapshot holds it."""

    count: int
    folded: bytes
    tail: bytes


class Sink(Protocol):
    """Where frames go: any object with a `write`, such as an open binary file."""

    def write(self, data: bytes, /) -> Any: ...


class Journal:
    """Appends deliveries and keeps their digest. Without a sink, or after one has failed, it only keeps the digest."""

    __slots__ = ("_folded", "_pending", "_sink", "_written", "count")

    def __init__(self, node: str, sink: Sink | None = None) -> None:
        self._sink = sink
        self._folded = blake2b(node.encode(), digest_size=_DIGEST_BYTES, person=b"romer journal").digest()
        self._pending: list[bytes] = []
        self._written = 0
        self.count = 0

    def open(self, header: Header) -> None:
        """Write magic and header; call once, before the first delivery."""
        self._write(MAGIC + _frame(_encode(header)))

    def append(self, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        """Add one delivery and what it caused."""
        payload = _encode((now, dst, event, effects))
        length = len(payload)
        if length > FRAME_BYTES_MAX:
            raise ValueError(f"a frame of {length} bytes; at most {FRAME_BYTES_MAX} can be read back")
        self._pending.append(_HEAD.pack(length, crc32(payload, length)) + payload)
        self.count += 1
        if self.count % _FRAMES_PER_FOLD == 0:
            self._fold()

    def absorb(self, frame: bytes) -> None:
        """Add one delivery frame that another journal wrote."""
        self._pending.append(frame)
        self.count += 1
        if self.count % _FRAMES_PER_FOLD == 0:
            self._fold()

    def crash(self, now: Nanos, dst: str, event: Event, error: str) -> None:
        """Name the event whose handling failed, and flush."""
        self.flush()
        self._write(_frame(_encode(Crash(now, dst, msgspec.Raw(_encode(event)), error))))

    def flush(self) -> None:
        """Hand everything appended so far to the sink."""
        if self._written < len(self._pending):
            self._write(b"".join(self._pending[self._written :]))
        self._written = len(self._pending)

    def close(self) -> None:
        """Flush and write the end frame."""
        self.flush()
        self._write(_frame(_encode(End(self.count, self.digest()))))

    def digest(self) -> str:
        """Hex digest of all deliveries so far; equal for equal runs, and for nothing else."""
        return _link(self._folded, b"".join(self._pending)).hex()

    def chain(self) -> Chain:
        """The digest's state, for a snapshot."""
        return Chain(self.count, self._folded, b"".join(self._pending))

    def resume(self, chain: Chain) -> None:
        """Continue the digest of another journal of this node; what it already wrote is not written again."""
        self.count, self._folded, self._pending = chain.count, chain.folded, [chain.tail]
        self._written = 1

    def _write(self, data: bytes) -> None:
        if self._sink is None:
            return
        try:
            self._sink.write(data)
        except BaseException:
            self._sink = None  # after a write that failed half-way, nothing more may follow it
            raise

    def _fold(self) -> None:
        self.flush()
        self._folded = _link(self._folded, b"".join(self._pending))
        self._pending.clear()
        self._written = 0


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One delivery frame as read: `seq` counts from 1, `payload` is its exact bytes."""

    seq: int
    offset: int
    payload: bytes


class JournalReader:
    """Reads a whole journal from memory. `name` is used in errors.

    Raises JournalDamaged, with the byte offset, at the first thing that is not as it was written.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self._data = name, data
        self.end: End | None = None
        self.crash: Crash | None = None
        if not data.startswith(MAGIC):
            raise JournalDamaged(name, 0, f"not a journal: it does not start with {MAGIC!r}")
        payload, self._first = self._frame_at(len(MAGIC))
        self.header = self._control(payload, len(MAGIC), Header)
        if self.header.format != FORMAT:
            raise JournalDamaged(name, len(MAGIC), f"format {self.header.format}; this version reads {FORMAT}")

    def deliveries(self) -> Iterator[Delivery]:
        """Every delivery in order, then check the end frame against what was read.

        A journal that simply stops (its node was killed) raises JournalDamaged after its last whole frame.
        """
        journal = Journal(self.header.node)
        offset = self._first
        while offset < len(self._data):
            payload, after = self._frame_at(offset)
            if self.crash is not None and payload[0] == _DELIVERY_MARK:
                raise JournalDamaged(self.name, offset, "a delivery after the crash that ended the run")
            if payload[0] != _DELIVERY_MARK:
                self._finish(payload, offset, after, journal)
                if self.end is not None:
                    return
            else:
                journal.absorb(self._data[offset:after])
                yield Delivery(journal.count, offset, payload)
            offset = after
        reason = f"truncated: no end frame after {journal.count} whole deliveries (digest {journal.digest()})"
        raise JournalDamaged(self.name, offset, reason)

    def _frame_at(self, offset: int) -> tuple[bytes, int]:
        start = offset + _HEAD.size
        if start > len(self._data):
            raise JournalDamaged(self.name, offset, "truncated inside a frame head")
        length, crc = _HEAD.unpack_from(self._data, offset)
        if not 0 < length <= FRAME_BYTES_MAX:
            raise JournalDamaged(self.name, offset, f"frame length {length} is outside 1..{FRAME_BYTES_MAX}")
        payload = self._data[start : start + length]
        if len(payload) < length:
            raise JournalDamaged(self.name, offset, f"truncated: frame of {length} bytes, {len(payload)} present")
        if crc32(payload, length) != crc:
            raise JournalDamaged(self.name, offset, "checksum mismatch")
        return payload, start + length

    def _control(self, payload: bytes, offset: int, kind: Any) -> Any:
        try:
            return msgspec.msgpack.decode(payload, type=kind)
        except msgspec.DecodeError as error:
            raise JournalDamaged(self.name, offset, f"unreadable control frame: {error}") from None

    def _finish(self, payload: bytes, offset: int, after: int, journal: Journal) -> None:
        control = self._control(payload, offset, Crash | End)
        if isinstance(control, Crash):
            self.crash = control
            return
        self.end = control
        if (control.count, control.digest) != (journal.count, journal.digest()):
            read = f"read {journal.count}, {journal.digest()}"
            raise JournalDamaged(self.name, offset, f"end frame says {control.count}, {control.digest}; {read}")
        if after != len(self._data):
            raise JournalDamaged(self.name, after, "bytes after the end frame")


def combined_digest(nodes: Sequence[tuple[str, str]]) -> str:
    """The digest of a run from the (node, digest) pairs of its journals, in the order of the wiring."""
    return blake2b(_encode(nodes), digest_size=_DIGEST_BYTES, person=b"romer run").hexdigest()


def _frame(payload: bytes) -> bytes:
    return _HEAD.pack(len(payload), crc32(payload, len(payload))) + payload


def _link(folded: bytes, frames: bytes) -> bytes:
    if not frames:
        return folded
    chain = blake2b(folded, digest_size=_DIGEST_BYTES, person=b"romer chain")
    chain.update(frames)
    return chain.digest()
