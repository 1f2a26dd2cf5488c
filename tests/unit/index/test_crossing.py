"""Both sides of a batch: what one brings, the other needs no market for."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index import matrix
from core.index.fitting import plan
from core.index.planning import AssetView, Plan, PlanProblem, PlanReason
from core.index.validate import violations
from tests.unit.index.scripted import levels, view
from tests.unit.index.test_fitting import LIMITS, VIEWS, basket, buy, engaged, held, problem, sell

D = Decimal
PLANNERS = pytest.mark.parametrize("planner", [plan, matrix.plan], ids=["simple", "matrix"])
EMPTY = tuple(AssetView(one.asset, one.best_bid, one.best_ask) for one in VIEWS)
"""Prices, and nothing behind them."""


def planned(planner: object, of: PlanProblem) -> Plan:
    """The plan, which is valid."""
    assert callable(planner)
    made = planner(of)
    assert isinstance(made, Plan)
    assert violations(of, made) == []
    return made


@PLANNERS
def test_a_buy_and_a_sell_of_one_index_meet_where_the_market_has_nothing(planner: object) -> None:
    made = planned(planner, problem(buy(1, "IX", 3000), sell(2, "IX", "2.5"), views=EMPTY))
    assert engaged(made) == {"I-1": D("2.5"), "I-2": D("2.5")}
    assert [(one.asset, one.quantity, one.to_house) for one in made.crossings] == [
        ("AX", D(20), False),
        ("AZ", D("2.5"), False),
    ]
    assert made.volley == 0


@PLANNERS
def test_what_the_other_side_brings_comes_on_top_of_the_market_and_is_shared_fairly(planner: object) -> None:
    thin = tuple(structs.replace(one, asks=((one.best_ask, D(4)),)) for one in VIEWS)
    made = planned(planner, problem(buy(1, "IX", 1000), buy(2, "IX", 3000), sell(3, "IX", "0.5"), views=thin))
    # 4 AX at the market and 4 of the sell: one token for both, in proportion to what they want
    assert engaged(made) == {"I-1": D("0.25"), "I-2": D("0.75"), "I-3": D("0.5")}


@PLANNERS
def test_what_the_other_side_cannot_bring_after_all_is_not_counted_on(planner: object) -> None:
    # The sell needs AW as well, of which the market takes 5: a tenth of what its token is made of
    views = (*EMPTY[:2], view("AW", levels((9, 5)), levels((10, 5))))
    made = planned(planner, problem(buy(1, "IX", 1000), sell(2, "IZ", 1), views=(VIEWS[0], *views[1:])))
    assert engaged(made) == {"I-2": D("0.1")}
    thin = (structs.replace(EMPTY[0]), VIEWS[1], views[2])
    made = planned(planner, problem(buy(1, "IX", 1000), sell(2, "IZ", 1), views=thin))
    # What the sell gives is half an AX, and a token of the buy takes 8
    assert engaged(made) == {"I-1": D("0.0625"), "I-2": D("0.1")}


@PLANNERS
def test_a_buy_that_cannot_be_is_not_counted_on_by_a_sell(planner: object) -> None:
    made = planned(planner, problem(buy(1, "IZ", 1000), sell(2, "IX", 1), views=(*VIEWS[:1], *EMPTY[1:])))
    assert [(one.order_id, one.reason, one.asset) for one in made.deferred] == [
        ("I-1", PlanReason.NO_LIQUIDITY, "AW"),
        ("I-2", PlanReason.NO_LIQUIDITY, "AZ"),
    ]


@PLANNERS
def test_orders_that_wait_for_each_other_in_a_circle_end_with_nothing(planner: object) -> None:
    """Of AX as much is bought as sold, of AZ twice as much: only nothing fits, and each round comes half as near."""
    baskets = (basket("IX", AX=1, AZ=1), basket("IZ", AX=1, AZ=2))
    of = structs.replace(problem(buy(1, "IX", 1000), sell(2, "IZ", 3), views=EMPTY), baskets=baskets)
    made = planned(planner, of)
    assert made.engagements == ()
    assert {one.reason for one in made.deferred} <= {PlanReason.NO_LIQUIDITY, PlanReason.TOO_SMALL}


@PLANNERS
def test_a_side_without_a_price_does_not_trade_whoever_is_there(planner: object) -> None:
    views = tuple(structs.replace(one, best_bid=None) for one in EMPTY)
    made = planned(planner, problem(buy(1, "IX", 3000), sell(2, "IX", 2), views=views))
    assert {one.order_id: one.reason for one in made.deferred} == {
        "I-1": PlanReason.NO_LIQUIDITY,
        "I-2": PlanReason.NO_PRICE,
    }


@PLANNERS
def test_what_rounding_of_different_tokens_leaves_of_a_sell_goes_to_the_house(planner: object) -> None:
    baskets = (basket("IX", AX=3), basket("IZ", AX=7))
    limits = structs.replace(LIMITS, min_asset_volley_size=D(0), house_exposure_max=D(0))
    of = problem(buy(1, "IX", "1234.567"), sell(2, "IZ", 3), views=EMPTY, limits=limits)
    made = planned(planner, structs.replace(of, baskets=baskets))
    assert engaged(made)["I-1"] * 3 == pytest.approx(D("12.34567"))
    assert engaged(made)["I-2"] * 7 == pytest.approx(D("12.34567"))


@PLANNERS
def test_lots_at_hand_are_kept_where_the_other_side_has_no_market(planner: object) -> None:
    of = problem(buy(1, "IX", 1000), sell(2, "IX", 1), views=EMPTY, held=(held("AX", 4, 99, side="sell"),))
    made = planned(planner, of)
    assert engaged(made) == {"I-1": D(1), "I-2": D(1)}
    assert {(row.asset, row.side): (row.stock, row.crossed) for row in made.assets if row.asset == "AX"} == {
        ("AX", "buy"): (D(0), D(8)),
        ("AX", "sell"): (D(0), D(8)),
    }


@PLANNERS
def test_lots_at_hand_are_used_first_where_there_is_a_market(planner: object) -> None:
    of = problem(buy(1, "IX", 1000), sell(2, "IX", 1), held=(held("AX", 4, 99, side="sell"),))
    made = planned(planner, of)
    assert {(row.asset, row.side): (row.stock, row.crossed) for row in made.assets if row.asset == "AX"} == {
        ("AX", "buy"): (D(0), D(4)),
        ("AX", "sell"): (D(4), D(4)),
    }


@PLANNERS
def test_a_sell_that_no_market_takes_keeps_no_buy_out_that_the_market_would_serve(planner: object) -> None:
    """Crossed in full it would leave the buy with less than the smallest exchange order, and no room for padding."""
    views = (structs.replace(VIEWS[0], bids=()), *VIEWS[1:])
    limits = structs.replace(LIMITS, house_exposure_max=D(1), asset_volley_step_size=D(0))
    of = structs.replace(problem(sell(1, "IX", "0.0985"), buy(2, "IX", 100), views=views), limits=limits)
    made = planned(planner, of)
    assert engaged(made) == {"I-2": D("0.1")}
    assert [(one.order_id, one.reason) for one in made.deferred] == [("I-1", PlanReason.NO_LIQUIDITY)]
