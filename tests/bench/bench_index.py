"""The index desk: fitting a batch of 16 orders by 81 assets, quotes, a batch's trades, and a whole node at work.

    python -m tests.bench.bench_index

Everything is beside a bare loop of Decimal multiplications in the same run, so that ratios hold on any machine: one
multiplication for each order and asset is what a plan cannot do without, and one for each asset is what a quote cannot.
The goals: a plan by the simple solver within 60 such loops, a quote within 12, whatever number of orders is open.

The node is desk, execution and collateral with a simulated exchange, hops and chain around them. Its users only buy, so
that lots pile up, and order 100 each; each order has its deposit, is brought over two hops, engaged, bought, minted,
invoiced and refunded. What the node remembers is looked at half way and at the end: its components as they are saved,
and what Python allocates when fresh ones take that up. What the simulated world remembers is no part of it. The goal:
no more than 5 % more after twice the orders.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from functools import partial
from itertools import count
from time import process_time
from tracemalloc import get_traced_memory, start, stop
from typing import Any, Final, NamedTuple

from msgspec import structs

from core.collateral.collateral import Collateral
from core.execution.execution import Execution
from core.execution.settings import ExecutionSettings
from core.index import fitting, matrix
from core.index.allocation import BatchRules
from core.index.basket import Basket, BasketAsset
from core.index.batch import Trade, complete, on_end, on_fill, open_batch
from core.index.desk import IndexDesk
from core.index.planning import AssetView, Demand, Plan, PlanLimits, PlanProblem
from core.index.stock import Stock, held
from core.kernel.component import Component
from core.units import MONEY, SECOND
from sim.exchange_models import ScriptedFill
from tests.bench.command import run_bench
from tests.helpers.index_desk import golden_settings
from tests.helpers.index_node import IndexNode, collateral_settings, still_exchange

ASSETS: Final = 81
ORDERS: Final = 16
LEVELS: Final = 10


class Sizes(NamedTuple):
    """How much is done."""

    rounds: int
    orders: int
    """By the whole node, for its speed."""
    long_run: int
    """By the whole node, for its memory."""


FULL, TINY = Sizes(5, 1000, 6000), Sizes(1, 20, 40)
USERS: Final = 20
PER_SECOND: Final = 2
"""Orders, in simulated time."""
GROWTH_MAX: Final = 1.05
"""Goal: memory at the end over memory half way."""
PLAN_GOAL: Final = 60
QUOTE_GOAL: Final = 12
D = Decimal


def views() -> tuple[AssetView, ...]:
    """A market of ten levels for each asset, some of them thin."""
    made = []
    for number in range(ASSETS):
        price = D(10 + 37 * number) / 7
        size = D(40 if number % 9 else 4) / price
        asks = tuple((price * (1 + D(level) / 500), size) for level in range(LEVELS))
        bids = tuple((price * (1 - D(level + 1) / 500), size) for level in range(LEVELS))
        made.append(AssetView(f"A{number:02}", bids[0][0], asks[0][0], bids, asks))
    return tuple(made)


def basket(market: tuple[AssetView, ...]) -> Basket:
    """Equal weights, a unit worth 1000."""
    target, weight = D(1000), 1 / D(ASSETS)
    parts = (BasketAsset(view.asset, weight, target * weight / (view.best_ask or D(1))) for view in market)
    return Basket("SY100", tuple(parts))


def problem(orders: int) -> PlanProblem:
    """As many orders for all of the assets, larger than what the books hold."""
    market = views()
    limits = PlanLimits(
        max_order_volley_size=D(2000),
        max_volley_size=D(20_000),
        max_total_volley_size=D(10**6),
        house_exposure_max=D(10**6),
    )
    demands = tuple(Demand(f"I-{number}", "SY100", "buy", D(700 + number)) for number in range(orders))
    return PlanProblem(demands=demands, baskets=(basket(market),), views=market, limits=limits)


def multiplications(number: int) -> Callable[[], None]:
    """A bare loop of so many Decimal multiplications of 28 digits."""
    one, other = D(1) / 7, D(1000) / 81

    def loop() -> None:
        for _ in range(number):
            _product = one * other

    return loop


def fastest(rounds: int, works: dict[str, tuple[Callable[[], object], int]]) -> dict[str, float]:
    """Seconds of CPU for one call of each, in its fastest round. They take turns: a slow moment hits all alike."""
    times = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, (work, calls) in works.items():
            start = process_time()
            for _ in range(calls):
                work()
            times[name] = min(times[name], (process_time() - start) / calls)
    return times


def whole_batch(of: PlanProblem) -> Callable[[], None]:
    """Plan, open, two trades for each exchange order, end, complete."""

    def run() -> None:
        stock, ids = Stock(), count(1)
        made = fitting.plan(of)
        assert isinstance(made, Plan)
        rules = BatchRules(fee_factor=of.limits.fee_factor)
        opened = open_batch(made, stock, rules, batch_id="B", now=0, next_order_id=lambda: f"O-{next(ids)}")
        for share in (D("0.6"), D("0.4")):
            for one in opened.placements:
                quantity = one.quantity * share
                fee = one.price * quantity / 1000
                on_fill(opened.batch, one.order_id, Trade(f"{one.order_id}-{share}", one.price, quantity, fee, 1))
        for one in opened.placements:
            on_end(opened.batch, one.order_id, "filled")
        complete(opened.batch, stock)
        held(stock)

    return run


def quotes(orders: int) -> Callable[[], object]:
    """A quote while so many orders are open."""
    asked = problem(orders)
    market = {view.asset: view for view in asked.views}
    return partial(fitting.quote, asked.baskets[0], market, asked.limits, side="buy", amount=D(500))


def node() -> IndexNode:
    """A whole node that nobody looks at."""
    settings = golden_settings()
    wide = {name: D(10**7) for name in ("max_order_volley_size", "max_volley_size", "max_total_volley_size")}
    limits = structs.replace(settings.limits, quantity_tolerance=D("1e-18"), **wide)
    settings = structs.replace(settings, limits=limits, client_order_wait_ns=SECOND, ended_orders_max=500)
    whole = (ScriptedFill(D(1), D("0.99")),)
    made = IndexNode(
        settings,
        still_exchange(script=(whole,)),
        collateral=collateral_settings(D(0)),
        execution=ExecutionSettings(ended_kept_max=1000),
        watched=False,
    )
    made.weigh(SECOND)
    return made


def play(on: IndexNode, orders: int) -> float:
    """Let users order, and every order end; return the seconds of CPU that it took."""
    began, before = int(on.env.now) + 3 * SECOND, on.desk.state.orders.ended_count
    start_at = process_time()
    for number in range(orders):
        at, user = began + number * SECOND // PER_SECOND, f"1:0x{number % USERS:02x}"
        on.deposit(at, "100", user)
        on.order(at, f"C-{before + number}", "100", user=user)
    on.run(began / SECOND + orders / PER_SECOND + 60)
    took = process_time() - start_at
    assert on.desk.state.orders.ended_count - before == orders
    return took


def remembered(of: IndexNode) -> tuple[int, int]:
    """Bytes that the node's components save, and that fresh ones allocate to hold the same."""
    saved = [one.snapshot() for one in (of.desk, of.execution, of.collateral)]
    fresh: tuple[Component[Any], ...] = (
        IndexDesk("desk", of.settings),
        Execution("execution", of.execution.settings),
        Collateral("collateral", of.collateral.settings),
    )
    start()
    for one, state in zip(fresh, saved, strict=True):
        one.restore(state)
    allocated, _ = get_traced_memory()
    stop()
    return sum(map(len, saved)), allocated


