"""One simulated hop, apart from any clock: it moves money from one designation to another, and fails in every way that
real ones do.

What becomes of a movement is drawn when it is asked for; from then on the hop knows, and says so when it is time and
when it is asked. A movement is executed once at most, whatever is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import Any, Final, NamedTuple

import msgspec

from core.collateral.graph import fee_of, takes
from core.collateral.hops import (
    FundsMoved,
    FundsPending,
    FundsRefused,
    FundsReturned,
    FundsUnknown,
    HopTrouble,
    MoveFunds,
    QueryFunds,
)
from core.kernel.record import Record
from core.kernel.rng import Stream
from core.units import EXACT, MONEY, Nanos, decimals, round_up
from sim.hop_models import HopFaults, HopModel
from sim.latency import sampler

Leg = tuple[str, int]
"""A transfer, and the number of its leg."""
_CALM: Final = HopFaults()
_ZERO: Final = Decimal(0)


class Saying(NamedTuple):
    """What a hop says, `after` so long: an answer to the call, or news that nobody asked for."""

    after: Nanos
    body: Record
    is_news: bool = False


class Movement(msgspec.Struct):
    """One leg as the hop has it: at `ends_at` its `outcome` becomes true."""

    amount: Decimal
    outcome: FundsMoved | FundsRefused | FundsReturned
    ends_at: Nanos
    gone_at: Nanos | None = None
    """When a reorg undoes it, as if it had never been asked for."""

    def is_gone(self, now: Nanos) -> bool:
        """Whether it has been undone."""
        return self.gone_at is not None and now >= self.gone_at

    def is_over(self, now: Nanos) -> bool:
        """Whether nothing about it will change."""
        return self.is_gone(now) or (self.gone_at is None and now >= self.ends_at)

    def arrived(self, now: Nanos) -> Decimal:
        """What it has brought to the destination by now."""
        if not isinstance(self.outcome, FundsMoved) or now < self.ends_at or self.is_gone(now):
            return _ZERO
        return self.outcome.amount

    def taken(self, now: Nanos) -> Decimal:
        """What it has taken from the source by now, less what is back there."""
        if isinstance(self.outcome, FundsRefused) or self.is_gone(now):
            return _ZERO
        if isinstance(self.outcome, FundsReturned) and now >= self.ends_at:
            return EXACT.subtract(self.amount, self.outcome.amount)
        return self.amount


class SimHop:
    """One hop, apart from any clock: told the time with each request, it returns what it will say and when."""

    def __init__(self, model: HopModel, draws: Stream, latencies: Stream) -> None:
        self.model, self.faults, self.draws = model, model.faults, draws
        self.latency, self.answer = sampler(model.latency, latencies), sampler(model.answer, latencies)
        self.movements: dict[Leg, Movement] = {}
        self._open: dict[Leg, Movement] = {}
        """Those of which what they bring, or take, may still change."""
        self._arrived = self._taken = Decimal(0)
        """By all others."""
        self.delayed: list[tuple[Nanos, Any]] = []

    def ask(self, now: Nanos, body: Any) -> list[Saying]:
        """Take a request. What it causes is said later, if at all."""
        self.catch_up(now)
        if self.draws.chance(self.faults.unheard_per_mille):
            return []
        if self.draws.chance(self.faults.delayed_per_mille):
            self.delayed.append((now + self.faults.delay, body))
            return []
        return self.transmit(self.respond(now, body))

    def catch_up(self, now: Nanos) -> None:
        """Obey the requests that have arrived late by now."""
        due = [request for request in self.delayed if request[0] <= now]
        self.delayed = [request for request in self.delayed if request[0] > now]
        for at, body in due:
            self.respond(at, body)

    def respond(self, now: Nanos, body: Any) -> list[Saying]:
        """What is to be said to a request that was heard, were nothing lost."""
        leg = (body.transfer_id, body.leg)
        if isinstance(body, QueryFunds) or self.known(now, leg) is not None:
            return [Saying(self.answer(), self.state_of(now, leg))]
        assert isinstance(body, MoveFunds)
        refusal = self.refusal(body.amount)
        if refusal is not None:
            self.remember(leg, Movement(body.amount, refusal, now))
            return [Saying(self.answer(), refusal)]
        span = self.latency() + (self.faults.stuck if self.draws.chance(self.faults.stuck_per_mille) else 0)
        movement = self.remember(leg, Movement(body.amount, self._outcome(body.amount), now + span))
        return [Saying(span + self.answer(), movement.outcome)]

    def state_of(self, now: Nanos, leg: Leg) -> Record:
        """What the hop knows of a leg."""
        movement = self.known(now, leg)
        if movement is None:
            return FundsUnknown()
        return movement.outcome if now >= movement.ends_at else FundsPending()

    def known(self, now: Nanos, leg: Leg) -> Movement | None:
        """The movement of a leg, unless it has been undone."""
        movement = self.movements.get(leg)
        return None if movement is None or movement.is_gone(now) else movement

    def remember(self, leg: Leg, movement: Movement) -> Movement:
        """A movement begins, which is returned."""
        self.movements[leg] = self._open[leg] = movement
        return movement

    def arrived(self, now: Nanos) -> Decimal:
        """All that it has brought to its destination by now. Times never go back from call to call."""
        self._close(now)
        return _sum(self._arrived, (each.arrived(now) for each in self._open.values()))

    def taken(self, now: Nanos) -> Decimal:
        """All that it has taken from its source by now, less what is back there. Times never go back either."""
        self._close(now)
        return _sum(self._taken, (each.taken(now) for each in self._open.values()))

    def refusal(self, amount: Decimal) -> FundsRefused | None:
        """Why the hop does not move that amount now, if so."""
        settings, faults = self.model.settings, self.faults
        if not takes(settings, amount):
            kind = HopTrouble.TOO_LOW if amount < settings.amount_min else HopTrouble.TOO_HIGH
            return FundsRefused(kind, f"{amount} is not within its limits")
        chances = {
            HopTrouble.UNAVAILABLE: faults.unavailable_per_mille,
            HopTrouble.RATE_LIMITED: faults.rate_limited_per_mille,
            HopTrouble.NO_CAPACITY: faults.no_capacity_per_mille,
            HopTrouble.REJECTED: faults.rejected_per_mille,
        }
        for kind, per_mille in chances.items():
            if self.draws.chance(per_mille):
                return FundsRefused(kind, "drawn")
        return None

    def fee(self, amount: Decimal) -> Decimal:
        """What the hop keeps."""
        with localcontext(MONEY):
            fee = fee_of(self.model.settings, amount)
            if decimals(fee) > self.model.decimals:
                fee = round_up(fee, self.model.decimals)
            return min(fee, amount)

    def transmit(self, sayings: list[Saying]) -> list[Saying]:
        """What of this arrives, and how often."""
        arriving: list[Saying] = []
        for saying in sayings:
            if self.draws.chance(self.faults.lost_per_mille):
                continue
            arriving.append(self._garbled(saying))
            if self.draws.chance(self.faults.repeated_per_mille):
                arriving.append(arriving[-1]._replace(after=saying.after + self.answer()))
        return arriving

    @property
    def is_calm(self) -> bool:
        """Whether nothing is to go wrong."""
        return self.faults is _CALM

    def heal(self, now: Nanos) -> None:
        """From now on nothing goes wrong, and what is stuck gets through."""
        self.faults = _CALM
        for movement in self.movements.values():
            movement.ends_at = min(movement.ends_at, now)

    def _close(self, now: Nanos) -> None:
        """Count for good what is over, so that nobody walks all movements ever."""
        for leg in [leg for leg, each in self._open.items() if each.is_over(now)]:
            over = self._open.pop(leg)
            self._arrived = EXACT.add(self._arrived, over.arrived(now))
            self._taken = EXACT.add(self._taken, over.taken(now))

    def _garbled(self, saying: Saying) -> Saying:
        said, per_mille = saying.body, self.faults.impossible_per_mille
        if not isinstance(said, FundsMoved) or not per_mille or not self.draws.chance(per_mille):
            return saying
        return saying._replace(body=FundsMoved(EXACT.add(EXACT.add(said.amount, said.fee), Decimal(1)), Decimal(0)))

    def _outcome(self, amount: Decimal) -> FundsMoved | FundsReturned:
        fee = self.fee(amount)
        arrives = EXACT.subtract(amount, fee)
        if self.draws.chance(self.faults.returned_per_mille):
            return FundsReturned(arrives, HopTrouble.REJECTED, "drawn")
        return FundsMoved(arrives, fee)


def _sum(total: Decimal, amounts: Iterable[Decimal]) -> Decimal:
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
