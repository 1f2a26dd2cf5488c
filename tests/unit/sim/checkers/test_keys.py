"""A session with a key that is not accepted has to end: at once where a node is on time, and as soon as it can be."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from core.errors import FactViolated
from core.fix.records import SessionClosed, SessionOpened
from core.identity.audit import next_entry
from core.identity.records import (
    ActivateKey,
    ActivateMaker,
    Command,
    MakerAdmitted,
    Permissions,
    RegistryChanged,
    ResumeMaker,
    SuspendMaker,
)
from core.kernel.kernel import RESTARTED
from core.kernel.record import Disconnected, Event, Note, Record, Send, Start
from core.sequencer.facts import OrderSequenced
from core.units import Nanos
from sim.checkers import Checkers
from sim.checkers.keys import OnlyAcceptedKeys
from tests.helpers.checkers import ORDER
from tests.helpers.identity import public, register, stage, step

PATIENCE = 2_000
LATE = 300
BACK = Disconnected("fix-1", RESTARTED)


class Watched:
    """A venue as the checker sees it, with MM1 on session `s1`, whose key has a successor that is staged."""

    def __init__(self) -> None:
        self.checkers = Checkers([OnlyAcceptedKeys(PATIENCE)])
        for command in (register("MM1"), step(ActivateMaker, "MM1"), stage("MM1", "new")):
            self.changes(1, command)
        self.says(1, MakerAdmitted("s1", "MM1", public("MM1"), Permissions(), "logon"))
        self.says(1, SessionOpened("s1"))

    def delivers(self, now: Nanos, event: Event | None = None) -> None:
        """A delivery of which nothing comes."""
        self.checkers("venue", now, "fix", event or Start(), [])

    def changes(self, now: Nanos, command: Command) -> None:
        self.checkers("venue", now, "identity", Start(), [Note(RegistryChanged(next_entry(None, now, command)))])

    def says(self, now: Nanos, body: Record) -> None:
        self.checkers("venue", now, "fix", Start(), [Send("sequencer", body)])

    def closes(self, now: Nanos) -> None:
        self.says(now, SessionClosed("s1", "logout"))

    def takes(self, now: Nanos) -> None:
        fact = OrderSequenced(1, replace(ORDER, owner="s1"))
        self.checkers("venue", now, "sequencer", Start(), [Note(fact)])


@pytest.fixture
def venue() -> Watched:
    return Watched()


@pytest.fixture
def rotated(venue: Watched) -> Watched:
    """The key of the session was revoked at 100, so that it has to be gone by 2100."""
    venue.changes(100, step(ActivateKey, "MM1"))
    return venue


def test_a_session_that_ends_in_time_is_fine(rotated: Watched) -> None:
    rotated.delivers(100 + PATIENCE - 1)
    rotated.closes(100 + PATIENCE)
    rotated.delivers(100 + PATIENCE + 1)
    rotated.checkers.finish()


def test_a_timer_that_a_live_node_handles_late_is_fine_whatever_is_handled_with_it(rotated: Watched) -> None:
    rotated.delivers(100 + PATIENCE + LATE)
    rotated.closes(100 + PATIENCE + LATE)
    rotated.delivers(100 + PATIENCE + LATE)
    rotated.delivers(100 + PATIENCE + LATE + 1)


@pytest.mark.parametrize("late", [0, LATE])
def test_a_session_that_stays_when_its_time_has_come_is_caught_at_the_next_delivery(
    rotated: Watched, late: int
) -> None:
    rotated.delivers(100 + PATIENCE + late)
    with pytest.raises(FactViolated, match="s1 is still logged on with a key that is not accepted"):
        rotated.delivers(100 + PATIENCE + late + 1)


def test_a_session_that_stays_until_the_end_is_caught_then_if_its_time_has_come(venue: Watched) -> None:
    venue.changes(100, step(ActivateKey, "MM1"))
    venue.delivers(100 + PATIENCE - 1)
    venue.checkers.finish()
    venue.delivers(100 + PATIENCE)
    with pytest.raises(FactViolated, match="s1 is still logged on"):
        venue.checkers.finish()


def test_a_node_that_was_down_when_the_time_came_has_ended_the_session_when_its_connections_are_gone(
    rotated: Watched,
) -> None:
    rotated.delivers(100 + PATIENCE)  # the node is killed in this turn, and the timer is still due
    rotated.delivers(100 * PATIENCE, replace(BACK, conn="fix-0"))
    rotated.delivers(100 * PATIENCE, BACK)
    rotated.closes(100 * PATIENCE)
    rotated.delivers(100 * PATIENCE + 1)


def test_a_session_that_outlives_its_connection_is_caught(rotated: Watched) -> None:
    rotated.delivers(100 * PATIENCE, BACK)
    with pytest.raises(FactViolated, match="s1 is still logged on"):
        rotated.delivers(100 * PATIENCE + 1)


def test_a_session_that_opens_when_its_key_was_just_revoked_has_to_end_as_well(venue: Watched) -> None:
    venue.closes(50)
    venue.changes(100, step(ActivateKey, "MM1"))
    venue.says(100, SessionOpened("s1"))
    venue.delivers(100 + PATIENCE)
    with pytest.raises(FactViolated, match="s1 is still logged on"):
        venue.checkers.finish()


def test_an_order_that_was_on_its_way_when_its_owner_was_suspended_is_fine_and_one_that_came_later_is_caught(
    venue: Watched,
) -> None:
    venue.changes(100, step(SuspendMaker, "MM1"))
    venue.takes(100)
    venue.delivers(200, BACK)
    venue.takes(200)
    with pytest.raises(FactViolated, match="O-1 of MM1 is taken, who may not trade"):
        venue.takes(201)


def test_who_was_resumed_trades(venue: Watched) -> None:
    venue.changes(100, step(SuspendMaker, "MM1"))
    venue.changes(200, step(ResumeMaker, "MM1"))
    venue.takes(300)
