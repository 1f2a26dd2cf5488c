"""Which orders may be engaged, and which of them are due for a batch: what was planned in vain waits for a change.

An order that a plan leaves out is *parked* with what has to move before another plan could do better: the market of
one asset, or that of any asset of its index. Whoever sees a market move wakes those that wait for it, and nobody else,
so an order that cannot be engaged costs nothing meanwhile; when a batch has ended, all are due again. Woken orders go
to the end of the line: who was left out lets those pass who were not planned yet.

An order that waits for others to share a batch with is *gathering* until a time (`core.index.meeting`). One that a
batch got nothing *rests* until a time, whatever moves meanwhile: the exchange may refuse whatever the book promises.
"""

from __future__ import annotations

import msgspec

from core.units import Nanos


def of_asset(asset: str) -> str:
    """What an order waits for that one asset's market keeps out of a batch."""
    return f"asset:{asset}"


def of_index(symbol: str) -> str:
    """What an order waits for that may go as soon as anything of its index has moved."""
    return f"index:{symbol}"


class ReadyLine(msgspec.Struct):
    """Orders by their ids."""

    due: dict[str, None] = {}
    """In the order in which they are served."""
    gathering: dict[str, Nanos] = {}
    """By order, until when it waits; the first to be due first."""
    resting: dict[str, Nanos] = {}
    """By order, until when it rests."""
    rests: dict[Nanos, dict[str, None]] = {}
    """The same the other way round."""
    parked: dict[str, str] = {}
    """By order, what it waits for."""
    waiting: dict[str, dict[str, None]] = {}
    """The same the other way round."""
    kinds: dict[str, str] = {}
    """Of each of these orders, its kind."""
    due_kinds: dict[str, int] = {}
    """How many orders of each kind are due."""
    gathering_kinds: dict[str, int] = {}
    """How many of each gather."""

    def __contains__(self, order_id: object) -> bool:
        return order_id in self.kinds

    def add(self, order_id: str, kind: str) -> None:
        """A new order is ready, and due."""
        self.kinds[order_id] = kind
        self._make_due(order_id)

    def gather(self, order_id: str, kind: str, until: Nanos) -> None:
        """A new order is ready, and not due before then, if it is not released. Times never go back from call to
        call."""
        self.kinds[order_id] = kind
        self.gathering[order_id] = until
        _count(self.gathering_kinds, kind, 1)

    def release(self, order_id: str) -> None:
        """One that gathers is due."""
        del self.gathering[order_id]
        _count(self.gathering_kinds, self.kinds[order_id], -1)
        self._make_due(order_id)

    def rest(self, order_id: str, until: Nanos) -> None:
        """A ready order is not due before then, whatever happens."""
        kind = self.kinds[order_id]
        self.drop(order_id)
        self.kinds[order_id] = kind
        self.resting[order_id] = until
        self.rests.setdefault(until, {})[order_id] = None

    def ripen(self, now: Nanos) -> None:
        """Whose time has come is due."""
        for until in sorted(until for until in self.rests if until <= now):
            for order_id in self.rests.pop(until):
                del self.resting[order_id]
                self._make_due(order_id)
        while self.gathering:
            order_id, until = next(iter(self.gathering.items()))
            if until > now:
                return
            self.release(order_id)

    def next_ripe(self) -> Nanos | None:
        """When `ripen` has something; None if never. Costs as much as there are times at which rests end."""
        gathering = next(iter(self.gathering.values()), None)
        return min((at for at in (gathering, *self.rests) if at is not None), default=None)

    def drop(self, order_id: str) -> None:
        """An order is not ready any more. One that was not is fine."""
        kind = self.kinds.pop(order_id, None)
        if kind is None:
            return
        if order_id in self.due:
            del self.due[order_id]
            _count(self.due_kinds, kind, -1)
        elif order_id in self.gathering:
            del self.gathering[order_id]
            _count(self.gathering_kinds, kind, -1)
        elif order_id in self.resting:
            until = self.resting.pop(order_id)
            del self.rests[until][order_id]
            if not self.rests[until]:
                del self.rests[until]
        else:
            cause = self.parked.pop(order_id)
            del self.waiting[cause][order_id]
            if not self.waiting[cause]:
                del self.waiting[cause]

    def park(self, order_id: str, cause: str) -> None:
        """A ready order is not due before `cause` has moved, or everything has."""
        kind = self.kinds[order_id]
        self.drop(order_id)
        self.kinds[order_id] = kind
        self.parked[order_id] = cause
        self.waiting.setdefault(cause, {})[order_id] = None

    def wake(self, *causes: str) -> None:
        """Something has moved: who waited for it is due."""
        for cause in causes:
            for order_id in self.waiting.pop(cause, {}):
                del self.parked[order_id]
                self._make_due(order_id)

    def wake_all(self) -> None:
        """More than markets has changed: everybody is due who waits for a change."""
        for order_id in self.parked:
            self._make_due(order_id)
        self.parked, self.waiting = {}, {}

    def _make_due(self, order_id: str) -> None:
        self.due[order_id] = None
        _count(self.due_kinds, self.kinds[order_id], 1)


def _count(counts: dict[str, int], kind: str, change: int) -> None:
    counts[kind] = counts.get(kind, 0) + change
    if not counts[kind]:
        del counts[kind]
