"""A book that is wrong is found out: one violation planted of each kind."""

from __future__ import annotations

from decimal import Decimal

from core.collateral.invariants import CollateralWatch, violations
from core.collateral.positions import Key, Lot, Parcel
from core.collateral.states import Holding
from tests.helpers.collateral import ALICE, SETTINGS, T1, T3, Rig

ONE = Decimal(1)


def under_way() -> Rig:
    """A thousand deposited, six hundred of it under way for an order."""
    rig = Rig(SETTINGS)
    rig.deposit("1000")
    rig.route("600")
    return rig


def found(rig: Rig) -> list[str]:
    return violations(rig.collateral.state)


def test_books_that_are_right_have_no_violations() -> None:
    assert found(under_way()) == []


def test_a_lot_whose_parts_do_not_add_up_is_found() -> None:
    rig = under_way()
    rig.collateral.state.books.positions[ALICE].credits.lots["P-1"].amount += ONE
    assert found(rig) == [f"I2 {ALICE} lot P-1: its parts add up to 1000, not 1001"]


def test_a_part_that_is_negative_is_found() -> None:
    rig = under_way()
    lot = rig.collateral.state.books.positions[ALICE].credits.lots["P-1"]
    lot.parcels += [Parcel(Key(Holding.READY, T3), -ONE), Parcel(Key(Holding.READY, T3, "O-1"), ONE)]
    assert found(rig) == [f"I2 {ALICE} lot P-1: a part is not positive"]


def test_a_lot_that_has_nothing_to_move_and_is_open_is_found() -> None:
    rig = Rig(SETTINGS)
    rig.deposit("5")
    rig.collateral.state.books.positions[ALICE].credits.lots["P-1"].parcels = [Parcel(Key(Holding.SPENT), Decimal(5))]
    assert found(rig)[0] == f"I2 {ALICE} credit: a lot with nothing left to move is open"


def test_a_ledger_that_differs_from_the_lots_is_found_in_both_directions() -> None:
    rig = under_way()
    ledger = rig.collateral.state.books.ledger
    ledger.transfer("USDC", ONE, f"{ALICE}/credit/unconfirmed@{T1}", "nobody/credit/ready@X", "theft")
    assert found(rig) == [
        f"I3 {ALICE}/credit/unconfirmed@{T1}: the ledger has 399, the lots 400",
        "I3 nobody/credit/ready@X: the ledger has 1, the lots 0",
    ]


def test_money_from_nowhere_is_found() -> None:
    rig = under_way()
    rig.collateral.state.books.ledger.balances["world"]["USDC"] += ONE
    assert found(rig) == ["I3 the ledger adds up to 1, not 0"]


def test_closed_lots_that_are_forgotten_are_found() -> None:
    rig = under_way()
    rig.collateral.state.books.positions[ALICE].credits.closed_spent += ONE
    assert found(rig) == [
        f"I2 {ALICE} credit: closed lots were 0, 1 of them has gone",
        f"I3 {ALICE}/credit/spent@: the ledger has 0, the lots 1",
    ]


def test_a_closed_lot_is_looked_at_once_and_by_every_new_watch() -> None:
    rig, watch = under_way(), CollateralWatch()
    side = rig.collateral.state.books.positions[ALICE].credits
    for name in ("P-8", "P-9"):
        assert watch.look(rig.collateral.state) == []
        side.closed.append(Lot(name, 9, Decimal(2), 0, 0, [Parcel(Key(Holding.SPENT), ONE)]))
        assert watch.look(rig.collateral.state) == [f"I2 {ALICE} lot {name}: its parts add up to 1, not 2"]
    assert watch.look(rig.collateral.state) == []
    assert len(found(rig)) == 2


def test_a_lot_that_was_closed_and_can_move_is_found() -> None:
    rig = under_way()
    side = rig.collateral.state.books.positions[ALICE].credits
    side.closed.append(Lot("P-9", 9, ONE, 0, 0, [Parcel(Key(Holding.READY, T3), ONE)]))
    assert found(rig) == [f"I2 {ALICE} lot P-9: it is closed, and a part can move"]


def test_a_transfer_that_loses_a_part_is_found() -> None:
    rig = under_way()
    [transfer] = rig.collateral.state.transfers.values()
    transfer.amount -= ONE
    assert found(rig) == [
        "I4 transfer T-1 at hop:T1-T2: it says 599, the lots hold 600",
        "I4 transfer T-1: has 599 with its fees, set out with 600",
        "I4 transfer T-1: its leg carries 600, it has 599",
    ]


def test_a_transfer_that_vanishes_leaves_its_money_behind() -> None:
    rig = under_way()
    rig.collateral.state.transfers.clear()
    assert found(rig) == [
        "I4 transfer T-1 at hop:T1-T2: it says 0, the lots hold 600",
        "order O-1: waits and travels, or neither",
    ]


def test_an_order_that_nobody_remembers_is_found() -> None:
    rig = under_way()
    rig.collateral.state.routes.clear()
    assert found(rig) == ["order O-1: answered and asked for, or neither"]


def test_a_withdrawal_whose_parts_do_not_add_up_is_found() -> None:
    rig = under_way()
    rig.withdraw("100")
    [withdrawal] = rig.collateral.state.withdrawals.values()
    withdrawal.refused += ONE
    assert found(rig) == [f"I4 withdrawal {withdrawal.payment_id}: its parts add up to 101, not 100"]
