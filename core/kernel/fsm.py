"""State machines as tables: nothing outside the table changes a state, and no step is implicit."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from core.errors import IllegalTransition

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T", bound=StrEnum)


class Machine(Generic[S, T]):
    """A transition table `{state: {trigger: next state}}`. A state with an empty row is terminal."""

    __slots__ = ("name", "table")

    def __init__(self, name: str, table: Mapping[S, Mapping[T, S]]) -> None:
        reached = {state for row in table.values() for state in row.values()}
        assert reached <= set(table), f"{name}: states without a row: {sorted(reached - set(table))}"
        self.name, self.table = name, table

    def after(self, state: S, trigger: T, who: str) -> S:
        """The state that `trigger` leads to.

        Raises IllegalTransition naming the machine, `who`, the state and what the state allows.
        """
        row = self.table[state]
        if trigger not in row:
            allowed = ", ".join(row) or "nothing: it is terminal"
            raise IllegalTransition(f"{self.name} {who}: no `{trigger}` in state `{state}` (allowed: {allowed})")
        return row[trigger]

    def is_terminal(self, state: S) -> bool:
        """True when no trigger leaves `state`."""
        return not self.table[state]
