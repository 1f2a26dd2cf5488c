"""A run of an index desk in numbers: what became of orders, what batches did, and each order's way to its invoice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from core.collateral.facts import PayoutArrived, WithdrawalEnded
from core.collateral.states import HoldingStep
from core.units import MONEY
from sim.results.desk.attention import (
    BlockedTask,
    DisputeLine,
    attention_lines,
    blocked_tasks,
    first_disputes,
    plain,
)
from sim.results.layout import grid
from sim.results.rows import ZERO

STATUSES: Final = ("minted", "redeemed", "cancelled", "expired", "rejected", "open")
_INVOICES_SHOWN_MAX: Final = 4
"""So many fit beside each other."""
_OF_PAYOUTS: Final = [kind.__name__ for kind in (WithdrawalEnded, PayoutArrived)]
_FILL_HEAD: Final = ("order", "batch", "filled", "spent", "remaining", "rate", "status")
_INVOICE_HEAD: Final = (
    "order",
    "kind",
    "tokens",
    "total",
    "paid",
    "remaining",
    "routing",
    "assets",
    "exchange fees",
    "token price",
)


class FillLine(msgspec.Struct, frozen=True, kw_only=True):
    """One report on an index order, as the fill table has it."""

    order_id: str
    batch_id: str
    filled: Decimal
    spent: Decimal
    remaining: Decimal
    fill_rate: Decimal
    status: str


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice, as the invoice table has it."""

    order_id: str
    kind: str
    filled: Decimal
    total: Decimal
    paid: Decimal
    remaining: Decimal
    routing: Decimal
    assets_value: Decimal
    exchange_fee: Decimal
    execution_price: Decimal

    def amounts(self) -> tuple[Decimal, ...]:
        """The numbers, in the order of the table."""
        money = (self.total, self.paid, self.remaining, self.routing, self.assets_value, self.exchange_fee)
        return (self.filled, *money, self.execution_price)


class DeskSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A run's outcome; a function of its facts alone. `fills` and `invoices` are of the first orders that have any."""

    orders: int
    by_status: dict[str, int]
    minted: dict[str, Decimal]
    """Index tokens that were minted, by index."""
    burned: dict[str, Decimal]
    collateral_spent: Decimal
    routing_fees: Decimal
    exchange_fees: Decimal
    refunded: Decimal
    credited: Decimal
    """Of what buys did not use, what was not sent back and is their owners' collateral."""
    repaid: Decimal
    """Of what buys had cost, what the house has paid back; no part of what was spent."""
    under_way: Decimal
    """What orders and withdrawals have ended with and hops still had when the run ended."""
    batches: int
    exchange_orders: int
    exchange_fills: int
    lots: int
    reconciliations: int
    """How often all assets were compared with the account at the exchange."""
    differences: dict[str, Decimal]
    """By asset that differed when it was compared last, how much was missing; below zero, what was there too much."""
    blocked: list[BlockedTask]
    """What the exchange has refused the house, each as it was last."""
    disputes: list[DisputeLine]
    """The first of what cannot be, or should not, and has to be looked at."""
    disputes_in_all: int
    fills: list[FillLine]
    invoices: list[InvoiceLine]
    invoices_in_all: int

    def lines(self) -> list[tuple[str, str]]:
        """The numbers, each with its label."""
        return [*outcome_lines(self), *self._story_lines()]

    def _story_lines(self) -> list[tuple[str, str]]:
        fills = [
            (
                line.order_id,
                line.batch_id or "-",
                f"{line.filled:.8f}",
                f"{line.spent:.8f}",
                f"{line.remaining:.8f}",
                f"{line.fill_rate:.8f}",
                line.status,
            )
            for line in self.fills
        ]
        found = [("fills", "\n".join(grid((_FILL_HEAD, *fills))))] if fills else []
        if self.invoices:
            more = self.invoices_in_all - len(self.invoices)
            rest = [f"and {more:,} more: table `invoices`"] if more else []
            columns = [
                _INVOICE_HEAD,
                *((line.order_id, line.kind, *map(_exact, line.amounts())) for line in self.invoices),
            ]
            found.append(("invoices", "\n".join([*grid(list(zip(*columns, strict=True))), *rest])))
        return found


def outcome_lines(summary: DeskSummary) -> list[tuple[str, str]]:
    """The counts of a summary, each with its label."""
    counts = ", ".join(f"{count:,} {status}" for status, count in summary.by_status.items() if count) or "none"
    trades = f"{summary.exchange_orders:,} exchange orders, {summary.exchange_fills:,} fills"
    return [
        ("orders", f"{summary.orders:,}: {counts}"),
        ("minted", _tokens(summary.minted)),
        ("burned", _tokens(summary.burned)),
        ("collateral", _collateral(summary)),
        ("fees", f"{summary.routing_fees:,.6f} for routing, {summary.exchange_fees:,.6f} to exchanges"),
        ("batches", f"{summary.batches:,}: {trades}"),
        ("inventory", _inventory(summary)),
        *attention_lines(summary.blocked, summary.disputes, summary.disputes_in_all),
    ]


