"""Rules of the market that are checked inside every run, against evidence the rules' own code does not produce.

Checkers watch from outside: the facts that components note, the bytes that leave, the ledger as it
stands. They raise `FactViolated` at the very event that breaks a rule, and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NoReturn

from core.errors import FactViolated
from core.kernel.record import Effect, Event, Note, Record, Send, Transmit
from core.units import Nanos


class Checker:
    """One rule. Subclasses fill `FACTS` with what they watch, `SENT` with what components say to one another, and
    may look at bytes and at deliveries.
    """

    name: ClassVar[str]
    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {}
    SENT: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {}

    def receives(self, now: Nanos, dst: str, event: Event) -> None:
        """`dst` handles an event; what it states of it is shown next."""

    def transmitted(self, node: str, src: str, data: bytes) -> None:
        """Bytes leave component `src` of `node`."""

    def delivered(self, dst: str) -> None:
        """`dst` has handled an event, and its facts were shown."""

    def finish(self) -> None:
        """The run is over."""

    def violated(self, detail: str) -> NoReturn:
        """Raise FactViolated with the evidence."""
        raise FactViolated(self.name, detail)


class Checkers:
    """A kernel observer that shows each delivery to the checkers concerned with it."""

    def __init__(self, checkers: Sequence[Checker]) -> None:
        self._all = checkers
        self._by_fact: dict[type[Record], list[Callable[[Any], None]]] = {}
        self._by_body: dict[type[Record], list[Callable[[Any], None]]] = {}
        for checker in checkers:
            for kind, handler in checker.FACTS.items():
                self._by_fact.setdefault(kind, []).append(handler.__get__(checker))
            for kind, handler in checker.SENT.items():
                self._by_body.setdefault(kind, []).append(handler.__get__(checker))
        self._on_event = [c.receives for c in checkers if type(c).receives is not Checker.receives]
        self._on_bytes = [c.transmitted for c in checkers if type(c).transmitted is not Checker.transmitted]
        self._on_delivery = [c.delivered for c in checkers if type(c).delivered is not Checker.delivered]

    def __call__(self, node: str, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        for receives in self._on_event:
            receives(now, dst, event)
        for effect in effects:
            if isinstance(effect, Note):
                for seen in self._by_fact.get(type(effect.fact), ()):
                    seen(effect.fact)
            elif isinstance(effect, Send):
                for sent in self._by_body.get(type(effect.body), ()):
                    sent(effect.body)
            elif isinstance(effect, Transmit):
                for transmitted in self._on_bytes:
                    transmitted(node, dst, effect.data)
        for delivered in self._on_delivery:
            delivered(dst)

    def finish(self) -> None:
        """Let every checker have its last word."""
        for checker in self._all:
            checker.finish()
