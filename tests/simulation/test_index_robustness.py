"""What may go wrong around an index desk, through the real components: it loses nothing, and stops nothing else."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.collateral.facts import HopDisputed, HopStepped
from core.collateral.states import LegState
from core.execution.facts import ExchangeLost, ExchangeOrderDoubted, ExecutionUnexpected
from core.execution.records import AssetOrderEnded
from core.execution.settings import ExecutionSettings
from core.execution.states import OrderKnowledge
from core.index.facts import CommissionUnpriced, IndexOrderDeferred, IndexPlanPutOff
from core.index.inventory import find
from core.index.invoices import MintInvoice, RedemptionInvoice
from core.index.reasons import EndReason
from core.index.records import CancelIndexOrder, IndexOrderEnded, NewIndexOrder, Outcome
from core.index.settings import IndexSettings
from core.index.states import IndexOrderState
from core.market.exchange import ExchangeTrade, RateLimit
from core.units import MILLISECOND, SECOND
from sim.exchange_models import ExchangeModel, Faults, Outage, ScriptedFill
from sim.hop_models import HopFaults
from sim.latency import Constant
from tests.helpers.index_desk import ALICE, BOB, BOOKS, golden_settings
from tests.helpers.index_node import T3, IndexNode, collateral_settings, still_exchange, still_market

D = Decimal
CAROL = "1:0xca"
SLOW = {"script": ((ScriptedFill(D("0.5"), D("0.99")), ScriptedFill(D("0.5"), D("0.99"))),)}
"""An exchange whose orders trade in two halves ..."""
GAP = 4 * SECOND
"""... so long after one another."""


def outcomes(node: IndexNode) -> dict[str, Outcome]:
    """How each user's one order ended."""
    return {fact.user: fact.outcome for fact in node.facts(IndexOrderEnded)}


def nothing_is_lost(node: IndexNode) -> None:
    """Every order has ended once, all money is its user's, and every lot is somebody's."""
    node.audit()
    state = node.collateral.state
    assert (state.transfers, state.routes, state.payouts, state.waiting) == ({}, {}, {}, {})
    for position in state.books.positions.values():
        view = position.view()
        assert view.routing == view.preauth == 0
    for invoice in node.facts(MintInvoice):
        for lot in invoice.lots:
            held = find(node.desk.state.inventory, lot.symbol, "buy", lot.lot_id)
            assert held is not None
            assert held.assigned <= held.original
    assert node.facts(CommissionUnpriced) == []


def test_orders_that_there_is_no_room_for_wait_and_are_filled() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, max_total_volley_size=D(900), min_total_volley_available=D(500))
    node = IndexNode(structs.replace(settings, limits=limits), still_exchange(**SLOW, script_gap_ns=GAP))
    node.weigh(SECOND)
    for number, user in enumerate((ALICE, BOB, CAROL)):
        node.deposit(2 * SECOND, "800", user)
        node.order((3 + number) * SECOND, "C-1", "800", user=user)
    node.run(300)
    assert node.facts(IndexPlanPutOff)
    assert outcomes(node) == dict.fromkeys((ALICE, BOB, CAROL), Outcome.MINTED)
    nothing_is_lost(node)


def test_an_asset_without_a_price_puts_off_the_orders_that_need_it_and_no_others() -> None:
    bids, _ = BOOKS["AZ"]
    markets = (still_market("AX", *BOOKS["AX"]), still_market("AZ", bids, ()))
    whole = IndexSettings(symbol="IX", quantities=(("AX", D(8)), ("AZ", D("0.6"))))
    simple = IndexSettings(symbol="IY", quantities=(("AX", D(10)),))
    settings = structs.replace(golden_settings(), indexes=(whole, simple), order_expiry_ns=60 * SECOND)
    node = IndexNode(
        settings,
        ExchangeModel(markets=markets, latency=Constant(MILLISECOND)),
        collateral=structs.replace(collateral_settings(), destinations={"IX": (T3,), "IY": (T3,)}),
    )
    for user, symbol in ((ALICE, "IX"), (BOB, "IY")):
        node.deposit(2 * SECOND, "800", user)
        node.tell(3 * SECOND, "desk", NewIndexOrder(user, "C-1", symbol, "buy", D(800)))
    node.run(300)
    assert [fact.asset for fact in node.facts(IndexOrderDeferred) if fact.order_id == "I-1"] == ["AZ"]
    assert outcomes(node) == {ALICE: Outcome.EXPIRED, BOB: Outcome.MINTED}
    nothing_is_lost(node)


