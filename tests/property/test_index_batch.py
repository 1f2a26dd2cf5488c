"""Batch after batch, with trades and ends in any order: what came in is handed out, carried or the house's."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from core.index.allocation import BatchRules
from core.index.batch import Opened, Trade, complete, is_over, on_end, on_fill, open_batch, stop
from core.index.fitting import plan
from core.index.planning import Demand, HeldLot, Mode, Plan, PlanProblem
from core.index.stock import Lot, Stock, held, put
from core.index.validate import batch_violations
from core.units import EXACT
from tests.property.test_index_fitting import problems

D = Decimal
SHARES = st.sampled_from([D(0), D("0.1"), D("0.333333"), D("0.6"), D(1), D("1.01")])
FEES = st.sampled_from([D(0), D("0.0005"), D("0.001"), D("0.03")])


DIGITS_MAX = 100
"""Of two amounts that are sums over batches: sums are exact up to 80 digits each, and must stay far from that."""


class Market:
    """An exchange that does to orders whatever is drawn."""

    def __init__(self, data: st.DataObject) -> None:
        self.data, self.names = data, count(1)
        self.traded: dict[str, Decimal] = {}

    def play(self, opened: Opened) -> None:
        """Trades and ends in any order until all have ended; now and then an order is stopped."""
        batch = opened.batch
        while not is_over(batch):
            live = [order_id for order_id, order in batch.orders.items() if not order.reason]
            order_id = self.data.draw(st.sampled_from(live))
            order = batch.orders[order_id]
            quantity = order.quantity * self.data.draw(SHARES)
            if quantity > 0 and self.data.draw(st.booleans()):
                better = D("0.995") if order.side == "buy" else D("1.005")
                price = order.price * better
                fee = price * quantity * self.data.draw(FEES)
                at = f"{order.side}:{order.asset}"
                self.traded[at] = EXACT.add(self.traded.get(at, D(0)), quantity)
                on_fill(batch, order_id, Trade(f"L-{next(self.names)}", price, quantity, fee, 1))
            else:
                on_end(batch, order_id, "expired")
            if not self.data.draw(st.integers(0, 9)):
                stop(batch, self.data.draw(st.sampled_from(list(batch.engaged))))
            assert batch_violations(batch) == []


def left_in(stock: Stock) -> dict[str, Decimal]:
    """By `side:asset`, what no order owns."""
    total: dict[str, Decimal] = {}
    for shelf in (stock.carried, stock.house):
        for at, lots in shelf.items():
            for lot in lots:
                total[at] = EXACT.add(total.get(at, D(0)), lot.remaining)
    return total


def net(amounts: dict[str, Decimal], asset: str) -> Decimal:
    """Bought less sold."""
    return EXACT.subtract(amounts.get(f"buy:{asset}", D(0)), amounts.get(f"sell:{asset}", D(0)))


@given(problems(), st.data(), st.sampled_from(list(Mode)))
@settings(max_examples=200)
def test_nothing_is_lost_or_made_over_batches(problem: PlanProblem, data: st.DataObject, mode: Mode) -> None:
    limits = structs.replace(problem.limits, mode=mode)
    rules = BatchRules(mode=mode)
    stock, market, ids = Stock(), Market(data), count(1)
    assigned: dict[str, Decimal] = {}
    demands = {one.order_id: one for one in problem.demands}
    for number in range(3):
        made = plan(structs.replace(problem, demands=tuple(demands.values()), limits=limits, held=held(stock)))
        if not isinstance(made, Plan):
            return
        opened = open_batch(
            made, stock, rules, batch_id=f"B-{number}", now=number, next_order_id=lambda: f"O-{next(ids)}"
        )
        assert batch_violations(opened.batch) == []
        market.play(opened)
        for position in opened.batch.positions.values():
            at = f"{position.side}:{position.asset}"
            assigned[at] = EXACT.add(assigned.get(at, D(0)), position.assigned)
        locked = {one.order_id: one for one in made.engagements}
        for order_id, carried in complete(opened.batch, stock).carried:
            one = demands[order_id]
            if mode is Mode.CORRECTED:
                assert carried >= 0
            rest = EXACT.subtract(one.remaining, locked[order_id].new_collateral)
            demands[order_id] = Demand(order_id, one.symbol, one.side, rest, max(carried, D(0)))
            assert len(rest.as_tuple().digits) + len(carried.as_tuple().digits) < DIGITS_MAX
        left = left_in(stock)
        for asset in ("AW", "AX", "AY", "AZ"):
            # Crossings add to both sides alike; the house settles what it sold with what it bought
            assert EXACT.add(net(assigned, asset), net(left, asset)) == net(market.traded, asset)


@given(problems(), st.data())
def test_nobody_pays_more_than_was_locked_for_him(problem: PlanProblem, data: st.DataObject) -> None:
    made = plan(problem)
    if not isinstance(made, Plan):
        return
    rules, ids = BatchRules(), count(1)
    no_stock = structs.replace(problem, held=())
    made = plan(no_stock)
    assert isinstance(made, Plan)
    opened = open_batch(made, Stock(), rules, batch_id="B", now=0, next_order_id=lambda: f"O-{next(ids)}")
    Market(data).play(opened)
    for one in made.engagements:
        engaged = opened.batch.engaged[one.order_id]
        assert engaged.filled <= one.quantity
        paid = engaged.spent if one.side == "buy" else engaged.filled
        assert paid <= one.collateral
        assert EXACT.add(engaged.collateral, paid) == one.collateral


def stocked(lots: tuple[HeldLot, ...]) -> Stock:
    """Lots of these, which have cost no fee."""
    stock = Stock()
    for number, one in enumerate(lots):
        lot = Lot(
            lot_id=f"H-{number}",
            asset=one.asset,
            side=one.side,
            price=one.price,
            original=one.quantity,
            remaining=one.quantity,
            fee=D(0),
            batch_id="B-0",
            created_at=number,
        )
        put(stock.house if one.house else stock.carried, lot)
    return stock


def finely(amount: Decimal, thirds: int) -> Decimal:
    """An amount of all the digits that there are."""
    return amount * thirds / 3


@given(problems(), st.data(), st.sampled_from([0, 2, 8, 18]))
@settings(max_examples=300)
def test_what_is_planned_is_filled_to_the_last_unit_if_all_trades(
    problem: PlanProblem, data: st.DataObject, decimals: int
) -> None:
    fine = st.sampled_from([1, 2, 3])
    problem = structs.replace(
        problem,
        held=tuple(
            structs.replace(lot, quantity=finely(lot.quantity, data.draw(fine)), unit_cost=lot.price)
            for lot in problem.held
        ),
        limits=structs.replace(problem.limits, index_decimals=decimals, fee_factor=D("1.001")),
    )
    stock = stocked(problem.held)
    made = plan(problem)
    if not isinstance(made, Plan):
        return
    rules, ids = BatchRules(index_decimals=decimals), count(1)
    opened = open_batch(made, stock, rules, batch_id="B", now=0, next_order_id=lambda: f"O-{next(ids)}")
    assert batch_violations(opened.batch) == []
    for one in opened.placements:
        on_fill(opened.batch, one.order_id, Trade(one.order_id, one.price, one.quantity, D(0), 1))
        assert batch_violations(opened.batch) == []
    for engaged in opened.batch.engaged.values():
        assert (engaged.quantity - engaged.filled) * engaged.price <= rules.collateral_tolerance
