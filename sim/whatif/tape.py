"""What a recorded node was given from outside, as an agenda that gives it again at its time and in its place.

Within one instant the order of things matters: a bid that arrives with the deadline's timer is late or not by it.
So each cue knows how many deliveries of the node's own making came before it at its instant.

A node that is killed may leave an instant half done: what it had still to do then came at the start that followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

import msgspec

from core.kernel.agenda import Agenda, Ties
from core.kernel.record import Computed, Connected, Disconnected, Event
from core.units import Nanos

Ring: TypeAlias = tuple[str, str, Nanos]
"""A timer that rang: its component, its key, its deadline."""


class Cue(msgspec.Struct, frozen=True, gc=False):
    """One recorded event. It comes after the first `after` deliveries of the node's own at its instant."""

    at: Nanos
    after: int
    dst: str
    event: Event


class Cut(NamedTuple):
    """A node was down after `after` deliveries of its own at an instant; the others that fell on it came at `until`."""

    after: int
    until: Nanos


class PassedOver(NamedTuple):
    """What the node made itself, and is not to be given to `dst` when it is first due from `at` on."""

    at: Nanos
    dst: str
    event: Event


NEVER: Final[Nanos] = 1 << 63


class Tape(Agenda):
    """An agenda with cues. `rang` says when timers rang that rang late; every other one rings at its deadline. `cuts`
    says at which instants the node went down, and `passed_over` what crashed it and was quarantined.

    After a connection has ended nothing more of it is given. The recording has its own `Start`, and if its cues have
    results of computations it needs no others.
    """

    __slots__ = (
        "_cues",
        "_cuts",
        "_down_until",
        "_gone",
        "_has_results",
        "_instant",
        "_next",
        "_opens",
        "_own",
        "_passed_over",
        "_rang",
        "open",
    )

    def __init__(
        self,
        cues: Iterable[Cue],
        rang: dict[Ring, Nanos],
        ties: Ties = "fifo",
        seed: int = 0,
        *,
        cuts: Mapping[Nanos, Cut] = MappingProxyType({}),
        passed_over: Iterable[PassedOver] = (),
    ) -> None:
        super().__init__(ties, seed)
        self._cues = list(cues)
        self._rang, self._cuts = rang, cuts
        self._passed_over = list(passed_over)
        self._down_until: Nanos = 0
        self._opens = {cue.event.conn: cue.at for cue in self._cues if isinstance(cue.event, Connected)}
        self._next = 0
        self._instant, self._own = -1, 0
        self._gone: set[str] = set()
        self._has_results = any(isinstance(cue.event, Computed) for cue in self._cues)
        self.open: dict[str, None] = {}
        """Connections that are open, oldest first."""

    def lead(self, at: Nanos, dst: str, event: Event) -> None:
        """Pass over what a driver says to begin with."""

    def post(self, at: Nanos, src: str, dst: str, event: Event) -> None:
        """Queue a delivery, unless it is in the recording."""
        if not (self._has_results and isinstance(event, Computed)):
            super().post(at, src, dst, event)

    def hang_up(self, conn: str) -> None:
        """End a connection."""
        super().hang_up(conn)
        self._gone.add(conn)
        self.open.pop(conn, None)

    def can_carry(self, conn: str, at: Nanos) -> bool:
        """Whether the connection has not ended, and is open at `at` by what is known now."""
        return conn not in self._gone and self._opens.get(conn, at + 1) <= at

    def next_at(self) -> Nanos | None:
        """When the next delivery is due, or None."""
        own, cue = self._own_at(), self._cue()
        if own is None or cue is None:
            return own if cue is None else cue.at
        return min(own, cue.at)

    def pop_due(self, now: Nanos) -> tuple[str, Event] | None:
        """Remove and return the next delivery that is due at or before `now`, or None."""
        if now != self._instant:
            self._instant, self._own = now, 0
        cut = self._cuts.get(now)
        if cut is not None and self._own >= cut.after:
            self._down_until = cut.until
        cue = self._cue()
        if cue is not None and cue.at <= now and (self._own >= cue.after or not self._is_own_due(now)):
            self._next += 1
            self._follow(cue.event)
            return cue.dst, cue.event
        due = super().pop_due(now) if self._is_own_due(now) else None
        if due is not None and self._is_passed_over(now, *due):
            return self.pop_due(now)
        self._own += due is not None
        return due

    def _is_passed_over(self, now: Nanos, dst: str, event: Event) -> bool:
        for one in self._passed_over:
            if one.at <= now and (one.dst, one.event) == (dst, event):
                self._passed_over.remove(one)
                return True
        return False

    def _cue(self) -> Cue | None:
        while self._next < len(self._cues):
            cue = self._cues[self._next]
            if getattr(cue.event, "conn", None) not in self._gone:
                return cue
            self._next += 1
        return None

    def _own_at(self) -> Nanos | None:
        at = super().next_at()
        if at is None:
            return None
        _, _, dst, what = self._heap[0]
        return max(self._down_until, self._rang.get((dst, what, at), at) if isinstance(what, str) else at)

    def _is_own_due(self, now: Nanos) -> bool:
        at = super().next_at()
        return at is not None and max(at, self._down_until) <= now

    def _follow(self, event: Event) -> None:
        if isinstance(event, Connected):
            self.open[event.conn] = None
        elif isinstance(event, Disconnected):
            self._gone.add(event.conn)
            self.open.pop(event.conn, None)
