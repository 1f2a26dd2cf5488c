"""Floods of signed orders where one thread checks them: who signs well hardly notices, whatever others send."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import msgspec
import pytest

from core.identity.checking import CheckOrders
from core.kernel.record import Computed
from core.units import MICROSECOND, MILLISECOND, SECOND, Nanos
from tests.helpers.orders import cancel
from tests.helpers.signed import BAD, GOOD, T0, Venue, order, pretend, pretended

TOGETHER, SINGLE = 350 * MICROSECOND, 1_000 * MICROSECOND
"""What a message takes in an aggregate, and one that is bad: on one core, with `blspy`."""


class Thread:
    """One thread, which does what it was asked for in that order; and the members, who send at their times."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.arrivals: list[tuple[Nanos, int, Any]] = []
        self.doing: list[tuple[Nanos, Computed[Any]]] = []
        self.free_at: Nanos = 0

    def at(self, now: Nanos, message: Any) -> None:
        heappush(self.arrivals, (now, len(self.arrivals), message))

    def run(self, until: Nanos) -> None:
        venue = self.venue
        doing = self.doing
        while True:
            while venue.jobs:
                asked = venue.jobs.pop(0)
                self.free_at = max(self.free_at, venue.now) + self.cost(asked.problem)
                doing.append((self.free_at, Computed(asked.job_id, pretend(asked.problem))))
            next_timer = min(((at, key) for key, at in venue.timers.items()), default=(until, ""))
            times = (self.arrivals[0][0] if self.arrivals else until, doing[0][0] if doing else until, next_timer[0])
            if min(times) >= until:
                return
            if times[2] == min(times):
                venue.ring(next_timer[1])
                continue
            venue.now = max(venue.now, min(times))
            if times[1] == min(times):
                venue.handle(doing.pop(0)[1])
            else:
                venue.handle(heappop(self.arrivals)[2])

    def cost(self, problem: Any) -> Nanos:
        """As a check takes: about twice of all where something is wrong; each on its own in a turn."""
        count, is_bad = len(problem.signed), any(it[2] == BAD for it in problem.signed)
        if isinstance(problem, CheckOrders):
            return count * (SINGLE if is_bad else TOGETHER)
        return count * TOGETHER * (2 if is_bad else 1) + is_bad * 16 * SINGLE


def flooded(members: int, signature: bytes, *, proven: bool, gap: Nanos, window: Nanos) -> Thread:
    """A venue where each of these sends 500 orders at once, one member `gap` after the other, from T0 on."""
    names = [f"B{n}" for n in range(members)]
    venue = Venue("HONEST", batch_messages=500, batch_window=window, order_lifetime=300 * SECOND)
    for name in names:
        venue.admit(name)
    if proven:
        venue.sequencer.state.trust.prove(names)
    thread = Thread(venue)
    for k, name in enumerate(names):
        for n in range(500):
            at = T0 + SECOND + k * gap
            thread.at(at, pretended(name, order(f"{name}-{n}", transact_time=at), signature))
    return thread


@pytest.mark.parametrize("gap", [0, 150 * MILLISECOND])
@pytest.mark.parametrize("window", [50 * MILLISECOND, 500 * MILLISECOND])
@pytest.mark.parametrize(("signature", "proven"), [(BAD, False), (BAD, True), (GOOD, True)], ids=["new", "bad", "good"])
def test_orders_and_cancels_of_who_signs_well_reach_the_auction_soon(
    signature: bytes, *, proven: bool, window: Nanos, gap: Nanos
) -> None:
    thread = flooded(20, signature, proven=proven, gap=gap, window=window)
    venue, sent = thread.venue, {}
    for n in range(250):
        at = T0 + 20 * MILLISECOND * n
        sent[f"H{n}"], sent[f"X{n}"] = at, at + 10 * MILLISECOND
        thread.at(at, pretended("HONEST", order(f"H{n}", transact_time=at)))
        thread.at(at + 1, pretended("HONEST", _cancel(f"X{n}", f"H{n}", at)))
    waits: dict[str, Nanos] = {}
    for tick in range(700):
        thread.run(T0 + tick * 10 * MILLISECOND)
        for batch in venue.batches:
            waits.update({it.cl_ord_id: venue.now - sent[it.cl_ord_id] for it in batch.items if it.owner == "HONEST"})
        venue.batches.clear()
    assert not [name for name in venue.texts if name[0] in "HX"]
    assert waits.keys() == sent.keys()
    assert max(waits.values()) < window + 250 * MILLISECOND


def _cancel(name: str, orig: str, at: Nanos) -> Any:
    return msgspec.structs.replace(cancel(name, orig), transact_time=at)


def test_a_new_market_maker_waits_for_a_turn_of_each_that_was_not_proven_and_no_more() -> None:
    thread = flooded(20, BAD, proven=False, gap=0, window=500 * MILLISECOND)
    venue = thread.venue
    venue.admit("NEW")
    at = T0 + SECOND + 1
    thread.at(at, pretended("NEW", order("N", transact_time=at)))
    thread.run(T0 + SECOND + 500 * MILLISECOND + 20 * 32 * SINGLE + 600 * MILLISECOND)
    assert [it.cl_ord_id for batch in venue.batches for it in batch.items] == ["N"]


def test_a_flood_of_bad_signatures_ends_for_those_who_sent_it_and_leaves_nothing_behind() -> None:
    thread = flooded(20, BAD, proven=True, gap=0, window=500 * MILLISECOND)
    thread.run(T0 + 60 * SECOND)
    venue, state = thread.venue, thread.venue.sequencer.state
    texts = list(venue.texts.values())
    assert len(texts) == 20 * 500
    assert set(texts) <= {"bad_order_signature", "signatures_distrusted"}
    assert state.checks == 0
    assert state.trust.unchecked == {}
