"""The facts of an index desk's run as tidy tables: pure, in one pass over the facts for each table."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import localcontext

import pyarrow as pa

from core.units import MONEY
from sim.results.columns import to_table
from sim.results.desk.batch_rows import ExchangeFills, ExchangeOrders, IndexBatches, Lots, Navs, Reconciliations
from sim.results.desk.chain_rows import ChainEvents
from sim.results.desk.dispute_rows import Disputes
from sim.results.desk.money_rows import Collaterals, Hops
from sim.results.desk.order_rows import IndexFills, IndexOrders, Invoices, Quotes
from sim.results.desk.rows import DESK_TABLES
from sim.results.facts import Noted
from sim.results.notes import note_rows
from sim.results.rows import Row


def build_tables(notes: Sequence[Noted]) -> dict[str, pa.Table]:
    """Every table that `DESK_TABLES` names, from the facts in the order of the run.

    A fact of a type that is not known here is in `notes` alone.
    """
    with localcontext(MONEY):
        rows: dict[str, Sequence[Row]] = {
            "index_orders": IndexOrders().fold(notes),
            "index_fills": IndexFills({}).fold(notes),
            "index_batches": IndexBatches().fold(notes),
            "exchange_orders": ExchangeOrders().fold(notes),
            "fills": ExchangeFills().fold(notes),
            "lots": Lots().fold(notes),
            "collateral": Collaterals({}).fold(notes),
            "hops": Hops({}).fold(notes),
            "invoices": Invoices({}).fold(notes),
            "chain_events": ChainEvents({}).fold(notes),
            "reconciliations": Reconciliations({}).fold(notes),
            "nav": Navs({}).fold(notes),
            "quotes": Quotes({}).fold(notes),
            "disputes": Disputes().fold(notes),
            "notes": note_rows(notes),
        }
    return {name: to_table(row, rows[name]) for name, row in DESK_TABLES.items()}
