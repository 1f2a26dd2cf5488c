"""Each invariant finds a violation that was planted, and says where."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec import structs

from core.collateral.books import Owner
from core.collateral.records import DepositSeen
from core.execution.orders import OpenOrder
from core.execution.tracker import ExecutionState
from core.index.base import DeskState
from core.index.invariants import answer_violations, violations
from core.index.inventory import book
from core.index.inventory_lots import InventoryFill
from core.index.order import IndexOrder
from core.index.rounding import cut
from core.index.states import IndexOrderState
from core.kernel.record import Message
from tests.helpers.collateral import ALICE as COLLATERAL_ALICE
from tests.helpers.collateral import Rig as CollateralRig
from tests.helpers.index_desk import DeskRig, ready_rig
from tests.unit.index.test_batch import lot

D = Decimal


def busy() -> DeskRig:
    """One order that was filled by half and is engaged again, one that has ended, one that waits."""
    rig = ready_rig()
    rig.order("C-1", "300")
    rig.run(30)
    rig.exchange.script = lambda _, order: [(order.quantity / 2, order.price)]
    rig.order("C-2", "1000")
    rig.run(10)
    rig.order("C-3", "500")
    rig.exchange.paused = True
    rig.run(1)
    assert rig.desk.state.batches.running
    rig.after = lambda: None
    return rig


def order(state: DeskState, order_id: str = "I-2") -> IndexOrder:
    return state.orders.live[order_id]


def lose_money(state: DeskState) -> None:
    order(state).remaining -= 1


def overdraw(state: DeskState) -> None:
    order(state, "I-3").remaining -= 600
    order(state, "I-3").spent += 600


def engage_more_than_locked(state: DeskState) -> None:
    order(state).engaged += 5
    order(state).spent -= 5


def lose_a_lot(state: DeskState) -> None:
    position = next(iter(state.batches.running.values())).positions["buy:AX"]
    position.quantity += 1


def forget_stock(state: DeskState) -> None:
    state.indexes.live["IX"].hold("AX", D(-1))


def carry_for_nobody(state: DeskState) -> None:
    state.stock.carried["sell:AX"] = [lot("L-99", "1", "100", "0", "sell")]


def cost_more_than_there_is(state: DeskState) -> None:
    order(state).house_paid = D(1)


def shrink_a_lot(state: DeskState) -> None:
    lots = state.inventory.holdings["AX"].lots
    at, lot = next(iter(lots.items()))
    lots[at] = structs.replace(lot, remaining=lot.remaining - D("0.1"))


def fill_for_nothing(state: DeskState) -> None:
    order(state).filled += D("0.1")


def give_less(state: DeskState) -> None:
    order(state).assigned["AX"] -= D("0.1")


def change_a_lot_of_an_order(state: DeskState) -> None:
    next(iter(order(state).lots.values())).quantity -= D("0.1")


def change_a_lot_of_an_order_that_has_ended(state: DeskState) -> None:
    next(iter(state.orders.ended["I-1"].lots.values())).quantity -= D("0.1")


def fill_for_hardly_anything(state: DeskState) -> None:
    """A tenth of the tolerance in tokens, which is worth a cent."""
    order(state).filled += D("0.00001")


def sell_a_little_that_is_not_there(state: DeskState) -> None:
    state.indexes.live["IX"].held["AW"] = D("-0.0001")


def hold_a_little_too_little(state: DeskState) -> None:
    state.indexes.live["IX"].hold("AX", D("-0.0001"))


def hold_more_than_there_is(state: DeskState) -> None:
    state.indexes.live["IX"].hold("AX", D(1))


def keep_a_surplus(state: DeskState) -> None:
    """A lot that was bought, and that no token needs."""
    state.indexes.live["IX"].hold("AX", own(state, "AX", D("0.01")))


def back_tokens_that_nobody_has(state: DeskState) -> None:
    """All that three tokens are made of, bought, in lots, and in no order's hands."""
    index = state.indexes.live["IX"]
    for asset, each in index.basket.quantities().items():
        index.hold(asset, own(state, asset, cut(each * 3)))
    index.back(D(3))


def back_too_few(state: DeskState) -> None:
    state.indexes.live["IX"].back(D("-1e-18"))


def own(state: DeskState, asset: str, quantity: Decimal) -> Decimal:
    """Book a trade of so much."""
    names = {"trade_id": "T-99", "order_id": "A-99", "batch_id": "B-99"}
    book(
        state.inventory,
        InventoryFill(asset=asset, side="buy", **names, price=D(1), quantity=quantity, fee=D(0), at=0),
    )
    state.house_cash -= quantity
    return quantity


def break_a_fraction(state: DeskState) -> None:
    engaged = next(iter(state.batches.running.values())).engaged["I-2"]
    part = engaged.parts[0]
    engaged.parts = (type(part)(part.asset, part.per_unit, part.contribution, part.fraction / 2), *engaged.parts[1:])


def forget_volume(state: DeskState) -> None:
    next(iter(state.batches.running.values())).volley -= 10


def keep_an_order_id(state: DeskState) -> None:
    state.batches.of_order["A-99"] = "B-99"


def engage_twice(state: DeskState) -> None:
    batch = next(iter(state.batches.running.values()))
    state.batches.running["B-99"] = batch


def move_out_of_a_batch(state: DeskState) -> None:
    order(state).state = IndexOrderState.READY


def lose_an_order(state: DeskState) -> None:
    del state.orders.live["I-3"]


def end_twice(state: DeskState) -> None:
    state.orders.ended["I-3"] = order(state, "I-3")


def mix_up_ids(state: DeskState) -> None:
    order(state, "I-3").client_order_id = "C-9"


