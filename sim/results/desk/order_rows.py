"""From facts to rows: index orders, the reports on them, their invoices, and quotes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from core.collateral.facts import PayoutArrived
from core.index.facts import (
    CollateralShort,
    IndexOrderDeferred,
    IndexOrderMoved,
    OrderEngaged,
    OrderRepaid,
    ProceedsReclaimed,
)
from core.index.invoices import MintInvoice, RedemptionInvoice
from core.index.reasons import EndReason
from core.index.records import (
    FillStatus,
    IndexOrderAccepted,
    IndexOrderAmended,
    IndexOrderEnded,
    IndexOrderFill,
    IndexOrderNetted,
    IndexOrderRejected,
    IndexQuoteCancelled,
    IndexQuoteReady,
    IndexQuoteRejected,
)
from sim.results.desk.rows import IndexFillRow, IndexOrderRow, InvoiceRow, QuoteRow
from sim.results.facts import Noted
from sim.results.fold import Fold, row_of
from sim.results.rows import ZERO


class IndexOrders(Fold[IndexOrderRow]):
    """Fills `index_orders`."""

    def __init__(self) -> None:
        super().__init__({})
        self._open: dict[str, IndexOrderRow] = {}
        self._routing: dict[str, Decimal] = {}
        """By order, what it had cost before it was filled."""

    def _on_accepted(self, noted: Noted, fact: IndexOrderAccepted) -> None:
        row = self._open[fact.order_id] = row_of(IndexOrderRow, noted, created_time=noted.time)
        self.rows.append(row)

    def _on_rejected(self, noted: Noted, _fact: IndexOrderRejected) -> None:
        ended = {"ended_time": noted.time, "time_to_end_ns": 0}
        self.rows.append(row_of(IndexOrderRow, noted, created_time=noted.time, status="rejected", **ended))

    def _on_amended(self, _noted: Noted, fact: IndexOrderAmended) -> None:
        self._open[fact.order_id].amount = fact.amount

    def _on_netted(self, _noted: Noted, fact: IndexOrderNetted) -> None:
        self._open[fact.order_id].netted += fact.amount

    def _on_moved(self, noted: Noted, fact: IndexOrderMoved) -> None:
        row = self._open[fact.order_id]
        if fact.state == "ready" and row.ready_time is None:
            row.ready_time, row.deferred = noted.time, None

    def _on_engaged(self, _noted: Noted, fact: OrderEngaged) -> None:
        row = self._open[fact.order_id]
        row.batches, row.deferred = row.batches + 1, None

    def _on_deferred(self, _noted: Noted, fact: IndexOrderDeferred) -> None:
        self._open[fact.order_id].deferred = fact.reason

    def _on_fill(self, _noted: Noted, fact: IndexOrderFill) -> None:
        row = self._open[fact.order_id]
        row.filled_quantity, row.fill_rate = fact.filled_quantity, fact.fill_rate
        row.spent, row.remaining, row.proceeds = fact.collateral_spent, fact.collateral_remaining, fact.proceeds
        if not fact.filled_quantity:
            self._routing[fact.order_id] = fact.collateral_spent

    def _on_repaid(self, _noted: Noted, fact: OrderRepaid) -> None:
        self._open[fact.order_id].repaid += fact.amount
        self._unfill(fact.order_id)

    def _on_reclaimed(self, _noted: Noted, fact: ProceedsReclaimed) -> None:
        self._unfill(fact.order_id)

    def _on_ended(self, noted: Noted, fact: IndexOrderEnded) -> None:
        row = self._open[fact.order_id]
        row.status, row.reason, row.refund = fact.outcome.value, fact.reason or None, fact.refund
        row.filled_quantity, row.refund_fee, row.credited = fact.filled_quantity, fact.refund_fee, fact.credited
        row.under_way, row.routing_fee = fact.under_way, fact.routing_fee
        if row.side == "buy" and fact.order_id not in self._routing:
            row.spent = fact.routing_fee
        row.ended_time, row.time_to_end_ns = noted.time, noted.time - row.created_time
        if fact.reason.startswith(EndReason.UNPAYABLE):
            self._unfill(fact.order_id)

    def _on_short(self, _noted: Noted, fact: CollateralShort) -> None:
        self._open[fact.order_id].short += fact.amount

    def _on_arrived(self, _noted: Noted, fact: PayoutArrived) -> None:
        row = self._open.get(fact.order_id)
        if row is not None:
            row.late_fee += fact.fee

    def _unfill(self, order_id: str) -> None:
        """It gets none of what it was filled with, and has paid, or sold, nothing for it."""
        row, routing = self._open[order_id], self._routing.get(order_id, ZERO)
        if row.remaining is not None:
            row.remaining += row.spent - routing
        row.spent, row.proceeds = routing, ZERO

    HANDLERS: ClassVar[dict[Any, Any]] = {
        IndexOrderAccepted: _on_accepted,
        IndexOrderRejected: _on_rejected,
        IndexOrderAmended: _on_amended,
        IndexOrderNetted: _on_netted,
        IndexOrderMoved: _on_moved,
        OrderEngaged: _on_engaged,
        IndexOrderDeferred: _on_deferred,
        IndexOrderFill: _on_fill,
        OrderRepaid: _on_repaid,
        ProceedsReclaimed: _on_reclaimed,
        IndexOrderEnded: _on_ended,
        CollateralShort: _on_short,
        PayoutArrived: _on_arrived,
    }


class IndexFills(Fold[IndexFillRow]):
    """Fills `index_fills`."""

    def _on_fill(self, noted: Noted, fact: IndexOrderFill) -> None:
        said = {"spent": fact.collateral_spent, "remaining": fact.collateral_remaining}
        self.rows.append(row_of(IndexFillRow, noted, status=FillStatus(fact.status).value, **said))

    HANDLERS: ClassVar[dict[Any, Any]] = {IndexOrderFill: _on_fill}


class Invoices(Fold[InvoiceRow]):
    """Fills `invoices`."""

    def _on_mint(self, noted: Noted, fact: MintInvoice) -> None:
        self.rows.append(row_of(InvoiceRow, noted, kind="mint", lots=len(fact.lots)))

    def _on_redemption(self, noted: Noted, fact: RedemptionInvoice) -> None:
        row = row_of(
            InvoiceRow,
            noted,
            kind="redemption",
            lots=len(fact.lots),
            filled_quantity=fact.burned_quantity,
            total_amount=fact.total_quantity,
            amount_remaining=fact.quantity_remaining,
            management_fee=fact.payout_fee,
        )
        self.rows.append(row)

    HANDLERS: ClassVar[dict[Any, Any]] = {MintInvoice: _on_mint, RedemptionInvoice: _on_redemption}


class Quotes(Fold[QuoteRow]):
    """Fills `quotes`."""

    def _on_ready(self, noted: Noted, fact: IndexQuoteReady) -> None:
        self.rows.append(row_of(QuoteRow, noted, status="ready", quantity=fact.quantity_possible))

    def _on_rejected(self, noted: Noted, _fact: IndexQuoteRejected) -> None:
        self.rows.append(row_of(QuoteRow, noted, status="rejected"))

    def _on_cancelled(self, noted: Noted, _fact: IndexQuoteCancelled) -> None:
        self.rows.append(row_of(QuoteRow, noted, status="cancelled"))

    HANDLERS: ClassVar[dict[Any, Any]] = {
        IndexQuoteReady: _on_ready,
        IndexQuoteRejected: _on_rejected,
        IndexQuoteCancelled: _on_cancelled,
    }
