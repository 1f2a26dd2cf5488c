"""Who is served when: whatever waits to be served waits its time, in order, and nobody in front of another for nothing.

An item is due once it has waited for `wait_ns`. Items are served in the order in which they came or came back, except
that a user has at most `active_max` active ones: what he has beyond that steps aside, and is first in line again as
soon as one of the active ones leaves. An item that is put back stays active. One may leave from anywhere, without a
trace, so nothing that left can block what is behind.
"""

from __future__ import annotations

from itertools import islice, takewhile

import msgspec

from core.units import Nanos


class Waiting(msgspec.Struct):
    """One item in line since `since`."""

    user: str
    since: Nanos


class WaitingLine(msgspec.Struct):
    """Items by their ids, in the order in which they are served. Times never go back from call to call."""

    wait_ns: Nanos
    active_max: int
    line: dict[str, Waiting] = {}
    aside: dict[str, dict[str, None]] = {}
    """By user, items that were due while he had enough active ones."""
    freed: dict[str, None] = {}
    """Items that were aside, are active now and wait to be served."""
    active: dict[str, str] = {}
    """Items that are, or were, in service, and whose they are."""
    counts: dict[str, int] = {}
    """By user, how many of those there are."""

    def add(self, item: str, user: str, now: Nanos) -> None:
        """Put a new item at the end."""
        self.line[item] = Waiting(user, now)

    def take(self, now: Nanos) -> list[str]:
        """Take all that is due into service. What is put back meanwhile is not among it, however short the wait."""
        items, self.freed = list(self.freed), {}
        due = list(takewhile(lambda entry: entry[1].since + self.wait_ns <= now, self.line.items()))
        if due:
            # A dict that loses its first entries one by one is walked from where they were each time.
            self.line = dict(islice(self.line.items(), len(due), None))
        for item, waiting in due:
            if item in self.active or self._activate(item, waiting.user):
                items.append(item)
            else:
                self.aside.setdefault(waiting.user, {})[item] = None
        return items

    def put_back(self, item: str, now: Nanos) -> None:
        """Let an item in service wait again, at the end."""
        self.line[item] = Waiting(self.active[item], now)

    def remove(self, item: str) -> None:
        """Forget an item, wherever it is. One that is not here is fine."""
        waiting = self.line.pop(item, None)
        self.freed.pop(item, None)
        user = self.active.pop(item, None)
        if user is None:
            if waiting is None:
                self._leave_aside(item)
            return
        self.counts[user] -= 1
        if not self.counts[user]:
            del self.counts[user]
        self._free_one(user)

    def next_due(self) -> Nanos | None:
        """When `take` has something, if nothing else happens; None if never. May be in the past."""
        if self.freed:
            return 0
        for waiting in self.line.values():
            return waiting.since + self.wait_ns
        return None

    def _activate(self, item: str, user: str) -> bool:
        count = self.counts.get(user, 0)
        if count >= self.active_max:
            return False
        self.active[item] = user
        self.counts[user] = count + 1
        return True

    def _leave_aside(self, item: str) -> None:
        for user, items in self.aside.items():
            if item in items:
                del items[item]
                if not items:
                    del self.aside[user]
                return

    def _free_one(self, user: str) -> None:
        items = self.aside.get(user)
        if not items:
            return
        item = next(iter(items))
        del items[item]
        if not items:
            del self.aside[user]
        self._activate(item, user)
        self.freed[item] = None
