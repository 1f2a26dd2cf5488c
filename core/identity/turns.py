"""Whose Logon is checked next: lanes that take turns, and in each lane addresses that take turns.

A check costs the venue milliseconds, and whoever brings one about nothing. So who claims to be one market maker keeps
nobody waiting who claims to be another, from however many addresses; and who claims to be the same one from another
address waits for one check of each address at most.
"""

from __future__ import annotations

from typing import Final

import msgspec

LANE_MAX: Final = 64
"""Logons that wait in a lane."""
ADDRESS_MAX: Final = 16
"""Of them those of one address."""

Lane = dict[str, list[str]]


class Turns(msgspec.Struct):
    """By lane and address the jobs that wait. Both are in the order of their turns."""

    lanes: dict[str, Lane] = {}

    def add(self, lane: str, address: str, job: str) -> str:
        """Let a job wait. Returns the one that has no place: this one, or the newest of an address with more than this
        one has; empty if there is room.
        """
        waiting = self.lanes.setdefault(lane, {})
        own = waiting.setdefault(address, [])
        own.append(job)
        if len(own) > ADDRESS_MAX:
            return own.pop()
        if sum(len(jobs) for jobs in waiting.values()) <= LANE_MAX:
            return ""
        most = max(waiting, key=lambda it: len(waiting[it]))
        yields = most if len(waiting[most]) > len(own) else address
        left = waiting[yields].pop()
        self._clear(lane, yields)
        return left

    def take(self) -> str:
        """The job whose turn it is, which waits no longer; empty if none waits."""
        if not self.lanes:
            return ""
        lane = next(iter(self.lanes))
        waiting = self.lanes[lane]
        address = next(iter(waiting))
        job = waiting[address].pop(0)
        waiting[address] = waiting.pop(address)
        self.lanes[lane] = self.lanes.pop(lane)
        self._clear(lane, address)
        return job

    def drop(self, lane: str, address: str, job: str) -> bool:
        """Let a job wait no longer. Whether it did."""
        if job not in self.lanes.get(lane, {}).get(address, ()):
            return False
        self.lanes[lane][address].remove(job)
        self._clear(lane, address)
        return True

    def _clear(self, lane: str, address: str) -> None:
        """Keep nothing of who waits no longer."""
        if not self.lanes[lane][address]:
            del self.lanes[lane][address]
        if not self.lanes[lane]:
            del self.lanes[lane]
