"""The end-to-end scenario through the whole desk, as its user and the chain see it, in both modes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.index.chain import MintIndex, RecordInvoice, SetSolverWeights
from core.index.facts import IndexBatchOpened
from core.index.invoices import MintInvoice
from core.index.planning import AssetOrdering, Mode
from core.index.records import FillStatus, IndexOrderAccepted, IndexOrderEnded, IndexOrderFill, IndexQuoteReady, Outcome
from core.units import MONEY
from tests.helpers.index_desk import DeskRig, golden_script, golden_settings, ready_rig

D = Decimal
AMOUNT = "3521.0175"
REFERENCE_FILLS = [
    ("0", "70.06824825", "3450.94925175", "0"),
    ("1.15389571", "1265.26224825", "2255.75525175", "0.35934563"),
    ("1.15430421", "1265.68537022", "2255.33212978", "0.35946580"),
    ("1.34668825", "1464.95489054", "2056.06260946", "0.41606010"),
    ("1.68317886", "1814.21650070", "1706.80099930", "0.51525347"),
    ("1.69226555", "1823.65678734", "1697.36071266", "0.51793460"),
    ("2.17500000", "2324.88016310", "1196.13733690", "0.66028646"),
    ("2.86453960", "3039.21744313", "481.80005687", "0.86316454"),
    ("3.32289261", "3515.40647870", "5.61102130", "0.99840642"),
    ("3.32423267", "3516.79786450", "4.21963550", "0.99880159"),
    ("3.32782178", "3520.51542874", "0.50207126", "0.99985741"),
    ("3.32828614", "3520.99756739", "0.01993261", "0.99999434"),
]
EIGHT = D("1e-8")


def run(mode: Mode, ordering: AssetOrdering = AssetOrdering.SYMBOL) -> DeskRig:
    """Weights, a quote, an order for 3.5 tokens, and time until all is done."""
    rig = ready_rig(golden_settings(mode, ordering))
    rig.collateral.hop_fees = (D("0.01"), D("0.01"))
    rig.exchange.script = golden_script
    rig.quote("Q-1", AMOUNT)
    rig.run(2)
    rig.order("C-1", AMOUNT)
    rig.run(30)
    return rig


@pytest.fixture(scope="module")
def reference() -> DeskRig:
    return run(Mode.REFERENCE)


@pytest.fixture(scope="module")
def corrected() -> DeskRig:
    return run(Mode.CORRECTED)


def close(one: Decimal, other: str) -> bool:
    """Equal to the digits that the table has, which has cut some and rounded others."""
    return abs(MONEY.subtract(one, D(other))) <= EIGHT


def test_the_reference_fills_are_reproduced(reference: DeskRig) -> None:
    fills = reference.facts(IndexOrderFill)
    assert len(fills) == 12
    for fill, (filled, spent, remaining, rate) in zip(fills, REFERENCE_FILLS, strict=True):
        assert close(fill.filled_quantity, filled)
        assert close(fill.collateral_spent, spent)
        assert close(fill.collateral_remaining, remaining)
        assert close(fill.fill_rate, rate)
    assert [fill.status for fill in fills] == [
        FillStatus.COLLATERAL_READY,
        *[FillStatus.IN_PROGRESS] * 7,
        *[FillStatus.MINTABLE] * 3,
        FillStatus.FULLY_MINTABLE,
    ]


def test_the_reference_invoice_is_reproduced(reference: DeskRig) -> None:
    (invoice,) = reference.facts(MintInvoice)
    assert close(invoice.filled_quantity, "3.328286135895")
    assert close(invoice.assets_value, "3447.481837306587")
    assert close(invoice.exchange_fee, "3.447481837307")
    assert close(invoice.management_fee, "70.06824825")
    assert close(invoice.amount_remaining, "0.019932606106")
    assert close(invoice.fill_rate, "0.999994224022")
    assert close(invoice.execution_price, "1036.848749849396")
    assert (invoice.amount_paid, invoice.total_amount) == (D(AMOUNT), D(AMOUNT))
    assert (len(invoice.lots), invoice.payment_id, invoice.seq_num) == (11, "P-01", 0)
    # of the twelve lots, L-10 went to nobody; all others whole, but for two
    assigned = {lot.lot_id: lot.assigned_quantity for lot in invoice.lots}
    assert "L-10" not in assigned
    assert close(assigned["L-09"], "0.00363294")
    assert close(assigned["L-12"], "0.00384293")


def test_the_reference_run_takes_seven_batches_and_six_exchange_orders(reference: DeskRig) -> None:
    assert len(reference.facts(IndexBatchOpened)) == 7
    assert [(order.symbol, round(order.quantity, 8)) for order in reference.exchange.orders] == [
        ("AX", D("20.00000000")),
        ("AZ", D("1.62838284")),
        ("AZ", D("1.09834983")),
        ("AX", D("9.51089109")),
        ("AZ", D("0.01650165")),
        ("AX", D("0.04950495")),
    ]


def test_the_chain_sees_weights_then_one_mint_and_what_was_invoiced(reference: DeskRig) -> None:
    did = [event.did for events in reference.chain.events for event in events]
    assert [type(each) for each in did] == [SetSolverWeights, MintIndex, RecordInvoice]
    assert isinstance(did[1], MintIndex)
    assert did[1].amount_paid == D("3450.94925175")


def test_with_the_other_asset_first_a_user_hears_ten_times() -> None:
    # "Which asset is first is random in the reference": with AZ first, its orders are AZ's the first, AX's the second
    rig = ready_rig(golden_settings(Mode.REFERENCE, AssetOrdering.BASKET))
    rig.collateral.hop_fees = (D("0.01"), D("0.01"))
    rig.exchange.script = golden_script
    rig.weigh("IZ", (("AZ", D("0.2")), ("AX", D("0.8"))))
    rig.order("C-1", AMOUNT, symbol="IZ")
    rig.run(30)
    fills, (invoice,) = rig.facts(IndexOrderFill), rig.facts(MintInvoice)
    assert len(fills) == 10
    # As tests/unit/index/test_reference_run.py has them, where they are told to come from
    assert close(invoice.filled_quantity, "3.328820486883")
    assert close(fills[-1].collateral_spent, "3521.004637042")
    assert close(fills[-1].collateral_remaining, "0.012862958")


@pytest.mark.parametrize("mode", Mode)
def test_a_quote_looks_at_prices_alone(mode: Mode) -> None:
    (quote,) = run(mode).facts(IndexQuoteReady)
    assert close(quote.quantity_possible, "3.3823568067")
    assert close(quote.price, "1039.9553332142")


def test_the_first_corrected_batch_stays_within_its_cap(corrected: DeskRig) -> None:
    # As the reference: available 3450.94925175 / 1.001 = 3447.50175, of it 3000 usable, which is 2.8847392786 tokens at
    # 1039.9553332142; AX limits that to 20 / 8.2758620690 = 2.4166666667, worth 2513.2253886. The batch may be worth
    # 2000, so f = 0.7957901452, and 1.9231595152 tokens are engaged for 2002.00. Other than the reference, f shrinks
    # the exchange orders too: AX 15.9158029285 * 101 = 1607.4960957..., padded to 1607.6, / 101 = 15.9168316832; AZ
    # 1.2953924232 * 303 = 392.5039042..., padded to 392.6, / 303 = 1.2957095710.
    first, second = corrected.exchange.orders[:2]
    assert (first.symbol, second.symbol) == ("AX", "AZ")
    assert close(first.quantity, "15.9168316832")
    assert close(second.quantity, "1.2957095710")
    assert sum(order.quantity * order.price for order in (first, second)) == D("2000.2")


def test_a_corrected_user_pays_what_his_lots_cost_and_hears_what_is_left(corrected: DeskRig) -> None:
    (invoice,), (ended,) = corrected.facts(MintInvoice), corrected.facts(IndexOrderEnded)
    cost = invoice.assets_value + invoice.exchange_fee
    assert 0 <= invoice.amount_paid - invoice.management_fee - cost < D("1e-6")
    assert corrected.collateral.spent == {"I-1": invoice.amount_paid - invoice.management_fee}
    assert (ended.outcome, ended.refund, ended.credited) == (Outcome.MINTED, D(0), D(AMOUNT) - invoice.amount_paid)
    assert close(invoice.filled_quantity, "3.32795508")
    assert len(corrected.facts(IndexBatchOpened)) == 3
    assert [fact.client_order_id for fact in corrected.facts(IndexOrderAccepted)] == ["C-1"]


def test_what_corrected_lots_cost_is_what_the_fills_said(corrected: DeskRig) -> None:
    (invoice,) = corrected.facts(MintInvoice)
    last = corrected.facts(IndexOrderFill)[-1]
    assert close(invoice.assets_value + invoice.exchange_fee + invoice.management_fee, str(last.collateral_spent))
    assert invoice.filled_quantity == last.filled_quantity
    assert sum(lot.assigned_fee for lot in invoice.lots) == pytest.approx(invoice.exchange_fee)
