"""What came of a whole run with one planner: its row, and what the tokens of each index cost."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Any

import pyarrow as pa

from core.index.base import DeskState
from core.index.settings import PlannerName
from core.index.stock import cost, held
from core.units import MONEY
from sim.planners.rows import PlannerRow, TokenRow
from sim.results.rows import ZERO

_BPS = 10_000


def planner_row(planner: PlannerName, digest: str, tables: Mapping[str, pa.Table], end: DeskState) -> PlannerRow:
    """A run by its tables and the state that it left the desk in."""
    orders, batches = tables["index_orders"].to_pylist(), tables["index_batches"].to_pylist()
    sent = tables["exchange_orders"].to_pylist()
    buys = [row for row in orders if row["side"] == "buy"]
    of_orders = {row["batch_id"] for row in batches if row["symbol"] is None}
    with localcontext(MONEY):
        asked = sum((row["amount"] - row["netted"] for row in buys), ZERO)
        return PlannerRow(
            planner=planner,
            digest=digest,
            orders=len(orders),
            minted=sum(row["status"] == "minted" for row in orders),
            fill_rate=sum((row["spent"] for row in buys), ZERO) / asked if asked else Decimal(1),
            batches=len(of_orders),
            stand_ins=sum(row["batch_id"] in of_orders and row["planner"] != planner for row in batches),
            exchange_orders=sum(row["placed_quantity"] is not None for row in sent),
            exchange_fees=sum(tables["fills"]["fee"].to_pylist(), ZERO),
            surplus=sum((_surplus(row) for row in sent if row["batch_id"] in of_orders), ZERO),
            house_left=cost(end.stock),
            carried_left=sum((lot.quantity * lot.unit_cost for lot in held(end.stock) if not lot.house), ZERO),
        )


def token_rows(planner: PlannerName, tables: Mapping[str, pa.Table]) -> Iterator[TokenRow]:
    """What tokens have cost, by index in order of their names."""
    mints: dict[str, list[dict[str, Any]]] = {}
    for row in tables["invoices"].to_pylist():
        if row["kind"] == "mint":
            mints.setdefault(row["symbol"], []).append(row)
    navs = tables["nav"].to_pylist()
    with localcontext(MONEY):
        for symbol, rows in sorted(mints.items()):
            tokens = sum((row["filled_quantity"] for row in rows), ZERO)
            paid = sum((row["filled_quantity"] * row["execution_price"] for row in rows), ZERO)
            yield TokenRow(
                planner=planner,
                symbol=symbol,
                tokens=tokens,
                cost=paid / tokens,
                slippage_bps=_slippage(rows, [row for row in navs if row["symbol"] == symbol]),
            )


def _surplus(row: Mapping[str, Any]) -> Decimal:
    on_top: Decimal = row["quantity"] - (row["demand"] - row["stock"] - row["crossed"] - row["house"])
    price: Decimal = row["price"]
    return max(on_top, ZERO) * price


def _slippage(mints: list[dict[str, Any]], navs: list[dict[str, Any]]) -> float | None:
    times = [row["time"] for row in navs]
    paid = worth = ZERO
    for row in mints:
        stated = bisect_right(times, row["time"])
        if stated:
            paid += row["filled_quantity"] * row["execution_price"]
            worth += row["filled_quantity"] * navs[stated - 1]["nav"]
    return float((paid / worth - 1) * _BPS) if worth else None
