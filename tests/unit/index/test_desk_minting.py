"""Payment, mint and invoice: charged once, minted once, told in full, whatever collateral and chain do."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

import pytest
from msgspec import structs

from core.index.allocation import OrderFill
from core.index.chain import MintIndex, RecordInvoice
from core.index.chain_log import prove_event, verify_event
from core.index.facts import ChainCallDone, ChainCallRetried, IndexOrderMoved
from core.index.invoices import MintInvoice
from core.index.planning import Mode
from core.index.reasons import EndReason
from core.index.records import IndexOrderEnded, Outcome
from core.index.stock import house_quantities
from core.kernel.codec import encode
from core.units import SECOND
from tests.helpers.index_desk import ALICE, DeskRig, golden_settings, ready_rig

D = Decimal


@pytest.fixture
def rig() -> DeskRig:
    return ready_rig()


def mints(rig: DeskRig) -> list[MintIndex]:
    """What the chain has minted."""
    return [event.did for events in rig.chain.events for event in events if isinstance(event.did, MintIndex)]


def almost(rig: DeskRig) -> None:
    """Let an order be filled by 99.5 %, and nothing more be sold."""

    def script(nth: int, order: object) -> list[tuple[Decimal, Decimal]]:
        return [(order.quantity * D("0.995"), order.price)] if nth <= 2 else []  # type: ignore[attr-defined]

    rig.exchange.script = script
    rig.order("C-1", "1000")
    rig.run(10)


def give_dust(rig: DeskRig) -> None:
    """Let C-1 have tokens that cost nothing, and no more."""
    rig.exchange.paused = True
    rig.order("C-1", "800")
    rig.run(11)
    rig.exchange.script = lambda _nth, _order: []
    rig.resume_exchange()
    dust = OrderFill("I-1", "IX", "buy", D("1e-19"), D(0), ())
    rig.desk.state.orders.live["I-1"].take(rig.now, dust)
    rig.desk.state.indexes.fill(dust)


def test_an_idle_order_beyond_the_mint_threshold_is_minted_by_its_own_timer(rig: DeskRig) -> None:
    almost(rig)
    rig.run(1)
    rig.set_book("AX", (), ())
    assert rig.facts(MintInvoice) == []
    rig.run(10)
    assert [fact.reason for fact in rig.facts(IndexOrderEnded)] == [EndReason.IDLE]
    states = [fact.state for fact in rig.facts(IndexOrderMoved)]
    assert "partly_mintable" in states


def test_batches_without_fills_do_not_put_the_mint_off(rig: DeskRig) -> None:
    almost(rig)
    for tick in range(30):
        rig.set_book("AX", rig.books["AX"][0], ((D(100), D(20 + tick)),))
        rig.run(0.5)
    assert [fact.reason for fact in rig.facts(IndexOrderEnded)] == [EndReason.IDLE]


def test_a_chain_that_does_not_answer_mints_once(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.run(5)
    rig.chain_silent = 2
    rig.run(200)
    assert len(mints(rig)) == len(rig.facts(MintInvoice)) == len(rig.facts(IndexOrderEnded)) == 1
    assert [fact.reason for fact in rig.facts(ChainCallRetried)] == ["unanswered", "unanswered"]
    assert rig.chain.balance("IX", ALICE) == rig.facts(MintInvoice)[0].filled_quantity


def test_a_refused_mint_is_asked_for_again_later_and_later(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.run(5)
    rig.chain_refuses = 3
    at = rig.now
    rig.run(200)
    assert len(mints(rig)) == 1
    assert [fact.reason for fact in rig.facts(ChainCallRetried)] == ["refused: busy"] * 3
    assert rig.facts(MintInvoice)[0].at >= at + (2 + 4 + 8) * SECOND


def test_what_was_paid_is_minted_within_half_a_minute_of_a_busy_chains_recovery(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.run(9)
    rig.chain_refuses = 10**6
    rig.run(900)
    rig.chain_refuses, recovered = 0, rig.now
    rig.run(60)
    assert recovered < rig.facts(MintInvoice)[0].at <= recovered + 30 * SECOND


def test_a_payment_that_is_refused_ends_the_order_and_its_lots_are_the_houses(rig: DeskRig) -> None:
    rig.collateral.refuse = {"spend": "not_enough_funds"}
    rig.order("C-1", "1000")
    rig.run(60)
    (ended,) = rig.facts(IndexOrderEnded)
    assert (ended.outcome, ended.reason, ended.filled_quantity) == (
        Outcome.REJECTED,
        "unpayable: not_enough_funds",
        D(0),
    )
    assert mints(rig) == []
    assert house_quantities(rig.desk.state.stock) == {
        asset: holding.balance for asset, holding in rig.desk.state.inventory.holdings.items()
    }


def test_dust_that_costs_nothing_is_not_minted_and_its_order_ends_as_it_was_to(rig: DeskRig) -> None:
    give_dust(rig)
    rig.cancel("C-1")
    rig.run(5)
    (ended,) = rig.facts(IndexOrderEnded)
    assert (ended.outcome, ended.reason, ended.filled_quantity) == (Outcome.CANCELLED, EndReason.REQUESTED, D(0))
    assert ended.refund == 800
    assert mints(rig) == []
    assert rig.desk.state.indexes.live["IX"].backed == 0


def test_reference_mode_mints_dust_for_an_order_that_was_netted_down_to_its_fees() -> None:
    rig = ready_rig(golden_settings(Mode.REFERENCE))
    give_dust(rig)
    rig.order("C-2", "1000", "sell")
    rig.run(5)
    (invoice,) = rig.facts(MintInvoice)
    assert (invoice.order_id, invoice.filled_quantity) == ("I-1", D("1e-19"))
    assert invoice.total_amount == invoice.management_fee
    assert invoice.fill_rate == 1


@pytest.mark.parametrize("stage", ["route", "preauthorise"])
def test_an_order_whose_collateral_is_refused_is_rejected(rig: DeskRig, stage: str) -> None:
    rig.collateral.refuse = {stage: "no_deposit"}
    rig.order("C-1", "1000")
    rig.run(60)
    assert [(fact.outcome, fact.reason) for fact in rig.facts(IndexOrderEnded)] == [(Outcome.REJECTED, "no_deposit")]


def test_an_order_whose_collateral_came_short_is_worked_at_what_came(rig: DeskRig) -> None:
    rig.collateral.short = D("0.01")
    rig.order("C-1", "1000")
    rig.run(60)
    (invoice,), (ended,) = rig.facts(MintInvoice), rig.facts(IndexOrderEnded)
    assert invoice.amount_paid <= D("999.99")
    assert (invoice.house_paid, ended.outcome) == (D(0), Outcome.MINTED)
    assert invoice.amount_paid + ended.refund + ended.credited == D("999.99")


def test_collateral_that_fees_eat_up_makes_no_order(rig: DeskRig) -> None:
    rig.collateral.hop_fees = (D(1),)
    rig.order("C-1", "1000")
    rig.run(11)
    assert [(fact.outcome, fact.reason) for fact in rig.facts(IndexOrderEnded)] == [(Outcome.REJECTED, "fees")]


def test_the_invoice_adds_up_and_its_digest_is_proved_by_the_chain(rig: DeskRig) -> None:
    rig.collateral.hop_fees = (D("0.01"),)
    rig.order("C-1", "1000")
    rig.run(60)
    (invoice,) = rig.facts(MintInvoice)
    cost = sum(lot.price * lot.assigned_quantity + lot.assigned_fee for lot in invoice.lots)
    assert invoice.total_amount == 1000
    assert invoice.management_fee == 10
    assert invoice.assets_value + invoice.exchange_fee == pytest.approx(cost)
    assert invoice.amount_paid == pytest.approx(cost + 10, abs=D("1e-6"))
    assert invoice.amount_remaining == pytest.approx(990 - cost)
    assert invoice.fill_rate == pytest.approx(cost / 990)
    assert invoice.execution_price * invoice.filled_quantity == pytest.approx(cost)
    confirmed = rig.chain.done["invoice:I-1"]
    assert confirmed is not None
    proof = prove_event(rig.chain.sealed(confirmed.height), confirmed.index)
    assert isinstance(proof.event.did, RecordInvoice)
    assert proof.event.did.digest == sha256(encode(invoice)).digest()
    assert verify_event(proof, confirmed.block_hash)


def test_lots_are_assigned_to_their_owner_in_the_inventory(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.run(60)
    (invoice,) = rig.facts(MintInvoice)
    for lot in invoice.lots:
        held = rig.desk.state.inventory.holdings[lot.symbol].lots[f"buy:{lot.lot_id}"]
        assert [(one.user, one.order_id, one.quantity) for one in held.assignments] == [
            (ALICE, "I-1", lot.assigned_quantity)
        ]


def test_what_the_chain_has_done_is_stated_with_its_place_on_the_chain(rig: DeskRig) -> None:
    rig.chain_silent = 1
    rig.order("C-1", "800")
    rig.run(60)
    done = {fact.key: fact for fact in rig.facts(ChainCallDone)}
    assert list(done) == ["weights:IX:1", "mint:I-1", "invoice:I-1"]
    assert [fact.order_id for fact in done.values()] == ["", "I-1", "I-1"]
    mint = done["mint:I-1"]
    [event] = [event for event in rig.chain.events[mint.height - 1] if isinstance(event.did, MintIndex)]
    assert event == rig.chain.events[mint.height - 1][mint.index]
    assert verify_event(prove_event(rig.chain.sealed(mint.height), mint.index), bytes.fromhex(mint.block_hash))


@pytest.mark.parametrize("amount", ["12345678901.123456789012345678", "999999999999999.999999999999999999"])
def test_collateral_of_eighteen_decimals_is_charged_however_much_it_is(amount: str) -> None:
    settings = structs.replace(golden_settings(), order_amount_max=D(10) ** 15, collateral_decimals=18)
    wide = {name: D(10) ** 16 for name in ("max_order_volley_size", "max_volley_size", "max_total_volley_size")}
    rig = ready_rig(structs.replace(settings, limits=structs.replace(settings.limits, **wide)))
    for asset in ("AX", "AZ"):
        bids, asks = ((price, D(10) ** 16) for price in (D(100), D(101)))
        rig.set_book(asset, (bids,), (asks,))
    rig.order("C-1", amount)
    rig.run(60)
    (invoice,), (ended,) = rig.facts(MintInvoice), rig.facts(IndexOrderEnded)
    assert ended.outcome is Outcome.MINTED
    assert D(amount) * D("0.999") < invoice.amount_paid <= D(amount)
    assert rig.collateral.spent["I-1"] == invoice.amount_paid
