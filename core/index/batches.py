"""The batches that run, and the plan that is being made for the next one."""

from __future__ import annotations

import msgspec

from core.index.allocation import BatchState
from core.index.planning import PlanProblem
from core.index.room import Room


class PlanJob(msgspec.Struct):
    """A plan that somebody else computes."""

    job_id: str
    problem: PlanProblem
    attempt: int = 1
    """How often, this one included, a plan was asked for that can be used."""


class Batches(msgspec.Struct):
    """Running batches by their ids."""

    running: dict[str, BatchState] = {}
    of_order: dict[str, str] = {}
    """By exchange order, the batch that sent it."""
    job: PlanJob | None = None
    put_off: bool = False
    """Whether the last plan found no room."""
    room: Room = msgspec.field(default_factory=Room)

    def add(self, batch: BatchState) -> None:
        """A batch begins to run."""
        self.running[batch.batch_id] = batch
        for order_id in batch.orders:
            self.of_order[order_id] = batch.batch_id

    def of(self, order_id: str) -> BatchState | None:
        """The running batch of an exchange order."""
        return self.running.get(self.of_order.get(order_id, ""))

    def remove(self, batch: BatchState) -> None:
        """A batch is over."""
        del self.running[batch.batch_id]
        for order_id in batch.orders:
            del self.of_order[order_id]
