"""What happens next: deliveries in a total order, and timers that can be moved. Shared by every driver.

Each entry has a rank `(at, tie)`. Under `fifo` the tie is the order of asking. Under `shuffled` it is
a seeded hash of the lane and the instant, then the order of asking: entries of different lanes that
fall on one instant change places from seed to seed, entries of one lane never do. A lane is one
source (a connection, a component, a timer's key) and one receiver.

Moving a timer later adds no heap entry. The entry already queued for it, its *carrier*, finds on
surfacing that the deadline has moved and goes back in with the rank of the newest request, so the
order is exactly as if each request had been queued and each older one removed. A FIX session, which
moves its timer on every message, keeps one entry.
"""

from __future__ import annotations

from hashlib import blake2b
from heapq import heapify, heappop, heappush
from typing import Final, Literal, TypeAlias

import msgspec

from core.kernel.record import Event, TimerFired
from core.units import Nanos

Ties: TypeAlias = Literal["fifo", "shuffled"]
_Slot: TypeAlias = tuple[str, str]
_Rank: TypeAlias = tuple[Nanos, int]
_Entry: TypeAlias = tuple[Nanos, int, str, Event | str]

_SEQ_BITS: Final = 40  # with 24 bits of hash a tie fits the 64 bits that a snapshot can hold


class AgendaEntry(msgspec.Struct, frozen=True):
    """One pending delivery, as a snapshot holds it. `key` is set for a timer, `event` for the rest."""

    at: Nanos
    tie: int
    dst: str
    key: str | None = None
    event: msgspec.Raw = msgspec.Raw(b"\xc0")


class Agenda:
    """Pending deliveries, earliest rank first."""

    __slots__ = ("_carriers", "_deadlines", "_heap", "_seed", "_seq", "_shuffled")

    def __init__(self, ties: Ties = "fifo", seed: int = 0) -> None:
        self._heap: list[_Entry] = []
        self._seq = 0
        self._deadlines: dict[_Slot, _Rank] = {}
        self._carriers: dict[_Slot, _Rank] = {}
        self._shuffled = ties == "shuffled"
        self._seed = seed.to_bytes(16, "big", signed=True)

    def __len__(self) -> int:
        """Heap entries, carriers of cancelled timers included."""
        return len(self._heap)

    def post(self, at: Nanos, src: str, dst: str, event: Event) -> None:
        """Queue one delivery. Entries from one `src` to one `dst` with equal `at` keep their order."""
        self._seq += 1
        tie = self._tie(at, src, dst) if self._shuffled else self._seq
        heappush(self._heap, (at, tie, dst, event))

    def lead(self, at: Nanos, dst: str, event: Event) -> None:
        """Queue one delivery ahead of whatever else falls on its instant later, under every tie policy."""
        self._seq += 1
        heappush(self._heap, (at, self._seq, dst, event))

    def set_timer(self, dst: str, key: str, at: Nanos) -> None:
        """Arm or move the timer `key` of `dst`."""
        self._seq += 1
        slot = (dst, key)
        tie = self._tie(at, key, dst) if self._shuffled else self._seq
        rank = self._deadlines[slot] = (at, tie)
        carrier = self._carriers.get(slot)
        if carrier is None or rank < carrier:
            self._carry(slot, rank)

    def cancel_timer(self, dst: str, key: str) -> None:
        """Disarm the timer `key` of `dst`, if armed."""
        self._deadlines.pop((dst, key), None)

    def hang_up(self, conn: str) -> None:
        """Remove what is pending from the connection `conn`."""
        kept = [entry for entry in self._heap if getattr(entry[3], "conn", None) != conn]
        if len(kept) < len(self._heap):
            heapify(kept)
            self._heap = kept

    def next_at(self) -> Nanos | None:
        """When the next delivery is due, or None. Moves stale carriers out of the way."""
        heap = self._heap
        while heap:
            at, tie, dst, what = heap[0]
            if type(what) is not str:
                return at
            slot, rank = (dst, what), (at, tie)
            if self._deadlines.get(slot) == rank:
                return at
            heappop(heap)
            if self._carriers.get(slot) == rank:
                self._recarry(slot)
        return None

    def pop_due(self, now: Nanos) -> tuple[str, Event] | None:
        """Remove and return the next delivery that is due at or before `now`, or None."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, tie, dst, what = heappop(heap)
            if not isinstance(what, str):
                return dst, what
            slot, rank = (dst, what), (at, tie)
            if self._deadlines.get(slot) == rank:
                del self._deadlines[slot]
                self._carriers.pop(slot, None)
                return dst, TimerFired(what, at)
            if self._carriers.get(slot) == rank:
                self._recarry(slot)
        return None

    def take(self, now: Nanos, dst: str, event: Event) -> bool:
        """Remove the next delivery if it is this one and due at `now`; say whether it was."""
        at = self.next_at()
        if at is None or at > now:
            return False
        _, _, to, what = self._heap[0]
        if to != dst or (TimerFired(what, at) if isinstance(what, str) else what) != event:
            return False
        self.pop_due(now)
        return True

    def snapshot(self) -> tuple[int, tuple[AgendaEntry, ...]]:
        """The sequence counter and all that is pending, in rank order, without stale carriers."""
        entries = [
            AgendaEntry(at, tie, dst, event=msgspec.Raw(msgspec.msgpack.encode(what)))
            for at, tie, dst, what in self._heap
            if not isinstance(what, str)
        ]
        entries += [AgendaEntry(*rank, dst, key) for (dst, key), rank in self._deadlines.items()]
        return self._seq, tuple(sorted(entries, key=lambda entry: (entry.at, entry.tie)))

    def restore(self, seq: int, entries: tuple[AgendaEntry, ...], decoder: msgspec.msgpack.Decoder[Event]) -> None:
        """Become the agenda that `snapshot` described. Tie policy and seed are the constructor's."""
        self._seq = seq
        self._deadlines = {(e.dst, e.key): (e.at, e.tie) for e in entries if e.key is not None}
        self._carriers = dict(self._deadlines)
        self._heap = [(e.at, e.tie, e.dst, decoder.decode(e.event) if e.key is None else e.key) for e in entries]
        heapify(self._heap)

    def _carry(self, slot: _Slot, rank: _Rank) -> None:
        self._carriers[slot] = rank
        heappush(self._heap, (*rank, *slot))

    def _recarry(self, slot: _Slot) -> None:
        deadline = self._deadlines.get(slot)
        if deadline is None:
            del self._carriers[slot]
        else:
            self._carry(slot, deadline)

    def _tie(self, at: Nanos, src: str, dst: str) -> int:
        digest = blake2b(f"{at}/{src}/{dst}".encode(), digest_size=3, key=self._seed).digest()
        return int.from_bytes(digest, "big") << _SEQ_BITS | self._seq