def stop_going_on(state: DeskState) -> None:
    del state.orders.going_on["I-2"]


def pay_without_fees(state: DeskState) -> None:
    one = order(state)
    one.spent, one.remaining = one.spent - one.exchange_fee, one.remaining + one.exchange_fee


def charge_more(state: DeskState) -> None:
    state.orders.ended["I-1"].charged += 1


def mint_for_nothing(state: DeskState) -> None:
    state.orders.ended["I-1"].charged = D(0)


def lose_house_cash(state: DeskState) -> None:
    state.house_cash -= 1


def lose_index_cash(state: DeskState) -> None:
    state.indexes.live["IX"].cash += 1


def trade_for_nobody(state: DeskState) -> None:
    state.inventory.cash += 1


def leave_the_line(state: DeskState) -> None:
    order(state, "I-3").state = IndexOrderState.READY


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (lose_money, "I1 I-2"),
        (overdraw, "I1 I-3"),
        (engage_more_than_locked, "I1 I-2"),
        (lose_a_lot, "I5 B-"),
        (forget_stock, "I5 AX"),
        (carry_for_nobody, "I5 sell:AX: 1 carried, and no order goes on that wants any"),
        (cost_more_than_there_is, "I1 I-2: its lots cost 1 more than its collateral"),
        (shrink_a_lot, "I6 AX"),
        (fill_for_nothing, "I7 I-2"),
        (give_less, "I7 I-2"),
        (change_a_lot_of_an_order, "I7 I-2: it was given "),
        (change_a_lot_of_an_order_that_has_ended, "I7 I-1: it was given "),
        (fill_for_hardly_anything, "I7 I-2"),
        (sell_a_little_that_is_not_there, "I11 IX: -0.0001 AW are held"),
        (hold_a_little_too_little, "I12 IX: "),
        (hold_more_than_there_is, "I5 AX: "),
        (hold_more_than_there_is, "I12 IX: -1.000"),
        (back_too_few, "I12 IX: "),
        (break_a_fraction, "I8 B-"),
        (forget_volume, "I9: "),
        (keep_an_order_id, "I9: "),
        (engage_twice, "I9: an order is in two batches"),
        (move_out_of_a_batch, "I9 I-2"),
        (lose_an_order, "I10: "),
        (end_twice, "I10 I-3"),
        (mix_up_ids, "I10 I-3"),
        (leave_the_line, "I10 I-3"),
        (stop_going_on, "I10 I-2"),
        (pay_without_fees, "I15 I-2: "),
        (charge_more, "I15 I-1: "),
        (mint_for_nothing, "I15 I-1: 0 charged, it should be "),
        (lose_house_cash, "I15: trades brought "),
        (lose_index_cash, "I15: trades brought "),
        (trade_for_nobody, "I15: trades brought "),
    ],
)
def test_a_planted_violation_is_found(plant: Callable[[DeskState], None], found: str) -> None:
    rig = busy()
    assert violations(rig.desk.state, rig.settings) == []
    plant(rig.desk.state)
    assert any(one.startswith(found) for one in violations(rig.desk.state, rig.settings))


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (keep_a_surplus, "AX are owed to its tokens, and nobody's task"),
        (back_tokens_that_nobody_has, "tokens are backed, "),
    ],
)
def test_a_surplus_that_is_all_in_lots_is_found_by_one_rule_alone(
    plant: Callable[[DeskState], None], found: str
) -> None:
    rig = busy()
    plant(rig.desk.state)
    (line,) = violations(rig.desk.state, rig.settings)
    assert line.startswith("I12 IX: ")
    assert found in line


def test_an_exchange_order_of_no_batch_is_found() -> None:
    rig = busy()
    stranger = OpenOrder("A-99", "B-99", "AX", "buy", D(1), D(1), 0)
    execution = ExecutionState(orders={"A-99": stranger})
    found = violations(rig.desk.state, rig.settings, execution)
    assert found == ["I9 A-99: at the exchange, and of no batch"]


def test_every_order_is_answered_once() -> None:
    assert list(answer_violations(["I-1", "I-2"], ["I-2", "I-1"], over=True)) == []
    assert list(answer_violations(["I-1"], ["I-1", "I-1"])) == ["I10 I-1: ended 2 times"]
    assert list(answer_violations(["I-1"], [])) == []
    assert list(answer_violations(["I-1"], [], over=True)) == ["I10 I-1: never ended"]
    assert list(answer_violations([], ["I-1"])) == ["I10 I-1: ended, and was never accepted"]


def test_money_that_a_transfer_loses_on_its_way_is_found() -> None:
    rig, collateral = busy(), CollateralRig()
    collateral.deliver(Message("chain", DepositSeen(COLLATERAL_ALICE, 0, D(100))))
    collateral.route("60")
    state = collateral.collateral.state
    assert violations(rig.desk.state, rig.settings, None, state) == []
    next(iter(state.transfers.values())).fee += 1
    found = violations(rig.desk.state, rig.settings, None, state)
    assert [one.split(":")[0] for one in found] == ["I4 transfer T-1"]


def test_the_collaterals_invariants_are_looked_at_too() -> None:
    rig, collateral = busy(), CollateralRig()
    collateral.deliver(Message("chain", DepositSeen(COLLATERAL_ALICE, 0, D(100))))
    side = collateral.collateral.state.books.side(Owner(COLLATERAL_ALICE))
    assert violations(rig.desk.state, rig.settings, None, collateral.collateral.state) == []
    next(iter(side.lots.values())).parcels[0].amount -= 1
    found = violations(rig.desk.state, rig.settings, None, collateral.collateral.state)
    assert {one.split()[0] for one in found} == {"I2", "I3"}
