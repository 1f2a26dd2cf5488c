"""Whoever signs what, whenever which check is done: the auction gets all that is good, once, in its owner's order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fix.records import SessionClosed
from core.identity.checking import CheckBlock
from core.kernel.record import Message, Resume, Stop
from core.market.orders import CancelRefused, Item, OrderFailed
from core.sequencer.facts import SEQUENCED, OrderSequenced, item_of
from core.sequencer.sequencer import Sequencer
from core.units import MILLISECOND, SECOND, Nanos
from tests.helpers.orders import cancel, from_peer
from tests.helpers.signed import BAD, GOOD, Venue, order, pretend, pretended

SIGNERS = ("A", "B", "C")
STEPS = st.one_of(
    st.tuples(st.just("order"), st.sampled_from((*SIGNERS, "plain")), st.integers(1, 40), st.integers(0, 3)),
    st.tuples(st.just("cancel"), st.sampled_from(SIGNERS), st.booleans()),
    st.tuples(st.just("lose"), st.sampled_from(SIGNERS)),
    st.tuples(st.just("solve"), st.integers(0, 5)),
    st.tuples(st.just("pass"), st.integers(1, 400)),
    st.tuples(st.just("restore")),
    st.tuples(st.just("stop")),
    st.tuples(st.just("doubt"), st.sampled_from(SIGNERS)),
)


class Run:
    """A venue where three sign each message, and one more signs nothing."""

    def __init__(self, check_timeout: Nanos = 1_000 * SECOND) -> None:
        self.venue = Venue(*SIGNERS, batch_messages=10, check_timeout=check_timeout)
        self.count = 0

    def order(self, owner: str, many: int, bad: int) -> None:
        for n in range(many):
            self.count += 1
            name = f"bad{self.count}" if bad and n % bad == 0 else f"c{self.count}"
            message = order(name, transact_time=self.venue.now)
            if owner == "plain":
                self.venue.handle(from_peer(message, owner))
            else:
                self.venue.handle(pretended(owner, message, BAD if name.startswith("bad") else GOOD))

    def cancel(self, owner: str, is_bad: bool) -> None:
        live = self.venue.sequencer.known(owner).live
        if live:
            self.count += 1
            message = cancel(f"{'bad' if is_bad else 'x'}{self.count}", next(iter(live)))
            message = msgspec.structs.replace(message, transact_time=self.venue.now)
            self.venue.handle(pretended(owner, message, BAD if is_bad else GOOD))

    def lose(self, owner: str) -> None:
        self.venue.handle(Message("fix", SessionClosed(owner, "lost", cancel_orders=True)))

    def solve(self, job: int) -> None:
        if self.venue.jobs:
            self.venue.solve(job % len(self.venue.jobs), by=pretend)

    def doubt(self, owner: str) -> None:
        """A block is checked that casts doubt on this owner, and goes without what is good of it."""
        self.order(owner, 4, 2)
        self.wait(500)
        self.solve(-1)
        self.wait(250)

    def restore(self) -> None:
        sequencer = Sequencer("sequencer", self.venue.sequencer.settings)
        sequencer.restore(self.venue.sequencer.snapshot())
        self.venue.sequencer = sequencer

    def stop(self) -> None:
        """Or go on, if it has stopped."""
        self.venue.handle(Resume() if self.venue.sequencer.state.stopping else Stop())

    def wait(self, span: int) -> None:
        until = self.venue.now + span * MILLISECOND
        while timer := self.next_timer(until):
            self.venue.ring(timer)
        self.venue.now = until

    def go_through(self, steps: list[Any]) -> None:
        does: dict[str, Callable[..., None]] = {
            "order": self.order,
            "cancel": self.cancel,
            "lose": self.lose,
            "solve": self.solve,
            "pass": self.wait,
            "restore": self.restore,
            "stop": self.stop,
            "doubt": self.doubt,
        }
        for step, *how in steps:
            does[step](*how)
        self.end()

    def next_timer(self, until: int) -> str:
        due = [(at, timer) for timer, at in self.venue.timers.items() if at <= until]
        return min(due)[1] if due else ""

    def end(self) -> None:
        while self.venue.jobs or self.venue.timers:
            self.venue.solve_all(pretend)
            self.wait(1_000)


def names(items: list[Item], owner: str) -> list[tuple[str, str]]:
    return [(it.order_id, it.cl_ord_id) for it in items if it.owner == owner]


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_the_auction_gets_all_that_is_good_once_in_its_owners_order_and_nothing_else(steps: list[Any]) -> None:
    run = Run()
    run.go_through(steps)
    venue, state = run.venue, run.venue.sequencer.state
    placed = [item_of(fact) for fact in venue.said(*SEQUENCED)]
    got = [item for batch in venue.batches for item in batch.items]
    for owner in SIGNERS:
        good = [item for item in placed if not item.cl_ord_id.startswith("bad")]
        assert names(got, owner) == names(good, owner)
    assert names(got, "plain") == names(placed, "plain")
    assert [batch.height for batch in venue.batches] == [*range(1, len(venue.batches) + 1)]
    assert (state.checks, state.late, state.trust.unchecked, state.given_up) == (0, [], {}, {})


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_whatever_check_does_not_come_in_time_nothing_is_lost_and_nothing_bad_trades(steps: list[Any]) -> None:
    run = Run(check_timeout=300 * MILLISECOND)
    run.go_through(steps)
    venue, state = run.venue, run.venue.sequencer.state
    placed = [item_of(fact) for fact in venue.said(*SEQUENCED)]
    got = [item for batch in venue.batches for item in batch.items]
    away = [(it.order_id, getattr(it, "cl_ord_id", None)) for it in venue.said(OrderFailed, CancelRefused)]
    assert not [it for it in got if it.owner in SIGNERS and it.cl_ord_id.startswith("bad")]
    for owner in SIGNERS:
        those = dict.fromkeys(names(got, owner))
        assert [*those] == names(got, owner)
        assert [*those] == [it for it in names(placed, owner) if it in those]
    assert len(got) + len(away) == len(placed)
    assert (state.checks, state.late, state.trust.unchecked) == (0, [], {})


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from((*SIGNERS, "plain")), st.booleans()), min_size=30, max_size=60))
def test_all_that_is_signed_in_a_block_takes_one_check_where_those_before_it_are_done(messages: list[Any]) -> None:
    run = Run()
    venue = run.venue
    for owner, is_bad in messages:
        run.order(owner, 1, int(is_bad))
        if not venue.jobs:
            continue
        (asked,) = venue.jobs
        assert isinstance(asked.problem, CheckBlock)
        in_block = venue.said(OrderSequenced)[-10:]
        assert len(asked.problem.signed) == sum(it.order.owner in SIGNERS for it in in_block)
        venue.solve_all(pretend)
        run.wait(1_000)
