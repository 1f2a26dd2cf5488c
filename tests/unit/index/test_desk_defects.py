"""What the reference system is known to get wrong, and the desk cannot: one test a defect, by its number.

Those parts that are about exchanges, sessions, protocol and storage have their tests elsewhere. 8: a session that comes
back, in `tests/unit/execution/test_sessions.py`; through all components in `tests/simulation/test_index_robustness.py`.
12: limits of each session in `tests/unit/fix/test_throttle.py`, signatures of whole messages in
`tests/unit/identity/test_orders.py`, Logons that are sent again in `tests/unit/identity/test_registrar.py`.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.execution.records import AssetOrder, AssetOrderEnded
from core.index.facts import HouseValued, IndexBatchOpened, IndexOrderDeferred, LotClosed, OrderEngaged
from core.index.records import (
    CuratorWeightsSet,
    IndexOrderEnded,
    IndexOrderFill,
    IndexOrderRejected,
    IndexQuoteRejected,
    MintInvoice,
    Outcome,
    RedemptionInvoice,
)
from core.index.stock import cost
from core.kernel.record import Message
from core.units import SECOND
from tests.helpers.index_desk import ALICE, BOB, DeskRig, golden_script, golden_settings, levels, ready_rig

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
    assert ended.refund == 800 - rig.collateral.spent["I-1"]


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


def test_09_a_sale_closes_any_number_of_lots_and_each_fee_counts_once(rig: DeskRig) -> None:
    rig.exchange.script = lambda _, order: [(order.quantity / 5, order.price)] * 5
    rig.order("C-1", "1600")
    rig.run(30)
    rig.exchange.script = lambda _, order: [(order.quantity, order.price)]
    rig.give_tokens(D("1.2"))
    rig.order("C-2", "1.2", "sell")
    rig.run(30)
    closes = [fact for fact in rig.facts(LotClosed) if fact.symbol == "AX"]
    assert len({fact.lot_id for fact in closes}) >= 4
    assert outcomes(rig) == [Outcome.MINTED, Outcome.REDEEMED]
    holding = rig.desk.state.inventory.holdings["AX"]
    assert all(sum(close.closing_fee for close in lot.closes) >= 0 for lot in holding.closed.values())


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
    assert [fact.reason for fact in rig.facts(IndexOrderDeferred)] == ["no_liquidity"]
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


def test_14_a_desk_that_is_killed_in_the_middle_of_a_batch_loses_nothing(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.order("C-1", "800")
    rig.run(11)
    rig.restart()
    rig.resume_exchange()
    rig.run(30)
    assert outcomes(rig) == [Outcome.MINTED]


def test_15_liquidity_that_a_running_batch_wants_is_not_counted_twice(rig: DeskRig) -> None:
    rig.exchange.paused = True
    for number in range(4):
        rig.order("C-1", "1900", user=f"1:0x{number}")
        rig.run(0.2)
    rig.run(12)
    orders: list[AssetOrder] = [one for asked in rig.exchange.waiting for one in asked.orders if one.symbol == "AX"]
    assert len(orders) >= 2
    assert sum(order.quantity for order in orders) <= 20


def test_16_the_same_events_have_the_same_effects() -> None:
    runs = []
    for _ in range(2):
        rig = ready_rig()
        rig.exchange.script = golden_script
        rig.order("C-1", "3521.0175")
        rig.order("C-1", "1000", user=BOB)
        rig.run(60)
        runs.append(rig.effects)
    assert runs[0] == runs[1]


def test_17_sells_are_engaged_and_end(rig: DeskRig) -> None:
    rig.order("C-1", "800")
    rig.run(30)
    rig.give_tokens(D("0.5"))
    rig.order("C-2", "0.5", "sell")
    rig.run(30)
    assert len(rig.facts(RedemptionInvoice)) == 1


def test_18_surplus_of_padding_is_the_houses_within_its_limit_and_used_before_buying() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, min_asset_volley_size=D(50), house_exposure_max=D(60))
    rig = ready_rig(structs.replace(settings, limits=limits, nav_interval_ns=SECOND))
    for number in range(8):
        rig.order(f"C-{number}", "100")
        rig.run(0.5)
    rig.run(30)
    assert outcomes(rig).count(Outcome.MINTED) == 8
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
