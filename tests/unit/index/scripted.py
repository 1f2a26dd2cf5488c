"""The desk's arithmetic on its own, driven as the reference's end-to-end test drives the reference.

One buy order of an index of AX and AZ; books that never change; a mock exchange that fills 60 % of each order at
limit * 0.995 and then, at limit * 0.998, 30 % of the first order, 10 % of the second and 40 % of all others, and
cancels the rest. All first fills arrive before the second ones. Fees are a share of value.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from msgspec import structs

from core.index.allocation import BatchRules, OrderFill, Slice
from core.index.basket import Basket, basket_from_weights
from core.index.batch import Completed, Opened, Trade, complete, on_end, on_fill, open_batch, stop
from core.index.fitting import plan
from core.index.inventory import Inventory, book
from core.index.inventory_lots import InventoryFill
from core.index.planning import AssetOrdering, AssetView, Demand, Levels, Mode, Plan, PlanLimits, PlanProblem
from core.index.stock import Stock, held
from core.index.validate import batch_violations, violations
from core.kernel.ids import Ids
from core.units import EXACT

D = Decimal
TOLERANCE = D("1e-4")
PRICES = {"AX": D(2900) / 30, "AZ": D(38600) / 130}
"""Volume weighted, of the books below: 96.67 and 296.92."""
WEIGHTS = (("AX", D("0.8")), ("AZ", D("0.2")))
ROUTING_FEE = D("70.06824825")
ORDERED = D("3521.0175")
FIRST_SHARE, FIRST_PRICE, SECOND_PRICE = D("0.6"), D("0.995"), D("0.998")
SECOND_SHARES = {1: D("0.3"), 2: D("0.1")}
EXCHANGE_FEE = D("0.001")
BATCHES_MAX = 50


def levels(*pairs: tuple[int | str, int | str]) -> Levels:
    """Price and quantity, best first."""
    return tuple((D(price), D(quantity)) for price, quantity in pairs)


def view(asset: str, bids: Levels, asks: Levels) -> AssetView:
    """A fresh market."""
    best_bid, best_ask = (side[0][0] if side else None for side in (bids, asks))
    return AssetView(asset, best_bid, best_ask, bids, asks)


VIEWS = (
    view("AX", levels((90, 10), (80, 40)), levels((100, 20), (110, 30))),
    view("AZ", levels((295, 80), (290, 100)), levels((300, 50), (305, 150))),
)
LIMITS = PlanLimits(
    price_threshold=D("0.01"),
    max_levels=3,
    fee_factor=D("1.001"),
    max_order_volley_size=D(3000),
    max_volley_size=D(2000),
    min_asset_volley_size=D(5),
    asset_volley_step_size=D("0.2"),
    max_total_volley_size=D(1_000_000),
    min_total_volley_available=D(1),
    quantity_tolerance=TOLERANCE,
    collateral_tolerance=TOLERANCE,
)


def index(first: str = "AX") -> Basket:
    """The index, with one of its assets named first."""
    weights = WEIGHTS if first == "AX" else tuple(reversed(WEIGHTS))
    return basket_from_weights("IX", weights, PRICES, D(1000))


class Told(NamedTuple):
    """What the order's owner is told, cumulative; spent includes the routing fee."""

    batch: int
    filled: Decimal
    spent: Decimal
    remaining: Decimal
    rate: Decimal


class Batched(NamedTuple):
    """One batch from plan to end."""

    plan: Plan
    opened: Opened
    carried_in: Decimal
    completed: Completed