def measure_node(sizes: Sizes) -> None:
    """Print how fast a whole node is, and whether its memory is flat."""
    took = play(node(), sizes.orders)
    print(f"{'index orders through the whole node':48} {sizes.orders / took:9,.0f} orders per CPU-second")
    on, found = node(), []
    for _ in range(2):
        play(on, sizes.long_run // 2)
        found.append(remembered(on))
    for name, half, end in zip(("saved", "allocated"), *found, strict=True):
        verdict = "met" if end <= half * GROWTH_MAX else "missed"
        what = f"{name}, after {sizes.long_run // 2:,} and {sizes.long_run:,} orders"
        print(f"{what:48} {half / 1024:9,.0f} KiB {end / 1024:9,.0f} KiB  goal {GROWTH_MAX:.2f}: {verdict}")


def report(name: str, took: float, loop: float, goal: int | None = None) -> None:
    """One line of the table."""
    ratio = took / loop
    verdict = "" if goal is None else f"  goal {goal}: {'met' if ratio <= goal else 'missed'}"
    print(f"{name:48} {took * 1e6:10,.0f} us {1 / took:9,.0f}/s {ratio:8.1f} loops{verdict}")


def main(sizes: Sizes = FULL) -> None:
    """Print the table."""
    rounds = sizes.rounds
    with localcontext(MONEY):
        of = problem(ORDERS)
        planning: dict[str, tuple[Callable[[], object], int]] = {
            f"{ORDERS * ASSETS:,} multiplications": (multiplications(ORDERS * ASSETS), 20 * rounds),
            f"fitting {ORDERS} orders x {ASSETS} assets, simple": (partial(fitting.plan, of), rounds),
            f"fitting {ORDERS} orders x {ASSETS} assets, matrix": (partial(matrix.plan, of), rounds),
            f"a batch of {ORDERS} x {ASSETS}, {2 * ASSETS} trades": (whole_batch(of), 1),
        }
        quoting: dict[str, tuple[Callable[[], object], int]] = {
            f"{ASSETS} multiplications": (multiplications(ASSETS), 200 * rounds),
            **{f"a quote, {orders:,} open orders": (quotes(orders), 20 * rounds) for orders in (10, 1000)},
        }
        for works, goal, which in ((planning, PLAN_GOAL, "simple"), (quoting, QUOTE_GOAL, "quote")):
            times = fastest(rounds, works)
            loop = next(iter(times.values()))
            for name, took in times.items():
                report(name, took, loop, goal if which in name else None)
    measure_node(sizes)


if __name__ == "__main__":
    run_bench(main, FULL, TINY)
