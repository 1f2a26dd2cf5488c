"""Commissions that are taken in an asset of their own: valued by the books that the desk keeps, or stated."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.execution.records import AssetOrderFilled, CommissionRateSet, PlaceOrders
from core.index.facts import CommissionUnpriced, IndexBatchCompleted, LotOpened
from core.index.invoices import MintInvoice, RedemptionInvoice
from core.index.stock import house_quantities
from core.kernel.record import Message, Send
from core.units import EXACT, SECOND
from tests.helpers.index_desk import DeskRig, golden_settings, levels, ready_rig

D = Decimal
FRESH = (levels((599, 3)), levels((603, 1)))
VWAP = D(600)
"""(599 x 3 + 603 x 1) / 4"""


@pytest.fixture
def rig() -> DeskRig:
    """The exchange takes commissions in BNB."""
    rig = ready_rig(structs.replace(golden_settings(), commission_pairs={"BNB": "BNBUSDC"}))
    rig.set_book("BNBUSDC", *FRESH)
    return rig


def trade(rig: DeskRig, commission: str, asset: str = "BNB") -> AssetOrderFilled:
    """One trade of the first order that waits, charged in another asset."""
    asked = rig.exchange.waiting[0]
    order = asked.orders[0]
    amounts = (order.price, order.quantity, D(0), D(commission), asset)
    said = AssetOrderFilled(asked.batch_id, order.order_id, "7", order.symbol, order.side, *amounts)
    rig.deliver(Message("execution", said))
    return said


def waiting(rig: DeskRig) -> None:
    """Let an order be at the exchange."""
    rig.exchange.paused = True
    rig.order("C-1", "800")
    rig.run(11)


def test_rates_are_told_before_the_orders_that_they_are_for_and_once_while_they_stand(rig: DeskRig) -> None:
    waiting(rig)
    sent = [effect.body for effects in rig.effects for effect in effects if isinstance(effect, Send)]
    told = [body for body in sent if isinstance(body, CommissionRateSet | PlaceOrders)]
    assert told[0] == CommissionRateSet("BNB", VWAP)
    assert isinstance(told[1], PlaceOrders)
    rig.resume_exchange()
    rig.order("C-2", "800")
    rig.run(20)
    assert len(rig.exchange.rates) == 1
    rig.set_book("BNBUSDC", levels((499, 1)), levels((501, 1)))
    rig.order("C-3", "800")
    rig.run(20)
    assert rig.exchange.rates[1:] == [CommissionRateSet("BNB", D(500))]


def test_a_price_that_is_too_old_is_no_rate(rig: DeskRig) -> None:
    rig.lost_snapshots = 10**6
    rig.run(rig.settings.books.stale_after_ns // SECOND + 1)
    for asset in ("AX", "AZ"):
        rig.set_book(asset, *rig.books[asset])
    waiting(rig)
    assert rig.exchange.rates == []


def test_a_commission_that_execution_could_not_value_is_part_of_the_lots_fee(rig: DeskRig) -> None:
    waiting(rig)
    said = trade(rig, "0.001")
    [lot] = rig.facts(LotOpened)
    assert (said.fee, lot.fee) == (D(0), VWAP / 1000)
    assert rig.desk.state.inventory.holdings[said.symbol].lots["buy:7"].fee == VWAP / 1000
    assert rig.facts(CommissionUnpriced) == []


@pytest.mark.parametrize("asset", ["BNB", "XYZ"])
def test_a_commission_that_nobody_can_value_is_stated_and_not_taken_for_nothing(asset: str) -> None:
    rig = ready_rig(structs.replace(golden_settings(), commission_pairs={"BNB": "BNBUSDC"}))
    waiting(rig)
    said = trade(rig, "0.001", asset)
    assert rig.facts(CommissionUnpriced) == [CommissionUnpriced(said.order_id, "7", asset, D("0.001"))]
    assert rig.facts(LotOpened)[0].fee == 0


def test_users_pay_commissions_whatever_they_are_taken_in(rig: DeskRig) -> None:
    rig.exchange.fee_rate = D(0)
    waiting(rig)
    rig.exchange.paused = False
    for said in rig.exchange.place(rig.exchange.waiting.pop()):
        if isinstance(said, AssetOrderFilled):
            value = said.quantity * said.price / 1000
            charged = structs.replace(said, commission=value / VWAP, commission_asset="BNB")
            rig.deliver(Message("execution", charged))
        else:
            rig.deliver(Message("execution", said))
    rig.run(30)
    [invoice] = rig.facts(MintInvoice)
    assert abs(invoice.exchange_fee * 1000 / invoice.assets_value - 1) < D("1e-9")


def in_base(rig: DeskRig, share: str) -> list[AssetOrderFilled]:
    """Let the orders that wait trade whole, for commissions of that share in the assets themselves."""
    rig.exchange.fee_rate = D(0)
    rig.exchange.paused = False
    told = []
    for said in rig.exchange.place(rig.exchange.waiting.pop()):
        if isinstance(said, AssetOrderFilled):
            withheld = said.quantity * D(share)
            said = structs.replace(said, fee=withheld * said.price, withheld=withheld)  # noqa: PLW2901
            told.append(said)
        rig.deliver(Message("execution", said))
    return told


def test_a_commission_in_the_asset_that_was_bought_makes_a_lot_of_what_is_owned(rig: DeskRig) -> None:
    waiting(rig)
    said = in_base(rig, "0.001")
    lots = {lot.symbol: lot for lot in rig.facts(LotOpened)}
    for one in said:
        lot, holding = lots[one.symbol], rig.desk.state.inventory.holdings[one.symbol]
        assert lot.quantity == holding.balance == EXACT.subtract(one.quantity, one.withheld)
        assert abs(lot.price * lot.quantity + lot.fee - one.price * one.quantity) < D("1e-20")
    assert rig.facts(IndexBatchCompleted)[0].fill == 1


def test_an_order_pays_what_its_assets_have_cost_when_commissions_are_taken_of_them(rig: DeskRig) -> None:
    waiting(rig)
    said = in_base(rig, "0.001")
    rig.cancel("C-1")
    rig.run(60)
    [invoice] = rig.facts(MintInvoice)
    assert abs(invoice.exchange_fee / invoice.assets_value - D("0.001") / D("0.999")) < D("1e-9")
    bought = sum(lot.assigned_quantity for lot in invoice.lots if lot.symbol == "AX")
    assert bought <= sum(one.quantity for one in said if one.symbol == "AX") * D("0.999")


@pytest.mark.parametrize("share", ["0.001", "-0.001"])
def test_a_commission_in_the_asset_that_was_sold_is_sold_by_the_house(rig: DeskRig, share: str) -> None:
    rig.order("C-1", "1000")
    rig.run(30)
    owned = {asset: holding.balance for asset, holding in rig.desk.state.inventory.holdings.items()}
    rig.give_tokens(D("0.8"))
    rig.exchange.paused = True
    rig.order("S-1", "0.8", "sell")
    rig.run(11)
    before = house_quantities(rig.desk.state.stock)
    said = in_base(rig, share)
    after = house_quantities(rig.desk.state.stock)
    for one in said:
        balance = rig.desk.state.inventory.holdings[one.symbol].balance
        left = after.get(one.symbol, D(0)) - before.get(one.symbol, D(0))
        assert abs(balance - (owned[one.symbol] - one.quantity - one.withheld)) < D("1e-20")
        assert abs(left + one.withheld) < D("1e-20")
    rig.run(60)
    [invoice] = rig.facts(RedemptionInvoice)
    assert abs(invoice.exchange_fee / invoice.assets_value - D(share)) < D("1e-9")


def test_a_commission_of_all_that_was_bought_can_only_be_money(rig: DeskRig) -> None:
    waiting(rig)
    said = in_base(rig, "1")
    assert [lot.quantity for lot in rig.facts(LotOpened)] == [one.quantity for one in said]


def charge(rig: DeskRig, commission: str, *, worth: str = "0") -> AssetOrderFilled:
    """A trade of the order for AX that waits, for which the exchange takes AZ that execution could value, or not."""
    asked = rig.exchange.waiting[0]
    order = next(one for one in asked.orders if one.symbol == "AX")
    said = AssetOrderFilled(
        asked.batch_id,
        order.order_id,
        "7",
        order.symbol,
        order.side,
        order.price,
        order.quantity / 10,
        D(worth),
        commission=D(0) if D(worth) else D(commission),
        commission_asset="" if D(worth) else "AZ",
        taken=D(commission),
        taken_symbol="AZ",
    )
    rig.deliver(Message("execution", said))
    return said


def balances(rig: DeskRig) -> dict[str, Decimal]:
    """What the desk owns."""
    return {asset: holding.balance for asset, holding in rig.desk.state.inventory.holdings.items()}


@pytest.mark.parametrize("commission", ["0.01", "-0.01"])
def test_a_commission_of_another_asset_is_the_houses_who_has_what_lots_bear_for_it(commission: str) -> None:
    rig = ready_rig()
    rig.order("C-1", "1000")
    rig.run(30)
    rig.exchange.paused = True
    rig.order("C-2", "800")
    rig.run(11)
    before, house, held = balances(rig), house_quantities(rig.desk.state.stock), dict(held_of(rig))
    worth = D(commission) * 297
    charge(rig, commission, worth=str(worth))
    lots = {lot.lot_id: lot for lot in rig.facts(LotOpened)}
    assert lots["7"].fee == worth
    paid = lots["commission-AX:buy:7"]
    assert (paid.symbol, paid.side) == ("AZ", "sell" if D(commission) > 0 else "buy")
    assert (paid.price, paid.quantity, paid.fee) == (D(297), abs(D(commission)), D(0))
    assert EXACT.subtract(before["AZ"], balances(rig)["AZ"]) == D(commission)
    after = house_quantities(rig.desk.state.stock)
    assert EXACT.subtract(house.get("AZ", D(0)), after.get("AZ", D(0))) == D(commission)
    assert held_of(rig)["AZ"] >= held["AZ"], "tokens keep what is held for them"


def held_of(rig: DeskRig) -> dict[str, Decimal]:
    """What is held for the tokens of IX."""
    return rig.desk.state.indexes.live["IX"].held


def test_a_commission_of_another_asset_is_valued_by_the_book_of_that_where_no_pair_is_named() -> None:
    rig = ready_rig()
    waiting(rig)
    charge(rig, "0.01")
    lots = {lot.lot_id: lot for lot in rig.facts(LotOpened)}
    assert lots["7"].fee > 0
    assert lots["commission-AX:buy:7"].price == lots["7"].fee * 100
    assert rig.facts(CommissionUnpriced) == []
    rig.resume_exchange()
    rig.run(30)
    assert [rate.asset for rate in rig.exchange.rates] == []
    rig.order("C-2", "500")
    rig.run(30)
    assert [rate.asset for rate in rig.exchange.rates] == ["AZ"]


def test_the_house_gets_nothing_for_a_commission_that_nobody_can_value() -> None:
    rig = ready_rig()
    rig.order("C-1", "1000")
    rig.run(30)
    rig.exchange.paused = True
    rig.order("C-2", "800")
    rig.run(11)
    rig.set_book("AZ", (), ())
    newest = next(reversed(rig.desk.state.inventory.holdings["AZ"].lots.values()))
    said = charge(rig, "0.01")
    assert rig.facts(CommissionUnpriced) == [CommissionUnpriced(said.order_id, "7", "AZ", D("0.01"))]
    lots = {lot.lot_id: lot for lot in rig.facts(LotOpened)}
    assert lots["7"].fee == 0
    paid = lots["commission-AX:buy:7"]
    assert (paid.price, paid.fee) == (newest.price, newest.price / 100)


def test_a_commission_of_what_is_neither_priced_nor_held_is_left_to_the_comparison_with_the_account() -> None:
    rig = ready_rig()
    waiting(rig)
    rig.set_book("AZ", (), ())
    charge(rig, "0.01")
    assert [lot.lot_id for lot in rig.facts(LotOpened)] == ["7"]
    assert len(rig.facts(CommissionUnpriced)) == 1


def test_the_house_buys_back_what_commissions_have_taken_of_what_it_did_not_have() -> None:
    rig = ready_rig()
    waiting(rig)
    charge(rig, "0.1", worth="29.7")
    assert house_quantities(rig.desk.state.stock)["AZ"] < 0
    rig.resume_exchange()
    rig.run(30)
    assert house_quantities(rig.desk.state.stock).get("AZ", D(0)) >= 0
