"""What is checked together and what apart: whoever signs badly waits for it, and others hardly do."""

from __future__ import annotations

import msgspec
import pytest

from core.fix.records import SessionClosed
from core.identity.checking import BlockChecked, CheckBlock, CheckOrders
from core.kernel.record import Computed, Message, Resume, Stop
from core.market.orders import OrderFailed
from core.sequencer.apart import TURN_MAX, TURN_TOGETHER_MAX
from core.sequencer.checks import APART, APART_WAIT, TOGETHER_MAX, TURN
from core.sequencer.facts import BlockSealed, CulpritsFound, OrderSequenced, OrdersVerified
from core.sequencer.sealing import WINDOW
from core.sequencer.sequencer import Sequencer
from core.sequencer.trust import DISTRUST
from core.units import MILLISECOND, SECOND
from tests.helpers.orders import cancel, from_peer
from tests.helpers.signed import BAD, GOOD, T0, Venue, order, pretend, pretended

TIMEOUT = 10 * SECOND
MANY = 300
"""Blocks that others fill while one is checked."""


def send(venue: Venue, owner: str, *names: str) -> None:
    """Orders of this owner, of which those that begin with `bad` are signed badly."""
    for name in names:
        venue.handle(pretended(owner, order(name), BAD if name.startswith("bad") else GOOD))


def doubt(venue: Venue, owner: str, *names: str) -> None:
    """Orders of this owner, among others that make the check of their block cast doubt on all that it has there."""
    send(venue, owner, "bad1", *names, "bad2")


# --- who waits for whom --------------------------------------------------------------------------


def test_all_that_is_signed_in_a_block_takes_one_check_whoever_is_new_or_was_found_out_before() -> None:
    venue = Venue("MM1", "MM2", batch_messages=3)
    send(venue, "MM1", "c1", "c2")
    send(venue, "MM2", "bad3")
    venue.solve(by=pretend)
    venue.now += DISTRUST
    venue.admit("MM3")
    for first, second, third in (("MM2", "MM3", "MM1"), ("MM3", "MM1", "MM2")):
        send(venue, first, f"first of {first}")
        send(venue, second, f"second of {second}")
        send(venue, third, f"third of {third}")
        assert [(type(it.problem), len(it.problem.signed)) for it in venue.jobs] == [(CheckBlock, 3)]
        venue.solve(by=pretend)
    assert [len(names) for _, names in venue.traded] == [2, 3, 3]
    assert venue.texts == {"bad3": "bad_order_signature"}


def test_a_block_waits_for_what_is_in_doubt_for_a_moment_and_not_longer() -> None:
    venue = Venue("MM1", "MM2", batch_messages=3)
    doubt(venue, "MM2")
    send(venue, "MM1", "honest")
    venue.solve(by=pretend)
    assert [(type(it.problem), len(it.problem.signed)) for it in venue.jobs] == [(CheckOrders, 2)]
    assert venue.traded == []
    venue.ring(APART)
    assert venue.now == T0 + APART_WAIT
    assert venue.traded == [(1, ["honest"])]


def test_what_is_checked_in_that_moment_goes_with_its_own_block_in_its_place() -> None:
    venue = Venue("MM1", "MM2", batch_messages=5)
    send(venue, "MM2", "c1")
    doubt(venue, "MM2")
    send(venue, "MM1", "honest")
    send(venue, "MM2", "c5")
    venue.solve_all(pretend)
    assert venue.traded == [(1, ["c1", "honest", "c5"])]
    assert venue.texts == {"bad1": "bad_order_signature", "bad2": "bad_order_signature"}


def test_what_comes_later_goes_first_with_the_next_batch() -> None:
    venue = Venue("MM1", "MM2", batch_messages=4)
    doubt(venue, "MM2", "late")
    send(venue, "MM1", "c2")
    venue.solve(by=pretend)
    venue.ring(APART)
    send(venue, "MM1", "c3", "c4", "c5", "c6")
    venue.solve(by=pretend)
    assert venue.traded == [(1, ["c2"])]
    venue.solve(by=pretend)
    assert venue.traded == [(1, ["c2"]), (2, ["late", "c3", "c4", "c5", "c6"])]


def test_if_nothing_comes_an_empty_block_is_sealed_for_it() -> None:
    venue = Venue("MM1", "MM2", batch_messages=4)
    doubt(venue, "MM2", "late")
    send(venue, "MM1", "c2")
    venue.solve(by=pretend)
    venue.ring(APART)
    assert WINDOW not in venue.timers
    venue.solve(by=pretend)
    assert venue.timers[WINDOW] == T0 + 500 * MILLISECOND
    venue.ring(WINDOW)
    assert venue.traded == [(1, ["c2"]), (2, ["late"])]
    assert [it.trigger for it in venue.said(BlockSealed)] == ["full", "empty"]
    assert venue.sequencer.state.checks == 0
    assert WINDOW not in venue.timers


