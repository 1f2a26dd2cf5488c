"""With many orders, lots and deposits: what the desk does for one of them does not grow with how many there are."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from msgspec import structs

from core.index.facts import StockReleased
from core.index.stock import Stock, keep, shelve, total_of
from core.market.orders import Side
from core.units import SECOND
from tests.helpers.effort import calls_of, growth_of
from tests.helpers.index_desk import ALICE, BOB, DeskRig, golden_settings, ready_rig
from tests.unit.index.test_batch import lot
from tests.unit.index.test_desk_carrying import desk

D = Decimal
FEW, MANY = 50, 400


def many_orders(rig: DeskRig, count: int, side: Side) -> None:
    """Each of a user of his own."""
    for number in range(count):
        rig.order("C-1", "100", side, user=f"1:0x{number:04x}")


def with_something_carried(count: int) -> DeskRig:
    """Between two batches of Bob's, while many sells wait for their tokens."""
    rig = desk()
    rig.after = lambda: None
    many_orders(rig, count, "sell")
    rig.order("C-1", "1200", user=BOB)
    rig.run(15)
    assert rig.desk.state.stock.carried
    return rig


def stopped(count: int) -> int:
    """What a stop with many orders takes."""
    rig = with_something_carried(count)
    return calls_of(rig.stop)


def test_a_stop_takes_as_long_for_each_order_however_many_there_are() -> None:
    assert stopped(MANY) < 1.2 * stopped(FEW) * MANY / FEW


def test_a_stop_looks_once_at_what_is_carried() -> None:
    rig = desk()
    rig.order("C-1", "1200")
    rig.order("C-2", "300", user=BOB)
    rig.run(15)
    rig.stop()
    assert [(fact.symbol, fact.side) for fact in rig.facts(StockReleased)] == [("AX", "buy")]
    assert rig.desk.state.stock.carried == {}


def cancelled(count: int) -> int:
    """What it takes to cancel one of many orders."""
    rig = with_something_carried(count)
    return calls_of(lambda: rig.cancel("C-1", "1:0x0001"))


def test_a_cancel_costs_the_same_however_many_orders_were_in_no_batch_yet() -> None:
    assert cancelled(MANY) == cancelled(FEW)


def preauthorised(count: int) -> int:
    """What it takes to serve many buys at once that wait for a sell which is on its way."""
    settings = structs.replace(golden_settings(), crossing_wait_ns=30 * SECOND, client_order_wait_ns=SECOND)
    rig = ready_rig(settings)
    rig.order("C-0", "2000")
    rig.run(60)
    rig.after = lambda: None
    rig.collateral.paused = True
    many_orders(rig, count, "buy")
    rig.run(1)
    rig.give_tokens(D(1))
    rig.order("S-1", "1", "sell", user=ALICE)
    calls = calls_of(rig.resume_collateral)
    assert len(rig.desk.state.orders.ready.gathering) == count
    return calls


def test_an_order_that_comes_to_be_ready_does_not_look_at_all_others() -> None:
    assert preauthorised(MANY) < 1.2 * preauthorised(FEW) * MANY / FEW


def lots_to_carry(count: int) -> Callable[[], Decimal]:
    """Lots of one instant."""
    lots, stock = [lot(f"L-{number}", "1", "100", "0.1") for number in range(count)], Stock()
    return lambda: shelve(stock, lots, D(count))


def test_a_lot_is_put_away_without_a_look_at_all_others() -> None:
    """Sixteen times as many took 200 times as long where each was looked for."""
    assert growth_of(lots_to_carry, 250, 4000) < 60


def test_what_is_carried_stays_where_it_is_while_it_is_no_more_than_is_wanted() -> None:
    lots = [lot(f"L-{number}", "2", "100", "0.1") for number in range(3)]
    stock = Stock(carried={"buy:AX": lots, "sell:AX": [lot("S-1", "2", "100", "0.1", "sell")]})
    assert keep(stock, "buy:AX", D(6)) == 0
    assert stock.carried["buy:AX"] is lots
    assert keep(stock, "buy:AX", D(3)) == 3
    assert [(one.lot_id, one.remaining) for one in stock.carried["buy:AX"]] == [("L-0", D(2)), ("L-1", D(1))]
    assert list(stock.carried) == ["buy:AX", "sell:AX"]
    assert keep(stock, "buy:AX", D(0)) == 3
    assert list(stock.carried) == ["sell:AX"]
    assert total_of(stock.house["buy:AX"]) == 6


def test_numbers_of_deposits_are_one_range_whatever_chain_their_users_are_of() -> None:
    rig = ready_rig()
    users = (ALICE, "2:0xb0")
    for user in users:
        rig.order("C-1", "900", user=user)
    rig.run(60)
    for number in range(6):
        rig.give_tokens(D("0.1"), users[number % 2])
    assert rig.desk.state.custody.deposits.ranges == [(0, 5)]
