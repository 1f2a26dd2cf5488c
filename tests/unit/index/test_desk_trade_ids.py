"""Exchanges number trades within a symbol, so one id names a trade of each symbol, and lots are told apart by both."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.execution.facts import ExecutionUnexpected
from core.execution.records import AssetOrder, AssetOrderEnded, AssetOrderFilled
from core.index.facts import LotClosed, LotOpened
from core.index.invoices import MintInvoice
from core.index.records import IndexOrderEnded, Outcome
from core.index.stock import house_quantities
from tests.helpers.index_desk import ALICE, BOB, DeskRig, golden_script, ready_rig

D = Decimal


@pytest.fixture
def rig() -> DeskRig:
    """A desk under its invariants, at an exchange whose trades are numbered 1, 2, 3 for each symbol and side."""
    rig = ready_rig()
    numbers: dict[tuple[str, str], int] = {}

    def trade(batch_id: str, order: AssetOrder, quantity: Decimal, price: Decimal) -> AssetOrderFilled:
        number = numbers[order.symbol, order.side] = numbers.get((order.symbol, order.side), 0) + 1
        fee = quantity * price / 1000
        named = (batch_id, order.order_id, str(number), order.symbol, order.side)
        return AssetOrderFilled(*named, price, quantity, fee)

    rig.exchange.trade = trade  # type: ignore[method-assign]
    return rig


def test_lots_of_two_symbols_with_one_id_are_two_lots(rig: DeskRig) -> None:
    rig.exchange.script = golden_script
    rig.order("C-1", "3521.0175")
    rig.order("C-1", "900", user=BOB)
    rig.run(120)
    opened = [(fact.symbol, fact.lot_id) for fact in rig.facts(LotOpened)]
    assert len(set(opened)) == len(opened) > len({lot_id for _, lot_id in opened})
    for invoice in rig.facts(MintInvoice):
        named = [(lot.symbol, lot.lot_id) for lot in invoice.lots]
        assert len(set(named)) == len(named)
        value = sum((lot.price * lot.assigned_quantity for lot in invoice.lots), D(0))
        assert abs(value - invoice.assets_value) < D("1e-9")


def test_what_is_sold_again_closes_the_lots_of_its_own_symbol(rig: DeskRig) -> None:
    rig.order("C-1", "900")
    rig.run(30)
    rig.give_tokens(rig.chain.balance("IX", ALICE))
    tokens = rig.desk.state.custody.balance(ALICE, "IX")
    rig.order("C-2", str(tokens), "sell")
    rig.run(60)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.MINTED, Outcome.REDEEMED]
    prices = {(fact.symbol, fact.side, fact.lot_id): fact.price for fact in rig.facts(LotOpened)}
    closes = rig.facts(LotClosed)
    assert {fact.symbol for fact in closes} == {"AX", "AZ"}
    for fact in closes:
        assert fact.original_price == prices[fact.symbol, "buy", fact.lot_id]
        assert fact.closing_price == prices[fact.symbol, "sell", fact.closing_lot_id]


def test_a_trade_between_two_of_the_desks_own_orders_is_a_lot_of_each() -> None:
    # Orders that stay in the book (GTC) may meet there: the exchange has one trade, and names it to both.
    rig = ready_rig()
    rig.order("C-1", "2000")
    rig.run(30)
    rig.exchange.paused = True
    rig.order("C-1", "900", user=BOB)
    rig.run(30)
    rig.give_tokens(D(1))
    rig.order("C-2", "1", "sell")
    rig.run(30)
    bought, sold = (
        next((asked.batch_id, order) for asked in rig.exchange.waiting for order in asked.orders if order.side == side)
        for side in ("buy", "sell")
    )
    assert bought[1].symbol == sold[1].symbol == "AX"
    before = rig.desk.state.inventory.holdings["AX"].balance
    price = bought[1].price
    for batch_id, order in (bought, sold):
        said = AssetOrderFilled(batch_id, order.order_id, "777", "AX", order.side, price, D("0.5"), D("0.01"))
        rig.tell(said, "execution")
    opened = [fact.side for fact in rig.facts(LotOpened) if fact.lot_id == "777"]
    assert opened == ["buy", "sell"]
    assert rig.desk.state.inventory.holdings["AX"].balance == before
    rig.exchange.script = lambda _, order: [(order.quantity - D("0.5") * (order.symbol == "AX"), order.price)]
    rig.resume_exchange()
    rig.run(60)
    assert {fact.outcome for fact in rig.facts(IndexOrderEnded)} == {Outcome.MINTED, Outcome.REDEEMED}


def trade_of(rig: DeskRig, client_id: str, trade_id: str, **charged: Decimal | str) -> AssetOrderFilled:
    """Let half a unit of AX trade under that id for one more index order, and nothing else."""
    rig.exchange.paused = True
    rig.order(client_id, "900")
    rig.run(30)
    asked = rig.exchange.waiting.pop()
    order = next(one for one in asked.orders if one.symbol == "AX")
    named = (asked.batch_id, order.order_id, trade_id, order.symbol, order.side)
    said = structs.replace(AssetOrderFilled(*named, order.price, D("0.5"), D("0.05")), **charged)
    rig.tell(said, "execution")
    for each in asked.orders:
        rig.tell(AssetOrderEnded(asked.batch_id, each.order_id, each.symbol, "expired", each.quantity), "execution")
    rig.cancel(client_id)
    rig.exchange.paused = False
    rig.run(1)
    return said


def test_a_trade_by_the_id_of_an_older_one_whose_lot_is_kept_is_disputed_and_not_booked() -> None:
    rig = ready_rig()
    first = trade_of(rig, "C-1", "7")
    before = house_quantities(rig.desk.state.stock)
    again = trade_of(rig, "C-2", "7")
    assert again.order_id != first.order_id
    assert rig.facts(ExecutionUnexpected) == [
        ExecutionUnexpected(
            again.order_id, "AX", "buy", "7", again.price, again.quantity, "a trade of that id is a lot already"
        )
    ]
    assert rig.desk.state.inventory.holdings["AX"].balance == first.quantity
    assert house_quantities(rig.desk.state.stock) == before
    rig.order("C-3", "900")
    rig.run(60)
    assert rig.facts(IndexOrderEnded)[-1].outcome == Outcome.MINTED, "the desk goes on"


def test_a_trade_by_the_id_of_an_older_one_whose_commission_is_a_lot_still_is_disputed() -> None:
    rig = ready_rig()
    charge: dict[str, Decimal | str] = {"taken": D("0.01"), "taken_symbol": "AZ"}
    trade_of(rig, "C-1", "7", **charge)
    del rig.desk.state.inventory.holdings["AX"]
    del rig.desk.state.stock.house["buy:AX"]
    again = trade_of(rig, "C-2", "7", **charge)
    assert [(fact.client_id, fact.trade_id) for fact in rig.facts(ExecutionUnexpected)] == [(again.order_id, "7")]
    assert [fact.lot_id for fact in rig.facts(LotOpened) if "7" in fact.lot_id] == ["7", "commission-AX:buy:7"]


def test_an_exchange_cannot_say_the_name_of_a_lot_that_the_desk_has_named() -> None:
    rig = ready_rig()
    trade_of(rig, "C-1", "7", taken=D(1), taken_symbol="AZ")
    assert [fact.lot_id for fact in rig.facts(LotOpened)][:2] == ["7", "commission-AX:buy:7"]
    names = ("commission-AX:buy:7", "7-commission", "X-B-9-AX", "merged-7", "trade-7", "trade-trade-7", "forgone-I-1")
    for number, name in enumerate(names):
        trade_of(rig, f"D-{number}", name)
    assert rig.facts(ExecutionUnexpected) == []
    opened = [(fact.symbol, fact.side, fact.lot_id) for fact in rig.facts(LotOpened)]
    assert len(opened) == len(set(opened))
    assert "trade-X-B-9-AX" in [lot_id for _, _, lot_id in opened]