def test_a_rejected_exchange_order_is_made_up_for_by_a_later_batch() -> None:
    node = IndexNode(golden_settings(), still_exchange(faults=Faults(rejects=400)), seed=3)
    node.weigh(SECOND)
    for user in (ALICE, BOB):
        node.deposit(2 * SECOND, "800", user)
        node.order(3 * SECOND, "C-1", "800", user=user)
    node.run(300)
    assert "refused:-2010" in {fact.reason for fact in node.facts(AssetOrderEnded)}
    assert outcomes(node) == {ALICE: Outcome.MINTED, BOB: Outcome.MINTED}
    nothing_is_lost(node)


def test_orders_that_were_live_when_the_session_was_lost_are_asked_for_and_known_to_the_last_trade() -> None:
    lost = (Outage(at=17 * SECOND, span=20 * SECOND),)
    node = IndexNode(golden_settings(), still_exchange(**SLOW, script_gap_ns=GAP, outages=lost))
    node.weigh(SECOND)
    for user in (ALICE, BOB):
        node.deposit(2 * SECOND, "800", user)
        node.order(3 * SECOND, "C-1", "800", user=user)
    node.run(300)
    assert max(fact.doubted for fact in node.facts(ExchangeLost)) > 0
    assert node.facts(ExchangeOrderDoubted)
    assert outcomes(node) == {ALICE: Outcome.MINTED, BOB: Outcome.MINTED}
    nothing_is_lost(node)


def test_money_on_a_hop_that_is_stuck_holds_up_its_own_order_alone_and_is_its_owners_in_the_end() -> None:
    quick = collateral_settings(route_deadline=60 * SECOND)
    stuck = HopFaults(stuck_per_mille=400, stuck=600 * SECOND)
    node = IndexNode(golden_settings(), still_exchange(), collateral=quick, faults=stuck, seed=2)
    node.weigh(SECOND)
    users = [f"1:0x{number}" for number in range(8)]
    for user in users:
        node.deposit(2 * SECOND, "400", user)
        node.order(3 * SECOND, "C-1", "400", user=user)
    node.run(120)
    ends = node.facts(IndexOrderEnded)
    assert {fact.outcome for fact in ends} == {Outcome.MINTED, Outcome.REJECTED}
    assert {fact.reason for fact in ends if fact.outcome is Outcome.REJECTED} == {"timeout"}
    assert LegState.UNCLEAR in {fact.state for fact in node.facts(HopStepped)}
    node.run(4000)
    nothing_is_lost(node)


@pytest.mark.parametrize("deposited", [False, True])
def test_a_cancel_does_not_wait_for_a_deposit_that_is_missing_nor_for_a_hop_that_is_stuck(deposited: bool) -> None:
    stuck = HopFaults(stuck_per_mille=1000, stuck=600 * SECOND)
    node = IndexNode(golden_settings(), still_exchange(), faults=stuck)
    node.weigh(SECOND)
    if deposited:
        node.deposit(2 * SECOND, "800")
    node.order(3 * SECOND, "C-1", "800")
    node.tell(30 * SECOND, "desk", CancelIndexOrder(ALICE, "C-1"))
    node.run(31)
    [ended] = node.facts(IndexOrderEnded)
    assert (ended.outcome, ended.reason) == (Outcome.CANCELLED, EndReason.REQUESTED)
    node.run(4000)
    nothing_is_lost(node)
    if deposited:
        view = node.collateral.state.books.positions[ALICE].view()
        assert view.unconfirmed + view.ready + view.spent == 800