class Scripted:
    """The scenario, run to the end on construction."""

    def __init__(self, mode: Mode, first: str = "AX", *, exchange_fee: Decimal = EXCHANGE_FEE) -> None:
        self.exchange_fee = exchange_fee
        self.limits = structs.replace(LIMITS, mode=mode, ordering=AssetOrdering.BASKET)
        self.rules = BatchRules(mode=mode, quantity_tolerance=TOLERANCE, collateral_tolerance=TOLERANCE)
        self.basket = index(first)
        self.remaining, self.carried, self.spent = ORDERED - ROUTING_FEE, D(0), ROUTING_FEE
        self.engaged = self.filled = D(0)
        self.full = False
        self.told: list[Told] = []
        self.slices: list[Slice] = []
        self.lots: list[Trade] = []
        self.batches: list[Batched] = []
        self.broken: list[str] = []
        self.stock, self.inventory, self.ids = Stock(), Inventory(), Ids()
        while not self.full and len(self.batches) < BATCHES_MAX:
            self._run_batch()

    def problem(self) -> PlanProblem:
        """What the next batch is planned from."""
        demand = Demand("I-1", "IX", "buy", self.remaining, self.carried)
        return PlanProblem(
            demands=(demand,), baskets=(self.basket,), views=VIEWS, limits=self.limits, held=held(self.stock)
        )

    def _run_batch(self) -> None:
        problem, number = self.problem(), len(self.batches) + 1
        planned = plan(problem)
        assert isinstance(planned, Plan)
        if self.limits.mode is Mode.CORRECTED:
            self.broken += violations(problem, planned)
        (engagement,) = planned.engagements
        carried_in = self.carried
        self.engaged = engagement.collateral
        self.remaining = EXACT.subtract(self.remaining, engagement.new_collateral)
        opened = open_batch(
            planned,
            self.stock,
            self.rules,
            batch_id=f"B-{number}",
            now=number,
            next_order_id=lambda: self.ids.next("O"),
        )
        self._tell(number, opened, opened.fills)
        self._exchange(number, opened)
        completed = complete(opened.batch, self.stock)
        ((_, self.carried),) = completed.carried
        self.batches.append(Batched(planned, opened, carried_in, completed))

    def _exchange(self, number: int, opened: Opened) -> None:
        numbered = [(int(self.ids.next("sent").split("-")[1]), one) for one in opened.placements]
        for count, one in numbered:
            self._trade(
                number, opened, one.order_id, Trade(f"L-{2 * count - 1:02}", *self._first(one.quantity, one.price))
            )
        for count, one in numbered:
            share = SECOND_SHARES.get(count, D("0.4"))
            price, quantity = one.price * SECOND_PRICE, one.quantity * share
            fee = price * quantity * self.exchange_fee
            self._trade(number, opened, one.order_id, Trade(f"L-{2 * count:02}", price, quantity, fee, number))
        for _, one in numbered:
            on_end(opened.batch, one.order_id, "expired")

    def _first(self, quantity: Decimal, limit: Decimal) -> tuple[Decimal, Decimal, Decimal, int]:
        price, quantity = limit * FIRST_PRICE, quantity * FIRST_SHARE
        return price, quantity, price * quantity * self.exchange_fee, len(self.batches) + 1

    def _trade(self, number: int, opened: Opened, order_id: str, trade: Trade) -> None:
        order = opened.batch.orders[order_id]
        self.lots.append(trade)
        book(
            self.inventory,
            InventoryFill(
                asset=order.asset,
                side="buy",
                trade_id=trade.lot_id,
                order_id=order_id,
                batch_id=opened.batch.batch_id,
                price=trade.price,
                quantity=trade.quantity,
                fee=trade.fee,
                at=number,
            ),
        )
        self._tell(number, opened, on_fill(opened.batch, order_id, trade))

    def _tell(self, number: int, opened: Opened, fills: tuple[OrderFill, ...]) -> None:
        self.broken += batch_violations(opened.batch)
        for fill in fills:
            self.filled = EXACT.add(self.filled, fill.quantity)
            self.spent = EXACT.add(self.spent, fill.cost)
            self.engaged = EXACT.subtract(self.engaged, fill.cost)
            self.slices += fill.slices
            left = EXACT.add(self.engaged, self.remaining)
            rate = self.spent / (self.spent + left)
            self.told.append(Told(number, self.filled, self.spent, left, rate))
            if rate > D("0.9999"):
                self.full = True
                stop(opened.batch, "I-1")
