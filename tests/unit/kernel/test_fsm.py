"""State machines allow what their table says and explain what it does not."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from pkgutil import walk_packages

import pytest

import core
from core.errors import IllegalTransition
from core.kernel.fsm import Machine
from core.kernel.ids import Ids


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    GONE = "gone"


class Act(StrEnum):
    PUSH = "push"
    PULL = "pull"
    BURN = "burn"


MACHINE = Machine(
    "door",
    {Door.OPEN: {Act.PUSH: Door.SHUT}, Door.SHUT: {Act.PULL: Door.OPEN, Act.BURN: Door.GONE}, Door.GONE: {}},
)


def test_a_listed_step_leads_where_the_table_says() -> None:
    assert MACHINE.after(Door.OPEN, Act.PUSH, "d1") is Door.SHUT


def test_an_unlisted_step_names_machine_subject_state_and_what_is_allowed() -> None:
    with pytest.raises(IllegalTransition, match=r"door d1: no `push` in state `shut` \(allowed: pull, burn\)"):
        MACHINE.after(Door.SHUT, Act.PUSH, "d1")
    with pytest.raises(IllegalTransition, match="allowed: nothing: it is terminal"):
        MACHINE.after(Door.GONE, Act.PUSH, "d1")


def test_terminal_states_are_those_with_an_empty_row() -> None:
    assert [state for state in Door if MACHINE.is_terminal(state)] == [Door.GONE]


def test_no_two_state_machines_of_core_share_a_name_or_the_names_of_their_states() -> None:
    modules = [import_module(module.name) for module in walk_packages(core.__path__, "core.")]
    machines = {id(it): it for module in modules for it in vars(module).values() if isinstance(it, Machine)}.values()
    assert len(machines) > 3
    assert len({machine.name for machine in machines}) == len(machines)
    assert len({type(next(iter(machine.table))).__name__ for machine in machines}) == len(machines)


def test_ids_count_by_prefix() -> None:
    ids = Ids()
    assert [ids.next("O"), ids.next("O"), ids.next("C")] == ["O-1", "O-2", "C-1"]
