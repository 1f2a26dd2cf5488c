"""Calls on the chain until they are confirmed: refused or unanswered ones are made again, under the same key."""

from __future__ import annotations

from typing import Final

import msgspec

from core.index.chain import CHAIN, ChainRequest
from core.index.facts import ChainCallRetried
from core.index.reasons import CallTrouble
from core.index.settings import DeskSettings
from core.index.states import CHAIN_CALLS, ChainCallState, ChainCallStep
from core.kernel.record import Call, CancelTimer, Effect, Note, SetTimer
from core.market.books import doubled
from core.units import Nanos

TIMER: Final = "chain:"


class ChainCall(msgspec.Struct):
    """One thing that the chain is to do."""

    request: ChainRequest
    state: ChainCallState = ChainCallState.DUE
    attempt: int = 0

    def step(self, step: ChainCallStep) -> None:
        """Move along the table of chain calls."""
        self.state = CHAIN_CALLS.after(self.state, step, self.request.key)

    @property
    def call_id(self) -> str:
        """Of the newest attempt."""
        return f"{TIMER}{self.attempt}:{self.request.key}"


class ChainCalls(msgspec.Struct):
    """What is not confirmed yet, by key. Methods return the effects to emit."""

    calls: dict[str, ChainCall] = {}

    def ask(self, now: Nanos, request: ChainRequest, settings: DeskSettings) -> list[Effect]:
        """Have the chain do something. Asked for twice under one key it is done once."""
        if request.key in self.calls:
            return []
        call = self.calls[request.key] = ChainCall(request)
        return self._call(now, call, settings)

    def confirmed(self, call_id: str) -> tuple[ChainRequest | None, list[Effect]]:
        """An attempt was confirmed, whichever it was; the request, or None if that is known."""
        key = _key(call_id)
        call = self.calls.pop(key, None)
        if call is None:
            return None, []
        call.step(ChainCallStep.CONFIRMED)
        return call.request, [CancelTimer(TIMER + key)]

    def refused(self, now: Nanos, call_id: str, reason: str, settings: DeskSettings) -> list[Effect]:
        """The newest attempt was refused: it is made again later. What became of older ones does not matter."""
        call = self.calls.get(_key(call_id))
        if call is None or call.call_id != call_id or call.state is not ChainCallState.ASKED:
            return []
        call.step(ChainCallStep.REFUSED)
        wait = doubled(settings.chain_retry_ns, call.attempt, settings.chain_retry_ns_max)
        retried = ChainCallRetried(call.request.key, call.attempt, f"{CallTrouble.REFUSED}: {reason}")
        return [Note(retried), SetTimer(TIMER + call.request.key, now + wait)]

    def fall_due(self, now: Nanos, key: str, settings: DeskSettings) -> list[Effect]:
        """The wait for an answer, or after a refusal, is over."""
        call = self.calls[key]
        effects: list[Effect] = []
        if call.state is ChainCallState.ASKED:
            call.step(ChainCallStep.UNANSWERED)
            effects.append(Note(ChainCallRetried(key, call.attempt, CallTrouble.UNANSWERED)))
        return effects + self._call(now, call, settings)

    def _call(self, now: Nanos, call: ChainCall, settings: DeskSettings) -> list[Effect]:
        call.attempt += 1
        call.step(ChainCallStep.ASKED)
        return [
            Call(CHAIN, call.call_id, call.request),
            SetTimer(TIMER + call.request.key, now + settings.chain_timeout_ns),
        ]


def _key(call_id: str) -> str:
    return call_id.split(":", 2)[-1]
