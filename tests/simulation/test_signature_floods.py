"""Floods of signed orders where one thread checks them: who signs well hardly notices, whatever others send."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import msgspec
import pytest

from core.identity.checking import CheckOrders
from core.kernel.record import Computed
from core.sequencer.facts import OrdersVerified
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
        """As a check takes: twice all of a few keys where something is wrong; in turns of the distrusted each alone."""
        count, is_bad = len(problem.signed), any(it[2] == BAD for it in problem.signed)
        if isinstance(problem, CheckOrders):
            return count * (SINGLE if is_bad else TOGETHER)
        return count * TOGETHER * (2 if is_bad else 1) + is_bad * 16 * SINGLE


def flooded(members: int, signature: bytes, *, gap: Nanos, window: Nanos, together: bool = False) -> Thread:
    """A venue where each of these sends 500 orders at once, one member `gap` after the other, from T0 + 1 s on; or all
    of them message by message.
    """
    names = [f"B{n}" for n in range(members)]
    venue = Venue("HONEST", *names, batch_messages=500, batch_window=window, order_lifetime=300 * SECOND)
    thread = Thread(venue)
    sent = [(k, n) for n in range(500) for k in range(members)]
    for k, n in sent if together else sorted(sent):
        at = T0 + SECOND + k * gap
        thread.at(at, pretended(names[k], order(f"{names[k]}-{n}", transact_time=at), signature))
    return thread


def waits_of(sent: dict[str, Nanos], thread: Thread) -> dict[str, Nanos]:
    """How long each of what HONEST has sent at these times took to the auction, in seven seconds from T0 on."""
    waits: dict[str, Nanos] = {}
    for tick in range(700):
        thread.run(T0 + tick * 10 * MILLISECOND)
        now = thread.venue.now
        for batch in thread.venue.batches:
            waits.update({it.cl_ord_id: now - sent[it.cl_ord_id] for it in batch.items if it.owner == "HONEST"})
        thread.venue.batches.clear()
    return waits


@pytest.mark.parametrize(("gap", "together"), [(0, False), (0, True), (150 * MILLISECOND, False)])
@pytest.mark.parametrize("window", [50 * MILLISECOND, 500 * MILLISECOND])
@pytest.mark.parametrize("signature", [BAD, GOOD], ids=["bad", "good"])
def test_orders_and_cancels_of_who_signs_well_reach_the_auction_soon(
    signature: bytes, *, window: Nanos, gap: Nanos, together: bool
) -> None:
    thread = flooded(20, signature, gap=gap, window=window, together=together)
    venue, sent = thread.venue, {}
    for n in range(250):
        at = T0 + 20 * MILLISECOND * n
        sent[f"H{n}"], sent[f"X{n}"] = at, at + 10 * MILLISECOND
        thread.at(at, pretended("HONEST", order(f"H{n}", transact_time=at)))
        thread.at(at + 1, pretended("HONEST", _cancel(f"X{n}", f"H{n}", at)))
    waits = waits_of(sent, thread)
    assert not [name for name in venue.texts if name[0] in "HX"]
    assert waits.keys() == sent.keys()
    assert max(waits.values()) < window + (400 if together and signature == BAD else 250) * MILLISECOND


def _cancel(name: str, orig: str, at: Nanos) -> Any:
    return msgspec.structs.replace(cancel(name, orig), transact_time=at)


def test_who_needs_less_than_the_others_is_not_left_behind_where_all_send_more_than_can_be_checked() -> None:
    names, end = [f"B{n}" for n in range(20)], 6_000
    thread = Thread(Venue("HONEST", *names, batch_messages=500, batch_window=50 * MILLISECOND))
    sent = {}
    for k, name in enumerate(names):
        for ms in range(2 * k, end, 50):
            at = T0 + ms * MILLISECOND
            for n in range(8):
                thread.at(at, pretended(name, order(f"{name}-{ms}-{n}", transact_time=at)))
    for ms in range(0, end, 500):
        at = T0 + ms * MILLISECOND
        for n in range(41):
            sent[f"H{ms}-{n}"] = at
            thread.at(at, pretended("HONEST", order(f"H{ms}-{n}", transact_time=at)))
    assert 20 * 8 * 20 * TOGETHER > SECOND
    waits = waits_of(sent, thread)
    assert waits.keys() == sent.keys()
    assert max(waits.values()) < 500 * MILLISECOND


@pytest.mark.parametrize("together", [False, True])
def test_a_new_market_maker_waits_no_longer_than_any_other(together: bool) -> None:
    thread = flooded(20, BAD, gap=0, window=500 * MILLISECOND, together=together)
    venue = thread.venue
    venue.admit("NEW")
    at = T0 + SECOND + 1
    thread.at(at, pretended("NEW", order("N", transact_time=at)))
    thread.run(at + 750 * MILLISECOND)
    assert [it.cl_ord_id for batch in venue.batches for it in batch.items] == ["N"]


def test_members_who_sign_badly_whenever_they_are_let_in_are_soon_let_in_seldom() -> None:
    thread = Thread(Venue(*(f"B{n}" for n in range(4)), batch_messages=500, order_lifetime=300 * SECOND))
    for n in range(200):
        at = T0 + n * 100 * MILLISECOND
        for name in ("B0", "B1", "B2", "B3"):
            thread.at(at, pretended(name, order(f"{name}-{n}", transact_time=at), BAD))
    thread.run(T0 + 60 * SECOND)
    at_fault = {it.height for it in thread.venue.said(OrdersVerified) if it.refused}
    assert len(at_fault) <= 10, "of 40 blocks"


def test_a_flood_of_bad_signatures_ends_for_those_who_sent_it_and_leaves_nothing_behind() -> None:
    thread = flooded(20, BAD, gap=0, window=500 * MILLISECOND)
    thread.run(T0 + 60 * SECOND)
    venue, state = thread.venue, thread.venue.sequencer.state
    texts = list(venue.texts.values())
    assert len(texts) == 20 * 500
    assert set(texts) <= {"bad_order_signature", "signatures_distrusted"}
    assert state.checks == 0
    assert state.trust.unchecked == {}
