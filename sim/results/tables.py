"""The facts of a run as tidy tables: pure, in one pass over the facts for each table."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import localcontext

import pyarrow as pa

from core.sequencer.facts import OrderSequenced
from core.units import MONEY
from sim.results.auction_rows import Bids, Blocks, Commitments, Escrow
from sim.results.columns import to_table
from sim.results.facts import Noted
from sim.results.notes import note_rows
from sim.results.order_rows import Fills, Orders
from sim.results.placement_rows import Placements
from sim.results.rows import TABLES, Row
from sim.results.wire import Carried
from sim.results.wire_rows import fix_rows, latency_rows


def build_tables(notes: Sequence[Noted], carried: Sequence[Carried] = ()) -> dict[str, pa.Table]:
    """Every table that `TABLES` names, from the facts in the order of the run and the FIX messages in order of sending.

    A fact of a type that is not known here is in `notes` alone. The facts must be those of a whole
    run, so that every order they speak of was sequenced or refused before.
    """
    orders = {noted.fact.order.order_id: noted.fact.order for noted in notes if type(noted.fact) is OrderSequenced}
    messages = fix_rows(carried)
    with localcontext(MONEY):
        rows: dict[str, Sequence[Row]] = {
            "orders": Orders(orders).fold(notes),
            "bids": Bids(orders).fold(notes),
            "commitments": Commitments(orders).fold(notes),
            "blocks": Blocks(orders).fold(notes),
            "placements": Placements(orders).fold(notes),
            "fills": Fills(orders).fold(notes),
            "escrow": Escrow(orders).fold(notes),
            "fix_messages": messages,
            "latency": latency_rows(orders, notes, messages),
            "notes": note_rows(notes),
        }
    return {name: to_table(row, rows[name]) for name, row in TABLES.items()}
