"""Exchanges number trades within a symbol, so one id names a trade of each symbol, and lots are told apart by both."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.execution.records import AssetOrder, AssetOrderFilled
from core.index.facts import LotClosed, LotOpened
from core.index.invoices import MintInvoice
from core.index.records import IndexOrderEnded, Outcome
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