def test_a_venue_that_stops_seals_it_at_once() -> None:
    venue = Venue("MM1", "MM2", batch_messages=4)
    doubt(venue, "MM2", "late")
    send(venue, "MM1", "c2")
    venue.solve(by=pretend)
    venue.ring(APART)
    venue.handle(Stop())
    assert venue.sequencer.state.checks == 1
    venue.solve(by=pretend)
    assert venue.traded == [(1, ["c2"]), (2, ["late"])]
    assert venue.sequencer.state.checks == 0
    assert WINDOW not in venue.timers


def test_what_takes_many_turns_is_late_together_when_a_venue_stops() -> None:
    names = [f"c{number}" for number in range(2 * TURN_MAX)]
    venue = Venue("MM2", batch_messages=100)
    doubt(venue, "MM2", *names)
    venue.ring(WINDOW)
    venue.solve(by=pretend)
    venue.ring(APART)
    venue.handle(Stop())
    venue.solve_all(pretend)
    assert venue.traded == [(1, []), (2, names)]
    assert [it.trigger for it in venue.said(BlockSealed)] == ["window", "stop"]


@pytest.mark.parametrize("resumed", [False, True])
def test_what_is_late_when_a_venue_stops_goes_with_the_batch_that_still_waits(resumed: bool) -> None:
    venue = Venue("MM1", "MM2", batch_messages=10)
    doubt(venue, "MM2", "late")
    venue.ring(WINDOW)
    venue.solve(by=pretend)
    venue.ring(APART)
    send(venue, "MM1", "c2")
    venue.handle(Stop())
    venue.solve(by=pretend)
    venue.handle(Stop())
    assert [it.trigger for it in venue.said(BlockSealed)] == ["window", "stop"]
    if resumed:
        venue.handle(Resume())
    venue.solve(by=pretend)
    assert venue.traded == [(1, []), (2, ["late", "c2"])]
    assert venue.texts.keys() == {"bad1", "bad2"}
    assert venue.sequencer.state.checks == 0
    assert WINDOW not in venue.timers


def test_a_venue_that_has_stopped_opens_no_window_after_the_block_of_what_was_late() -> None:
    venue = Venue("MM2", batch_messages=10, empty_windows_per_block=1)
    doubt(venue, "MM2", "late")
    venue.ring(WINDOW)
    venue.solve(by=pretend)
    venue.ring(APART)
    venue.handle(Stop())
    venue.solve(by=pretend)
    assert venue.traded == [(1, []), (2, ["late"])]
    assert WINDOW not in venue.timers
    venue.now += SECOND
    send(venue, "MM2", "refused")
    assert len(venue.said(BlockSealed)) == 2
    venue.handle(Resume())
    venue.ring(WINDOW)
    assert [it.trigger for it in venue.said(BlockSealed)] == ["window", "stop", "empty"]


def test_an_owner_that_signs_badly_casts_doubt_on_itself_alone() -> None:
    venue = Venue("MM1", "MM2", batch_messages=4)
    send(venue, "MM1", "bad1", "c2", "bad3")
    send(venue, "MM2", "honest")
    venue.solve(by=pretend)
    assert list(venue.sequencer.state.trust.distrusted) == ["MM1"]
    assert venue.said(OrdersVerified) == [OrdersVerified(1, 1, (), 0)]
    venue.ring(APART)
    assert venue.traded == [(1, ["honest"])]
    venue.solve(by=pretend)
    assert venue.said(OrdersVerified)[1:] == [OrdersVerified(1, 3, (0, 2), APART_WAIT, "bad_order_signature")]
    assert venue.said(OrderFailed) == [OrderFailed(f"O-{n}", "bad_order_signature") for n in (1, 3)]
    venue.ring(WINDOW)
    assert venue.traded == [(1, ["honest"]), (2, ["c2"])]


def test_who_has_more_than_its_share_of_the_room_is_checked_apart() -> None:
    venue = Venue("MM1", "MM2", "MM3", batch_messages=TOGETHER_MAX)
    send(venue, "MM1", *(f"a{n}" for n in range(TOGETHER_MAX - 2)))
    send(venue, "MM3", "c1", "c2")
    assert [len(it.problem.signed) for it in venue.jobs] == [TOGETHER_MAX]
    venue.solve(by=pretend)
    send(venue, "MM1", *(f"b{n}" for n in range(100)))
    send(venue, "MM2", *(f"m{n}" for n in range(399)))
    send(venue, "MM3", "c3")
    assert [len(it.problem.signed) for it in venue.jobs] == [TOGETHER_MAX]
    send(venue, "MM2", *(f"n{n}" for n in range(100)))
    send(venue, "MM1", *(f"d{n}" for n in range(399)))
    send(venue, "MM3", "c4")
    assert [len(it.problem.signed) for it in venue.jobs] == [TOGETHER_MAX, 1, TURN_TOGETHER_MAX], "who has few shares"
    venue.solve_all(pretend)
    assert [len(names) for _, names in venue.traded] == [TOGETHER_MAX] * 3


