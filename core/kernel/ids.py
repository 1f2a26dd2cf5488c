"""Ids that a replay gives out again: a prefix and a counter, never a clock or a random number."""

from __future__ import annotations

import msgspec


class Ids(msgspec.Struct):
    """Counters by prefix. Part of a component's state, so a snapshot continues where it stopped."""

    counts: dict[str, int] = {}

    def next(self, prefix: str) -> str:
        """`O-1`, `O-2`, ... for prefix `O`."""
        count = self.counts[prefix] = self.counts.get(prefix, 0) + 1
        return f"{prefix}-{count}"
