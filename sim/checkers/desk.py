"""The invariants of an index desk, looked at after every delivery of its node: I1 to I10.

A component changes its own state alone, so after a delivery only the rules that speak of that component's state can be
broken, and those are looked at: I2 to I4 are the collateral's, all others the desk's.

A whole look costs as much as there are orders and lots, and a long run has ever more of them. So after every delivery
the rules are held to the orders and users that it speaks of and to what is under way, and to everything each time that
the deliveries since the last whole look pay for it: at once while there is little, and in any case at the end.

Besides the state it looks at what is stated. Whatever a simulated exchange does, each of its trades is of an order that
was sent to it; one that no open order can account for has been lost before. And of every accepted order users hear one
last word, unless it is alive when the run ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from core.collateral import invariants as of_collateral
from core.collateral.records import COLLATERAL
from core.collateral.vault import CollateralState
from core.errors import FactViolated
from core.execution.facts import ExecutionUnexpected
from core.execution.records import EXECUTION
from core.execution.tracker import ExecutionState
from core.index import invariants as of_desk
from core.index.base import DeskState
from core.index.records import IndexOrderAccepted, IndexOrderEnded
from core.index.settings import DeskSettings
from core.kernel.kernel import Kernel
from core.kernel.record import Effect, Note, Send

_DESK: Final = "desk"
PAID_PER_LOOK: Final = 64
"""So many orders and lots of a whole look are paid for by one delivery."""


class DeskChecker:
    """Looks at the state of a node's components; raises FactViolated with the evidence."""

    def __init__(self, kernel: Kernel, settings: DeskSettings) -> None:
        self._kernel, self._settings = kernel, settings
        self._owed = {_DESK: 0, COLLATERAL: 0}
        """How many deliveries the next whole look waits for."""
        self._accepted: list[str] = []
        self._ended: list[str] = []

    def look(self, dst: str, effects: Iterable[Effect] = ()) -> None:
        """Component `dst` has handled an event, with these effects."""
        self._hear(effects)
        part = COLLATERAL if dst == COLLATERAL else _DESK
        if self._owed[part] > 0:
            self._owed[part] -= 1
            _stop_at(self._locally(part, effects))
        else:
            _stop_at(self._wholly(part))

    def finish(self) -> None:
        """The run is over."""
        self._owed = dict.fromkeys(self._owed, 0)
        self.look(_DESK)
        self.look(COLLATERAL)
        alive = self._desk.orders.live.keys() - set(self._ended)
        accepted = [order_id for order_id in self._accepted if order_id not in alive]
        _stop_at(list(of_desk.answer_violations(accepted, self._ended, over=True)))

    def _hear(self, effects: Iterable[Effect]) -> None:
        for fact in (effect.fact for effect in effects if isinstance(effect, Note)):
            if isinstance(fact, IndexOrderAccepted):
                self._accepted.append(fact.order_id)
            elif isinstance(fact, IndexOrderEnded):
                self._ended.append(fact.order_id)
            elif isinstance(fact, ExecutionUnexpected):
                traded = f"trade {fact.trade_id or 'unnamed'} of {fact.quantity} {fact.symbol}".rstrip()
                _stop_at([f"{fact.client_id}: {traded} was not accounted for: {fact.why}"])

    def _locally(self, part: str, effects: Iterable[Effect]) -> list[str]:
        if part == COLLATERAL:
            return of_collateral.local_violations(self._collateral, _named("user", effects))
        orders = _named("order_id", effects)
        return of_desk.local_violations(self._desk, self._settings, orders, self._execution)

    def _wholly(self, part: str) -> list[str]:
        if part == COLLATERAL:
            self._owed[part] = of_collateral.size(self._collateral) // PAID_PER_LOOK
            return of_collateral.violations(self._collateral)
        self._owed[part] = of_desk.size(self._desk) // PAID_PER_LOOK
        return of_desk.violations(self._desk, self._settings, self._execution)

    @property
    def _desk(self) -> DeskState:
        state = self._state(_DESK)
        assert isinstance(state, DeskState)
        return state

    @property
    def _execution(self) -> ExecutionState:
        state = self._state(EXECUTION)
        assert isinstance(state, ExecutionState)
        return state

    @property
    def _collateral(self) -> CollateralState:
        state = self._state(COLLATERAL)
        assert isinstance(state, CollateralState)
        return state

    def _state(self, component: str) -> Any:
        return self._kernel.components[component].state


def _stop_at(found: list[str]) -> None:
    if found:
        raise FactViolated("index desk", "; ".join(found))


def _named(field: str, effects: Iterable[Effect]) -> list[str]:
    """Whom an event's facts and messages speak of."""
    said = (each.fact if isinstance(each, Note) else each.body for each in effects if isinstance(each, Note | Send))
    return [name for body in said if (name := getattr(body, field, ""))]
