"""The chain that index tokens live on, as the simulator has it: the project's chain log behind the chain contract.

What happens waits for its block; a block is sealed as long after its first event as the latency says, and stated with
all its events, as a chain is open to all. What it declines it has decided when it was first asked under that key, and
says again whenever it is asked. Draws come from the stream `chain`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

from simpy import Environment

from core.index.chain import ChainDeclined, ChainRefused, ChainRequest
from core.index.chain_log import ChainLog, IndexBlockSealed
from core.index.records import IndexTokensDeposited
from core.kernel.record import Call, Record
from core.kernel.rng import Stream
from core.units import Nanos
from sim.chain_models import REQUESTS, Declinable
from sim.driver import Caller
from sim.latency import Sampler
from sim.world import Process, start


class SimChain:
    """The service `chain` of one node."""

    def __init__(
        self,
        env: Environment,
        latency: Sampler,
        draws: Stream,
        *,
        refused: int = 0,
        lost: int = 0,
        declined: int = 0,
        declinable: Collection[Declinable] = tuple(REQUESTS),
        on_sealed: Callable[[IndexBlockSealed], None] = lambda _sealed: None,
    ) -> None:
        self.log = ChainLog()
        self._env, self._latency, self._draws, self._on_sealed = env, latency, draws, on_sealed
        self._refused, self._lost, self._declined = refused, lost, declined
        self._declinable = tuple(REQUESTS[kind] for kind in declinable)
        self._barred: set[str] = set()
        self._waiting: dict[str, list[tuple[Caller, str]]] = {}

    def ask(self, caller: Caller, call: Call[Any]) -> None:
        """Take a call; see `sim.driver.Counterparty`."""
        if self._draws.chance(self._refused):
            self._answer(caller, call.call_id, ChainRefused("busy"), self._latency())
            return
        if self._declines(call.body):
            self._answer(caller, call.call_id, ChainDeclined("barred"), self._latency())
            return
        is_first = not self.log.pending
        answer = self.log.submit(int(self._env.now), call.body)
        if answer is not None:
            self._answer(caller, call.call_id, answer, self._latency())
            return
        self._waiting.setdefault(call.body.key, []).append((caller, call.call_id))
        if is_first:
            start(self._env, self._seal(self._latency()))

    def give(self, symbol: str, user: str, amount: Decimal) -> IndexTokensDeposited | None:
        """A user gives tokens into custody, if he has as many."""
        is_first = not self.log.pending
        given = self.log.give(int(self._env.now), symbol, user, amount)
        if given is not None and is_first:
            start(self._env, self._seal(self._latency()))
        return given

    def balance(self, symbol: str, user: str) -> Decimal:
        """The tokens that a user has in his own hands."""
        return self.log.balance(symbol, user)

    def _declines(self, request: ChainRequest) -> bool:
        """Whether it never does that."""
        is_new = request.key not in self.log.done and request.key not in self._barred
        if self._declined and is_new and isinstance(request, self._declinable) and self._draws.chance(self._declined):
            self._barred.add(request.key)
        return request.key in self._barred

    def _seal(self, span: Nanos) -> Process:
        yield self._env.timeout(span)
        confirmations = self.log.seal(int(self._env.now))
        self._on_sealed(self.log.sealed(len(self.log.blocks)))
        for key, confirmed in confirmations.items():
            for caller, call_id in self._waiting.pop(key, []):
                self._answer(caller, call_id, confirmed, 0)

    def _answer(self, caller: Caller, call_id: str, answer: Record, span: Nanos) -> None:
        if not self._draws.chance(self._lost):
            caller.reply(span, call_id, answer)
