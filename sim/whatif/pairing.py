"""Two runs side by side, order by order and solver by solver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import localcontext
from math import sqrt
from statistics import mean, stdev
from typing import Final

import msgspec

from core.config import VenueConfig
from core.sequencer.facts import OrderSequenced
from core.units import MONEY
from sim.results.auction_rows import Bids, Commitments
from sim.results.facts import Noted
from sim.results.order_rows import Orders
from sim.results.rows import ZERO, BidRow, CommitmentRow, OrderRow
from sim.whatif.causes import Life, why
from sim.whatif.orders import OrderBook, OrderKey
from sim.whatif.rows import PairedOrder, PairedSolver

_SIGMAS: Final = 1.96


class Side:
    """One of the runs: its orders by key, and every bid and commitment."""

    def __init__(self, notes: Sequence[Noted], config: VenueConfig, renumbered: Sequence[str]) -> None:
        orders = {noted.fact.order.order_id: noted.fact.order for noted in notes if type(noted.fact) is OrderSequenced}
        book = OrderBook(config.pairs, renumbered)
        with localcontext(MONEY):
            for noted in notes:
                book.hear(noted.fact)
            rows = Orders(orders).fold(notes)
            self.bids: list[BidRow] = Bids(orders).fold(notes)
            self.commitments: list[CommitmentRow] = Commitments(orders).fold(notes)
        self.lives = {key: Life(row) for key, row in zip(book.keys, rows, strict=True)}
        by_id = {life.order.order_id: life for life in self.lives.values()}
        for bid in self.bids:
            if bid.order_id in by_id:
                by_id[bid.order_id].bids.append(bid)
        for commitment in self.commitments:
            by_id[commitment.order_id].commitments.append(commitment)


class Spread(msgspec.Struct, frozen=True):
    """The change of surplus over orders that traded in both runs, in bps of the limit: their number, the mean, and
    half the width of its 95 % interval as if orders were independent of each other."""

    orders: int
    mean_bps: float
    half_width_bps: float


def paired_orders(before: Side, after: Side) -> list[PairedOrder]:
    """One row per order of either run."""
    keys = dict.fromkeys([*before.lives, *after.lives])
    return [_paired(key, before.lives.get(key), after.lives.get(key)) for key in keys]


def paired_solvers(before: Side, after: Side, solvers: Iterable[str]) -> list[PairedSolver]:
    """One row per solver."""
    rows = []
    for solver in solvers:
        row = PairedSolver(solver=solver)
        for side, name in ((before, "before"), (after, "after")):
            for measure, value in _measures(side, solver).items():
                setattr(row, f"{measure}_{name}", value)
        rows.append(row)
    return rows


def spread(rows: Iterable[PairedOrder]) -> Spread:
    """How much better off orders are that traded in both runs."""
    changes = [
        row.bps_after - row.bps_before for row in rows if row.bps_before is not None and row.bps_after is not None
    ]
    if len(changes) < 2:
        return Spread(len(changes), sum(changes), 0.0)
    return Spread(len(changes), mean(changes), _SIGMAS * stdev(changes) / sqrt(len(changes)))


def _measures(side: Side, solver: str) -> dict[str, object]:
    own = [commitment for commitment in side.commitments if commitment.solver == solver]
    refused = sum(bid.solver == solver and bid.status == "rejected" for bid in side.bids)
    return {
        "bids": sum(bid.solver == solver for bid in side.bids) - refused,
        "refused": refused,
        "awards": len(own),
        "share": len(own) / len(side.commitments) if side.commitments else 0.0,
        "defaults": sum(commitment.status == "defaulted" for commitment in own),
        "penalties": sum((commitment.penalty or ZERO for commitment in own), ZERO),
    }


def _paired(key: OrderKey, before: Life | None, after: Life | None) -> PairedOrder:
    some = before or after
    assert some is not None
    row = PairedOrder(
        owner=key.owner,
        cl_ord_id=key.cl_ord_id,
        nth=key.nth,
        symbol=some.order.symbol,
        side=some.order.side,
        quantity=some.order.quantity,
        limit_price=some.order.limit_price,
    )
    for life, name in ((before, "before"), (after, "after")):
        if life is not None:
            _fill_in(row, name, life)
    row.surplus_change = row.surplus_after - row.surplus_before
    if before is not None and after is not None:
        _compare(row, before, after)
    else:
        row.changed, row.cause = True, "admission"
    return row


def _fill_in(row: PairedOrder, name: str, life: Life) -> None:
    order: OrderRow = life.order
    winners = [f"{c.solver}{'!' if c.status == 'defaulted' else ''}" for c in life.commitments]
    values = {
        "order_id": order.order_id,
        "status": order.status,
        "reason": order.reason,
        "winners": " ".join(winners),
        "filled": order.filled_quantity,
        "price": order.average_price,
        "surplus": order.surplus_quote,
        "bps": order.surplus_bps,
    }
    for measure, value in values.items():
        setattr(row, f"{measure}_{name}", value)


def _compare(row: PairedOrder, before: Life, after: Life) -> None:
    if before.order.ended_time is not None and after.order.ended_time is not None:
        row.later_ns = after.order.ended_time - before.order.ended_time
    found = why(before, after)
    if found is not None:
        row.changed = True
        row.cause, row.cause_solver, row.cause_reason = found.cause.value, found.solver, found.reason
