"""Calls on the chain until they are confirmed or declined: refused or unanswered ones are made again, under the same
key. Keys that were declined are remembered for ever, so that a chain that does them nevertheless is noticed."""

from __future__ import annotations

from typing import Final

import msgspec

from core.index.chain import CHAIN, ChainRequest
from core.index.facts import ChainCallRetried
from core.index.reasons import CallTrouble
from core.index.remembered import remember, remembers
from core.index.settings import DeskSettings
from core.index.states import CHAIN_CALLS, ChainCallState, ChainCallStep
from core.kernel.record import Call, CancelTimer, Effect, Note, SetTimer
from core.market.books import doubled
from core.units import Nanos

TIMER: Final = "chain:"
DISPUTES_MAX: Final = 64
"""So many disputes are remembered, to know which were stated."""


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
    barred: bytearray = msgspec.field(default_factory=bytearray)
    """Keys that were declined, as `core.index.remembered` keeps them."""
    disputes: list[str] = []
    """What was disputed last."""

    def ask(self, now: Nanos, request: ChainRequest, settings: DeskSettings) -> list[Effect]:
        """Have the chain do something. Asked for twice under one key it is done once."""
        if request.key in self.calls:
            return []
        call = self.calls[request.key] = ChainCall(request)
        return self._call(now, call, settings)

    def confirmed(self, call_id: str) -> tuple[ChainRequest | None, list[Effect]]:
        """An attempt was confirmed, whichever it was; the request, or None if that is known."""
        return self._end(key_of(call_id), ChainCallStep.CONFIRMED)

    def declined(self, call_id: str) -> tuple[ChainRequest | None, list[Effect]]:
        """An attempt was declined, whichever it was; the request, or None if its call has ended before."""
        key = key_of(call_id)
        request, effects = self._end(key, ChainCallStep.DECLINED)
        if request is not None:
            remember(self.barred, key)
        return request, effects

    def is_barred(self, call_id: str) -> bool:
        """Whether the chain has declined the key of that call."""
        return remembers(self.barred, key_of(call_id))

    def is_new_dispute(self, call_id: str, what: str) -> bool:
        """Whether that was not disputed of the key of that call lately; then it counts as disputed."""
        said = f"{key_of(call_id)}: {what}"
        if said in self.disputes:
            return False
        self.disputes.append(said)
        del self.disputes[:-DISPUTES_MAX]
        return True

    def refused(self, now: Nanos, call_id: str, reason: str, settings: DeskSettings) -> list[Effect]:
        """The newest attempt was refused: it is made again later. What became of older ones does not matter."""
        call = self.calls.get(key_of(call_id))
        if call is None or call.call_id != call_id or call.state is not ChainCallState.ASKED:
            return []
        call.step(ChainCallStep.REFUSED)
        wait = _pause(call, settings)
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

    def _end(self, key: str, last: ChainCallStep) -> tuple[ChainRequest | None, list[Effect]]:
        call = self.calls.pop(key, None)
        if call is None:
            return None, []
        call.step(last)
        return call.request, [CancelTimer(TIMER + key)]

    def _call(self, now: Nanos, call: ChainCall, settings: DeskSettings) -> list[Effect]:
        call.attempt += 1
        call.step(ChainCallStep.ASKED)
        return [
            Call(CHAIN, call.call_id, call.request),
            SetTimer(TIMER + call.request.key, now + max(settings.chain_timeout_ns, _pause(call, settings))),
        ]


def _pause(call: ChainCall, settings: DeskSettings) -> Nanos:
    return doubled(settings.chain_retry_ns, call.attempt, settings.chain_retry_ns_max)


def key_of(call_id: str) -> str:
    """The key that an attempt was made under."""
    return call_id.split(":", 2)[-1]
