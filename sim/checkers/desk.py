"""The invariants of an index desk, looked at after every delivery of its node: I1 to I10.

A component changes its own state alone, so after a delivery only the rules that speak of that component's state can be
broken, and those are looked at: I2 to I4 are the collateral's, all others the desk's.
"""

from __future__ import annotations

from typing import Any, Final

from core.collateral import invariants as of_collateral
from core.collateral.records import COLLATERAL
from core.collateral.vault import CollateralState
from core.errors import FactViolated
from core.execution.records import EXECUTION
from core.execution.tracker import ExecutionState
from core.index import invariants as of_desk
from core.index.base import DeskState
from core.index.settings import DeskSettings
from core.kernel.kernel import Kernel

_DESK: Final = "desk"


class DeskChecker:
    """Looks at the state of a node's components; raises FactViolated with the evidence."""

    def __init__(self, kernel: Kernel, settings: DeskSettings) -> None:
        self._kernel, self._settings = kernel, settings

    def look(self, dst: str) -> None:
        """Component `dst` has handled an event."""
        found = self._of_collateral() if dst == COLLATERAL else self._of_desk()
        if found:
            raise FactViolated("index desk", "; ".join(found))

    def finish(self) -> None:
        """The run is over."""
        self.look(_DESK)
        self.look(COLLATERAL)

    def _of_desk(self) -> list[str]:
        desk, execution = self._state(_DESK), self._state(EXECUTION)
        assert isinstance(desk, DeskState)
        assert isinstance(execution, ExecutionState)
        return of_desk.violations(desk, self._settings, execution)

    def _of_collateral(self) -> list[str]:
        collateral = self._state(COLLATERAL)
        assert isinstance(collateral, CollateralState)
        return of_collateral.violations(collateral)

    def _state(self, component: str) -> Any:
        return self._kernel.components[component].state
