"""What orders say at their end of their collateral is what the tables `collateral` and `hops` add up to."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from core.collateral.facts import PayoutArrived
from core.index.records import CancelIndexOrder, IndexOrderEnded
from core.units import SECOND
from sim.hop_models import HopFaults
from sim.results.desk.summary import DeskSummary
from sim.results.desk.tables import build_tables
from sim.results.facts import Noted
from sim.results.result import RunResult
from tests.helpers.index_desk import ALICE, golden_settings
from tests.helpers.index_node import IndexNode, collateral_settings, still_exchange
from tests.unit.results.stories import manifest

D = Decimal
CLOSED = HopFaults(rejected_per_mille=1000)
ROUGH = HopFaults(returned_per_mille=300, unavailable_per_mille=200, stuck_per_mille=400, stuck=90 * SECOND)
STUCK = {"T2-T3": HopFaults(stuck_per_mille=1000, stuck=600 * SECOND)}


def result_of(node: IndexNode) -> RunResult:
    notes = [Noted(number, number, "index", "desk", fact) for number, fact in enumerate(node.notes, 1)]
    return RunResult(manifest(scenario={"desk": {}}), build_tables(notes))


def added(rows: list[dict[str, Any]], what: str) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(D)
    for row in rows:
        if row[what]:
            sums[row["order_id"]] += row[what]
    return dict(sums)


def agrees(result: RunResult) -> None:
    """Every fee of every order is told of once: at its end, or when what was under way then has arrived."""
    moved, orders = result.table("collateral").to_pylist(), result.table("index_orders").to_pylist()
    charged = added([row for row in moved if row["what"] == "charged"], "amount")
    assert charged == added(result.table("hops").to_pylist(), "fee")
    told = {row["order_id"]: row["routing_fee"] + row["refund_fee"] + row["late_fee"] for row in orders}
    assert charged == {order_id: fee for order_id, fee in told.items() if fee}
    for row in orders:
        assert row["spent"] >= row["routing_fee"]
        if not row["filled_quantity"] and row["routing_fee"] + row["credited"] + row["under_way"]:
            ended = row["routing_fee"] + row["refund"] + row["refund_fee"] + row["credited"] + row["under_way"]
            assert ended == row["amount"]
    said = result.outcome
    assert isinstance(said, DeskSummary)
    assert (said.routing_fees, said.under_way) == (sum(charged.values(), D(0)), on_its_way(moved))


def on_its_way(moved: list[dict[str, Any]]) -> Decimal:
    into = sum((row["amount"] for row in moved if row["state"] == "routing"), D(0))
    return into - sum((row["amount"] for row in moved if row["was"] == "routing"), D(0))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_hops_do_the_orders_say_what_the_ledger_says(seed: int) -> None:
    ways = collateral_settings(route_deadline=60 * SECOND, payout_wait=60 * SECOND)
    node = IndexNode(golden_settings(), still_exchange(), collateral=ways, faults=ROUGH, seed=seed)
    node.weigh(SECOND)
    for number in range(8):
        user = f"1:0x{number}"
        node.deposit(2 * SECOND, "400", user)
        node.order(3 * SECOND, "C-1", "400", user=user)
        if number % 2:
            node.tell((4 + number) * SECOND, "desk", CancelIndexOrder(user, "C-1"))
    node.run(4000)
    node.audit()
    assert len(node.facts(IndexOrderEnded)) == 8
    agrees(result_of(node))


def test_an_order_that_ends_while_its_money_is_on_the_way_says_so_and_then_what_has_become_of_it() -> None:
    node = IndexNode(golden_settings(), still_exchange(), faults=STUCK)
    node.weigh(SECOND)
    node.deposit(2 * SECOND, "1000")
    node.order(3 * SECOND, "C-1", "1000")
    node.tell(30 * SECOND, "desk", CancelIndexOrder(ALICE, "C-1"))
    node.run(60)
    [ended] = node.facts(IndexOrderEnded)
    assert [ended.routing_fee, ended.under_way, ended.credited] == [10, 990, 0]
    agrees(result_of(node))
    node.run(1000)
    assert node.facts(PayoutArrived) == [PayoutArrived("I-1", ALICE, D(0), D("9.9"), D("980.1"))]
    [row] = result_of(node).table("index_orders").to_pylist()
    assert (row["spent"], row["under_way"], row["late_fee"]) == (10, 990, D("9.9"))
    agrees(result_of(node))


def test_an_order_whose_money_is_left_half_way_says_where_it_went() -> None:
    shut = {"T2-T3": CLOSED, "T2-T1": CLOSED}
    ways = collateral_settings(route_deadline=60 * SECOND)
    node = IndexNode(golden_settings(), still_exchange(), collateral=ways, faults=shut)
    node.weigh(SECOND)
    node.deposit(2 * SECOND, "1000")
    node.order(3 * SECOND, "C-1", "1000")
    node.run(200)
    [ended] = node.facts(IndexOrderEnded)
    assert ended.reason == "timeout"
    assert [ended.routing_fee, ended.under_way, ended.credited] == [10, 0, 990]
    agrees(result_of(node))
