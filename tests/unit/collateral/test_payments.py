"""Collateral that is ready is set aside, spent and let go, exactly as asked, lot by lot."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.collateral.positions import EARLIER, SPENDS_MAX
from core.collateral.records import (
    CollateralPreauthorised,
    CollateralRefused,
    CollateralRouted,
    CollateralSpent,
    PaidOut,
)
from tests.helpers.collateral import SETTINGS, T1, T3, WALLET, Rig, hop, with_settings

NONE = Decimal(0)
FREE = with_settings(hops=(hop(T1, T3), hop(T3, T1), hop(T1, WALLET)))


def ready(*deposits: str) -> Rig:
    """An order that all of these deposits were brought for."""
    rig = Rig(FREE)
    for number, amount in enumerate(deposits):
        rig.deposit(amount, number)
    rig.route(str(sum(map(Decimal, deposits))))
    rig.serve()
    return rig


def reasons(rig: Rig) -> list[str]:
    return [f"{said.stage}: {said.reason}" for said in rig.told() if isinstance(said, CollateralRefused)]


def test_payments_are_named_and_draw_on_the_oldest_deposits_first() -> None:
    rig = ready("300", "500")
    assert rig.told(rig.preauthorise("400")) == [CollateralPreauthorised("O-1", "P-3", Decimal(400))]
    assert [[lot.preauth, lot.ready] for lot in rig.position().lots] == [[300, 0], [100, 400]]


def test_what_is_spent_comes_with_the_numbers_of_its_deposits() -> None:
    rig = ready("300", "500")
    rig.preauthorise("400")
    [spent] = rig.told(rig.spend("350", "P-3"))
    assert isinstance(spent, CollateralSpent)
    assert (spent.amount, spent.seq_nums) == (Decimal(350), (0, 1))
    assert [[lot.spent, lot.preauth] for lot in spent.position.lots] == [[300, 0], [50, 50]]


def test_a_payment_is_spent_in_parts_until_nothing_is_left() -> None:
    rig = ready("100")
    rig.preauthorise("100")
    rig.spend("60", "P-2")
    rig.spend("40", "P-2")
    rig.spend("1", "P-2")
    assert reasons(rig) == ["spend: not_enough_funds"]
    assert rig.position().spent == 100


def test_more_than_is_there_is_refused_and_nothing_moves() -> None:
    rig = ready("100")
    before = rig.position()
    rig.preauthorise("100.01")
    rig.spend("1", "P-9")
    assert reasons(rig) == ["preauthorise: not_enough_funds", "spend: not_enough_funds"]
    assert rig.position() == before


def test_who_lacks_no_more_than_the_tolerance_gets_what_is_there() -> None:
    rig = ready("100")
    assert rig.told(rig.preauthorise("100.000001")) == [CollateralPreauthorised("O-1", "P-2", Decimal(100))]
    [spent] = rig.told(rig.spend("100.0000005", "P-2"))
    assert isinstance(spent, CollateralSpent)
    assert spent.amount == 100


@pytest.mark.parametrize("amount", ["0", "-5", "NaN"])
def test_amounts_that_are_none_are_refused(amount: str) -> None:
    rig = ready("100")
    rig.preauthorise(amount)
    rig.spend(amount, "P-2")
    assert reasons(rig) == ["preauthorise: invalid_amount", "spend: invalid_amount"]


def test_a_payment_is_its_orders_alone() -> None:
    rig = ready("100")
    rig.preauthorise("100")
    rig.spend("50", "P-2", order_id="O-2")
    assert reasons(rig) == ["spend: not_enough_funds"]
    assert rig.told(rig.release("P-2", "O-2")) == [PaidOut("O-2", NONE, NONE)]


def test_two_payments_of_one_order_are_apart() -> None:
    rig = ready("100")
    rig.preauthorise("60")
    rig.preauthorise("40")
    rig.spend("60", "P-2")
    assert rig.told(rig.release("P-3")) == [PaidOut("O-1", NONE, NONE, credited=Decimal(40))]


def test_a_release_ends_the_orders_claim_too() -> None:
    rig = ready("100")
    rig.preauthorise("60")
    rig.spend("50", "P-2")
    assert rig.told(rig.release("P-2")) == [PaidOut("O-1", NONE, NONE, credited=Decimal(50))]
    assert [rig.position().ready, rig.position().preauth, rig.position().spent] == [50, 0, 50]


def test_a_second_release_finds_nothing() -> None:
    rig = ready("100")
    rig.preauthorise("100")
    rig.release("P-2")
    assert rig.told(rig.release("P-2")) == [PaidOut("O-1", NONE, NONE)]


def test_what_is_released_goes_to_the_order_that_waits_for_it() -> None:
    rig = ready("100")
    rig.route("80", "O-2")
    effects = rig.release("", "O-1")
    assert rig.told(effects) == [
        PaidOut("O-1", NONE, NONE, credited=Decimal(100)),
        CollateralRouted("O-2", Decimal(80), Decimal(0)),
    ]


def test_an_order_may_set_aside_what_its_user_has_free_beside_its_own() -> None:
    rig = ready("100")
    rig.release("", "O-1")
    rig.deposit("50", 1)
    rig.route("120", "O-2")
    rig.serve()
    rig.deposit("30", 2)
    rig.route("30", "O-3")
    rig.serve()
    rig.release("", "O-3")
    assert rig.told(rig.preauthorise("150", "O-2")) == [CollateralPreauthorised("O-2", "P-4", Decimal(150))]


def test_a_lot_of_very_many_payments_keeps_the_last_of_them_and_the_sum_of_the_rest() -> None:
    rig = ready("1000")
    for number in range(SPENDS_MAX + 20):
        rig.preauthorise("1")
        rig.spend("1", f"P-{number + 2}")
    [lot] = rig.position().lots
    assert len(lot.spends) <= SPENDS_MAX + 1
    assert lot.spends[0].payment_id == EARLIER
    assert sum(spend.spent for spend in lot.spends) == lot.spent == SPENDS_MAX + 20


def test_of_closed_lots_a_few_are_kept_and_the_sums_of_all() -> None:
    rig = Rig(with_settings(FREE, closed_lots_max=2))
    for number in range(5):
        rig.deposit("10", number)
        rig.route("10", f"O-{number}")
        rig.serve()
        rig.preauthorise("10", f"O-{number}")
        rig.spend("10", f"P-{2 * number + 2}", f"O-{number}")
    side = rig.collateral.state.books.positions["1:0xa11ce"].credits
    assert [lot.seq_num for lot in side.closed] == [3, 4]
    assert [side.closed_amount, side.closed_spent, rig.position().spent] == [50, 50, 50]
    assert SETTINGS.closed_lots_max == 16
