"""The course of a run: nodes on one SimPy clock boot, the world plays until the market closes, and they say goodbye."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from decimal import localcontext
from typing import Final

import msgspec
from simpy import Environment

from core.kernel.journal import Journal, combined_digest
from core.kernel.record import Record
from core.units import MONEY, SECOND, Nanos
from sim.driver import SimNode
from sim.results.facts import Noted
from sim.scenario.schema import RunSection

GOODBYE: Final = SECOND
"""Market time that nodes get, after `Stop`, to log out."""
_EVENTS: Final = 100
"""So many of the clock's events happen between two looks at how far a run is."""


class Progress(msgspec.Struct, frozen=True):
    """How far a run is: market time since its start, of the whole, and deliveries so far."""

    elapsed: Nanos
    whole: Nanos
    deliveries: int


Watch = Callable[[Progress], bool]
"""Called every few events of the clock; False asks the run to stop there."""


class Course(ABC):
    """A scenario, built and ready to run once. Subclasses fill `nodes`, in the order of the wiring."""

    def __init__(self, section: RunSection) -> None:
        self.env = Environment(int(section.start))
        self.nodes: dict[str, SimNode] = {}
        self.notes: list[Noted] = []
        self._section = section

    @property
    def began(self) -> Nanos:
        """When the market opens."""
        return int(self._section.start)

    @property
    def deliveries(self) -> int:
        """Events handled so far, over all nodes."""
        return sum(journal.count for journal in self._journals())

    def digests(self) -> dict[str, str]:
        """The digest of each node, in the order of the wiring."""
        return {name: journal.digest() for name, journal in zip(self.nodes, self._journals(), strict=True)}

    def digest(self) -> str:
        """The digest of the run."""
        return combined_digest(list(self.digests().items()))

    def run(self, watch: Watch) -> bool:
        """Open, drain and close the market. False when `watch` stopped it before the end.

        Raises FactViolated when a checker objects and ComponentFailed for a bug; journals are closed
        in every case.
        """
        closing = self.began + int(self._section.duration) + int(self._section.drain)
        try:
            with localcontext(MONEY):
                return self._open_drain_close(closing, watch)
        finally:
            for journal in self._journals():
                journal.close()

    @abstractmethod
    def start_world(self, until: Nanos) -> None:
        """Let the processes of the world run; nothing new is wanted after `until`."""

    @abstractmethod
    def finish(self) -> None:
        """The run has come to its end: let checkers have their last word."""

    def _open_drain_close(self, closing: Nanos, watch: Watch) -> bool:
        end = closing + GOODBYE
        for node in self.nodes.values():
            node.boot()
        self.start_world(closing - int(self._section.drain))
        if not self._advance(closing, end, watch):
            return False
        for node in self.nodes.values():
            node.stop()
        if not self._advance(end, end, watch):
            return False
        self.finish()
        return True

    def _advance(self, until: Nanos, end: Nanos, watch: Watch) -> bool:
        while int(self.env.now) < until:
            self._play(until)
            if not watch(Progress(int(self.env.now) - self.began, end - self.began, self.deliveries)):
                return False
        return True

    def _play(self, until: Nanos) -> None:
        """Some events more, or time itself if there are none before `until`."""
        for _ in range(_EVENTS):
            if self.env.peek() >= until:
                self.env.run(until=until)
                return
            self.env.step()

    def _on_note(self, node: str, now: Nanos, component: str, fact: Record) -> None:
        self.notes.append(Noted(len(self.notes) + 1, now, node, component, fact))

    def _journals(self) -> list[Journal]:
        journals = [node.kernel.journal for node in self.nodes.values()]
        return [journal for journal in journals if journal is not None]