def summarise(tables: Mapping[str, pa.Table]) -> DeskSummary:
    """The summary of a run's tables. An empty run has zeros."""
    orders = tables["index_orders"].to_pylist()
    invoices = tables["invoices"].to_pylist()
    with localcontext(MONEY):
        statuses = Counter(row["status"] for row in orders)
        buys = [row for row in orders if row["side"] == "buy"]
        return DeskSummary(
            orders=len(orders),
            by_status={status: statuses[status] for status in STATUSES},
            minted=_by_index(invoices, "mint"),
            burned=_by_index(invoices, "redemption"),
            collateral_spent=_sum(row["spent"] for row in buys),
            routing_fees=_charged(tables["collateral"]),
            exchange_fees=_sum(tables["fills"]["fee"].to_pylist()),
            refunded=_sum(row["refund"] or ZERO for row in buys),
            credited=_sum(row["credited"] or ZERO for row in buys),
            repaid=_sum(row["repaid"] for row in buys),
            under_way=_under_way(orders, tables["notes"]),
            batches=tables["index_batches"].num_rows,
            exchange_orders=sum(
                quantity is not None for quantity in tables["exchange_orders"]["placed_quantity"].to_pylist()
            ),
            exchange_fills=tables["fills"].num_rows,
            lots=tables["lots"]["step"].to_pylist().count("opened"),
            reconciliations=tables["reconciliations"]["what"].to_pylist().count("compared"),
            differences=_differences(tables["reconciliations"].to_pylist()),
            blocked=blocked_tasks(tables["notes"]),
            disputes=first_disputes(tables["disputes"].to_pylist()),
            disputes_in_all=tables["disputes"].num_rows,
            fills=_fills(tables["index_fills"].to_pylist()),
            invoices=[_invoice(row) for row in invoices[:_INVOICES_SHOWN_MAX]],
            invoices_in_all=len(invoices),
        )


def _charged(moved: pa.Table) -> Decimal:
    """What hops have kept of all money that they moved."""
    return _sum(moved.filter(pc.equal(moved["what"], HoldingStep.CHARGED.value))["amount"].to_pylist())


def _under_way(orders: Sequence[dict[str, Any]], notes: pa.Table) -> Decimal:
    kept = notes.filter(pc.is_in(notes["kind"], value_set=pa.array(_OF_PAYOUTS)))
    total = sum((row["under_way"] or ZERO for row in orders), ZERO)
    for kind, detail in zip(kept["kind"].to_pylist(), kept["detail"].to_pylist(), strict=True):
        if kind == WithdrawalEnded.__name__:
            total += msgspec.json.decode(detail, type=WithdrawalEnded).under_way
        else:
            arrived = msgspec.json.decode(detail, type=PayoutArrived)
            total -= arrived.amount + arrived.fee + arrived.credited
    return plain(total)


def _differences(rows: Sequence[dict[str, Any]]) -> dict[str, Decimal]:
    last = {row["asset"]: row for row in rows if row["asset"] is not None}
    return {
        asset: plain(row["owned"] - row["at_venue"]) for asset, row in sorted(last.items()) if row["what"] == "differs"
    }


def _fills(rows: Sequence[dict[str, Any]]) -> list[FillLine]:
    shown = list(dict.fromkeys(row["order_id"] for row in rows))[:1]
    return [
        FillLine(
            order_id=row["order_id"],
            batch_id=row["batch_id"] or "",
            filled=plain(row["filled_quantity"]),
            spent=plain(row["spent"]),
            remaining=plain(row["remaining"]),
            fill_rate=plain(row["fill_rate"]),
            status=row["status"],
        )
        for row in rows
        if row["order_id"] in shown
    ]


def _invoice(row: dict[str, Any]) -> InvoiceLine:
    return InvoiceLine(
        order_id=row["order_id"],
        kind=row["kind"],
        filled=plain(row["filled_quantity"]),
        total=plain(row["total_amount"]),
        paid=plain(row["amount_paid"]),
        remaining=plain(row["amount_remaining"]),
        routing=plain(row["management_fee"]),
        assets_value=plain(row["assets_value"]),
        exchange_fee=plain(row["exchange_fee"]),
        execution_price=plain(row["execution_price"]),
    )


def _by_index(invoices: Sequence[dict[str, Any]], kind: str) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for row in invoices:
        if row["kind"] == kind:
            totals[row["symbol"]] = totals.get(row["symbol"], ZERO) + row["filled_quantity"]
    return {symbol: plain(total) for symbol, total in sorted(totals.items())}


def _collateral(summary: DeskSummary) -> str:
    said = (
        f"{summary.collateral_spent:,.6f} spent, {summary.refunded:,.6f} given back, {summary.credited:,.6f} credited"
    )
    more = ((summary.repaid, "repaid, and not spent"), (summary.under_way, "still under way"))
    rest = ", ".join(f"{amount:,.6f} {what}" for amount, what in more if amount)
    return f"{said}\n{rest}" if rest else said


def _inventory(summary: DeskSummary) -> str:
    looks = f"compared {summary.reconciliations:,} times with the exchange's balances"
    if not summary.differences:
        return f"{looks}: no difference" if summary.reconciliations else "never compared with the exchange's balances"
    parts = [
        f"{abs(missing):,.8f} {asset} {'missing' if missing > 0 else 'too much'}"
        for asset, missing in summary.differences.items()
    ]
    return f"{looks}: {', '.join(parts)}"


def _tokens(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{amount:,.8f} {symbol}" for symbol, amount in amounts.items()) or "none"


def _sum(amounts: Any) -> Decimal:
    return plain(sum(amounts, ZERO))


def _exact(amount: Decimal) -> str:
    return f"{amount:.12f}".rstrip("0").rstrip(".")
