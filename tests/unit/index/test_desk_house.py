"""What the desk holds: what it sells, what its tokens' baskets ask for or tasks to get that, and little else."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from msgspec import structs

from core.index.facts import (
    HouseTaskDone,
    HouseTaskSet,
    IndexBatchOpened,
    IndexOrderDeferred,
    RebalanceEnded,
    RebalanceSettled,
)
from core.index.invariants import violations
from core.index.planning import PlanReason
from core.index.reasons import EndReason
from core.index.records import CuratorWeightsSet, IndexOrderEnded, Outcome
from core.index.stock import house_quantities
from core.units import SECOND
from tests.helpers.index_desk import ALICE, BOB, DeskRig, golden_settings, levels, ready_rig

D = Decimal
WITH_AW = (("AX", D("0.5")), ("AW", D("0.5")))
AW_ALONE = (("AW", D(1)),)


@pytest.fixture
def rig() -> DeskRig:
    """A desk that has minted tokens for 2000, which Alice has in custody, and may be given new weights at once."""
    settings = structs.replace(golden_settings(), batch_window_ns=600 * SECOND)
    one = ready_rig(structs.replace(settings, rebalance_interval_ns=0, rebalance_window_ns=30 * SECOND))
    one.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    one.order("C-1", "2000")
    one.run(60)
    one.give_tokens(tokens(one))
    return one


def tokens(rig: DeskRig) -> Decimal:
    """How many exist."""
    return rig.desk.state.indexes.live["IX"].supply


def held(rig: DeskRig, asset: str) -> Decimal:
    """What is held of an asset for the tokens of IX."""
    return rig.desk.state.indexes.live["IX"].held.get(asset, D(0))


def is_backed(rig: DeskRig) -> bool:
    """Whether what is held is what the basket in force asks for, where nothing counts as little."""
    index = rig.desk.state.indexes.live["IX"]
    wanted = {asset: each * index.backed for asset, each in index.basket.quantities().items()}
    return all(abs(wanted.get(asset, D(0)) - held(rig, asset)) < D("1e-3") for asset in {**wanted, **index.held})


def ended(rig: DeskRig, name: str) -> IndexOrderEnded | None:
    """The last word on an order, if there is one."""
    return next((fact for fact in rig.facts(IndexOrderEnded) if fact.client_order_id == name), None)


def fail_to_buy(rig: DeskRig, asset: str) -> None:
    """The new basket is in force, and hardly anything of an asset of it could be bought."""
    rig.exchange.script = lambda _, order: (
        [(order.quantity / 10, order.price)] if order.symbol == asset and order.side == "buy" else _all(order)
    )
    rig.set_book(asset, levels((9, 1000)), levels((10, 20)))
    rig.weigh("IX", WITH_AW)
    rig.run(1)
    rig.set_book(asset, levels((9, 1000)), ())
    rig.run(40)
    (over,) = rig.facts(RebalanceEnded)
    assert over.missing
    rig.exchange.script = lambda _, order: _all(order)


def _all(order: object) -> list[tuple[Decimal, Decimal]]:
    return [(order.quantity, order.price)]  # type: ignore[attr-defined]


def test_nobody_is_sold_what_a_late_rebalance_could_not_buy(rig: DeskRig) -> None:
    fail_to_buy(rig, "AW")
    lacking = held(rig, "AW")
    rig.order("S-1", str(round(tokens(rig) - D("0.0001"), 4)), "sell")
    rig.run(30)
    assert ended(rig, "S-1") is None
    assert held(rig, "AW") == lacking
    assert rig.desk.state.inventory.holdings["AW"].balance >= 0
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.run(30)
    assert rig.facts(RebalanceSettled) == [RebalanceSettled("IX", 2)]
    sold = ended(rig, "S-1")
    assert sold is not None
    assert sold.outcome is Outcome.REDEEMED
    assert is_backed(rig)


def test_who_sells_no_more_than_is_held_need_not_wait_for_the_others(rig: DeskRig) -> None:
    fail_to_buy(rig, "AW")
    part = held(rig, "AW") / rig.desk.state.indexes.live["IX"].basket.quantities()["AW"]
    small = str(round(part * D("0.6"), 4))
    rig.order("S-1", small, "sell")
    rig.order("S-2", small, "sell")
    rig.run(20)
    assert ended(rig, "S-1") is not None
    assert ended(rig, "S-2") is None
    assert held(rig, "AW") >= 0


def test_who_sells_what_is_not_there_is_told_once_why_it_waits(rig: DeskRig) -> None:
    fail_to_buy(rig, "AW")
    rig.order("S-1", str(round(tokens(rig) - D("0.0001"), 4)), "sell")
    for price in (89, 91, 90, 88):
        rig.set_book("AX", levels((price, 1000)), levels((100, 1000)))
        rig.run(10)
    waits = IndexOrderDeferred("I-2", PlanReason.NOT_HELD, "AW")
    assert [fact for fact in rig.facts(IndexOrderDeferred) if fact.order_id == "I-2"] == [waits]
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.run(30)
    assert ended(rig, "S-1") is not None
    assert [fact for fact in rig.facts(IndexOrderDeferred) if fact.order_id == "I-2"] == [waits]


def test_who_sells_what_never_comes_to_be_there_has_been_told_so_when_it_expires(rig: DeskRig) -> None:
    fail_to_buy(rig, "AW")
    rig.order("S-1", str(round(tokens(rig) - D("0.0001"), 4)), "sell")
    rig.run(700)
    last = ended(rig, "S-1")
    assert last is not None
    assert (last.outcome, last.reason) == (Outcome.EXPIRED, EndReason.TOO_OLD)
    assert [fact.reason for fact in rig.facts(IndexOrderDeferred)][-1] == PlanReason.NOT_HELD


def test_who_buys_need_not_wait_for_what_a_late_rebalance_has_left(rig: DeskRig) -> None:
    fail_to_buy(rig, "AX")
    rig.set_book("AX", levels((90, 10)), levels((100, 3)))
    rig.exchange.script = lambda nth, order: _all(order)
    rig.order("C-2", "100", user=BOB)
    rig.run(40)
    bought = ended(rig, "C-2")
    assert bought is not None
    assert bought.outcome is Outcome.MINTED


def test_a_rebalance_that_had_to_wait_longer_than_its_window_trades_all_the_same(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.order("C-2", "500", user=BOB)
    rig.run(11)
    rig.weigh("IX", AW_ALONE)
    rig.run(100)
    assert rig.facts(RebalanceEnded) == []
    rig.resume_exchange()
    rig.run(10)
    assert [fact.missing for fact in rig.facts(RebalanceEnded)] == [()]
    assert held(rig, "AX") < D("1e-3")
    assert is_backed(rig)


def test_a_batch_that_stays_in_the_book_does_not_keep_a_rebalance_waiting_for_ever(rig: DeskRig) -> None:
    rig.exchange.stays = True
    rig.exchange.script = lambda _, order: []
    rig.order("C-2", "500", user=BOB)
    rig.run(11)
    (standing,) = rig.desk.state.batches.running
    rig.weigh("IX", AW_ALONE)
    rig.exchange.script = lambda _, order: _all(order)
    rig.run(29)
    assert rig.exchange.cancelled == []
    rig.run(10)
    assert rig.exchange.cancelled == [standing]
    assert len(rig.facts(RebalanceEnded)) == 1
    assert is_backed(rig)


def test_dust_keeps_no_index_closed(rig: DeskRig) -> None:
    part = D("0.999999999")
    rig.exchange.script = lambda _, order: [(order.quantity * part, order.price)]
    rig.weigh("IX", AW_ALONE)
    rig.run(3)
    assert [fact.missing for fact in rig.facts(RebalanceEnded)] == [()]
    assert rig.desk.state.indexes.tasks == {}
    assert len([fact for fact in rig.facts(IndexBatchOpened) if fact.symbol]) <= 3


def test_what_the_exchange_never_trades_is_tried_at_growing_pauses(rig: DeskRig) -> None:
    rig.exchange.script = lambda _, order: [] if order.symbol == "AW" else _all(order)
    rig.weigh("IX", WITH_AW)
    times: list[int] = []
    for _ in range(600):
        before = len(rig.exchange.orders)
        rig.run(0.5)
        times += [rig.now for order in rig.exchange.orders[before:] if order.symbol == "AW"]
        rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses == sorted(pauses)
    assert (pauses[0] < 3 * SECOND, pauses[-1] >= 30 * SECOND) == (True, True)
    rig.exchange.script = lambda _, order: _all(order)
    rig.run(31)
    rig.set_book("AW", levels((9, 1000)), levels((10, 1000)))
    rig.run(1)
    assert is_backed(rig)


def test_tokens_of_a_sale_that_is_not_paid_are_backed_again(rig: DeskRig) -> None:
    rig.collateral.refuse = {"hold": "no_route"}
    rig.order("S-1", "0.5", "sell")
    rig.run(30)
    refused = ended(rig, "S-1")
    assert refused is not None
    assert (refused.outcome, refused.reason) == (Outcome.REJECTED, f"{EndReason.UNPAYABLE}: no_route")
    assert {fact.side for fact in rig.facts(HouseTaskSet) if fact.symbol == "IX"} == {"buy"}
    assert rig.facts(RebalanceSettled) == [RebalanceSettled("IX", 1)]
    assert is_backed(rig)


def test_of_tokens_that_are_not_paid_for_after_a_rebalance_the_house_gets_what_they_are_made_of_now(
    rig: DeskRig,
) -> None:
    rig.exchange.script = lambda _, order: [(order.quantity / 2, order.price)]
    rig.order("C-2", "500", user=BOB)
    rig.run(10)
    rig.exchange.paused = True
    rig.run(1)
    assert rig.desk.state.indexes.live["IX"].backed > tokens(rig)
    rig.exchange.script = lambda _, order: _all(order) if order.symbol == "AW" or order.side == "sell" else []
    rig.weigh("IX", AW_ALONE)
    rig.collateral.refuse = {"spend": "not_enough_funds"}
    rig.resume_exchange()
    rig.run(30)
    assert len(rig.facts(RebalanceEnded)) == 1
    refused = ended(rig, "C-2")
    assert refused is not None
    assert refused.outcome is Outcome.REJECTED
    assert house_quantities(rig.desk.state.stock)["AW"] > 1
    assert rig.desk.state.indexes.live["IX"].backed == tokens(rig)
    assert is_backed(rig)


def test_what_the_house_has_sold_and_not_owned_it_buys_back(rig: DeskRig) -> None:
    least: list[Decimal] = []
    rig.after = lambda: least.append(min(one.balance for one in rig.desk.state.inventory.holdings.values()))
    rig.exchange.script = lambda _, order: [] if order.symbol == "AZ" else _all(order)
    rig.order("S-1", "1", "sell")
    rig.run(10.5)
    rig.cancel("S-1")
    rig.run(1)
    rig.exchange.script = lambda _, order: _all(order)
    rig.set_book("AX", levels((91, 10)), levels((100, 20)))
    rig.run(10)
    bought = [order for order in rig.exchange.orders if order.side == "buy"][-1]
    assert (bought.symbol, house_quantities(rig.desk.state.stock).get("AX", D(0)) >= 0) == ("AX", True)
    assert [fact.symbol for fact in rig.facts(IndexBatchOpened)][-1] == "house"
    assert {fact.asset for fact in rig.facts(HouseTaskDone)} == {"AX"}
    assert min(least) >= 0
    assert violations(rig.desk.state, rig.settings) == []


def test_what_the_house_holds_beyond_what_it_keeps_is_sold() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, asset_volley_step_size=D(400), house_exposure_max=D(1000))
    rig = ready_rig(structs.replace(settings, limits=limits, house_surplus_max=D(100)))
    rig.order("C-1", "1500")
    rig.run(60)
    sold = {order.symbol for order in rig.exchange.orders if order.side == "sell"}
    assert sold
    assert {fact.priority for fact in rig.facts(HouseTaskSet)} == {"surplus"}
    left = house_quantities(rig.desk.state.stock)
    worth = {asset: left.get(asset, D(0)) * price for asset, price in (("AX", D("89.1")), ("AZ", D("292.05")))}
    assert all(value < 106 for value in worth.values())
    assert any(value > 94 for value in worth.values())


def test_the_house_keeps_what_is_worth_no_more_than_that(rig: DeskRig) -> None:
    rig.order("C-2", "1500", user=BOB)
    rig.run(60)
    assert house_quantities(rig.desk.state.stock)
    assert rig.facts(HouseTaskSet) == []


def test_an_asset_that_is_short_is_a_violation(rig: DeskRig) -> None:
    index = rig.desk.state.indexes.live["IX"]
    index.hold("AX", -index.held["AX"] - 1)
    found = [line for line in violations(rig.desk.state, rig.settings) if line.startswith("I11")]
    assert found == ["I11 IX: -1.000000000000000000 AX are held"]


def test_a_shortfall_that_is_nobodys_task_is_a_violation(rig: DeskRig) -> None:
    index = rig.desk.state.indexes.live["IX"]
    index.hold("AX", D(-1))
    (line,) = [line for line in violations(rig.desk.state, rig.settings) if line.startswith("I12")]
    assert line.startswith("I12 IX: 1")
    assert line.endswith("AX are owed to its tokens, and nobody's task")
    rig.desk.state.indexes.owe(rig.now, "IX")
    assert [line for line in violations(rig.desk.state, rig.settings) if line.startswith("I12")] == []


def test_weights_are_taken_while_an_index_is_owing(rig: DeskRig) -> None:
    fail_to_buy(rig, "AW")
    rig.tell(CuratorWeightsSet("IX", (("AX", D(1)),)))
    rig.set_book("AW", levels((9, 1000)), levels((10, "0.01")))
    rig.run(10)
    assert [fact.version for fact in rig.facts(RebalanceEnded)] == [2, 3]
    assert held(rig, "AW") < D("1e-3")
    assert is_backed(rig)


def test_what_was_sold_for_nobody_and_is_worth_nothing_keeps_no_seller_waiting() -> None:
    """A ten-millionth of AZ is not sold, so as much of AX was sold for nobody; then AX rises, and no order takes it."""
    settings, part = golden_settings(), 1 - D("1e-7")
    limits = structs.replace(settings.limits, asset_volley_step_size=D(0), min_asset_volley_size=D("1e-4"))
    rig = ready_rig(structs.replace(settings, limits=limits))
    rig.order("C-1", "2000")
    rig.run(60)
    rig.give_tokens(tokens(rig))
    rig.exchange.script = lambda _, order: (
        [(order.quantity * part, order.price)] if order.symbol == "AZ" else _all(order)
    )
    rig.order("S-1", "0.5", "sell")
    rig.run(30)
    rig.exchange.script = lambda _, order: _all(order)
    rig.set_book("AX", levels((200, 100)), levels((210, 100)))
    rig.give_tokens(rig.chain.balance("IX", ALICE))
    rest = rig.desk.state.custody.balance(ALICE, "IX")
    assert 0 < -house_quantities(rig.desk.state.stock)["AX"] < D("1e-6")
    assert rest == tokens(rig) > 1
    rig.order("S-2", str(rest), "sell")
    rig.run(60)
    sold = ended(rig, "S-2")
    assert sold is not None
    assert (sold.outcome, sold.filled_quantity) == (Outcome.REDEEMED, rest)
    assert rig.facts(HouseTaskSet) == []
