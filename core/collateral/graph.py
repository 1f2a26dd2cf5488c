"""Ways from one designation to another: a graph of hops, and the cheapest path through it for a given amount.

A designation is `TYPE:NAME:SYMBOL`. Fees may be flat and limits may depend on the amount, so what a path delivers is
found by carrying the amount along it. Paths are tried in the order of what they deliver so far, most first, which only
ever falls: the first that reaches a target is the cheapest. Of two as cheap the faster is taken, then the one whose
hops come first by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from heapq import heappop, heappush
from typing import Final, NamedTuple, TypeAlias

from core.collateral.settings import HopSettings
from core.units import EXACT, MONEY, Nanos

PATH_HOPS_MAX: Final = 8

_Path: TypeAlias = tuple[Decimal, Nanos, tuple[str, ...], tuple[str, ...]]
"""What it delivers, negative so that most comes first; how long it takes; its hops, and the designations it passes."""

_Usable: TypeAlias = Callable[[HopSettings, Decimal], bool]


class Route(NamedTuple):
    """A path with what it is expected to deliver, cost and take."""

    hops: tuple[str, ...]
    delivered: Decimal
    fee: Decimal
    latency: Nanos


class Graph:
    """The hops of the settings."""

    __slots__ = ("_leaving", "hops")

    def __init__(self, hops: Sequence[HopSettings]) -> None:
        self.hops = {hop.name: hop for hop in hops}
        self._leaving: dict[str, list[HopSettings]] = {}
        for hop in hops:
            self._leaving.setdefault(hop.source, []).append(hop)

    def plan(self, source: str, targets: Collection[str], amount: Decimal) -> Route | None:
        """The way to set out on: as `route`, without hops that are expected to keep more than they may."""
        return self._search(source, targets, amount, lambda hop, at: takes(hop, at) and not is_dear(hop, at))

    def route(
        self, source: str, targets: Collection[str], amount: Decimal, without: Collection[str] = ()
    ) -> Route | None:
        """The cheapest way to one of `targets` that takes `amount`, or None. A source that is a target needs no hop."""
        return self._search(source, targets, amount, lambda hop, at: takes(hop, at) and hop.name not in without)

    def _search(self, source: str, targets: Collection[str], amount: Decimal, usable: _Usable) -> Route | None:
        frontier: list[_Path] = [(-amount, 0, (), (source,))]
        while frontier:
            cost, latency, names, passed = heappop(frontier)
            if passed[-1] in targets:
                return Route(names, -cost, EXACT.add(amount, cost), latency)
            if len(names) == PATH_HOPS_MAX:
                continue
            for hop in self._leaving.get(passed[-1], ()):
                if hop.destination in passed or not usable(hop, -cost):
                    continue
                delivered = EXACT.subtract(-cost, fee_of(hop, -cost))
                if delivered > 0:
                    onward = (*names, hop.name), (*passed, hop.destination)
                    heappush(frontier, (-delivered, latency + hop.latency, *onward))
        return None


def takes(hop: HopSettings, amount: Decimal) -> bool:
    """Whether a hop moves as much, and as little, as `amount`."""
    return hop.amount_min <= amount and (hop.amount_max is None or amount <= hop.amount_max)


def fee_of(hop: HopSettings, amount: Decimal) -> Decimal:
    """What a hop is expected to keep of `amount`."""
    return MONEY.add(hop.fee_flat, MONEY.multiply(amount, hop.fee_rate))


def is_dear(hop: HopSettings, amount: Decimal) -> bool:
    """Whether a hop is expected to keep more of `amount` than it may."""
    return fee_of(hop, amount) > MONEY.multiply(amount, hop.fee_share_max)
