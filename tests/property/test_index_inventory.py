"""An inventory books like the simplest model there is: a list of units in the order in which they came."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.index.inventory import Inventory, book
from core.index.inventory_invariants import inventory_violations
from core.index.inventory_lots import InventoryFill
from core.market.orders import Side

D = Decimal
SIDES: st.SearchStrategy[Side] = st.sampled_from(["buy", "sell"])
TRADES = st.lists(st.tuples(SIDES, st.integers(1, 12), st.integers(1, 50), st.integers(0, 9)), max_size=40)


def fill(number: int, side: Side, quantity: Decimal, price: int, *, fee: int) -> InventoryFill:
    """One trade of AX."""
    return InventoryFill(
        asset="AX",
        side=side,
        trade_id=f"t{number}",
        order_id="O",
        batch_id="B",
        price=D(price),
        quantity=quantity,
        fee=D(fee),
        at=number,
    )


def naive(trades: list[tuple[Side, int, int, int]]) -> tuple[int, list[int], Decimal]:
    """(balance, prices of open units, profit), unit by unit."""
    units: list[tuple[Side, int, Decimal]] = []
    profit = D(0)
    for side, quantity, price, fee in trades:
        each = D(fee) / quantity
        for _ in range(quantity):
            if units and units[0][0] != side:
                opened, at, paid = units.pop(0)
                profit += (price - at if opened == "buy" else at - price) - paid - each
            else:
                units.append((side, price, each))
    balance = sum(1 if side == "buy" else -1 for side, _, _ in units)
    return balance, [price for _, price, _ in units], profit


@given(TRADES)
def test_it_is_first_in_first_out(trades: list[tuple[Side, int, int, int]]) -> None:
    inventory = Inventory()
    for number, (side, quantity, price, fee) in enumerate(trades):
        book(inventory, fill(number, side, D(quantity), price, fee=fee))
        assert inventory_violations(inventory) == []
    balance, prices, profit = naive(trades)
    if not trades:
        return
    holding = inventory.holdings["AX"]
    assert holding.balance == balance
    assert [lot.price for lot in holding.lots.values() for _ in range(int(lot.remaining))] == prices
    assert abs(holding.realised - profit) < D("1e-20")


@given(TRADES, st.integers(1, 4), st.integers(0, 4))
def test_limits_on_lots_change_neither_balance_nor_profit_in_the_end(
    trades: list[tuple[Side, int, int, int]], open_max: int, closed_max: int
) -> None:
    bounded, free = Inventory(closed_lots_max=closed_max, open_lots_max=open_max, steps_max=1), Inventory()
    balance = sum(quantity if side == "buy" else -quantity for side, quantity, _, _ in trades)
    last: list[tuple[Side, int, int, int]] = [("sell" if balance > 0 else "buy", abs(balance), 7, 0)] if balance else []
    for inventory in (bounded, free):
        for number, (side, quantity, price, fee) in enumerate(trades + last):
            book(inventory, fill(number, side, D(quantity), price, fee=fee))
            assert inventory_violations(inventory) == []
            holding = inventory.holdings["AX"]
            assert len(holding.lots) <= inventory.open_lots_max
            assert len(holding.closed) <= inventory.closed_lots_max
    if trades:
        assert bounded.holdings["AX"].balance == free.holdings["AX"].balance == 0
        assert abs(bounded.holdings["AX"].realised - free.holdings["AX"].realised) < D("1e-20")


@given(st.lists(st.tuples(SIDES, st.decimals("1e-12", "1e9", places=18)), max_size=30))
def test_quantities_of_any_fineness_add_up_exactly(trades: list[tuple[Side, Decimal]]) -> None:
    inventory = Inventory()
    for number, (side, quantity) in enumerate(trades):
        book(inventory, fill(number, side, quantity, 3, fee=1))
    assert inventory_violations(inventory) == []
