"""The rows of `bids`, `commitments`, `blocks` and `escrow`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Final

from core.auction.facts import (
    BatchCreated,
    BidReceived,
    BidRejected,
    BidWithdrawn,
    CommitmentCreated,
    CommitmentDefaulted,
    CommitmentSettled,
    EscrowDeposited,
)
from core.auction.reasons import BidRefusal
from core.market.ledger import Transferred
from core.market.orders import Order
from core.sequencer.facts import BlockSealed
from core.sequencer.fairness import inversions
from sim.results.facts import Noted
from sim.results.fold import BPS, Fold
from sim.results.rows import BidRow, BlockRow, CommitmentRow, EscrowRow

_PASSED_OVER: Final = (BidRefusal.LAPSED, BidRefusal.UNFUNDED, BidRefusal.UNBONDED)
"""Why a bid that counted may get no commitment when its turn comes. (A repeated bid id is refused as such first.)"""


class Bids(Fold[BidRow]):
    """One row per bid that counted, and one per rejection. A refused withdrawal, which names no bid, has none."""

    def __init__(self, orders: Mapping[str, Order]) -> None:
        super().__init__(orders)
        self.counted: dict[tuple[int, str, str], BidRow] = {}

    def _on_received(self, noted: Noted, fact: BidReceived) -> None:
        row = self.counted[fact.height, fact.solver, fact.bid_id] = BidRow(
            height=fact.height,
            order_id=fact.order_id,
            solver=fact.solver,
            bid_id=fact.bid_id,
            time=noted.time,
            max_input=fact.max_input,
            conversion_rate=fact.conversion_rate,
            min_output=fact.min_output,
            margin_bps=self._margin_bps(fact.order_id, fact.conversion_rate),
        )
        if fact.replaces:
            self.counted[fact.height, fact.solver, fact.replaces].status = "replaced"
        self.rows.append(row)

    def _on_rejected(self, noted: Noted, fact: BidRejected) -> None:
        stood = self.counted.get((fact.height, fact.solver, fact.bid_id))
        if stood is not None and fact.reason in _PASSED_OVER:
            stood.status, stood.reason = "passed_over", fact.reason
            return
        if not fact.bid_id:
            return
        row = BidRow(
            height=fact.height,
            order_id=fact.order_id,
            solver=fact.solver,
            bid_id=fact.bid_id,
            time=noted.time,
            max_input=fact.max_input,
            conversion_rate=fact.conversion_rate,
            status="rejected",
            reason=fact.reason,
            margin_bps=self._margin_bps(fact.order_id, fact.conversion_rate),
        )
        self.rows.append(row)

    def _on_withdrawn(self, _noted: Noted, fact: BidWithdrawn) -> None:
        self.counted[fact.height, fact.solver, fact.bid_id].status = "withdrawn"

    def _on_commitment(self, _noted: Noted, fact: CommitmentCreated) -> None:
        self.counted[fact.height, fact.solver, fact.bid_id].won = True

    def _margin_bps(self, order_id: str, rate: Decimal | None) -> float | None:
        """How much better than the order's limit a bid's output per input is."""
        order = self.orders.get(order_id)
        if order is None or rate is None:
            return None
        return float(BPS * (rate * order.input_amount / order.min_output - 1))

    HANDLERS: ClassVar = {
        BidReceived: _on_received,
        BidRejected: _on_rejected,
        BidWithdrawn: _on_withdrawn,
        CommitmentCreated: _on_commitment,
    }


class Commitments(Fold[CommitmentRow]):
    """One row per commitment."""

    def __init__(self, orders: Mapping[str, Order]) -> None:
        super().__init__(orders)
        self.by_id: dict[str, CommitmentRow] = {}

    def _on_created(self, noted: Noted, fact: CommitmentCreated) -> None:
        row = self.by_id[fact.commitment_id] = CommitmentRow(
            commitment_id=fact.commitment_id,
            order_id=fact.order_id,
            height=fact.height,
            solver=fact.solver,
            bid_id=fact.bid_id,
            attempt=fact.attempt,
            input_amount=fact.input_amount,
            min_output=fact.min_output,
            awarded_time=noted.time,
            deadline=fact.deadline,
        )
        self.rows.append(row)

    def _on_deposited(self, noted: Noted, fact: EscrowDeposited) -> None:
        row = self.by_id[fact.commitment_id]
        row.status, row.deposited_time = "escrowed", noted.time

    def _on_settled(self, noted: Noted, fact: CommitmentSettled) -> None:
        row = self.by_id[fact.commitment_id]
        row.status, row.output_amount, row.ended_time = "settled", fact.output_amount, noted.time

    def _on_defaulted(self, noted: Noted, fact: CommitmentDefaulted) -> None:
        row = self.by_id[fact.commitment_id]
        row.status, row.penalty, row.ended_time = "defaulted", fact.penalty, noted.time

    HANDLERS: ClassVar = {
        CommitmentCreated: _on_created,
        EscrowDeposited: _on_deposited,
        CommitmentSettled: _on_settled,
        CommitmentDefaulted: _on_defaulted,
    }


class Blocks(Fold[BlockRow]):
    """One row per block."""

    def __init__(self, orders: Mapping[str, Order]) -> None:
        super().__init__(orders)
        self.by_height: dict[int, BlockRow] = {}

    def _on_sealed(self, _noted: Noted, fact: BlockSealed) -> None:
        header = fact.header
        row = self.by_height[header.height] = BlockRow(
            height=header.height,
            hash=fact.block_hash.hex(),
            previous_hash=header.previous_hash.hex(),
            message_root=header.message_root.hex(),
            opened_time=header.opened_at,
            closed_time=header.closed_at,
            messages=header.message_count,
            trigger=fact.trigger,
            lateness_ns=fact.lateness,
            inversions=inversions(fact.sequence),
        )
        self.rows.append(row)

    def _on_batch(self, _noted: Noted, fact: BatchCreated) -> None:
        self.by_height[fact.height].auctioned = len(fact.order_ids)

    HANDLERS: ClassVar = {BlockSealed: _on_sealed, BatchCreated: _on_batch}


class Escrow(Fold[EscrowRow]):
    """One row per transfer."""

    def _on_transferred(self, noted: Noted, fact: Transferred) -> None:
        row = EscrowRow(
            seq=noted.seq,
            time=noted.time,
            token=fact.token,
            amount=fact.amount,
            src=fact.src,
            dst=fact.dst,
            reason=fact.reason,
        )
        self.rows.append(row)

    HANDLERS: ClassVar = {Transferred: _on_transferred}
