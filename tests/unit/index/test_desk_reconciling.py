"""The inventory is compared with what the exchange says: what differs is told once, and a fill under way never does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.execution.records import AssetHeld, BalancesReported
from core.index.facts import InventoryAgreed, InventoryDiffered, InventoryReconciled
from core.index.records import IndexOrderEnded, Outcome
from core.units import SECOND
from tests.helpers.index_desk import DeskRig, golden_settings, ready_rig

D = Decimal
INTERVAL, RETRY = 60, 5


@pytest.fixture
def rig() -> DeskRig:
    return ready_rig()


def owned(rig: DeskRig, symbol: str) -> Decimal:
    """What the desk's trades came to."""
    holding = rig.desk.state.inventory.holdings.get(symbol)
    return holding.balance if holding is not None else D(0)


def report(rig: DeskRig, unsettled: tuple[str, ...] = (), **beyond: str) -> None:
    """The account holds what the desk owns, and `beyond`."""
    assets = (
        AssetHeld(asset, (asset,), owned(rig, asset) + D(beyond.get(asset, "0")), asset not in unsettled)
        for asset in ("AX", "AZ")
    )
    rig.tell(BalancesReported(tuple(assets)), "execution")


def differences(rig: DeskRig) -> list[tuple[str, Decimal]]:
    """(asset, missing) of each that was told."""
    return [(fact.asset, fact.owned - fact.at_venue) for fact in rig.facts(InventoryDiffered)]


def test_an_account_that_holds_what_is_owned_is_only_said_to(rig: DeskRig) -> None:
    report(rig)
    rig.order("C-1", "800")
    rig.run(30)
    assert owned(rig, "AX") > 0
    report(rig)
    assert rig.facts(InventoryReconciled) == [InventoryReconciled(2, 0)] * 2
    assert differences(rig) == []


def test_a_difference_is_told_once_again_when_it_changes_and_when_it_is_over(rig: DeskRig) -> None:
    for beyond in ("-2", "-2", "1.5", "1.5", "0", "0"):
        report(rig, AX=beyond)
    assert differences(rig) == [("AX", D(2)), ("AX", D("-1.5"))]
    assert [fact.asset for fact in rig.facts(InventoryAgreed)] == ["AX"]
    assert [fact.differing for fact in rig.facts(InventoryReconciled)] == [1, 1, 1, 1, 0, 0]


def test_a_difference_that_trades_leave_as_it_is_is_not_told_again(rig: DeskRig) -> None:
    report(rig, AX="-2")
    rig.order("C-1", "800")
    rig.run(30)
    report(rig, AX="-2")
    assert differences(rig) == [("AX", D(2))]


def test_what_is_nothing_of_any_asset_is_no_difference_and_twice_that_is_one(rig: DeskRig) -> None:
    report(rig, AX=str(rig.settings.limits.nothing))
    assert differences(rig) == []
    report(rig, AX=str(2 * rig.settings.limits.nothing))
    assert differences(rig) == [("AX", D("-2E-18"))]


def test_a_difference_stops_nothing(rig: DeskRig) -> None:
    report(rig, AX="-1000")
    rig.order("C-1", "800")
    rig.run(60)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.MINTED]


def test_an_asset_that_is_not_settled_is_not_judged_and_looked_at_again_soon(rig: DeskRig) -> None:
    report(rig, ("AX",), AX="-2", AZ="-1")
    assert differences(rig) == [("AZ", D(1))]
    assert rig.facts(InventoryReconciled) == []
    rig.run(RETRY)
    assert len(rig.exchange.looks) == 1
    report(rig, ("AZ",), AX="-2", AZ="-1")
    assert differences(rig) == [("AZ", D(1)), ("AX", D(2))]
    assert rig.facts(InventoryReconciled) == [InventoryReconciled(2, 2)]


def test_an_asset_that_is_traded_no_more_is_not_waited_for(rig: DeskRig) -> None:
    report(rig, ("AX",))
    rig.tell(BalancesReported((AssetHeld("AZ", ("AZ",), D(0), True),)), "execution")
    assert rig.facts(InventoryReconciled) == [InventoryReconciled(1, 0)]


def test_a_known_difference_is_not_over_because_it_cannot_be_looked_at(rig: DeskRig) -> None:
    report(rig, AX="-2")
    report(rig, ("AX",))
    assert rig.facts(InventoryAgreed) == []


def test_the_exchange_is_asked_at_an_interval_and_less_and_less_often_while_it_is_no_use(rig: DeskRig) -> None:
    waits = []
    for unsettled in ((), *[("AX",)] * 6, (), ("AX",)):
        report(rig, unsettled)
        began = rig.now
        rig.run(INTERVAL)
        waits.append((rig.exchange.looks[-1] - began) // SECOND)
    assert waits == [INTERVAL, RETRY, 10, 20, 40, INTERVAL, INTERVAL, INTERVAL, RETRY]


def test_without_an_interval_only_a_session_has_it_compared() -> None:
    rig = ready_rig(structs.replace(golden_settings(), reconcile_interval_ns=0))
    report(rig, AX="1")
    rig.run(1000)
    assert rig.exchange.looks == []
    assert differences(rig) == [("AX", D(-1))]


def test_a_desk_that_winds_down_asks_no_more(rig: DeskRig) -> None:
    report(rig)
    rig.stop()
    rig.run(1000)
    assert rig.exchange.looks == []


def test_what_the_account_held_before_is_no_difference() -> None:
    rig = ready_rig(structs.replace(golden_settings(), opening_balances={"AX": D(3)}))
    report(rig, AX="3")
    assert differences(rig) == []
    report(rig)
    assert differences(rig) == [("AX", D(3))]


def test_an_asset_that_several_symbols_trade_is_compared_as_one(rig: DeskRig) -> None:
    rig.order("C-1", "800")
    rig.run(30)
    both = owned(rig, "AX") + owned(rig, "AZ")
    rig.tell(BalancesReported((AssetHeld("A", ("AX", "AZ", "AQ"), both, True),)), "execution")
    assert differences(rig) == []
    rig.tell(BalancesReported((AssetHeld("A", ("AX", "AZ", "AQ"), both - 1, True),)), "execution")
    assert differences(rig) == [("A", D(1))]


def test_a_desk_that_is_killed_remembers_what_it_has_told(rig: DeskRig) -> None:
    rig.restarts = True
    report(rig, ("AZ",), AX="-2")
    report(rig, AX="-2")
    assert differences(rig) == [("AX", D(2))]
    assert rig.facts(InventoryReconciled) == [InventoryReconciled(2, 1)]
