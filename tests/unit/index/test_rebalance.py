"""From one basket to another: what is sold and bought for the tokens that exist, and in which order."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.errors import DefectError, InputError
from core.index.basket import index_price
from core.index.batch import complete, on_end, open_batch
from core.index.house_batch import house_plan
from core.index.nav import nav_point
from core.index.planning import NoRoom, NotPlanned, Plan, PlanLimits, PlanReason
from core.index.rebalance import (
    HouseTask,
    Priority,
    owed,
    queue,
    rebalanced,
    record,
    weights_without,
)
from core.index.stock import Stock
from core.index.validate import violations
from core.market.exchange import Instrument
from core.market.orders import Side
from tests.unit.index.scripted import levels, view
from tests.unit.index.test_batch import RULES, begin, fill, trade
from tests.unit.index.test_fitting import IX, LIMITS, VIEWS, problem

D = Decimal
PRICES = {"AX": D(100), "AZ": D(200), "AW": D(10)}
NEW = (("AX", D("0.5")), ("AW", D("0.5")))


def task(
    name: str, asset: str, side: Side, quantity: str, deadline: int = 100, *, priority: Priority = Priority.REBALANCE
) -> HouseTask:
    """A task of IX."""
    return HouseTask(
        task_id=name,
        symbol="IX",
        asset=asset,
        side=side,
        quantity=D(quantity),
        priority=priority,
        created_at=0,
        deadline=deadline,
    )


def planned(*tasks: HouseTask, limits: PlanLimits = LIMITS, now: int = 0) -> Plan:
    """A house batch, which is valid."""
    made = house_plan(problem(limits=limits), tasks, now)
    assert isinstance(made, Plan)
    return made


def test_a_new_basket_is_worth_what_the_old_one_is() -> None:
    new = rebalanced(IX, NEW, PRICES)
    assert new.quantities() == {"AX": D(5), "AW": D(50)}
    assert index_price(new, PRICES) == index_price(IX, PRICES)


def test_what_the_tokens_that_exist_need() -> None:
    held = {asset: each * 10 for asset, each in IX.quantities().items()}
    changes = owed(held, rebalanced(IX, NEW, PRICES), D(10))
    assert changes == {"AX": D(-30), "AZ": D(-10), "AW": D(500)}
    assert sum(change * PRICES[asset] for asset, change in changes.items()) == 0
    assert owed(held, IX, D(10)) == {}


def test_what_is_held_counts_and_not_what_should_have_been() -> None:
    new = rebalanced(IX, NEW, PRICES)
    assert owed({"AX": D(50), "AW": D(20), "AZ": D("1e-18")}, new, D(10)) == {"AW": D(480), "AZ": D("-1e-18")}


def test_a_delisted_asset_is_shared_out_over_the_others() -> None:
    assert weights_without(IX, ["AZ"], PRICES) == (("AX", D(1)),)
    three = rebalanced(IX, (("AX", D("0.5")), ("AZ", D("0.3")), ("AW", D("0.2"))), PRICES)
    assert dict(weights_without(three, ["AX"], PRICES)) == {"AZ": D("0.6"), "AW": D("0.4")}
    assert dict(weights_without(three, ["AX", "AW"], PRICES)) == {"AZ": D(1)}
    with pytest.raises(InputError, match="made of AX alone"):
        weights_without(rebalanced(IX, (("AX", D(1)),), PRICES), ["AX"], PRICES)


def test_what_leaves_needs_no_price_and_what_stays_does() -> None:
    without_ax = {asset: price for asset, price in PRICES.items() if asset != "AX"}
    assert weights_without(IX, ["AX"], without_ax) == (("AZ", D(1)),)
    with pytest.raises(InputError, match="no price for AX"):
        weights_without(IX, ["AZ"], without_ax)


def test_the_most_urgent_task_is_served_first() -> None:
    tasks = [
        task("late", "AX", "buy", "1", 200),
        task("soon", "AX", "buy", "1", 100),
        task("sale", "AX", "sell", "1", 100),
        task("gone", "AX", "sell", "1", 300, priority=Priority.DELISTING),
        task("over", "AX", "buy", "1", 5),
        task("done", "AX", "buy", "0", 5),
        task("dead", "AX", "sell", "1", 6, priority=Priority.DELISTING),
        task("own", "AX", "sell", "1", 90, priority=Priority.SURPLUS),
    ]
    # One whose date has passed is as late as any other that is, and keeps nobody from selling in time
    assert [one.task_id for one in queue(tasks, 10)] == ["gone", "dead", "over", "sale", "soon", "late", "own"]


def test_house_batches_serve_tasks_one_after_the_other_within_the_cap() -> None:
    limits = structs.replace(LIMITS, max_volley_size=D(1500))
    made = planned(
        task("second", "AX", "sell", "10"), task("first", "AZ", "sell", "5", priority=Priority.DELISTING), limits=limits
    )
    # 5 AZ at 198 are 990, which leaves 510 for AX at 99
    assert {one.order_id: one.quantity for one in made.engagements} == {
        "first": D(5),
        "second": D("5.151515151515151515"),
    }
    assert made.volley <= 1500


def test_a_whole_rebalance_ends_with_what_the_new_basket_asks_for() -> None:
    held = {asset: each * 5 for asset, each in IX.quantities().items()}
    changes = owed(held, rebalanced(IX, NEW, PRICES), D(5))
    sides: list[tuple[Decimal, Side]] = [(change, "buy" if change > 0 else "sell") for change in changes.values()]
    tasks = {
        f"R-{n}": task(f"R-{n}", asset, side, str(abs(change)))
        for n, (asset, (change, side)) in enumerate(zip(changes, sides, strict=True))
    }
    stock, batches, paid, done = Stock(), 0, D(0), dict.fromkeys(tasks, D(0))
    while queue(tasks.values(), 1):
        batches += 1
        opened = begin(planned(*tasks.values()), stock)
        fills = list(opened.fills)
        for placed in opened.placements:
            part = trade(f"{batches}-{placed.order_id}", str(placed.quantity * D("0.75")), str(placed.price))
            fills += fill(opened, placed.order_id, part)
            on_end(opened.batch, placed.order_id, "expired")
        for one in fills:
            record(tasks[one.order_id], one, D("1e-9"))
            done[one.order_id] += one.quantity
            paid += one.cost if tasks[one.order_id].side == "buy" else -one.cost
        complete(opened.batch, stock)
        assert batches < 50
    assert {(one.asset, one.side): round(done[one.task_id], 8) for one in tasks.values()} == {
        ("AX", "sell"): D(15),
        ("AZ", "sell"): D(5),
        ("AW", "buy"): D(250),
    }
    # 15 AX at 99 and 5 AZ at 198 pay for 250 AW at 10, but for 25
    assert abs(paid - 25) < D("1e-6")


def test_opposite_tasks_are_crossed() -> None:
    made = planned(task("a", "AX", "sell", "10"), task("b", "AX", "buy", "10"))
    assert [(one.asset, one.quantity) for one in made.crossings] == [("AX", D(10))]
    assert made.volley == 0


def test_a_task_without_a_market_waits_and_the_others_do_not() -> None:
    made = planned(task("a", "NO", "sell", "10"), task("b", "AX", "sell", "10"), task("c", "AX", "buy", "0.00000001"))
    assert [one.order_id for one in made.engagements] == ["b"]
    assert {one.order_id: one.reason for one in made.deferred} == {"a": PlanReason.NO_PRICE, "c": PlanReason.TOO_SMALL}


def test_a_house_batch_waits_for_room_too() -> None:
    assert isinstance(house_plan(problem(limits=structs.replace(LIMITS, max_total_volley_size=D(0))), (), 0), NoRoom)


def own(name: str, asset: str, quantity: str) -> HouseTask:
    """Something that the house has too much of."""
    return structs.replace(task(name, asset, "sell", quantity, priority=Priority.SURPLUS), symbol="")


def test_the_house_does_not_sell_to_itself() -> None:
    # Nobody takes 2 AW, which are worth 20; what an index cannot sell goes to the house, which has no use for its own
    limits = structs.replace(LIMITS, min_asset_volley_size=D(50))
    made = planned(task("theirs", "AW", "sell", "2"), own("ours", "AW", "1"), own("more", "AX", "9"), limits=limits)
    assert [one.order_id for one in made.engagements] == ["theirs", "more"]
    assert [(one.asset, one.quantity, one.to_house) for one in made.crossings] == [("AW", D(2), True)]
    assert [(one.order_id, one.reason) for one in made.deferred] == [("ours", PlanReason.TOO_SMALL)]


def test_another_tasks_fill_is_refused() -> None:
    opened = begin(planned(task("a", "AX", "sell", "10")))
    (one,) = fill(opened, "O-1", trade("L", "10", "99"))
    with pytest.raises(DefectError, match="task b was given a fill of a"):
        record(task("b", "AX", "sell", "10"), one, D(0))


def test_house_plans_keep_the_rules_of_all_plans() -> None:
    of = problem(limits=structs.replace(LIMITS, price_threshold=D("0.01")))
    made = house_plan(of, (task("a", "AX", "buy", "500"), task("b", "AW", "sell", "3")), 0)
    assert isinstance(made, Plan)
    # The problem has no demands: that tasks are engaged instead is all there is to say
    assert [one.partition(" [")[0] for one in violations(of, made)] == ["orders asked"]


def test_what_is_too_little_for_the_desk_the_house_sells_where_there_is_nothing_else_to_do() -> None:
    """3 AX for 300, where exchange orders are for 500 at least, with and without a filter of the exchange."""
    small, other = own("a", "AX", "3"), task("b", "AW", "buy", "100")
    limits = structs.replace(LIMITS, min_asset_volley_size=D(500))
    of = problem(limits=structs.replace(limits, house_exposure_max=D(100)))
    for one in (of, structs.replace(of, limits=limits)):
        alone, both = house_plan(one, (small,), 0), house_plan(one, (small, other), 0)
        assert isinstance(alone, Plan)
        assert isinstance(both, Plan)
        assert [(row.asset, row.side, row.quantity) for row in alone.assets] == [("AX", "sell", D(3))]
        assert alone.deferred == ()
        assert [one.order_id for one in both.engagements] == ["b"]
        assert both.deferred == (NotPlanned("a", PlanReason.TOO_SMALL, "AX"),)
    barred = house_plan(structs.replace(of, instruments=(Instrument("AX", "AX", "Q", quantity_min=D(4)),)), (small,), 0)
    assert isinstance(barred, Plan)
    assert (barred.engagements, barred.assets) == ((), ())
    assert barred.deferred == (NotPlanned("a", PlanReason.TOO_SMALL, "AX"),)


def test_nav_tracking_and_premium() -> None:
    point = nav_point(
        IX,
        PRICES,
        at=7,
        tokens=D(7),
        backed=D(10),
        held={"AX": D(80), "AZ": D(10), "AW": D(0)},
        cash=D(-50),
        paid=D(1010),
    )
    assert (point.nav, point.held_value) == (D(1000), D(9950))
    assert point.tracking_difference == D("-0.005")
    assert point.premium == D("0.01")
    empty = nav_point(IX, PRICES, at=7, tokens=D(0), backed=D(0), held={})
    assert (empty.tracking_difference, empty.premium, empty.nav) == (None, None, D(1000))
    with pytest.raises(InputError, match="no price for AY"):
        nav_point(IX, PRICES, at=7, tokens=D(1), backed=D(1), held={"AY": D(1)})


def test_the_market_of_a_house_batch_is_that_of_users() -> None:
    thin = (view("AX", levels((99, 2)), levels((100, 2))), *VIEWS[1:])
    made = house_plan(problem(views=thin), (task("a", "AX", "sell", "5"),), 0)
    assert isinstance(made, Plan)
    assert made.assets[0].quantity == 2
    assert open_batch(made, Stock(), RULES, batch_id="B", now=0, next_order_id=lambda: "O").fills == ()
