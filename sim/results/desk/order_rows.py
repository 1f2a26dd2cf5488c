"""From facts to rows: index orders, the reports on them, their invoices, and quotes."""

from __future__ import annotations

from typing import Any, ClassVar

from core.index.facts import IndexOrderMoved, OrderEngaged
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
    MintInvoice,
    RedemptionInvoice,
)
from sim.results.desk.rows import IndexFillRow, IndexOrderRow, InvoiceRow, QuoteRow
from sim.results.facts import Noted
from sim.results.fold import Fold


class IndexOrders(Fold[IndexOrderRow]):
    """Fills `index_orders`."""

    def __init__(self) -> None:
        super().__init__({})
        self._open: dict[str, IndexOrderRow] = {}

    def _on_accepted(self, noted: Noted, fact: IndexOrderAccepted) -> None:
        row = IndexOrderRow(
            order_id=fact.order_id,
            user=fact.user,
            client_order_id=fact.client_order_id,
            symbol=fact.symbol,
            side=fact.side,
            amount=fact.amount,
            created_time=noted.time,
        )
        self._open[fact.order_id] = row
        self.rows.append(row)

    def _on_rejected(self, noted: Noted, fact: IndexOrderRejected) -> None:
        row = IndexOrderRow(user=fact.user, client_order_id=fact.client_order_id, created_time=noted.time)
        row.status, row.reason, row.ended_time, row.time_to_end_ns = "rejected", fact.reason, noted.time, 0
        self.rows.append(row)

    def _on_amended(self, _noted: Noted, fact: IndexOrderAmended) -> None:
        self._open[fact.order_id].amount = fact.amount

    def _on_netted(self, _noted: Noted, fact: IndexOrderNetted) -> None:
        self._open[fact.order_id].netted += fact.amount

    def _on_moved(self, noted: Noted, fact: IndexOrderMoved) -> None:
        row = self._open[fact.order_id]
        if fact.state == "ready" and row.ready_time is None:
            row.ready_time = noted.time

    def _on_engaged(self, _noted: Noted, fact: OrderEngaged) -> None:
        self._open[fact.order_id].batches += 1

    def _on_fill(self, _noted: Noted, fact: IndexOrderFill) -> None:
        row = self._open[fact.order_id]
        row.filled_quantity, row.fill_rate = fact.filled_quantity, fact.fill_rate
        row.spent, row.remaining, row.proceeds = fact.collateral_spent, fact.collateral_remaining, fact.proceeds

    def _on_ended(self, noted: Noted, fact: IndexOrderEnded) -> None:
        row = self._open[fact.order_id]
        row.status, row.reason, row.refund = fact.outcome.value, fact.reason or None, fact.refund
        row.filled_quantity = fact.filled_quantity
        row.ended_time, row.time_to_end_ns = noted.time, noted.time - row.created_time

    HANDLERS: ClassVar[dict[Any, Any]] = {
        IndexOrderAccepted: _on_accepted,
        IndexOrderRejected: _on_rejected,
        IndexOrderAmended: _on_amended,
        IndexOrderNetted: _on_netted,
        IndexOrderMoved: _on_moved,
        OrderEngaged: _on_engaged,
        IndexOrderFill: _on_fill,
        IndexOrderEnded: _on_ended,
    }


class IndexFills(Fold[IndexFillRow]):
    """Fills `index_fills`."""

    def _on_fill(self, noted: Noted, fact: IndexOrderFill) -> None:
        self.rows.append(
            IndexFillRow(
                time=noted.time,
                order_id=fact.order_id,
                batch_id=fact.batch_id or None,
                filled_quantity=fact.filled_quantity,
                spent=fact.collateral_spent,
                remaining=fact.collateral_remaining,
                fill_rate=fact.fill_rate,
                proceeds=fact.proceeds,
                status=FillStatus(fact.status).value,
            )
        )

    HANDLERS: ClassVar[dict[Any, Any]] = {IndexOrderFill: _on_fill}


class Invoices(Fold[InvoiceRow]):
    """Fills `invoices`."""

    def _on_mint(self, noted: Noted, fact: MintInvoice) -> None:
        self.rows.append(
            InvoiceRow(
                time=noted.time,
                order_id=fact.order_id,
                user=fact.user,
                client_order_id=fact.client_order_id,
                symbol=fact.symbol,
                kind="mint",
                payment_id=fact.payment_id,
                filled_quantity=fact.filled_quantity,
                total_amount=fact.total_amount,
                amount_paid=fact.amount_paid,
                amount_remaining=fact.amount_remaining,
                management_fee=fact.management_fee,
                assets_value=fact.assets_value,
                exchange_fee=fact.exchange_fee,
                fill_rate=fact.fill_rate,
                execution_price=fact.execution_price,
                lots=len(fact.lots),
            )
        )

    def _on_redemption(self, noted: Noted, fact: RedemptionInvoice) -> None:
        self.rows.append(
            InvoiceRow(
                time=noted.time,
                order_id=fact.order_id,
                user=fact.user,
                client_order_id=fact.client_order_id,
                symbol=fact.symbol,
                kind="redemption",
                filled_quantity=fact.burned_quantity,
                total_amount=fact.total_quantity,
                amount_paid=fact.amount_paid,
                amount_remaining=fact.quantity_remaining,
                management_fee=fact.payout_fee,
                assets_value=fact.assets_value,
                exchange_fee=fact.exchange_fee,
                execution_price=fact.execution_price,
            )
        )

    HANDLERS: ClassVar[dict[Any, Any]] = {MintInvoice: _on_mint, RedemptionInvoice: _on_redemption}


class Quotes(Fold[QuoteRow]):
    """Fills `quotes`."""

    def _on_ready(self, noted: Noted, fact: IndexQuoteReady) -> None:
        self.rows.append(
            QuoteRow(
                time=noted.time,
                user=fact.user,
                client_quote_id=fact.client_quote_id,
                status="ready",
                symbol=fact.symbol,
                side=fact.side,
                amount=fact.amount,
                quantity=fact.quantity_possible,
                price=fact.price,
            )
        )

    def _on_rejected(self, noted: Noted, fact: IndexQuoteRejected) -> None:
        row = QuoteRow(time=noted.time, user=fact.user, client_quote_id=fact.client_quote_id, status="rejected")
        row.reason = fact.reason
        self.rows.append(row)

    def _on_cancelled(self, noted: Noted, fact: IndexQuoteCancelled) -> None:
        self.rows.append(
            QuoteRow(time=noted.time, user=fact.user, client_quote_id=fact.client_quote_id, status="cancelled")
        )

    HANDLERS: ClassVar[dict[Any, Any]] = {
        IndexQuoteReady: _on_ready,
        IndexQuoteRejected: _on_rejected,
        IndexQuoteCancelled: _on_cancelled,
    }
