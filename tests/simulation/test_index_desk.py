"""Desk, execution and collateral together, with a simulated exchange, hops and chain."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index.chain import MintIndex
from core.index.facts import IndexBatchOpened
from core.index.invoices import MintInvoice
from core.index.planning import Mode
from core.index.records import CancelIndexOrder, IndexOrderEnded, IndexOrderFill, Outcome
from core.units import MONEY, SECOND
from sim.exchange_models import Faults, Outage, ScriptedFill
from sim.hop_models import HopFaults
from tests.helpers.index_desk import ALICE, BOB, golden_settings
from tests.helpers.index_node import IndexNode, collateral_settings, still_exchange

D = Decimal
AMOUNT = "3521.0175"
GOLDEN_SCRIPT = tuple(
    (ScriptedFill(D("0.6"), D("0.995")), ScriptedFill(D(second), D("0.998"))) for second in ("0.3", "0.1", "0.4")
)


def close(one: Decimal, other: str) -> bool:
    """Equal to eight decimals."""
    return abs(MONEY.subtract(one, D(other))) <= D("1e-8")


def golden(mode: Mode) -> IndexNode:
    """The end-to-end scenario with nothing but real components."""
    node = IndexNode(golden_settings(mode), still_exchange(script=GOLDEN_SCRIPT))
    node.weigh(SECOND)
    node.deposit(2 * SECOND, AMOUNT)
    node.order(3 * SECOND, "C-1", AMOUNT)
    node.run(120)
    node.audit()
    return node


def test_the_reference_figures_come_out_of_the_real_components() -> None:
    node = golden(Mode.REFERENCE)
    (invoice,), fills = node.facts(MintInvoice), node.facts(IndexOrderFill)
    assert len(fills) == 12
    assert len(node.facts(IndexBatchOpened)) == 7
    assert close(fills[0].collateral_spent, "70.06824825")
    assert close(invoice.filled_quantity, "3.328286135895")
    assert close(invoice.assets_value, "3447.481837306587")
    assert close(invoice.exchange_fee, "3.447481837307")
    assert close(invoice.amount_remaining, "0.019932606106")
    assert invoice.amount_paid == invoice.total_amount == D(AMOUNT)
    assert (invoice.seq_num, invoice.position.spent) == (0, D(AMOUNT))
    minted = [event.did for events in node.chain.events for event in events if isinstance(event.did, MintIndex)]
    assert [mint.amount_paid for mint in minted] == [D("3450.94925175")]


def test_corrected_figures_come_out_of_the_real_components() -> None:
    node = golden(Mode.CORRECTED)
    (invoice,), (ended,) = node.facts(MintInvoice), node.facts(IndexOrderEnded)
    assert close(invoice.filled_quantity, "3.32795508")
    assert ended.outcome is Outcome.MINTED
    assert (ended.refund, ended.credited) == (D(0), D(AMOUNT) - invoice.amount_paid)
    assert invoice.position.spent == invoice.amount_paid


def busy(node: IndexNode) -> IndexNode:
    """Two users who buy, change their minds and sell, all within some minutes."""
    node.weigh(SECOND)
    for number in range(6):
        user = (ALICE, BOB)[number % 2]
        node.deposit((2 + number) * SECOND, "900", user)
        node.order((3 + 5 * number) * SECOND, f"C-{number}", "800", user=user)
    node.tell(18 * SECOND, "desk", CancelIndexOrder(ALICE, "C-2"))
    node.tell(29 * SECOND, "desk", CancelIndexOrder(BOB, "C-3"))
    return node


SETTINGS = structs.replace(
    golden_settings(),
    limits=structs.replace(golden_settings().limits, max_total_volley_size=D(2500), quantity_tolerance=D("1e-18")),
    order_expiry_ns=300 * SECOND,
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_exchange_and_hops_do_every_order_ends_and_the_invariants_hold(seed: int) -> None:
    exchange = still_exchange(
        faults=Faults(rejects=100, lost_requests=100, lost_replies=200, lost_messages=100, repeated_messages=200),
        outages=(Outage(20 * SECOND, 10 * SECOND),),
    )
    bad_hops = HopFaults(unheard_per_mille=100, lost_per_mille=200, repeated_per_mille=200, returned_per_mille=100)
    node = busy(IndexNode(SETTINGS, exchange, faults=bad_hops, seed=seed))
    node.run(4000)
    node.audit()


def test_components_that_are_killed_before_every_event_go_on_as_if_they_had_not_been() -> None:
    exchange = still_exchange(faults=Faults(rejects=100, lost_replies=100))
    one, other = IndexNode(SETTINGS, exchange), IndexNode(SETTINGS, exchange)
    other.restarts = True
    for node in (one, other):
        busy(node).run(400)
    assert other.effects == one.effects
    assert other.desk.snapshot() == one.desk.snapshot()
    assert one.facts(MintInvoice)


def test_a_journal_makes_the_same_of_fresh_components_from_the_start_and_from_any_snapshot() -> None:
    node = busy(IndexNode(SETTINGS, still_exchange(faults=Faults(rejects=100, lost_replies=100))))
    snapshots = []
    for seconds in range(1, 60, 6):
        node.run(seconds)
        snapshots.append(node.snapshot())
    node.run(400)
    whole = node.replayed()
    assert whole.count == len(node.effects)
    assert {node.replayed(since).digest for since in snapshots} == {whole.digest}


def test_a_deposit_that_never_comes_ends_its_order_alone() -> None:
    quick = collateral_settings(route_deadline=30 * SECOND)
    node = IndexNode(golden_settings(), still_exchange(), collateral=quick)
    node.weigh(SECOND)
    node.order(3 * SECOND, "C-1", "500")
    node.deposit(3 * SECOND, "500", BOB)
    node.order(3 * SECOND, "C-1", "500", user=BOB)
    node.run(200)
    node.audit()
    ends = {fact.user: fact.outcome for fact in node.facts(IndexOrderEnded)}
    assert ends == {ALICE: Outcome.REJECTED, BOB: Outcome.MINTED}


def test_a_user_who_bought_can_sell_and_is_paid() -> None:
    node = IndexNode(golden_settings(), still_exchange(), collateral=collateral_settings(D(0)))
    node.weigh(SECOND)
    node.deposit(2 * SECOND, "1000")
    node.order(3 * SECOND, "C-1", "1000")
    node.run(60)
    given = node.chain.give(60 * SECOND, "IX", ALICE, D("0.5"))
    assert given is not None
    node.tell(60 * SECOND, "desk", given, "chain")
    node.order(60 * SECOND, "C-2", "0.5", "sell")
    node.run(400)
    node.audit()
    assert [fact.outcome for fact in node.facts(IndexOrderEnded)] == [Outcome.MINTED, Outcome.REDEEMED]
