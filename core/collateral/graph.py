"""Ways from one designation to another: a graph of hops, and the best path through it for a given amount.

A designation is `TYPE:NAME:SYMBOL`. Fees may be flat and limits may depend on the amount, so what a path delivers is
found by carrying the amount along it. A path costs what its hops keep, and what its time is worth: `latency_cost_bps`
of the amount for each hour. The cheapest is taken; of two as cheap the faster, then the one whose hops come first by
name. It passes no designation twice, takes `PATH_HOPS_MAX` hops at most, none that keeps more than it may, and none
that costs anything where less would be left than a transfer may come to (`floor`).

**Theory.** This is label-setting search for a shortest path with resources (Martins 1984; Irnich and Desaulniers 2005).
Labels are paths from the source, and are looked at cheapest first. Each hop only adds to cost, latency and names, so
the first label that reaches a target is the best. What a hop leaves rises with what it is given, and the more it is
given the less likely it is too little or too dear, or leaves too little. So a label is beaten, and dropped, if one at
the same designation has no less, is no later, and took no more hops: whatever follows, the other can do and ends no
worse. Where that one has been at a designation that follows, it was there with no less, and goes on from there at once.

Limits from above are the exception: less may fit where more does not. They matter only where they are below the
amount that sets out, and to labels with little enough to meet such a limit further on (`ceilings.py`). Of those, one
is beaten only by as much money that has passed no other designations. To find the best of them is as hard as to pack
a knapsack: after `SQUEEZED_MAX` they are beaten like all others, and a way may be missed that pays more to fit below a
limit. In any other case the way found is the best, and the number of labels grows with that of designations and of
trade-offs between money and time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from heapq import heappop, heappush
from types import MappingProxyType
from typing import Final, NamedTuple

from core.collateral.ceilings import NO_LIMIT, ceilings, most_of
from core.collateral.settings import HopSettings
from core.units import EXACT, MONEY, SECOND, Nanos, whole_steps

PATH_HOPS_MAX: Final = 8
PARTS_MAX: Final = 16
"""In so many parts at most money is under way that does not go at once."""
SQUEEZED_MAX: Final = 1000
"""So many labels are followed for fitting below a limit."""
_BPS_HOURS: Final = Decimal(10_000 * 3600 * SECOND)
_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_SHOWN: Final = Decimal("0.000001")


class Given(NamedTuple):
    """What a way has to put up with at present."""

    without: Collection[str] = ()
    """Hops that are out of the question."""
    within: Nanos | None = None
    """It is expected to take no longer."""
    delays: Mapping[str, Nanos] = MappingProxyType({})
    """By hop, how much longer than usual it is expected to take."""
    floor: Decimal | None = None
    """No hop that costs anything leaves less; None where the amount sets out, and may come to its own floor."""


NOTHING: Final = Given()


class Route(NamedTuple):
    """A path with what it is expected to deliver, cost and take."""

    hops: tuple[str, ...]
    delivered: Decimal
    fee: Decimal
    latency: Nanos
    cost: Decimal
    """The fee, and what the time is worth."""


class _Label(NamedTuple):
    """A path from the source, in the order in which labels are looked at."""

    cost: Decimal
    latency: Nanos
    hops: tuple[str, ...]
    amount: Decimal
    """What is left."""
    passed: tuple[str, ...]
    """Its designations, the last one where it is."""


class Graph:
    """The hops of the settings. `latency_cost_bps` is what an hour is worth, `fee_share_max` how much of what sets out
    all hops of a way may keep."""

    __slots__ = ("_leaving", "_limits", "_parts", "_squeezes", "_targets", "fee_share_max", "hops", "latency_cost_bps")

    def __init__(self, hops: Sequence[HopSettings], latency_cost_bps: int = 0, fee_share_max: Decimal = _ONE) -> None:
        self.hops = {hop.name: hop for hop in hops}
        self.latency_cost_bps = latency_cost_bps
        self.fee_share_max = fee_share_max
        self._leaving: dict[str, list[HopSettings]] = {}
        for hop in hops:
            self._leaving.setdefault(hop.source, []).append(hop)
        self._limits = sorted((hop for hop in hops if most_of(hop) < NO_LIMIT), key=most_of)
        self._parts: dict[str, list[Decimal]] = {}
        self._squeezes: dict[int, dict[str, Decimal]] = {}
        self._targets: dict[tuple[str, ...], dict[str, Decimal]] = {}

    def plan(self, source: str, targets: Collection[str], amount: Decimal, given: Given = NOTHING) -> Route | None:
        """The best way to one of `targets` that takes `amount`, or None. A source that is a target needs no hop."""
        search = _Search(self, targets, amount, given)
        frontier = [_Label(EXACT.minus(amount), 0, (), amount, (source,))]
        while frontier:
            label = heappop(frontier)
            if label.passed[-1] in targets:
                cost = EXACT.add(amount, label.cost)
                return Route(label.hops, label.amount, EXACT.subtract(amount, label.amount), label.latency, cost)
            if search.settles(label) and len(label.hops) < PATH_HOPS_MAX:
                for hop in self._leaving.get(label.passed[-1], ()):
                    for onward in search.extend(label, hop):
                        heappush(frontier, onward)
        return None

    def plan_part(self, source: str, targets: Collection[str], amount: Decimal) -> tuple[Decimal, Route] | None:
        """The best way for `amount`; if there is none, for one of up to `PARTS_MAX` equal parts of it, as many as cost
        the least; and if it cannot be cut so, for the most of it that meets a limit of a hop. With what it is for."""
        route = self.plan(source, targets, amount)
        if route is not None:
            return amount, route
        return self._equal_part(source, targets, amount) or self._highest_part(source, targets, amount)

    def _equal_part(self, source: str, targets: Collection[str], amount: Decimal) -> tuple[Decimal, Route] | None:
        found: list[tuple[Decimal, int, Decimal, Route]] = []
        for count in range(2, PARTS_MAX + 1):
            part = whole_steps(MONEY.divide(amount, count), _SHOWN)
            part = part if EXACT.multiply(part, count) >= amount else EXACT.add(part, _SHOWN)
            route = self.plan(source, targets, part) if part < amount else None
            if route is not None:
                found.append((MONEY.multiply(route.cost, count), count, part, route))
        return min(found)[2:] if found else None

    def _highest_part(self, source: str, targets: Collection[str], amount: Decimal) -> tuple[Decimal, Route] | None:
        for part in self._parts_from(source):
            route = self.plan(source, targets, part) if part < amount else None
            if route is not None:
                return part, route
        return None

    def _parts_from(self, source: str) -> list[Decimal]:
        """The limits of hops, and from how much at `source` just so much is left at them; highest first."""
        if source not in self._parts:
            hops = self.hops.values()
            limits = {most_of(hop) for hop in self._limits}
            ahead = (ceilings(hops, {hop.source: most_of(hop)}, PATH_HOPS_MAX).get(source) for hop in self._limits)
            limits |= {whole_steps(most, _SHOWN) for most in ahead if most is not None}
            self._parts[source] = sorted(limits - {_ZERO}, reverse=True)
        return self._parts[source]

    def obstacle(self, source: str, targets: Collection[str], amount: Decimal, within: Nanos) -> str:
        """Why there is no way for `amount`, in words, and how much would go where less would."""
        most = self.ceilings_to(targets).get(source)
        if most is None:
            return f"no way of {PATH_HOPS_MAX} hops or less leads there"
        if most < amount:
            return f"at most {whole_steps(most, _SHOWN):f} goes there at once, by the limits of hops; it is not split"
        if self.plan(source, targets, amount) is not None:
            return f"no way is expected to take {within // SECOND} s or less"
        return "hops on the way take no such amount, or would keep more of it than they may"

    def ceilings_to(self, targets: Collection[str]) -> Mapping[str, Decimal]:
        """By designation, the most from which one of `targets` can be reached."""
        key = tuple(targets)
        if key not in self._targets:
            self._targets[key] = ceilings(self.hops.values(), dict.fromkeys(key, NO_LIMIT), PATH_HOPS_MAX)
        return self._targets[key]

    def squeezes(self, amount: Decimal) -> Mapping[str, Decimal]:
        """By designation, the most that can meet, there or further on, a limit below `amount`."""
        count = bisect_left(self._limits, amount, key=most_of)
        if count not in self._squeezes:
            ahead: dict[str, Decimal] = {}
            for hop in self._limits[:count]:
                ahead[hop.source] = max(most_of(hop), ahead.get(hop.source, _ZERO))
            self._squeezes[count] = ceilings(self.hops.values(), ahead, PATH_HOPS_MAX)
        return self._squeezes[count]

    def floor(self, amount: Decimal) -> Decimal:
        """To how much hops that cost anything may bring what set out as `amount`."""
        return MONEY.subtract(amount, MONEY.multiply(amount, self.fee_share_max))

    def worth(self, amount: Decimal, span: Nanos) -> Decimal:
        """What it costs to have that amount under way so long."""
        if not self.latency_cost_bps:
            return _ZERO
        return MONEY.divide(MONEY.multiply(amount, Decimal(self.latency_cost_bps * span)), _BPS_HOURS)


class _Search:
    """One search: which labels are worth following, and by which hops."""

    def __init__(self, graph: Graph, targets: Collection[str], amount: Decimal, given: Given) -> None:
        self._graph, self._amount, self._given = graph, amount, given
        self._ceilings, self._squeezes = graph.ceilings_to(targets), graph.squeezes(amount)
        self._floor = graph.floor(amount) if given.floor is None else given.floor
        self._settled: dict[str, list[_Label]] = {}
        self._squeezed = 0

    def settles(self, label: _Label) -> bool:
        """Take a label in, unless it is beaten by one that was."""
        others = self._settled.setdefault(label.passed[-1], [])
        squeezed = self._squeezed < SQUEEZED_MAX and label.amount <= self._squeezes.get(label.passed[-1], _ZERO)
        if any(_beats(other, label, squeezed=squeezed) for other in others):
            return False
        self._squeezed += squeezed
        others.append(label)
        return True

    def extend(self, label: _Label, hop: HopSettings) -> Iterator[_Label]:
        """The label one hop further, if it may be taken and can still get to a target, in time."""
        if hop.destination in label.passed or hop.name in self._given.without or not suits(hop, label.amount):
            return
        fee = fee_of(hop, label.amount)
        left = EXACT.subtract(label.amount, fee)
        if fee and left < self._floor:
            return
        latency = label.latency + hop.latency + self._given.delays.get(hop.name, 0)
        within = self._given.within
        if 0 < left <= self._ceilings.get(hop.destination, _ZERO) and (within is None or latency <= within):
            cost = EXACT.subtract(self._graph.worth(self._amount, latency), left)
            yield _Label(cost, latency, (*label.hops, hop.name), left, (*label.passed, hop.destination))


def _beats(other: _Label, label: _Label, *, squeezed: bool) -> bool:
    if other.amount < label.amount or other.latency > label.latency or len(other.hops) > len(label.hops):
        return False
    return not squeezed or (other.amount == label.amount and set(other.passed) <= set(label.passed))


def takes(hop: HopSettings, amount: Decimal) -> bool:
    """Whether a hop ever moves as much, and as little, as `amount`."""
    return hop.amount_min <= amount <= most_of(hop)


def fee_of(hop: HopSettings, amount: Decimal) -> Decimal:
    """What a hop is expected to keep of `amount`."""
    return MONEY.add(hop.fee_flat, MONEY.multiply(amount, hop.fee_rate))


def is_dear(hop: HopSettings, amount: Decimal) -> bool:
    """Whether a hop is expected to keep more of `amount` than it may."""
    return fee_of(hop, amount) > MONEY.multiply(amount, hop.fee_share_max)


def suits(hop: HopSettings, amount: Decimal) -> bool:
    """Whether `amount` may be sent over a hop: it takes that, and does not keep too much of it."""
    return takes(hop, amount) and not is_dear(hop, amount)
