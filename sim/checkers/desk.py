"""The invariants of an index desk, I1 to I13 and I15, looked at after every delivery of its node.

Each look is at every rule, over all that can still change: orders that live, batches that run, open lots of inventory
and of collateral, stock, transfers, and the sums over them. What ends with a delivery, an order or a lot, is looked at
then; nothing changes it any more, and it is looked at once more with all else when the run is over. So a look costs
as much as there is alive, however long the run has been. The chain's tokens are counted when the run is over (I14).

A component's handlers see no state but their own, and what components tell each other cannot be changed. So a
delivery can break only rules that speak of the state of its component, and those are looked at: I2 to I4 speak of the
collateral's, all others of the desk's, and one of them, I9, of execution's as well.

Besides the state it looks at what is stated. Whatever a simulated exchange does, each of its trades is of an order that
was sent to it; one that no open order can account for has been lost before. And of every accepted order users hear one
last word, unless it is alive when the run ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from core.collateral.invariants import CollateralWatch
from core.collateral.records import COLLATERAL
from core.collateral.vault import CollateralState
from core.errors import FactViolated
from core.execution.facts import ExecutionUnexpected
from core.execution.records import EXECUTION
from core.execution.tracker import ExecutionState
from core.index import invariants as of_desk
from core.index.base import DeskState
from core.index.chain_log import ChainLog
from core.index.order import IndexOrder
from core.index.records import IndexOrderAccepted, IndexOrderEnded
from core.index.settings import DeskSettings
from core.index.token_invariants import token_violations
from core.kernel.kernel import Kernel
from core.kernel.record import Effect, Note

_DESK: Final = "desk"


class DeskChecker:
    """Looks at the state of a node's components; raises FactViolated with the evidence."""

    def __init__(self, kernel: Kernel, settings: DeskSettings) -> None:
        self._kernel, self._settings = kernel, settings
        self._words: dict[str, int] = {}
        """How many last words were said on each order that was accepted."""
        self._collateral_watch, self._watches = CollateralWatch(), of_desk.Watches()
        self._newest = ""
        """The order that was the last to have ended at the last look."""

    def look(self, dst: str, effects: Iterable[Effect] = ()) -> None:
        """Component `dst` has handled an event, with these effects."""
        self._hear(effects)
        if dst == COLLATERAL:
            _stop_at(self._collateral_watch.look(self._collateral))
        elif dst == EXECUTION:
            _stop_at(list(of_desk.batches_violations(self._desk, self._execution)))
        else:
            states = (self._desk, self._settings, self._execution)
            _stop_at(of_desk.living_violations(*states, self._watches, ended=self._newly_ended()))

    def finish(self, log: ChainLog) -> None:
        """The run is over, and this is the chain."""
        _stop_at(token_violations(self._desk, log))
        _stop_at(of_desk.violations(self._desk, self._settings, self._execution, self._collateral))
        alive = self._desk.orders.live.keys()
        heard = [order_id for order_id, times in self._words.items() for _ in range(times)]
        accepted = [order_id for order_id, times in self._words.items() if times or order_id not in alive]
        _stop_at(list(of_desk.answer_violations(accepted, heard, over=True)))

    def _hear(self, effects: Iterable[Effect]) -> None:
        for fact in (effect.fact for effect in effects if isinstance(effect, Note)):
            if isinstance(fact, IndexOrderAccepted):
                self._words[fact.order_id] = 0
            elif isinstance(fact, IndexOrderEnded):
                self._count(fact.order_id)
            elif isinstance(fact, ExecutionUnexpected):
                traded = f"trade {fact.trade_id or 'unnamed'} of {fact.quantity} {fact.symbol}".rstrip()
                _stop_at([f"{fact.client_id}: {traded} was not accounted for: {fact.why}"])

    def _count(self, order_id: str) -> None:
        """A last word was said on an order."""
        accepted = [order_id] if order_id in self._words else []
        self._words[order_id] = self._words.get(order_id, 0) + 1
        _stop_at(list(of_desk.answer_violations(accepted, [order_id] * self._words[order_id])))

    def _newly_ended(self) -> list[IndexOrder]:
        new, ended = [], self._desk.orders.ended
        for order_id, order in reversed(ended.items()):
            if order_id == self._newest:
                break
            new.append(order)
        self._newest = next(reversed(ended), "")
        return new

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
