"""Lots that nobody owns yet: exact, in order of age, and valued."""

from __future__ import annotations

from decimal import Decimal

from msgspec import structs

from core.index.stock import (
    Stock,
    add_house,
    carried_quantity,
    cost,
    held,
    house_quantities,
    put,
    take,
    total_of,
    unit_cost,
    value,
)
from tests.unit.index.test_batch import lot

D = Decimal


def shelf() -> Stock:
    """Two lots of AX in the house."""
    return Stock(house={"buy:AX": [lot("L-1", "2", "100", "0.2"), lot("L-2", "3", "110", "0.33")]})


def test_what_is_taken_is_oldest_first_and_exact() -> None:
    stock = shelf()
    assert [(one.lot_id, one.remaining) for one in take(stock.house, "buy:AX", D("2.5"))] == [
        ("L-1", D(2)),
        ("L-2", D("0.5")),
    ]
    assert house_quantities(stock) == {"AX": D("2.5")}
    assert total_of(take(stock.house, "buy:AX", D(99))) == D("2.5")
    assert stock.house == {}
    assert take(stock.house, "buy:AX", D(1)) == []


def test_dear_lots_stay() -> None:
    stock = shelf()
    assert [one.lot_id for one in take(stock.house, "buy:AX", D(9), worst=D(105))] == ["L-1"]
    sales = Stock(house={"sell:AX": [lot("S-1", "2", "100", "0.2", "sell")]})
    assert take(sales.house, "sell:AX", D(9), worst=D(100)) == []
    assert total_of(take(sales.house, "sell:AX", D(9), worst=D("99.9"))) == 2


def test_parts_of_a_trade_become_one_lot_again() -> None:
    stock = shelf()
    (part,) = take(stock.house, "buy:AX", D("0.75"))
    put(stock.house, part)
    assert [(one.lot_id, one.remaining) for one in stock.house["buy:AX"]] == [("L-1", D(2)), ("L-2", D(3))]


def test_lots_are_put_back_in_the_order_of_their_age() -> None:
    stock = Stock()
    for name, at in (("b", 2), ("c", 3), ("a", 1), ("d", 3)):
        put(stock.carried, structs.replace(lot(name, "1", "1", "0"), created_at=at))
    assert [one.lot_id for one in stock.carried["buy:AX"]] == ["a", "b", "c", "d"]
    assert carried_quantity(stock, "AX", "buy") == 4


def test_the_house_settles_what_it_sold_before_it_holds_anything() -> None:
    stock = shelf()
    assert add_house(stock, lot("S-1", "4", "120", "0", "sell")) == 4
    assert house_quantities(stock) == {"AX": D(1)}
    assert add_house(stock, lot("S-2", "3", "120", "0", "sell")) == 1
    assert house_quantities(stock) == {"AX": D(-2)}
    assert value(stock, {"AX": D(90)}) == -180


def test_small_change_does_not_pile_up_in_the_house() -> None:
    stock = Stock(house_lots_max=3)
    for number in range(10):
        add_house(stock, structs.replace(lot(f"L-{number}", "2", str(100 + number), "0.2"), created_at=number))
    assert [(one.lot_id, one.remaining, one.price, one.fee) for one in stock.house["buy:AX"]] == [
        ("merged-L-7", D(16), D("103.5"), D("1.6")),
        ("L-8", D(2), D(108), D("0.2")),
        ("L-9", D(2), D(109), D("0.2")),
    ]
    assert cost(stock) == 2 * sum(range(100, 110)) + 2


def test_the_house_is_valued_at_prices_and_at_cost() -> None:
    stock = shelf()
    assert value(stock, {"AX": D(100)}) == 500
    assert value(stock, {}) == 530
    assert cost(stock) == D("530.53")


def test_what_a_planner_sees() -> None:
    stock = shelf()
    put(stock.carried, lot("S-1", "2", "100", "0.2", "sell"))
    assert [(one.side, one.quantity, one.unit_cost, one.house) for one in held(stock)] == [
        ("sell", D(2), D("99.9"), False),
        ("buy", D(2), D("100.1"), True),
        ("buy", D(3), D("110.11"), True),
    ]
    assert unit_cost(lot("L", "2", "100", "0.2")) == D("100.1")
