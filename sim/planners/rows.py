"""The columns of a comparison of planners, as `sim.results.rows` has those of a run's tables."""

from __future__ import annotations

from typing import Annotated, Final

from sim.results.rows import ZERO, Count, Doc, Money, Ratio, Row, Text, Time


class ProblemRow(Row, kw_only=True):
    """One row per planning problem of the run and planner: what its plan says. Money is at limit prices."""

    problem: Annotated[Count, Doc("Its number, from 1, in the order of the run")]
    time: Annotated[Time, Doc("When its plan was carried out")]
    batch_id: Annotated[Text | None, Doc("The batch that the run made of it; null if it made none")]
    planner: Annotated[Text, Doc("`simple` or `matrix`")]
    wished: Annotated[Money, Doc("What orders that have a price would take, each within its own cap", "collateral")]
    engaged: Annotated[Money, Doc("What the plan engages of it", "collateral")]
    fill_rate: Annotated[Money, Doc("engaged / wished; 1 where nothing is wished")]
    least_share: Annotated[Money, Doc("Engaged share of the wish of the order that got least")]
    volley: Annotated[
        Money,
        Doc(
            "Limit times quantity of its exchange orders: what buys cost at most, and sells bring at least",
            "collateral",
        ),
    ]
    surplus: Annotated[Money, Doc("What the house would hold on top", "collateral")]
    from_stock: Annotated[Money, Doc("What lots at hand cover", "collateral")]
    left_over: Annotated[Money, Doc("Lots at hand that the plan does not use, at cost, and the surplus", "collateral")]
    orders: Annotated[Count, Doc("Index orders engaged")]
    deferred: Annotated[Count, Doc("Index orders that have to wait")]
    violations: Annotated[Count, Doc("Rules that the plan breaks; always 0, or there is a bug")]


class PlannerRow(Row, kw_only=True):
    """One row per planner: what came of the whole scenario, run once with it."""

    planner: Annotated[Text, Doc("`simple` or `matrix`")]
    digest: Annotated[Text, Doc("Of the run; `romer-sim run` of the scenario file has the same")]
    orders: Annotated[Count, Doc("Index orders, rejected ones included")]
    minted: Annotated[Count, Doc("Of them, minted in full")]
    fill_rate: Annotated[Money, Doc("Spent share of what buys were for, what was netted apart; 1 without any")]
    batches: Annotated[Count, Doc("Batches of index orders")]
    stand_ins: Annotated[Count, Doc("Of them, planned by `simple` in place of `matrix`, which was late or overtaken")]
    exchange_orders: Annotated[Count, Doc("Sent to the exchange, house batches included")]
    exchange_fees: Annotated[Money, Doc("Paid to the exchange", "collateral")]
    surplus: Annotated[Money, Doc("Bought on top of what batches wanted, at limits", "collateral")]
    house_left: Annotated[Money, Doc("House inventory at the end, at cost", "collateral")] = ZERO
    carried_left: Annotated[Money, Doc("Lots between two batches at the end, at cost", "collateral")] = ZERO


class TokenRow(Row, kw_only=True):
    """One row per planner and index that was minted: what its tokens cost their buyers."""

    planner: Annotated[Text, Doc("`simple` or `matrix`")]
    symbol: Annotated[Text, Doc("Index")]
    tokens: Annotated[Money, Doc("Minted", "index tokens")]
    cost: Annotated[Money, Doc("What one has cost, exchange fees included and routing not", "collateral")]
    slippage_bps: Annotated[
        Ratio | None, Doc("That over NAV as last stated before each mint; null if none was stated", "bps")
    ]


PLANNER_TABLES: Final[dict[str, type[Row]]] = {"problems": ProblemRow, "planners": PlannerRow, "tokens": TokenRow}