def test_of_several_in_a_turn_only_those_whom_it_casts_doubt_on_have_turns_alone() -> None:
    venue = Venue("MM1", "MM2", "MM3", batch_messages=TOGETHER_MAX)
    send(venue, "MM3", *(f"c{n}" for n in range(TOGETHER_MAX)))
    for n in range(200):
        send(venue, "MM1", f"a{n}")
        send(venue, "MM2", f"{'bad' if n < 2 else 'b'}{n}")
    venue.ring(WINDOW)
    assert [(type(it.problem), len(it.problem.signed)) for it in venue.jobs[1:]] == [(CheckBlock, TURN_TOGETHER_MAX)]
    venue.solve(1, by=pretend)
    assert [(type(it.problem), len(it.problem.signed)) for it in venue.jobs[1:]] == [(CheckOrders, TURN_MAX)]
    assert venue.said(OrdersVerified) == [OrdersVerified(2, TURN_MAX, (), 0)]
    assert list(venue.sequencer.state.trust.distrusted) == ["MM2"]
    venue.solve_all(pretend)
    assert [len(names) for _, names in venue.traded] == [TOGETHER_MAX, 398]
    assert venue.texts == {"bad0": "bad_order_signature", "bad1": "bad_order_signature"}


def test_owners_who_take_all_they_can_one_after_the_other_have_a_bounded_number_under_check_together() -> None:
    owners = [f"MM{n}" for n in range(20)]
    venue = Venue(*owners, batch_messages=TOGETHER_MAX)
    for round_number in range(2):
        for n, owner in enumerate(owners, 1):
            send(venue, owner, *(f"{round_number}.{n}.{k}" for k in range(TOGETHER_MAX // n)))
            venue.now += 10 * MILLISECOND
            if WINDOW in venue.timers:
                venue.ring(WINDOW)
    together = sum(len(it.signed) for it in venue.sequencer.state.held)
    assert together == sum(TOGETHER_MAX // n for n in range(1, 21)) == 1_792
    venue.solve_all(pretend)
    venue.ring(WINDOW)
    assert sum(len(names) for _, names in venue.traded) == len(venue.said(OrderSequenced))


# --- an owner's own order of things --------------------------------------------------------------


def test_what_is_behind_something_unchecked_of_its_owner_waits_for_it_whatever_it_is() -> None:
    venue = Venue("MM1", "MM2", batch_messages=4)
    doubt(venue, "MM2", "mine")
    send(venue, "MM1", "c2")
    venue.solve(by=pretend)
    venue.handle(Message("fix", SessionClosed("MM2", "lost", cancel_orders=True)))
    send(venue, "MM1", "c3")
    venue.solve(1, by=pretend)
    venue.ring(APART)
    assert venue.traded == [(1, ["c2"]), (2, ["c3"])]
    venue.solve(by=pretend)
    venue.ring(WINDOW)
    assert venue.traded[2:] == [(3, ["mine", "", "", ""])], "it is not cancelled before it is there"


def test_what_was_good_in_a_later_block_waits_for_what_is_doubtful_in_an_earlier_one() -> None:
    venue = Venue("MM1", "MM2", batch_messages=3)
    send(venue, "MM1", "first", "bad2", "bad3")
    venue.handle(pretended("MM1", msgspec.structs.replace(cancel("x1", "first"), transact_time=T0)))
    send(venue, "MM2", "c2", "c3")
    venue.solve(1, by=pretend)
    venue.solve(0, by=pretend)
    venue.ring(APART)
    assert venue.traded == [(1, []), (2, ["c2", "c3"])]
    venue.solve(by=pretend)
    venue.ring(WINDOW)
    assert venue.traded[2:] == [(3, ["first", "x1"])]


def test_bad_ones_alone_of_a_later_block_are_refused_while_an_earlier_one_is_in_doubt() -> None:
    venue = Venue("MM1", "MM2", batch_messages=3)
    for height in (1, 2):
        send(venue, "MM1", f"c{height}")
        send(venue, "MM2", f"bad{height}", f"bad{height + 2}")
    venue.solve(1, by=pretend)
    venue.solve(0, by=pretend)
    venue.ring(APART)
    assert venue.traded == [(1, ["c1"]), (2, ["c2"])]
    venue.solve(by=pretend)
    assert venue.texts.keys() == {"bad2", "bad4"}
    venue.solve(by=pretend)
    assert venue.texts.keys() == {"bad1", "bad2", "bad3", "bad4"}
    assert venue.sequencer.state.checks == 0


# --- checks that do not come ---------------------------------------------------------------------


def test_the_time_of_a_check_that_waits_for_its_turn_begins_with_its_turn() -> None:
    venue = Venue("MM1", "MM2", batch_messages=4)
    doubt(venue, "MM1")
    send(venue, "MM2", "bad3", "bad4")
    venue.solve(by=pretend)
    assert venue.timers[TURN] == T0 + TIMEOUT
    venue.now += TIMEOUT - SECOND
    venue.solve(by=pretend)
    assert venue.timers[TURN] == venue.now + TIMEOUT
    venue.ring(APART)
    venue.now += TIMEOUT - SECOND
    venue.solve(by=pretend)
    assert set(venue.texts.values()) == {"bad_order_signature"}
    assert TURN not in venue.timers


def test_a_turn_without_an_answer_is_given_up_and_who_is_found_out_late_is_named() -> None:
    venue = Venue("MM1", "MM2", batch_messages=3)
    doubt(venue, "MM1")
    send(venue, "MM2", "c2")
    venue.solve(by=pretend)
    (asked,) = venue.jobs
    venue.ring(TURN)
    assert venue.texts == {"bad1": "unchecked_signature", "bad2": "unchecked_signature"}
    venue.now += SECOND
    venue.handle(Computed(asked.job_id, pretend(asked.problem)))
    assert venue.said(CulpritsFound) == [CulpritsFound(1, (0, 1), SECOND)]
    assert venue.sequencer.state.trust.distrusted == {"MM1": venue.now + 2 * DISTRUST}


def test_keys_that_a_late_answer_suspects_are_distrusted_and_their_places_named() -> None:
    venue = Venue("MM1", "MM2", batch_messages=3)
    send(venue, "MM1", "bad1", "bad2")
    send(venue, "MM2", "c2")
    (asked,) = venue.jobs
    venue.ring("1")
    assert set(venue.texts.values()) == {"unchecked_signature"}
    assert pretend(asked.problem) == BlockChecked((), (0, 1))
    venue.solve(by=pretend)
    assert venue.said(CulpritsFound) == [CulpritsFound(1, (), 0, (0, 1))]
    assert list(venue.sequencer.state.trust.distrusted) == ["MM1"]


def test_however_many_blocks_others_fill_meanwhile_a_check_has_its_whole_time() -> None:
    venue = Venue("MM1", "MM2", batch_messages=1)
    for n in range(MANY):
        venue.handle(from_peer(order(f"p{n}"), "MM3"))
    send(venue, "MM1", "honest")
    venue.handle(Message("fix", SessionClosed("MM3", "lost", cancel_orders=True)))
    send(venue, "MM2", *(f"c{n}" for n in range(MANY)))
    assert len(venue.traded) == MANY
    venue.solve_all(pretend)
    assert [name for _, (name,) in venue.traded[MANY:]] == ["honest", *[""] * MANY, *(f"c{n}" for n in range(MANY))]
    assert venue.texts == {}


def test_blocks_that_others_fill_meanwhile_wait_for_what_is_apart_as_one_does() -> None:
    venue = Venue("MM2", batch_messages=3)
    doubt(venue, "MM2", "c1")
    venue.solve(by=pretend)
    for n in range(3 * MANY):
        venue.handle(from_peer(order(f"p{n}"), "MM3"))
    assert venue.traded == []
    venue.ring(APART)
    assert venue.now == T0 + APART_WAIT
    assert len(venue.traded) == MANY + 1
    venue.solve(by=pretend)
    venue.ring(WINDOW)
    assert venue.traded[-1] == (MANY + 2, ["c1"])
    assert venue.texts.keys() == {"bad1", "bad2"}


def test_what_waits_apart_survives_a_snapshot() -> None:
    venue = Venue("MM2", "MM3", batch_messages=6)
    doubt(venue, "MM2", "c1")
    send(venue, "MM3", "bad3", "c2", "bad4")
    for n in range(3):
        send(venue, "MM2", f"d{n}")
        send(venue, "MM3", f"e{n}")
    for _ in range(2):
        venue.solve(by=pretend)
    venue.ring(APART)
    restored = Sequencer("sequencer", venue.sequencer.settings)
    restored.restore(venue.sequencer.snapshot())
    assert restored.state == venue.sequencer.state
    assert restored.state.turns.turn is not None
    venue.sequencer = restored
    venue.solve_all(pretend)
    venue.ring(WINDOW)
    assert venue.traded == [(1, []), (2, []), (3, ["c1", "d0", "d1", "d2", "c2", "e0", "e1", "e2"])]
