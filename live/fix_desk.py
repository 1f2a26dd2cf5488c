"""Where operators ask a FIX engine for something, and hear how it went. What they ask is in the node's journal."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TypeAlias

from core.fix.operations import Operation
from core.fix.records import AddSession, OperationDone, OperationRefused, RemoveSession, SessionChanged
from core.kernel.record import Effect, Event, Message, Note, Record
from core.units import Nanos

Request: TypeAlias = Operation | AddSession | RemoveSession


class Desk:
    """Of the engine that is the component `engine` of one node. `observe` and `note` are for kernel and driver."""

    __slots__ = ("_asked", "_decided", "_engine", "_reasons")

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._asked: deque[tuple[Record, asyncio.Future[str]]] = deque()
        self._decided: deque[tuple[Record, asyncio.Future[str]]] = deque()
        self._reasons: dict[str, str] = {}

    def answer_to(self, request: Request) -> asyncio.Future[str]:
        """Why `request`, which the engine was just told, cannot be carried out; empty when it was, and is on disk."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._asked.append((request, answer))
        return answer

    def reason(self, session: str) -> str:
        """Why a session came to its state; empty if it has not changed since the start."""
        return self._reasons.get(session, "")

    def observe(self, _node: str, _now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        """A delivery. What it has decided is an answer once it is a fact."""
        if dst == self._engine and isinstance(event, Message) and self._asked and self._asked[0][0] is event.body:
            _, answer = self._asked.popleft()
            facts = [effect.fact for effect in effects if isinstance(effect, Note)]
            self._decided += [(fact, answer) for fact in facts if isinstance(fact, OperationDone | OperationRefused)]

    def note(self, fact: Record) -> None:
        """A fact, which the driver tells after the journal is synced."""
        if isinstance(fact, SessionChanged):
            self._reasons[fact.session] = str(fact.reason)
        elif self._decided and self._decided[0][0] is fact:
            _, answer = self._decided.popleft()
            if not answer.done():
                answer.set_result(fact.detail if isinstance(fact, OperationRefused) else "")
