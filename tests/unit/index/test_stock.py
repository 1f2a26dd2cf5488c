"""Lots that nobody owns yet: exact, in order of age, and valued at cost."""

from __future__ import annotations

from decimal import Decimal

from msgspec import structs

from core.index.stock import (
    Lot,
    Stock,
    add_house,
    cost,
    held,
    house_quantities,
    leave_to_house,
    offer,
    on_offer,
    put,
    spoiled,
    take,
    take_back,
    total_of,
    unit_cost,
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
    assert take(sales.house, "sell:AX", D(9), worst=D("100.1")) == []
    assert total_of(take(sales.house, "sell:AX", D(9), worst=D(100))) == 2


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
    assert total_of(stock.carried["buy:AX"]) == 4


def test_the_house_settles_what_it_sold_before_it_holds_anything() -> None:
    stock = shelf()
    assert add_house(stock, lot("S-1", "4", "120", "0", "sell")) == 4
    assert house_quantities(stock) == {"AX": D(1)}
    assert add_house(stock, lot("S-2", "3", "120", "0", "sell")) == 1
    assert house_quantities(stock) == {"AX": D(-2)}
    assert cost(stock) == -240


def test_small_change_does_not_pile_up_in_the_house() -> None:
    stock = Stock(house_lots_max=3)
    for number in range(10):
        add_house(stock, structs.replace(lot(f"L-{number}", "2", str(100 + number), "0.2"), created_at=number))
    assert [(one.lot_id, one.remaining, one.price, one.fee) for one in stock.house["buy:AX"]] == [
        ("merged-7", D(16), D("103.5"), D("1.6")),
        ("L-8", D(2), D(108), D("0.2")),
        ("L-9", D(2), D(109), D("0.2")),
    ]
    assert cost(stock) == 2 * sum(range(100, 110)) + 2


def test_each_merged_lot_has_a_name_of_its_own() -> None:
    stock, names = Stock(house_lots_max=2), list[str]()
    for name, price in (("L-1", "101"), ("L-2", "102"), ("L-3", "103")):
        add_house(stock, lot(name, "1", price, "0"))
    names += [one.lot_id for one in take(stock.house, "buy:AX", D(2))]
    for name, price in (("L-2", "102"), ("L-0", "50")):
        add_house(stock, structs.replace(lot(name, "1", price, "0"), created_at=0))
    names += [one.lot_id for one in take(stock.house, "buy:AX", D(2))]
    assert [name.partition("-")[0] for name in names] == ["merged", "merged"]
    assert len(set(names)) == 2


def test_merged_lots_are_not_taken_for_one_another() -> None:
    stock = Stock(house_lots_max=2)
    for name, price in (("L-3", "103"), ("L-1", "101"), ("L-2", "102")):
        add_house(stock, lot(name, "1", price, "0"))
    offer(stock, "AX", "buy", D(1))
    add_house(stock, lot("L-1", "1", "101", "0"))
    take_back(stock)
    add_house(stock, lot("L-5", "1", "105", "0"))
    assert total_of(stock.house["buy:AX"]) == 5
    assert cost(stock) == 101 + 101 + 102 + 103 + 105


def test_the_house_is_valued_at_cost() -> None:
    assert cost(shelf()) == D("530.53")


def test_what_a_planner_sees() -> None:
    stock = shelf()
    put(stock.carried, lot("S-1", "2", "100", "0.2", "sell"))
    assert [(one.side, one.quantity, one.unit_cost, one.house) for one in held(stock)] == [
        ("sell", D(2), D("99.9"), False),
        ("buy", D(2), D("100.1"), True),
        ("buy", D(3), D("110.11"), True),
    ]
    assert unit_cost(lot("L", "2", "100", "0.2")) == D("100.1")


def sale(name: str, quantity: str, price: str) -> Lot:
    """A sale that no order has taken."""
    return structs.replace(lot(name, quantity, price, "0"), side="sell")


def test_what_the_house_offers_is_its_own_still_and_nobody_elses_to_use() -> None:
    stock = Stock()
    for name in ("L-1", "L-2"):
        add_house(stock, lot(name, "2", "100", "0"))
    offer(stock, "AX", "buy", D(3))
    assert (house_quantities(stock), cost(stock)) == ({"AX": D(4)}, D(400))
    assert [(one.asset, one.quantity) for one in held(stock)] == [("AX", D(1))]
    assert [(one.quantity, one.house) for one in on_offer(stock)] == [(D(2), True), (D(1), True)]
    assert total_of(take(stock.offered, "buy:AX", D(1))) == 1
    take_back(stock)
    assert (stock.offered, total_of(stock.house["buy:AX"])) == ({}, D(3))


def test_what_nobody_may_take_is_offered_first() -> None:
    stock = Stock()
    for name, price in (("L-1", "100"), ("L-2", "80"), ("L-3", "90")):
        add_house(stock, sale(name, "2", price))
    assert spoiled(stock, "AX", D(90)) == 2
    offer(stock, "AX", "sell", D(3), worst=D(90))
    assert [(one.lot_id, one.remaining) for one in stock.offered["sell:AX"]] == [("L-2", D(2)), ("L-1", D(1))]
    assert [(one.lot_id, one.remaining) for one in stock.house["sell:AX"]] == [("L-1", D(1)), ("L-3", D(2))]
    assert on_offer(stock) == (), "what is being bought back stands against nothing any more"
    assert spoiled(stock, "AX", D(90)) == 2


def test_the_house_takes_over_what_is_carried_and_no_order_will_take() -> None:
    stock = Stock()
    put(stock.carried, sale("L-1", "2", "100"))
    put(stock.carried, sale("L-2", "3", "80"))
    leave_to_house(stock, "AX", "sell", worst=D(90))
    assert (total_of(stock.carried["sell:AX"]), house_quantities(stock)) == (D(2), {"AX": D(-3)})
    leave_to_house(stock, "AX", "sell")
    assert (stock.carried, house_quantities(stock)) == ({}, {"AX": D(-5)})
