"""No order is lost: what was given a place reaches the auction, and there an end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from core.auction.facts import BatchCreated, CommitmentCreated, OrderAdded, OrderReopened
from core.kernel.record import Event, Record
from core.market.orders import OrderCancelled, OrderExpired, OrderFailed, OrderFilled
from core.sequencer.facts import OrderSequenced
from core.units import Nanos
from sim.checkers import Checker

_NOT_GIVEN = -1


class EveryOrderEnds(Checker):
    """When all is over every sequenced order has ended, or is in an auction, promised or valid for some time still.

    `grace` is how long after its deadline a commitment is settled or defaulted.
    """

    name = "every order ends"

    def __init__(self, grace: Nanos) -> None:
        self._grace = grace
        self._now: Nanos = 0
        self._valid_until: dict[str, Nanos] = {}
        self._due: dict[str, Nanos] = {}

    def receives(self, now: Nanos, _dst: str, _event: Event) -> None:
        """Time passes."""
        self._now = now

    def finish(self) -> None:
        """Look for orders of which nothing more will be heard."""
        for order_id, due in self._due.items():
            if due == _NOT_GIVEN:
                self.violated(f"{order_id} was sequenced and never reached the auction")
            if due < self._now:
                self.violated(f"{order_id} has not ended: something was due at {due}, it is {self._now}")

    def _on_sequenced(self, fact: OrderSequenced) -> None:
        self._due[fact.order.order_id] = _NOT_GIVEN

    def _on_added(self, fact: OrderAdded) -> None:
        self._valid_until[fact.order.order_id] = self._due[fact.order.order_id] = fact.order.valid_until

    def _on_batch(self, fact: BatchCreated) -> None:
        for order_id in fact.order_ids:
            self._due[order_id] = fact.bid_deadline

    def _on_created(self, fact: CommitmentCreated) -> None:
        self._due[fact.order_id] = fact.deadline + self._grace

    def _on_reopened(self, fact: OrderReopened) -> None:
        self._due[fact.order_id] = self._valid_until[fact.order_id]

    def _on_filled(self, fact: OrderFilled) -> None:
        if not fact.leaves_quantity:
            self._on_end(fact)

    def _on_end(self, fact: OrderFilled | OrderExpired | OrderFailed | OrderCancelled) -> None:
        self._due.pop(fact.order_id, None)
        self._valid_until.pop(fact.order_id, None)

    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        OrderSequenced: _on_sequenced,
        OrderAdded: _on_added,
        BatchCreated: _on_batch,
        CommitmentCreated: _on_created,
        OrderReopened: _on_reopened,
        OrderFilled: _on_filled,
        OrderExpired: _on_end,
        OrderFailed: _on_end,
        OrderCancelled: _on_end,
    }
