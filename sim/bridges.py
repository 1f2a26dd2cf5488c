"""A simulated bridge: deposits in blocks that may be replaced, relayers that fill them or do not, and refunds.

When a deposit is made, its whole story is drawn: in which blocks it is, who fills it and when, what is undone by a
reorg, or that it expires. The story is told as news while it happens; what is lost of that can be asked for.
"""

from __future__ import annotations

from typing import Any

from core.collateral.bridge import SLOW, blocks_needed
from core.collateral.hops import (
    BridgeExpired,
    BridgeFilled,
    BridgeRefunded,
    BridgeReorged,
    BridgeSeen,
    BridgeSuggested,
    DepositToBridge,
    FundsMoved,
    FundsPending,
    FundsRefused,
    FundsReturned,
    HopTrouble,
    SuggestFees,
)
from core.kernel.record import Record
from core.units import EXACT, Nanos
from sim.hop_moves import Movement, Saying, SimHop


class SimBridge(SimHop):
    """One bridge, in one direction."""

    def respond(self, now: Nanos, body: Any) -> list[Saying]:
        """What is to be said to a request that was heard, were nothing lost."""
        if isinstance(body, SuggestFees):
            return [Saying(self.answer(), self._suggestion(now, body))]
        if not isinstance(body, DepositToBridge) or self.known(now, (body.transfer_id, body.leg)) is not None:
            return super().respond(now, body)
        refusal = self.refusal(body.amount)
        if now > body.fill_deadline:
            refusal = FundsRefused(HopTrouble.UNAVAILABLE, "the fill deadline has passed")
        if refusal is not None:
            self.remember((body.transfer_id, body.leg), Movement(body.amount, refusal, now))
            return [Saying(self.answer(), refusal)]
        news = _Story(self, now, body).told()
        return [Saying(self.answer(), FundsPending()), *(Saying(at - now, said, is_news=True) for at, said in news)]

    def _suggestion(self, now: Nanos, asked: SuggestFees) -> BridgeSuggested | FundsRefused:
        refusal, model = self.refusal(asked.amount), self.model.bridge
        if refusal is not None:
            return refusal
        output = EXACT.subtract(asked.amount, self.fee(asked.amount))
        relayer = self.draws.choice(model.relayers) if model.exclusivity else ""
        return BridgeSuggested(output, now + model.fill_window, relayer, now + model.exclusivity)


class _Story:
    """What becomes of one deposit, piece by piece."""

    def __init__(self, bridge: SimBridge, now: Nanos, deposit: DepositToBridge) -> None:
        self._bridge, self._deposit, self._model = bridge, deposit, bridge.model.bridge
        self._about = (deposit.transfer_id, deposit.leg)
        settings = bridge.model.settings.bridge
        assert settings is not None
        self._blocks = blocks_needed(settings, deposit.amount)
        self._now, self._news = now, list[tuple[Nanos, Record]]()
        back = FundsReturned(deposit.amount, HopTrouble.EXPIRED, "not filled in time")
        self._movement = Movement(deposit.amount, back, max(deposit.fill_deadline, now) + self._model.refund)

    def told(self) -> list[tuple[Nanos, Record]]:
        """Draw it, have the bridge know it, and return the news and when it breaks."""
        self._bridge.remember(self._about, self._movement)
        included = self._include()
        if included is not None:
            filled = self._fill(included)
            if filled is None:
                self._expire()
            else:
                self._settle(filled)
        return self._news

    def _include(self) -> Nanos | None:
        """When the deposit is in a block that stays; None when it is dropped."""
        at, block = self._now + self._model.block, self._model.block
        self._tell(at, BridgeSeen(*self._about, 1))
        if self._chance(self._model.deposit_reorg_per_mille):
            self._tell(at + block // 2, BridgeReorged(*self._about, at_origin=True))
            if self._chance(self._model.dropped_per_mille):
                self._movement.gone_at = at + block // 2
                return None
            at += 2 * block
            self._tell(at, BridgeSeen(*self._about, 1))
        if self._blocks > 1:
            self._tell(at + (self._blocks - 1) * block, BridgeSeen(*self._about, self._blocks))
        return at

    def _fill(self, included: Nanos) -> tuple[Nanos, str] | None:
        """When a fill is in a block that stays, and whose; None when there is none in time."""
        deadline, block = self._deposit.fill_deadline, self._model.block
        at, relayer = included + self._bridge.latency(), self._relayer(included)
        if self._chance(self._model.unfilled_per_mille):
            if not self._chance(self._model.slow_fill_per_mille):
                return None
            at, relayer = max(included, self._now + (deadline - self._now) // 2), SLOW
        if relayer == SLOW:
            at = max(at, self._deposit.exclusivity_deadline)
        if at <= deadline and self._chance(self._model.fill_reorg_per_mille) and self._blocks > 1:
            self._tell(at, self._filled(at, relayer, 1))
            self._tell(at + block // 2, BridgeReorged(*self._about, at_origin=False))
            at += 3 * block
        return (at, relayer) if at <= deadline else None

    def _relayer(self, included: Nanos) -> str:
        """Whoever has the exclusive right, if his time is not over when the deposit can be seen; or anybody."""
        draws, terms = self._bridge.draws, self._deposit
        anybody = draws.choice(self._model.relayers)
        return terms.exclusive_relayer if included < terms.exclusivity_deadline else anybody

    def _expire(self) -> None:
        deadline = self._deposit.fill_deadline
        self._tell(deadline, BridgeExpired(*self._about))
        self._tell(self._movement.ends_at, BridgeRefunded(*self._about, self._deposit.amount))

    def _settle(self, filled: tuple[Nanos, str]) -> None:
        at, relayer = filled
        final = at + (self._blocks - 1) * self._model.block
        if self._blocks > 1:
            self._tell(at, self._filled(at, relayer, 1))
        self._tell(final, self._filled(at, relayer, self._blocks))
        fee = EXACT.subtract(self._deposit.amount, self._deposit.output_amount)
        self._movement.outcome, self._movement.ends_at = FundsMoved(self._deposit.output_amount, fee), final

    def _filled(self, at: Nanos, relayer: str, confirmations: int) -> BridgeFilled:
        amount = self._deposit.output_amount
        return BridgeFilled(*self._about, amount, relayer, filled_at=at, confirmations=confirmations)

    def _tell(self, at: Nanos, said: Record) -> None:
        self._news.append((at, said))

    def _chance(self, per_mille: int) -> bool:
        return not self._bridge.is_calm and self._bridge.draws.chance(per_mille)
