"""What the reference system is known to get wrong, and the desk cannot: at least one test a defect, by its number.

Crashes and hash order (14, 16) are in `test_recovery_defects.py`; exchanges, sessions, signatures and what waits for
answers (8, and the parts of 7, 12 and 20 that are not the desk's own) in `test_exchange_defects.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec import structs

from core.execution.records import AssetOrder, AssetOrderEnded, AssetOrderPlaced
from core.index import matrix
from core.index.facts import (
    AssetOrderPlanned,
    HouseValued,
    IndexBatchOpened,
    IndexOrderDeferred,
    IndexPlanPutOff,
    LotClosed,
    LotOpened,
    OrderEngaged,
)
from core.index.fitting import plan
from core.index.invoices import MintInvoice, RedemptionInvoice
from core.index.planning import Demand, Mode, NoRoom, Plan, PlanProblem
from core.index.reasons import PutOff
from core.index.records import (
    CuratorWeightsSet,
    DelistAsset,
    IndexOrderEnded,
    IndexOrderFill,
    IndexOrderRejected,
    IndexQuoteReady,
    IndexQuoteRejected,
    Outcome,
)
from core.index.settings import PlannerName
from core.index.stock import cost, house_quantities
from core.kernel.record import Computed, Message
from core.units import SECOND
from tests.helpers.index_desk import ALICE, BOB, DeskRig, golden_script, golden_settings, levels, ready_rig
from tests.unit.index.scripted import Scripted

D = Decimal


@pytest.fixture
def rig() -> DeskRig:
    return ready_rig()


def outcomes(rig: DeskRig) -> list[Outcome]:
    """How orders ended."""
    return [fact.outcome for fact in rig.facts(IndexOrderEnded)]


def engaged(rig: DeskRig, order_id: str) -> list[OrderEngaged]:
    """Each time that an order was engaged."""
    return [fact for fact in rig.facts(OrderEngaged) if fact.order_id == order_id]


def test_01_a_batch_never_orders_beyond_its_cap_but_for_the_last_step_of_money(rig: DeskRig) -> None:
    rig.exchange.script = golden_script
    rig.order("C-1", "3521.0175")
    rig.run(60)
    limits = rig.settings.limits
    for batch in rig.facts(IndexBatchOpened):
        assert batch.volley <= limits.max_volley_size + 2 * limits.asset_volley_step_size + limits.min_asset_volley_size


def test_02_orders_for_which_there_is_no_room_are_planned_again() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, max_total_volley_size=D(900), min_total_volley_available=D(500))
    rig = ready_rig(structs.replace(settings, limits=limits))
    rig.exchange.paused = True
    rig.order("C-1", "800")
    rig.run(0.3)
    rig.order("C-1", "800", user=BOB)
    rig.run(20)
    assert len(rig.exchange.waiting) == 1
    rig.resume_exchange()
    rig.run(30)
    assert outcomes(rig) == [Outcome.MINTED, Outcome.MINTED]


def test_02_an_order_whose_plan_finds_that_there_is_no_room_any_more_is_planned_again() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, max_total_volley_size=D(2000), min_total_volley_available=D(500))
    rig = ready_rig(structs.replace(settings, limits=limits, planner=PlannerName.MATRIX))
    rig.exchange.paused = True
    rig.order("C-1", "800")
    rig.run(11)
    rig.solve = False
    rig.order("C-1", "800", user=BOB)
    rig.run(11)
    (first,) = rig.exchange.waiting
    grown = (AssetOrderPlaced(one.order_id, one.price, 2 * one.quantity) for one in first.orders)
    for placed in grown:
        rig.tell(placed, "execution")
    rig.deliver(Computed(rig.jobs[-1].job_id, NoRoom(D(400), D(500))))
    assert [fact.reason for fact in rig.facts(IndexPlanPutOff)] == [PutOff.NO_ROOM]
    rig.solve = True
    rig.resume_exchange()
    rig.run(30)
    assert outcomes(rig) == [Outcome.MINTED, Outcome.MINTED]


def test_03_a_cancelled_order_that_was_never_served_blocks_nobody(rig: DeskRig) -> None:
    rig.order("C-1", "800")
    rig.cancel("C-1")
    rig.order("C-1", "800", user=BOB)
    rig.run(30)
    assert outcomes(rig) == [Outcome.CANCELLED, Outcome.MINTED]


def test_04_collateral_that_is_engaged_again_for_less_is_not_lost(rig: DeskRig) -> None:
    rig.exchange.script = lambda nth, order: [(order.quantity / 10, order.price)] if nth <= 2 else []
    rig.order("C-1", "1500")
    rig.run(10.5)
    rig.set_book("AX", levels((90, 10)), levels((100, 2)))
    rig.run(1)
    first, second = engaged(rig, "I-1")[0], engaged(rig, "I-1")[-1]
    assert second.collateral < second.carried <= first.collateral
    order = rig.desk.state.orders.live["I-1"]
    assert order.remaining + order.engaged + order.carried + order.spent == 1500
    assert order.fill_rate < D("0.2")


def test_05_a_cancel_while_engaged_never_takes_money_without_tokens(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.order("C-1", "800")
    rig.run(11)
    rig.cancel("C-1")
    rig.resume_exchange()
    rig.run(10)
    assert outcomes(rig) == [Outcome.CANCELLED]
    (invoice,) = rig.facts(MintInvoice)
    assert rig.chain.balance("IX", ALICE) == invoice.filled_quantity
    assert rig.collateral.spent["I-1"] == invoice.amount_paid


def test_05_an_order_that_is_minted_with_a_part_unengaged_is_invoiced(rig: DeskRig) -> None:
    rig.exchange.script = lambda nth, order: [(order.quantity, order.price)] if nth <= 2 else []
    rig.order("C-1", "2500")
    rig.run(700)
    assert outcomes(rig) == [Outcome.EXPIRED]
    assert len(rig.facts(MintInvoice)) == 1


def test_06_what_was_not_spent_is_not_charged_and_goes_back(rig: DeskRig) -> None:
    rig.exchange.script = lambda _, order: [(order.quantity, order.price * D("0.97"))]
    rig.order("C-1", "800")
    rig.run(60)
    (invoice,), (ended,) = rig.facts(MintInvoice), rig.facts(IndexOrderEnded)
    assert rig.collateral.spent["I-1"] < invoice.assets_value + invoice.exchange_fee + D("1e-6")
    assert ended.credited == 800 - rig.collateral.spent["I-1"]


def test_07_a_rejected_exchange_order_ends_nothing_but_itself(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.order("C-1", "800")
    rig.run(11)
    (asked,) = rig.exchange.waiting
    rig.exchange.waiting = []
    for order in asked.orders:
        ended = AssetOrderEnded(asked.batch_id, order.order_id, order.symbol, "refused:-2010", order.quantity)
        rig.deliver(Message("execution", ended))
    assert rig.desk.state.orders.live["I-1"].carried > 790
    rig.resume_exchange()
    rig.order("C-1", "800", user=BOB)
    rig.run(30)
    assert outcomes(rig) == [Outcome.MINTED, Outcome.MINTED]


def test_07_a_stop_waits_for_the_batches_that_run(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.order("C-1", "800")
    rig.run(11)
    rig.stop()
    rig.run(30)
    assert outcomes(rig) == []
    rig.resume_exchange()
    rig.run(30)
    (ended,) = rig.facts(IndexOrderEnded)
    assert rig.chain.balance("IX", ALICE) == ended.filled_quantity > D("0.7")
    assert (rig.desk.state.orders.live, rig.desk.state.batches.running) == ({}, {})


def first_in_first_out(bought: list[LotOpened], sold: list[LotOpened]) -> Decimal:
    """What the sales realise, by hand: what they brought, less what the oldest lots cost, with each fee once."""
    left, realised = D(0), D(0)
    for lot in sold:
        left += lot.quantity
        realised += lot.price * lot.quantity - lot.fee
    for lot in bought:
        closed = min(left, lot.quantity)
        realised -= lot.price * closed + lot.fee * closed / lot.quantity
        left -= closed
    return realised


def test_09_a_sale_closes_any_number_of_lots_the_oldest_first_and_each_fee_counts_once(rig: DeskRig) -> None:
    rig.exchange.script = lambda _, order: [
        (order.quantity / 5, order.price * D(part) / 100) for part in range(96, 101)
    ]
    rig.order("C-1", "1600")
    rig.run(30)
    rig.exchange.script = lambda _, order: [(order.quantity, order.price)]
    rig.give_tokens(D("1.2"))
    rig.order("C-2", "1.2", "sell")
    rig.run(30)
    assert outcomes(rig) == [Outcome.MINTED, Outcome.REDEEMED]
    lots = [fact for fact in rig.facts(LotOpened) if fact.symbol == "AX"]
    bought, sold = ([lot for lot in lots if lot.side == side] for side in ("buy", "sell"))
    closes = [fact for fact in rig.facts(LotClosed) if fact.symbol == "AX"]
    assert len(closes) >= 4
    assert {fact.side for fact in closes} == {"buy"}
    assert [fact.lot_id for fact in closes] == [lot.lot_id for lot in bought[: len(closes)]]
    assert [fact.quantity for fact in closes[:-1]] == [lot.quantity for lot in bought[: len(closes) - 1]]
    holding = rig.desk.state.inventory.holdings["AX"]
    left = sum((lot.quantity for lot in bought), D(0)) - sum((lot.quantity for lot in sold), D(0))
    assert abs(holding.balance - left) < D("1e-20")
    assert abs(holding.realised - first_in_first_out(bought, sold)) < D("1e-20")
    assert abs(sum(fact.profit for fact in closes) - holding.realised) < D("1e-20")
    kept = [close for lot in (*holding.closed.values(), *holding.lots.values()) for close in lot.closes]
    fees = sum((lot.fee for lot in sold), D(0))
    assert abs(sum((close.closing_fee for close in kept), D(0)) - fees) < D("1e-20")


def test_10_an_exchange_order_that_could_not_be_sent_leaves_no_volume_behind(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.order("C-1", "800")
    rig.run(11)
    (asked,) = rig.exchange.waiting
    for order in asked.orders:
        ended = AssetOrderEnded(asked.batch_id, order.order_id, order.symbol, "no_session", order.quantity)
        rig.deliver(Message("execution", ended))
    assert rig.desk.state.batches.running == {}
    assert rig.desk.state.batches.of_order == {}


def test_11_one_asset_without_a_price_holds_up_nobody_else(rig: DeskRig) -> None:
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.tell(CuratorWeightsSet("IW", (("AW", D(1)),)))
    rig.set_book("AX", (), ())
    rig.order("C-1", "800")
    rig.order("C-2", "800", symbol="IW")
    rig.run(30)
    assert outcomes(rig) == [Outcome.MINTED]
    assert [(fact.order_id, fact.reason, fact.asset) for fact in rig.facts(IndexOrderDeferred)] == [
        ("I-1", "no_price", "AX")
    ]
    rig.set_book("AX", levels((90, 10)), levels((100, 20)))
    rig.run(30)
    assert outcomes(rig) == [Outcome.MINTED] * 2


def test_11_an_illiquid_asset_puts_an_order_off_and_strands_nothing(rig: DeskRig) -> None:
    rig.exchange.script = lambda nth, order: [(order.quantity / 2, order.price)] if nth <= 2 else []
    rig.order("C-1", "800")
    rig.run(10.5)
    rig.set_book("AX", levels((90, 10)), levels((100, "0.001")))
    rig.run(5)
    assert [fact.reason for fact in rig.facts(IndexOrderDeferred)] == ["not_traded", "no_liquidity"]
    rig.exchange.script = lambda _, order: [(order.quantity, order.price)]
    rig.set_book("AX", levels((90, 10)), levels((100, 20)))
    rig.run(30)
    assert outcomes(rig) == [Outcome.MINTED]


def test_12_a_user_who_sends_too_much_takes_no_room_from_others() -> None:
    rig = ready_rig(structs.replace(golden_settings(), orders_per_user_max=2, quotes_per_user_max=2))
    for number in range(5):
        rig.order(f"C-{number}", "800")
        rig.quote(f"Q-{number}", "800")
    rig.order("C-1", "800", user=BOB)
    rig.quote("Q-1", "800", user=BOB)
    assert [(fact.user, fact.reason) for fact in rig.facts(IndexOrderRejected)] == [(ALICE, "too_many_orders")] * 3
    assert [(fact.user, fact.reason) for fact in rig.facts(IndexQuoteRejected)] == [(ALICE, "too_many_quotes")] * 3
    rig.run(60)
    assert outcomes(rig) == [Outcome.MINTED] * 3


def test_12_an_order_that_is_played_again_is_refused_whatever_has_become_of_the_first() -> None:
    rig = ready_rig(structs.replace(golden_settings(), ended_orders_max=1))
    for number in range(3):
        rig.order(f"C-{number}", "800")
        rig.run(30)
    rig.restart()
    for number in range(3):
        rig.order(f"C-{number}", "800")
    assert [fact.reason for fact in rig.facts(IndexOrderRejected)] == ["duplicate_id"] * 3
    assert outcomes(rig) == [Outcome.MINTED] * 3


@pytest.mark.parametrize("amount", ["0", "-1", "-0.000001"])
def test_13_amounts_that_are_not_positive_are_rejected(rig: DeskRig, amount: str) -> None:
    rig.order("C-1", amount)
    rig.order("C-2", amount, "sell")
    assert [fact.reason for fact in rig.facts(IndexOrderRejected)] == ["invalid_amount"] * 2


def test_15_liquidity_that_a_running_batch_wants_is_not_counted_twice(rig: DeskRig) -> None:
    rig.exchange.paused = True
    for number in range(4):
        rig.order("C-1", "1900", user=f"1:0x{number}")
        rig.run(0.2)
    rig.run(12)
    orders: list[AssetOrder] = [one for asked in rig.exchange.waiting for one in asked.orders if one.symbol == "AX"]
    assert len(orders) >= 2
    assert sum(order.quantity for order in orders) <= 20


@pytest.mark.parametrize("planner", list(PlannerName))
def test_15_nothing_is_bought_nor_quoted_at_a_price_that_is_too_old(planner: PlannerName) -> None:
    rig = ready_rig(structs.replace(golden_settings(), planner=planner))
    rig.run(1)
    rig.lost_snapshots = 10**6
    rig.run(rig.settings.books.stale_after_ns / SECOND - 5)
    rig.order("C-1", "800")
    rig.run(8)
    rig.quote("Q-1", "800")
    rig.run(30)
    assert (rig.exchange.orders, rig.facts(IndexBatchOpened), rig.facts(IndexQuoteReady)) == ([], [], [])
    assert [(fact.order_id, fact.reason) for fact in rig.facts(IndexOrderDeferred)] == [("I-1", "no_price")]
    rig.lost_snapshots = 0
    rig.run(60)
    assert outcomes(rig) == [Outcome.MINTED]


@pytest.mark.parametrize("planner", [plan, matrix.plan])
def test_15_no_planner_uses_a_market_that_is_not_fresh(planner: Callable[[PlanProblem], Plan | NoRoom]) -> None:
    problem = Scripted(Mode.CORRECTED).problem()
    problem = structs.replace(problem, demands=(Demand("I-1", "IX", "buy", D(1000)),))
    fresh = planner(problem)
    assert isinstance(fresh, Plan)
    assert [one.order_id for one in fresh.engagements] == ["I-1"]
    views = tuple(structs.replace(view, fresh=view.asset != "AZ") for view in problem.views)
    stale = planner(structs.replace(problem, views=views))
    assert isinstance(stale, Plan)
    assert (stale.engagements, [(one.reason, one.asset) for one in stale.deferred]) == ((), [("no_price", "AZ")])


def test_15_a_book_whose_snapshots_are_lost_is_asked_for_until_one_comes() -> None:
    rig = DeskRig(golden_settings())
    rig.lost_snapshots = 7
    rig.weigh()
    rig.run(60)
    assert rig.lost_snapshots == 0
    rig.order("C-1", "800")
    rig.run(30)
    assert outcomes(rig) == [Outcome.MINTED]


def test_17_sells_are_engaged_and_end(rig: DeskRig) -> None:
    rig.order("C-1", "800")
    rig.run(30)
    rig.give_tokens(D("0.5"))
    rig.order("C-2", "0.5", "sell")
    rig.run(30)
    assert len(rig.facts(RedemptionInvoice)) == 1


def test_17_an_asset_that_leaves_its_basket_stops_nothing_that_is_under_way(rig: DeskRig) -> None:
    rig.order("C-1", "1600")
    rig.run(30)
    rig.exchange.paused = True
    rig.order("C-2", "800", user=BOB)
    rig.give_tokens(D("0.5"))
    rig.order("C-3", "0.5", "sell")
    rig.run(11)
    rig.tell(DelistAsset("AZ", rig.now + 60 * SECOND))
    rig.resume_exchange()
    rig.run(60)
    assert outcomes(rig)[0] == Outcome.MINTED
    assert sorted(outcomes(rig)[1:]) == [Outcome.MINTED, Outcome.REDEEMED]
    assert list(rig.desk.state.indexes.live["IX"].basket.quantities()) == ["AX"]


def test_18_surplus_of_padding_is_the_houses_within_its_limit_and_used_before_buying() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, min_asset_volley_size=D(50), house_exposure_max=D(60))
    rig = ready_rig(structs.replace(settings, limits=limits, nav_interval_ns=SECOND))
    for number in range(8):
        rig.order(f"C-{number}", "100")
        rig.run(0.5)
    rig.run(30)
    assert outcomes(rig).count(Outcome.MINTED) == 8
    planned = rig.facts(AssetOrderPlanned)
    assert [row for row in planned if row.stock and not row.quantity]
    assert cost(rig.desk.state.stock) <= D("1.01") * 60
    assert rig.facts(HouseValued)


def test_18_an_order_that_would_leave_the_house_with_too_much_waits_and_holds_up_nobody() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, min_asset_volley_size=D(50), house_exposure_max=D(5))
    rig = ready_rig(structs.replace(settings, limits=limits))
    rig.order("C-1", "100")
    rig.run(20)
    assert [fact.reason for fact in rig.facts(IndexOrderDeferred)] == ["house_exposure"]
    assert rig.exchange.orders == []
    rig.order("C-1", "300", user=BOB)
    rig.run(60)
    assert [(fact.user, fact.outcome) for fact in rig.facts(IndexOrderEnded)] == [(BOB, Outcome.MINTED)]
    assert cost(rig.desk.state.stock) <= D("1.01") * 5


def test_18_surplus_beyond_what_the_house_keeps_is_sold() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, asset_volley_step_size=D(400), house_exposure_max=D(1000))
    rig = ready_rig(structs.replace(settings, limits=limits, house_surplus_max=D(100)))
    rig.order("C-1", "1500")
    rig.run(60)
    assert outcomes(rig) == [Outcome.MINTED]
    bids = {"AX": D(90), "AZ": D(295)}
    bought = sum((order.quantity * bids[order.symbol] for order in rig.exchange.orders if order.side == "buy"), D(0))
    (invoice,) = rig.facts(MintInvoice)
    assert bought - sum((lot.assigned_quantity * bids[lot.symbol] for lot in invoice.lots), D(0)) > 200
    left = house_quantities(rig.desk.state.stock)
    assert {asset: quantity * bids[asset] > 110 for asset, quantity in left.items()} == {"AX": False, "AZ": False}


def test_19_nothing_grows_with_the_orders_that_have_ended() -> None:
    rig = ready_rig(structs.replace(golden_settings(), ended_orders_max=3))
    for number in range(12):
        rig.order(f"C-{number}", "500")
        rig.run(15)
    state = rig.desk.state
    assert outcomes(rig) == [Outcome.MINTED] * 12
    assert len(state.orders.ended) == 3
    assert (state.orders.live, state.batches.running, state.batches.of_order, state.chain.calls) == ({}, {}, {}, {})
    assert (state.line.active, state.line.counts, state.orders.by_user) == ({}, {}, {})
    assert len(rig.timers) <= 2
    assert len(state.orders.client_ids[ALICE]) == 3
    assert {user: len(ids) for user, ids in state.orders.forgotten.items()} == {ALICE: 9 * 16}
    rig.restart()
    for number in range(12):
        rig.order(f"C-{number}", "500")
    assert [fact.reason for fact in rig.facts(IndexOrderRejected)] == ["duplicate_id"] * 12


def test_19_closed_lots_are_kept_up_to_a_number_and_counted_beyond_it(rig: DeskRig) -> None:
    rig.desk.state.inventory.closed_lots_max = 5
    for number in range(4):
        rig.order(f"B-{number}", "800")
        rig.run(30)
        rig.give_tokens(rig.facts(MintInvoice)[-1].filled_quantity)
        rig.order(f"S-{number}", str(rig.facts(MintInvoice)[-1].filled_quantity), "sell")
        rig.run(30)
    assert outcomes(rig) == [Outcome.MINTED, Outcome.REDEEMED] * 4
    traded = [fact for fact in rig.facts(LotOpened) if fact.symbol == "AX"]
    holding = rig.desk.state.inventory.holdings["AX"]
    assert len(holding.closed) == 5
    assert len(holding.lots) + len(holding.closed) + holding.forgotten + holding.merged == len(traded)
    assert (len(holding.lots), holding.forgotten > 0) == (sum(lot.remaining > 0 for lot in holding.lots.values()), True)
    profits = sum(fact.profit for fact in rig.facts(LotClosed) if fact.symbol == "AX")
    assert abs(holding.realised - profits) < D("1e-20")


def test_20_a_fill_that_comes_in_while_an_order_is_cancelled_is_booked(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.order("C-1", "800")
    rig.run(11)
    rig.cancel("C-1")
    rig.amend("C-1", "10")
    rig.resume_exchange()
    rig.run(5)
    assert rig.facts(IndexOrderFill)[-1].filled_quantity == rig.facts(IndexOrderEnded)[0].filled_quantity > 0


def test_20_a_fill_that_comes_in_after_its_batch_has_ended_is_booked_and_the_houses(rig: DeskRig) -> None:
    rig.order("C-1", "800")
    rig.run(30)
    (batch,) = rig.facts(IndexBatchOpened)
    order = rig.exchange.orders[0]
    late = rig.exchange.trade(batch.batch_id, order, D("0.5"), order.price)
    rig.tell(late, "execution")
    house = [lot.lot_id for lots in rig.desk.state.stock.house.values() for lot in lots]
    assert late.trade_id in house
    assert f"buy:{late.trade_id}" in rig.desk.state.inventory.holdings[order.symbol].lots
    assert outcomes(rig) == [Outcome.MINTED]
