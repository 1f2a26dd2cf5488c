"""Where operators give commands to a venue's registrar, and hear what became of them once it is in the journal."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TypeAlias

from core.identity.records import AuditEntry, Command, CommandRefused, RegistryChanged
from core.kernel.record import Compute, Computed, Effect, Event, Message, Note, Record
from core.units import Nanos

Answer: TypeAlias = asyncio.Future[AuditEntry | CommandRefused]


class RegistryDesk:
    """Of the registrar that is the component `registrar` of a node. `observe` and `note` are for kernel and driver."""

    __slots__ = ("_asked", "_checked", "_decided", "_registrar")

    def __init__(self, registrar: str) -> None:
        self._registrar = registrar
        self._asked: deque[tuple[Record, Answer]] = deque()
        self._checked: dict[str, Answer] = {}
        """By job, those whose proof of possession is being checked."""
        self._decided: deque[tuple[Record, Answer]] = deque()

    def answer_to(self, command: Command) -> Answer:
        """What became of `command`, which the registrar was just told."""
        answer: Answer = asyncio.get_running_loop().create_future()
        self._asked.append((command, answer))
        return answer

    def observe(self, _node: str, _now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        """A delivery. What it has decided is an answer once it is a fact."""
        if dst != self._registrar:
            return
        answer: Answer | None = None
        if isinstance(event, Message) and self._asked and self._asked[0][0] is event.body:
            _, answer = self._asked.popleft()
        elif isinstance(event, Computed):
            answer = self._checked.pop(event.job_id, None)
        if answer is None:
            return
        for effect in effects:
            if isinstance(effect, Compute):
                self._checked[effect.job_id] = answer
            elif isinstance(effect, Note) and isinstance(effect.fact, RegistryChanged | CommandRefused):
                self._decided.append((effect.fact, answer))

    def note(self, fact: Record) -> None:
        """A fact, which the driver tells after the journal is synced."""
        if self._decided and self._decided[0][0] is fact:
            _, answer = self._decided.popleft()
            if not answer.done():
                assert isinstance(fact, RegistryChanged | CommandRefused)
                answer.set_result(fact.entry if isinstance(fact, RegistryChanged) else fact)
