from __future__ import annotations

import pytest

from core.errors import IllegalTransition
from core.fix.states import LOGGED_ON, SESSION, TALKING, Status, Trigger


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.TERMINATED])
def test_from_every_state_the_session_can_come_to_its_end(status: Status) -> None:
    reached, frontier = {status}, [status]
    while frontier:
        steps = SESSION.table[frontier.pop()].values()
        new = [step for step in steps if step not in reached]
        reached.update(new)
        frontier += new
    assert Status.TERMINATED in reached


def test_a_gap_is_recovered_from() -> None:
    assert SESSION.after(Status.ACTIVE, Trigger.GAP_FOUND, "s") is Status.RESYNC_REQUIRED
    assert SESSION.after(Status.RESYNC_REQUIRED, Trigger.GAP_FILLED, "s") is Status.ACTIVE


def test_only_a_node_that_is_up_again_leaves_the_last_state() -> None:
    assert list(SESSION.table[Status.TERMINATED]) == [Trigger.RESUMED]
    with pytest.raises(IllegalTransition, match="terminated"):
        SESSION.after(Status.TERMINATED, Trigger.LOGON_RECEIVED, "MM1")


def test_the_application_talks_only_while_the_session_is_logged_on() -> None:
    assert TALKING < LOGGED_ON
