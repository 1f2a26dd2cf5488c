"""The reference's figures: the lot, the manager, the routers of its unit tests, and the route of its long scenario."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.collateral.hops import MoveFunds
from core.collateral.positions import CHARGES, Key, Lot, Parcel, Side
from core.collateral.records import (
    CollateralPreauthorised,
    CollateralRouted,
    CollateralSpent,
    SpendView,
)
from core.collateral.settings import ChainSettings, CollateralSettings
from core.collateral.states import Holding
from tests.helpers.collateral import ALICE, BOB, SETTINGS, T1, T2, T3, T4, WALLET, Rig, hop, with_settings

FLAT: dict[str, Any] = {"fee_flat": Decimal("0.5")}


@pytest.mark.parametrize(
    ("amounts", "expected", "closed"),
    [
        ((1000, 900, 900, 500), (100, 0, 400, 500), False),
        ((1000, 1000, 900, 500), (0, 100, 400, 500), False),
        ((1000, 1000, 1000, 500), (0, 0, 500, 500), False),
        ((1000, 900, 800, 500), (100, 100, 300, 500), False),
        ((1000, 1000, 1000, 1000), (0, 0, 0, 1000), True),
    ],
)
def test_a_lot_that_is_deposited_readied_preauthorised_and_spent(
    amounts: tuple[int, ...], expected: tuple[int, ...], closed: bool
) -> None:
    deposited, ready, preauth, spent = map(Decimal, amounts)
    kinds = [Key(holding) for holding in (Holding.UNCONFIRMED, Holding.READY, Holding.PREAUTH, Holding.SPENT)]
    lot = Lot("P-1", 0, deposited, 0, 0, [Parcel(kinds[0], deposited)])
    side = Side({"P-1": lot})
    for was, becomes, amount in zip(kinds, kinds[1:], (ready, preauth, spent), strict=False):
        side.move(1, was, becomes, amount)
    side.close([lot], keep=1)
    assert tuple(lot.held(kind.holding) for kind in kinds) == expected
    assert (side.closed == [lot]) is closed
    assert (lot in side.lots.values()) is not closed


def test_a_thousand_over_two_hops_of_half_each() -> None:
    rig = Rig(with_settings(hops=(hop(T1, T2, **FLAT), hop(T2, T3, **FLAT), hop(T3, WALLET))))
    rig.deposit("1000")
    rig.route("1000")
    rig.serve()
    assert rig.told() == [CollateralRouted("O-1", Decimal(999), Decimal(1))]
    assert [rig.position().ready, rig.position().spent] == [999, 1]
    [paid] = rig.told(rig.preauthorise("999"))
    assert paid == CollateralPreauthorised("O-1", "P-2", Decimal(999))
    [spent] = rig.told(rig.spend("995", "P-2"))
    assert isinstance(spent, CollateralSpent)
    assert spent.amount == 995
    assert spent.seq_nums == (0,)
    assert [spent.position.preauth, spent.position.spent] == [4, 996]


def test_two_chains_reach_one_destination_by_ways_of_their_own() -> None:
    hops = (hop(T1, T3, **FLAT), hop(T2, T3, **FLAT), hop(T3, T4, **FLAT), hop(T4, WALLET))
    chains = {"1": ChainSettings(deposit=T1, payout=WALLET), "2": ChainSettings(deposit=T2, payout=WALLET)}
    rig = Rig(CollateralSettings(token="USDC", chains=chains, destinations={"IX": (T4,)}, hops=hops))
    rig.deposit("1000", user=ALICE)
    rig.deposit("1000", user=BOB)
    rig.route("1000", "O-1", user=ALICE)
    rig.route("1000", "O-2", user=BOB)
    rig.serve()
    assert rig.told() == [CollateralRouted(order, Decimal(999), Decimal(1)) for order in ("O-1", "O-2")]
    taken = [(call.service, call.body.transfer_id) for call in rig.calls() if isinstance(call.body, MoveFunds)]
    assert sorted(taken) == [("hop:T1-T3", "T-1"), ("hop:T2-T3", "T-2"), ("hop:T3-T4", "T-1"), ("hop:T3-T4", "T-2")]


def test_the_route_of_the_long_scenario_costs_what_the_reference_says() -> None:
    rig = Rig(SETTINGS)
    rig.deposit("3521.0175")
    rig.route("3521.0175")
    first = rig.reply_at_price()
    assert first == Decimal("35.210175")
    assert rig.balance(T2, "routing") == 0
    assert rig.balance("hop:T2-T3", "routing") == Decimal("3485.807325")
    second = rig.reply_at_price()
    assert second == Decimal("34.85807325")
    assert rig.told() == [CollateralRouted("O-1", Decimal("3450.94925175"), Decimal("70.06824825"))]


def test_the_lot_of_the_long_scenario_ends_spent_and_closed() -> None:
    rig = Rig(SETTINGS)
    rig.deposit("3521.0175")
    rig.route("3521.0175")
    rig.serve()
    rig.preauthorise("3450.94925175")
    [spent] = rig.told(rig.spend("3450.94925175", "P-2"))
    assert isinstance(spent, CollateralSpent)
    [lot] = spent.position.lots
    assert (lot.payment_id, lot.seq_num, lot.amount, lot.spent) == ("P-1", 0, Decimal("3521.0175"), lot.amount)
    assert lot.spends == (
        SpendView("O-1", CHARGES, Decimal(0), Decimal("70.06824825")),
        SpendView("O-1", "P-2", Decimal(0), Decimal("3450.94925175")),
    )
    side = rig.collateral.state.books.positions[ALICE].credits
    assert (side.lots, len(side.closed), side.closed_spent) == ({}, 1, Decimal("3521.0175"))