@pytest.mark.parametrize(
    ("faults", "takes_money"),
    [
        (HopFaults(rejected_per_mille=1000), False),
        (HopFaults(lost_per_mille=1000), True),
        (HopFaults(unheard_per_mille=1000), True),
        (HopFaults(impossible_per_mille=1000), True),
        (HopFaults(stuck_per_mille=1000, stuck=10**6 * SECOND), True),
    ],
    ids=["refuses", "says nothing", "hears nothing", "says what cannot be", "is stuck"],
)
def test_refunds_and_cash_that_a_hop_on_the_way_home_never_delivers_end_their_orders_all_the_same(
    faults: HopFaults, takes_money: bool
) -> None:
    ways = collateral_settings(D(0), payout_wait=600 * SECOND)
    settings = structs.replace(golden_settings(), refund_min=D("0.01"))
    node = IndexNode(settings, still_exchange(), collateral=ways, faults={"T2-T1": faults})
    node.restarts = True
    node.weigh(SECOND)
    for user in (ALICE, BOB):
        node.deposit(2 * SECOND, "1000", user)
        node.order(3 * SECOND, "C-1", "1000", user=user)
    node.run(100)
    given = node.chain.give(100 * SECOND, "IX", ALICE, D("0.2"))
    assert given is not None
    node.tell(100 * SECOND, "desk", given, "chain")
    node.order(101 * SECOND, "C-2", "0.2", "sell")
    node.run(200)
    assert node.facts(IndexOrderEnded) == []
    node.run(1000)
    node.audit()
    ends = {(fact.user, fact.client_order_id): fact for fact in node.facts(IndexOrderEnded)}
    assert list(ends) == [(ALICE, "C-1"), (BOB, "C-1"), (ALICE, "C-2")]
    assert [end.outcome for end in ends.values()] == [Outcome.MINTED, Outcome.MINTED, Outcome.REDEEMED]
    assert [bool(end.under_way) for end in ends.values()] == [takes_money] * 3
    assert [bool(end.credited) for end in ends.values()] == [not takes_money] * 3
    assert [end.refund for end in ends.values()] == [0] * 3
    [invoice], sold = node.facts(RedemptionInvoice), ends[ALICE, "C-2"]
    assert (invoice.amount_credited, invoice.amount_under_way) == (sold.credited, sold.under_way)
    assert invoice.amount_paid == sold.credited
    assert len(node.facts(HopDisputed)) == (3 if faults.impossible_per_mille else 0)
    journal = node.node.kernel.journal
    assert journal is not None
    assert node.replayed().digest == journal.digest()


def test_an_exchange_that_gives_every_trade_one_id_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.exchange_desk.ExchangeTrade", lambda _id, *told: ExchangeTrade("7", *told))
    node = IndexNode(golden_settings(), still_exchange(), execution=ExecutionSettings(ended_kept_max=1))
    node.weigh(SECOND)
    for number, user in enumerate((ALICE, BOB, CAROL)):
        node.deposit((2 + 60 * number) * SECOND, "2000", user)
        node.order((2 + 60 * number) * SECOND, "C-1", "1500", user=user)
    node.run(1500)
    node.audit()
    whys = [fact.why for fact in node.facts(ExecutionUnexpected)]
    assert "a trade of that id is a lot already" in whys
    assert outcomes(node)[ALICE] == Outcome.MINTED
    assert len(outcomes(node)) == 3, "and every order ends"


def test_a_node_that_is_killed_in_every_state_loses_nothing() -> None:
    seen: set[str] = set()

    def look() -> None:
        seen.update(f"order {order.state}" for order in node.desk.state.orders.live.values())
        seen.update(f"exchange {order.state}" for order in node.execution.state.orders.values())
        legs = (transfer.leg for transfer in node.collateral.state.transfers.values())
        seen.update(f"leg {leg.state}" for leg in legs if leg is not None)

    shares = tuple((ScriptedFill(D(share), D("0.99")),) for share in ("0.3", "0.5", "0.9", "0.995", "0.996"))
    node = IndexNode(
        structs.replace(golden_settings(), mint_wait_ns=3 * SECOND),
        still_exchange(
            script=shares,
            script_gap_ns=500 * MILLISECOND,
            faults=Faults(lost_replies=300, lost_messages=300),
            outages=(Outage(at=25 * SECOND, span=5 * SECOND),),
            limits=(RateLimit(1, SECOND),),
        ),
        faults=HopFaults(lost_per_mille=300, unavailable_per_mille=300, stuck_per_mille=300, stuck=20 * SECOND),
        seed=5,
    )
    node.restarts, node.before_restart = True, look
    node.weigh(SECOND)
    for number in range(8):
        user = f"1:0x{number}"
        node.deposit((2 + 3 * number) * SECOND, "900", user)
        node.order((2 + 3 * number) * SECOND, "C-1", "800", user=user)
        node.order((2 + 3 * number) * SECOND, "C-2", "100", user=user)
    for number in (1, 3, 5):
        node.tell((20 + 4 * number) * SECOND, "desk", CancelIndexOrder(f"1:0x{number}", "C-1"))
    node.run(1500)
    nothing_is_lost(node)
    ends = {Outcome(outcome).value for outcome in Outcome}
    assert {f"order {state}" for state in IndexOrderState if state.value not in ends} <= seen
    assert {f"exchange {state}" for state in OrderKnowledge if state is not OrderKnowledge.ENDED} <= seen
    under_way = (LegState.WAITING, LegState.SENT, LegState.MOVING, LegState.UNCLEAR)
    assert {f"leg {state}" for state in under_way} <= seen
