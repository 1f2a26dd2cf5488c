"""The journal: what a node was given, what it did, and a digest of both. One format for sim and live.

    journal  one segment or more, each a file; what a simulation writes is one segment
    segment  magic, header frame, then delivery frames and control frames; perhaps unwritten zero bytes
    frame    u32 length, u32 CRC-32 of the payload seeded with the length, payload
    payload  msgpack: a delivery is the array [now, dst, event, effects]; header and control frames are maps

A frame is appended after its event is handled and reaches the sink before the effects leave the node
(the driver flushes in between). An event whose handling failed is written as a `Crash`. A live node's store
puts a `Synced` before each write, so that a write that was not finished can be told from damage.

The digest chains BLAKE2b over the delivery frames, 256 at a time: d' = H(d || frames). Its state is
a few kilobytes that a snapshot can carry, so a restored node ends at the digest of the whole run.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct
from typing import Any, Final, Protocol, TypeAlias
from zlib import crc32

import msgspec

from core.kernel.record import Effect, Event, Record
from core.units import Nanos

MAGIC: Final = b"ROMERJ1\n"
FORMAT: Final = 2
FRAME_BYTES_MAX: Final = 64 << 20
HEAD: Final = Struct("<II")
WRITE_BYTES: Final = 1 << 18
"""So that what is written at once fits into any segment, however much a pump does."""
_FRAMES_PER_FOLD: Final = 256
_DIGEST_BYTES: Final = 32
_encode: Final = msgspec.msgpack.Encoder().encode

Delivered: TypeAlias = tuple[Nanos, str, Event, list[Effect]]


class Header(Record, frozen=True, omit_defaults=False):
    """Whose journal this is and what it takes to build the node again. Not part of the digest.

    `segment` is the segment's number, `boot` that of the process that wrote it, `count` the deliveries before it and
    `digest` theirs; empty in the first. `nonce` is what each `Synced` of the segment repeats, and no peer can know;
    empty in one that was written whole, as a simulation's.
    """

    node: str
    seed: int
    config: bytes
    config_hash: str
    commit: str = ""
    versions: tuple[tuple[str, str], ...] = ()
    format: int = FORMAT
    segment: int = 1
    boot: int = 1
    count: int = 0
    digest: str = ""
    nonce: bytes = b""


class Boot(Record, frozen=True):
    """A process took the node up, for the `number`-th time (from 1), at the wall time `at`, with these versions."""

    number: int
    at: Nanos
    commit: str = ""
    versions: tuple[tuple[str, str], ...] = ()


class Crash(Record, frozen=True):
    """The event whose handling raised. The run ends here, unless the event is then passed over."""

    now: Nanos
    dst: str
    event: msgspec.Raw
    error: str


class Quarantined(Record, frozen=True):
    """A person has decided, at the wall time `at`, that the event of the `Crash` before is passed over."""

    at: Nanos


class End(Record, frozen=True):
    """The journal was closed in order, after `count` deliveries with this digest."""

    count: int
    digest: str


class Synced(Record, frozen=True):
    """A write begins here; all before byte `size` of the segment had reached the disk before it, and so is needed."""

    nonce: bytes
    size: int


Control: TypeAlias = Boot | Crash | Quarantined | End | Synced


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

    __slots__ = ("_folded", "_pending", "_sink", "_written", "count", "failure")

    def __init__(self, node: str, sink: Sink | None = None) -> None:
        self._sink = sink
        self._folded = blake2b(node.encode(), digest_size=_DIGEST_BYTES, person=b"romer journal").digest()
        self._pending: list[bytes] = []
        self._written = 0
        self.count = 0
        self.failure: BaseException | None = None
        """What the sink raised."""

    def open(self, header: Header) -> None:
        """Write magic and header; call once, before the first delivery."""
        self._write(opening(header))

    def append(self, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        """Add one delivery and what it caused."""
        payload = _encode((now, dst, event, effects))
        length = len(payload)
        if length > FRAME_BYTES_MAX:
            raise ValueError(f"a frame of {length} bytes; at most {FRAME_BYTES_MAX} can be read back")
        self._pending.append(HEAD.pack(length, crc32(payload, length)) + payload)
        self.count += 1
        if self.count % _FRAMES_PER_FOLD == 0:
            self._fold()

    def absorb(self, payload: bytes) -> None:
        """Add the payload of a delivery frame that is written already."""
        self._pending.append(_frame(payload))
        self.count += 1
        if self.count % _FRAMES_PER_FOLD == 0:
            self._fold()

    def crash(self, now: Nanos, dst: str, event: Event, error: str) -> None:
        """Name the event whose handling failed, and flush."""
        self.flush()
        self._write(control_frame(Crash(now, dst, msgspec.Raw(_encode(event)), error)))

    def flush(self) -> None:
        """Hand everything appended so far to the sink, in writes of little more than WRITE_BYTES or of one frame."""
        size = 0
        for place, frame in enumerate(self._pending[self._written :], self._written + 1):
            size += len(frame)
            if size >= WRITE_BYTES:
                self._hand_over(place)
                size = 0
        if self._written < len(self._pending):
            self._hand_over(len(self._pending))

    def close(self) -> None:
        """Flush and write the end frame."""
        self.flush()
        self._write(control_frame(End(self.count, self.digest())))

    def digest(self) -> str:
        """Hex digest of all deliveries so far; equal for equal runs, and for nothing else."""
        return _link(self._folded, b"".join(self._pending)).hex()

    def written(self) -> tuple[int, str]:
        """Count and digest of the deliveries that the sink has, while it is handed more and otherwise."""
        unwritten = len(self._pending) - self._written
        return self.count - unwritten, _link(self._folded, b"".join(self._pending[: self._written])).hex()

    def chain(self) -> Chain:
        """The digest's state, for a snapshot."""
        return Chain(self.count, self._folded, b"".join(self._pending))

    def resume(self, chain: Chain) -> None:
        """Continue the digest of another journal of this node; what it already wrote is not written again."""
        self.count, self._folded, self._pending = chain.count, chain.folded, [chain.tail]
        self._written = 1

    def attach(self, sink: Sink) -> None:
        """Write what comes from now on to `sink`."""
        self._sink, self._written = sink, len(self._pending)

    def _hand_over(self, end: int) -> None:
        self._write(b"".join(self._pending[self._written : end]))
        self._written = end

    def _write(self, data: bytes) -> None:
        if self._sink is None:
            return
        try:
            self._sink.write(data)
        except BaseException as error:
            self.failure = error
            self._sink = None  # after a write that failed half-way, nothing more may follow it
            raise

    def _fold(self) -> None:
        self.flush()
        self._folded = _link(self._folded, b"".join(self._pending))
        self._pending.clear()
        self._written = 0


def combined_digest(nodes: Sequence[tuple[str, str]]) -> str:
    """The digest of a run from the (node, digest) pairs of its journals, in the order of the wiring."""
    return blake2b(_encode(nodes), digest_size=_DIGEST_BYTES, person=b"romer run").hexdigest()


def opening(header: Header) -> bytes:
    """How a segment begins."""
    return MAGIC + _frame(_encode(header))


def control_frame(control: Control) -> bytes:
    """What is no delivery, as it stands in a journal."""
    return _frame(_encode(control))


def _frame(payload: bytes) -> bytes:
    return HEAD.pack(len(payload), crc32(payload, len(payload))) + payload


def _link(folded: bytes, frames: bytes) -> bytes:
    if not frames:
        return folded
    chain = blake2b(folded, digest_size=_DIGEST_BYTES, person=b"romer chain")
    chain.update(frames)
    return chain.digest()
