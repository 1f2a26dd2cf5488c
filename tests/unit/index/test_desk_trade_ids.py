"""Exchanges number trades within a symbol, so one id names a trade of each symbol, and lots are told apart by both."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.execution.records import AssetOrder, AssetOrderFilled
from core.index.facts import LotClosed, LotOpened
from core.index.records import IndexOrderEnded, MintInvoice, Outcome
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
