"""What is owned: lots first in first out, fees pro rata, profits realised, memory flat."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from msgspec import structs

from core.errors import DefectError
from core.index.inventory import Booked, Inventory, assign, book, find
from core.index.inventory_invariants import InventoryWatch, inventory_violations
from core.index.inventory_lots import Assignment, InventoryFill
from core.index.reconciliation import reconcile
from core.market.orders import Side
from core.units import MONEY

D = Decimal


def booked(inventory: Inventory, side: Side, name: str, quantity: str, price: str, *, fee: str = "0") -> Booked:
    """Book a trade of AX; its number is its time."""
    fill = InventoryFill(
        asset="AX",
        side=side,
        trade_id=name,
        order_id=f"O-{name}",
        batch_id="B-1",
        price=D(price),
        quantity=D(quantity),
        fee=D(fee),
        at=len(inventory.holdings["AX"].lots) if inventory.holdings else 0,
    )
    found = book(inventory, fill)
    assert inventory_violations(inventory) == []
    return found


def assignment(quantity: str, side: Side = "buy") -> Assignment:
    """A part for one order."""
    return Assignment(order_id="I-1", user="1:0xa", seq_num=0, side=side, quantity=D(quantity), fee=D(0), at=9)


def three() -> Inventory:
    """Three lots of AX."""
    inventory = Inventory()
    booked(inventory, "buy", "a", "1", "100", fee="0.1")
    booked(inventory, "buy", "b", "2", "110", fee="0.4")
    booked(inventory, "buy", "c", "3", "120", fee="0.9")
    return inventory


def test_a_sale_closes_any_number_of_lots_first_in_first_out() -> None:
    inventory = three()
    found = booked(inventory, "sell", "s", "5", "130", fee="0.5")
    assert [(one.lot_id, one.quantity, one.remaining) for one in found.closes] == [
        ("a", D(1), D(0)),
        ("b", D(2), D(0)),
        ("c", D(2), D(1)),
    ]
    assert (found.opened, inventory.holdings["AX"].balance) == (D(0), D(1))
    assert list(inventory.holdings["AX"].lots) == ["buy:c"]


def test_profit_is_realised_with_the_fees_of_both_trades_pro_rata() -> None:
    found = booked(three(), "sell", "s", "5", "130", fee="0.5")
    assert [one.realised for one in found.closes] == [
        D(30) - D("0.1") - D("0.1"),
        D(40) - D("0.4") - D("0.2"),
        D(20) - D("0.6") - D("0.2"),
    ]
    assert sum(one.closing_fee for one in found.closes) == D("0.5")
    assert found.realised == D("88.4")


def test_what_is_sold_beyond_all_lots_opens_a_short_one() -> None:
    inventory = three()
    found = booked(inventory, "sell", "s", "10", "130", fee="1")
    assert (found.opened, inventory.holdings["AX"].balance) == (D(4), D(-4))
    again = booked(inventory, "buy", "d", "5", "125", fee="0.5")
    (close,) = again.closes
    # Sold at 130, bought back at 125: 20 less 0.4 of each fee
    assert (close.side, close.quantity, close.realised) == ("sell", D(4), D("19.2"))
    assert (again.opened, inventory.holdings["AX"].balance) == (D(1), D(1))


def test_a_sale_of_more_digits_than_money_has_is_taken_off_exactly() -> None:
    with localcontext(MONEY):
        inventory = Inventory()
        booked(inventory, "buy", "a", "600", "9")
        booked(inventory, "sell", "b", "123.3333322209876543210987654322", "10")
        booked(inventory, "sell", "c", "476.6666677790123456789012345678", "10")
        assert inventory.holdings["AX"].balance == 0
        assert not inventory.holdings["AX"].lots


def test_every_fee_and_gain_is_counted_once_over_a_whole_life() -> None:
    inventory = three()
    for number, quantity in enumerate(("0.7", "1.9", "2.2", "1.2")):
        booked(inventory, "sell", f"s{number}", quantity, "115", fee="0.1")
    bought, sold, fees = D(100 + 220 + 360), D(6) * 115, D("1.4") + D("0.4")
    assert abs(inventory.holdings["AX"].realised - (sold - bought - fees)) < D("1e-24")
    assert inventory.holdings["AX"].balance == 0


def test_closed_lots_keep_their_history_up_to_a_number() -> None:
    inventory = Inventory(closed_lots_max=3)
    for number in range(10):
        booked(inventory, "buy", f"b{number}", "1", "100")
        booked(inventory, "sell", f"s{number}", "1", "101")
    holding = inventory.holdings["AX"]
    assert list(holding.closed) == ["sell:s8", "buy:b9", "sell:s9"]
    assert (holding.forgotten, holding.realised) == (17, D(10))
    lot = find(inventory, "AX", "buy", "b9")
    assert lot is not None
    assert [(one.closing_lot_id, one.order_id) for one in lot.closes] == [("s9", "O-s9")]


def test_too_many_open_lots_are_merged_at_what_they_cost_together() -> None:
    inventory = Inventory(open_lots_max=2)
    for name, quantity, price in (("a", "1", "100"), ("b", "3", "120"), ("c", "1", "130")):
        booked(inventory, "buy", name, quantity, price, fee="0.4")
    holding = inventory.holdings["AX"]
    assert [(lot.lot_id, lot.remaining, lot.price, lot.fee) for lot in holding.lots.values()] == [
        ("b", D(4), D(115), D("0.8")),
        ("c", D(1), D(130), D("0.4")),
    ]
    assert (holding.merged, holding.balance) == (1, D(5))
    assert booked(inventory, "sell", "s", "5", "120").realised == D(5 * 120 - 100 - 360 - 130) - D("1.2")


def test_lots_are_assigned_whether_open_or_closed_and_never_beyond_what_they_were() -> None:
    inventory = three()
    booked(inventory, "sell", "s", "1.5", "130")
    for name, side in (("a", "buy"), ("b", "buy"), ("s", "sell")):
        lot_side: Side = "buy" if side == "buy" else "sell"
        assert assign(inventory, "AX", name, assignment("0.75", lot_side))
    with pytest.raises(DefectError, match=r"lot a: 0\.75 on top of 0\.75 is more than 1"):
        assign(inventory, "AX", "a", assignment("0.75"))
    assert not assign(inventory, "AX", "z", assignment("1"))
    assert not assign(inventory, "AY", "a", assignment("1"))
    assert inventory_violations(inventory) == []


def test_a_trade_is_booked_once_and_is_something() -> None:
    inventory = three()
    with pytest.raises(DefectError, match="a of AX is booked already"):
        booked(inventory, "buy", "a", "1", "100")
    with pytest.raises(DefectError, match="trade d of 0 AX"):
        booked(inventory, "buy", "d", "0", "100")


def test_a_lot_that_does_not_add_up_is_seen() -> None:
    inventory = three()
    lots = inventory.holdings["AX"].lots
    lots["buy:a"] = structs.replace(lots["buy:a"], remaining=D("0.5"))
    lots["buy:b"] = structs.replace(lots["buy:b"], assigned=D(3), assignments=(assignment("2"), assignment("1")))
    assert inventory_violations(inventory) == [
        "I6 AX lot a: parts of it are 0.5, it was 1",
        "I6 AX lot b: 3 is assigned of 2",
        "I6 AX: lots hold 5.5, the balance is 6",
    ]


def test_sums_of_a_lot_that_are_not_what_was_written_down_of_it_are_seen() -> None:
    inventory = three()
    booked(inventory, "sell", "s", "0.5", "130")
    assign(inventory, "AX", "b", assignment("1"))
    lots = inventory.holdings["AX"].lots
    lots["buy:a"] = structs.replace(lots["buy:a"], closes=())
    lots["buy:b"] = structs.replace(lots["buy:b"], assigned=D("0.5"))
    assert inventory_violations(inventory) == [
        "I6 AX lot a: 0.5 of it is closed, by its closes 0",
        "I6 AX lot b: 0.5 of it is assigned, by its assignments 1",
    ]


def test_whoever_looks_again_sees_whatever_is_not_as_it_was() -> None:
    inventory, watch = three(), InventoryWatch()
    booked(inventory, "sell", "s", "1", "130")
    assert watch.look(inventory) == []
    holding = inventory.holdings["AX"]
    for lots, at in ((holding.lots, "buy:c"), (holding.closed, "buy:a")):
        as_it_was = lots[at]
        lots[at] = structs.replace(as_it_was, matched=D("0.5"))
        (said,) = watch.look(inventory)
        assert said.startswith(f"I6 AX lot {at[-1]}: parts of it are ")
        lots[at] = as_it_was
        assert watch.look(inventory) == []
    holding.balance += 1
    assert watch.look(inventory) == ["I6 AX: lots hold 5, the balance is 6"]
    del holding.lots["buy:b"]
    assert watch.look(inventory) == ["I6 AX: lots hold 3, the balance is 6"]


def test_a_lot_cannot_be_changed_where_it_is() -> None:
    lot = find(three(), "AX", "buy", "a")
    with pytest.raises(AttributeError, match="immutable"):
        lot.remaining = D(0)  # type: ignore[misc, union-attr]


def test_reconciliation_names_what_differs_and_changes_nothing() -> None:
    owned = {"AX": D(6)}
    found = reconcile(owned, {"AX": D("5.9"), "AY": D(1), "AW": D("0.0001")}, D("0.001"))
    assert [(one.asset, one.owned, one.at_venue, one.missing) for one in found] == [
        ("AX", D(6), D("5.9"), D("0.1")),
        ("AY", D(0), D(1), D(-1)),
    ]
    assert reconcile(owned, {"AX": D(6)}) == ()
    assert reconcile(owned, {})[0].missing == 6
