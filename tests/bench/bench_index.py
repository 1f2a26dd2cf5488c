"""The index desk: fitting a batch of 16 orders by 81 assets, quotes, a batch's trades, and a whole node at work.

    python -m tests.bench.bench_index

Everything is beside a bare loop of Decimal multiplications in the same run, so that ratios hold on any machine: one
multiplication for each order and asset is what a plan cannot do without, and one for each asset is what a quote cannot.
The goals: a plan by the simple solver within 60 such loops; a quote, from a change of a book to the desk's answer in
its next tick, within 40, and with 1,000 open orders or 100 levels in each book no more than 1.2 times that without.

The node is desk, execution and collateral with a simulated exchange, hops and chain around them. Its users only buy, so
that lots pile up, and order 100 each; each order has its deposit, is brought over two hops, engaged, bought, minted,
invoiced and refunded. What the node remembers is looked at half way and at the end: its components as they are saved,
and what Python allocates when fresh ones take that up. What the simulated world remembers is no part of it. The goal:
no more than 5 % more after twice the orders.

The shipped day is played as it is: `index_day` has few orders and much besides, for its books move all the time.

A simulation looks at its desk's invariants after every delivery; nobody looks at the node here, and the day is played
with and without. What such a look costs is measured on its own: with thousands of open lots, and with thousands of live
orders besides, each of another user.
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
from sim.checkers.desk import DeskChecker
from sim.exchange_models import ScriptedFill
from tests.bench.command import run_bench
from tests.bench.desk_quotes import QuotingDesk
from tests.bench.index_day import measure_day
from tests.bench.loops import fastest, multiplications, report
from tests.helpers.index_desk import golden_settings
from tests.helpers.index_node import IndexNode, collateral_settings, still_exchange

ASSETS: Final = 81
ORDERS: Final = 16
LEVELS: Final = 10


class Sizes(NamedTuple):
    """How much is done."""

    rounds: int
    open: int
    """Orders that wait while quotes are answered."""
    orders: int
    """By the whole node, for its speed."""
    long_run: int
    """By the whole node, for its memory."""
    live: int
    """Of as many users, waiting for their collateral when the node is looked at."""


FULL = Sizes(rounds=5, open=1000, orders=1000, long_run=6000, live=1000)
TINY = Sizes(rounds=1, open=20, orders=20, long_run=40, live=20)
USERS: Final = 20
PER_SECOND: Final = 2
"""Orders, in simulated time."""
GROWTH_MAX: Final = 1.05
"""Goal: memory at the end over memory half way."""
PLAN_GOAL: Final = 60
QUOTE_GOAL: Final = 40
QUOTE_GROWTH_MAX: Final = 1.2
"""Goal: a quote with open orders and deep books over one without."""
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


def whole_batch(of: PlanProblem) -> Callable[[], None]:
    """Plan, open, two trades for each exchange order, end, complete."""

    def run() -> None:
        stock, ids = Stock(), count(1)
        made = fitting.plan(of)
        assert isinstance(made, Plan)
        rules = BatchRules()
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


def arithmetic() -> Callable[[], object]:
    """A quote when its prices are known."""
    asked = problem(1)
    best = {view.asset: view.best_ask or D(0) for view in asked.views}
    return partial(fitting.quote, asked.baskets[0], best, asked.limits, side="buy", amount=D(500))


def measure_quotes(sizes: Sizes) -> None:
    """Print what a quote takes at a desk, by the orders that wait and the levels of the books."""
    rounds = sizes.rounds
    desks = {
        (orders, levels): QuotingDesk(assets=ASSETS, levels=levels, orders=orders)
        for levels in (1, 100)
        for orders in (0, sizes.open)
    }
    bare, known = f"{ASSETS} multiplications", "a quote, its prices known"
    works: dict[str, tuple[Callable[[], object], int]] = {
        bare: (multiplications(ASSETS), 200 * rounds),
        known: (arithmetic(), 20 * rounds),
    }
    names = {which: f"a quote, {which[0]:,} open orders, levels: {which[1]}" for which in desks}
    works |= {names[which]: (desk.quote, 20 * rounds) for which, desk in desks.items()}
    times = fastest(rounds, works)
    for name, took in times.items():
        report(name, took, times[bare], QUOTE_GOAL if name in names.values() else None)
    least = times[names[0, 1]]
    for which in list(desks)[1:]:
        growth = times[names[which]] / least
        verdict = "met" if growth <= QUOTE_GROWTH_MAX else "missed"
        print(f"{names[which]:48} {growth:9.2f} times one without  goal {QUOTE_GROWTH_MAX}: {verdict}")


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


def measure_looks(sizes: Sizes) -> None:
    """Print what a look at the invariants costs by what is alive."""
    on = node()
    play(on, sizes.orders)
    for live in (0, sizes.live):
        began = int(on.env.now)
        for number in range(live):
            on.deposit(began + number, "1", user=f"1:0x{number:04x}")
            on.order(began + number, f"W-{number}", "100", user=f"1:0x{number:04x}")
        on.run((began + 3 * SECOND) / SECOND)
        assert len(on.desk.state.orders.live) == live
        watch = DeskChecker(on.node.kernel, on.settings)
        watch.look("desk")
        watch.look("collateral")
        lots = sum(len(holding.lots) for holding in on.desk.state.inventory.holdings.values())
        users = len(on.collateral.state.books.positions)
        works: dict[str, tuple[Callable[[], object], int]] = {
            f"a look at the desk, {live:,} live orders, {lots:,} lots": (partial(watch.look, "desk"), 20),
            f"a look at collateral, {users:,} users": (partial(watch.look, "collateral"), 20),
        }
        for name, took in fastest(sizes.rounds, works).items():
            print(f"{name:48} {took * 1e6:10,.0f} us")


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
        times = fastest(rounds, planning)
        loop = next(iter(times.values()))
        for name, took in times.items():
            report(name, took, loop, PLAN_GOAL if "simple" in name else None)
        measure_quotes(sizes)
        measure_looks(sizes)
    measure_node(sizes)
    measure_day()


if __name__ == "__main__":
    run_bench(main, FULL, TINY)
