"""The tables of rebalances and of tasks of the house: every state can be reached, and from each there is one end."""

from __future__ import annotations

from enum import StrEnum

import pytest

from core.errors import IllegalTransition
from core.index.rebalance_states import (
    REBALANCES,
    TASKS,
    RebalanceState,
    RebalanceStep,
    TaskState,
    TaskStep,
)
from core.kernel.fsm import Machine


def reachable(machine: Machine[StrEnum, StrEnum], start: StrEnum) -> set[StrEnum]:
    """Every state that can follow."""
    found, open_ = {start}, [start]
    while open_:
        for state in machine.table[open_.pop()].values():
            if state not in found:
                found.add(state)
                open_.append(state)
    return found


@pytest.mark.parametrize(
    ("machine", "start", "end"),
    [(REBALANCES, RebalanceState.WAITING, RebalanceState.DONE), (TASKS, TaskState.OPEN, TaskState.DONE)],
    ids=["rebalance", "task"],
)
def test_every_state_can_be_reached_and_can_end(
    machine: Machine[StrEnum, StrEnum], start: StrEnum, end: StrEnum
) -> None:
    assert reachable(machine, start) == set(machine.table)
    assert all(end in reachable(machine, state) for state in machine.table)
    assert [state for state in machine.table if machine.is_terminal(state)] == [end]


def walk(state: RebalanceState, *steps: RebalanceStep) -> RebalanceState:
    """Where these steps lead to."""
    for step in steps:
        state = REBALANCES.after(state, step, "IX")
    return state


def test_a_late_rebalance_is_not_over_before_it_is_done() -> None:
    assert walk(RebalanceState.WAITING, RebalanceStep.CLEARED, RebalanceStep.LATE) is RebalanceState.OWING
    assert walk(RebalanceState.OWING, RebalanceStep.DONE) is RebalanceState.DONE


@pytest.mark.parametrize("state", [RebalanceState.WAITING, RebalanceState.TRADING, RebalanceState.OWING])
def test_what_is_aimed_at_may_change_at_any_time_and_then_batches_are_waited_for_again(state: RebalanceState) -> None:
    assert walk(state, RebalanceStep.AIMED) is RebalanceState.WAITING


def test_nothing_is_done_before_the_last_batch_by_the_old_basket_has_ended() -> None:
    for step in (RebalanceStep.DONE, RebalanceStep.LATE):
        with pytest.raises(IllegalTransition, match=r"no `.*` in state `waiting`"):
            walk(RebalanceState.WAITING, step)


def test_a_task_that_a_batch_works_on_is_counted_as_done_only_after_it() -> None:
    with pytest.raises(IllegalTransition, match="house task R-1"):
        TASKS.after(TaskState.ENGAGED, TaskStep.DONE, "R-1")
