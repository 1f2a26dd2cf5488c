"""What the reference does to collateral and what can no longer happen: each test is named after it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.collateral.collateral import Collateral
from core.collateral.hops import FundsMoved, FundsRefused, HopTrouble, MoveFunds
from core.collateral.positions import CHARGES
from core.collateral.records import CollateralRefused, CollateralSpent, PaidOut
from core.units import SECOND
from tests.helpers.collateral import ALICE, SETTINGS, T1, T2, T3, WALLET, Rig, hop, with_settings

HOPS = (hop(T1, T2), hop(T2, T3), hop(T3, T2), hop(T2, T1), hop(T1, WALLET))
FREE = with_settings(hops=HOPS)
NONE = Decimal(0)
CLOSED = FundsRefused(HopTrouble.REJECTED, "closed")


def routed(amount: str = "1000") -> Rig:
    rig = Rig(FREE)
    rig.deposit(amount)
    rig.route(amount)
    rig.serve()
    return rig


def test_a_failed_transfer_no_longer_throws_the_users_whole_balance_into_system() -> None:
    rig = Rig(FREE)
    rig.deposit("1000")
    rig.route("100")
    rig.reply(CLOSED)
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", credited=Decimal(100))]
    assert [rig.position().unconfirmed, rig.position().spent] == [1000, 0]
    assert rig.position().lots[0].spends == ()


def test_a_fee_that_cannot_be_computed_no_longer_wipes_earlier_fees() -> None:
    rig = Rig(FREE)
    rig.deposit("1000")
    rig.route("1000")
    rig.reply(FundsMoved(Decimal(990), Decimal(10)))
    rig.reply(FundsMoved(Decimal(985), Decimal(0)))
    [routed_to] = rig.routed()
    assert (routed_to.amount, routed_to.fee) == (Decimal(985), Decimal(15))
    [charges] = [spend for spend in rig.position().lots[0].spends if spend.payment_id == CHARGES]
    assert charges.spent == 15


def test_what_is_spent_below_what_was_preauthorised_no_longer_stays_there_for_ever() -> None:
    rig = routed()
    rig.preauthorise("1000")
    rig.spend("600", "P-2")
    assert rig.told(rig.release("P-2")) == [PaidOut("O-1", NONE, NONE, credited=Decimal(400))]
    assert [rig.position().preauth, rig.position().ready] == [0, 400]


def test_the_whole_routed_amount_is_no_longer_charged_and_the_rest_is_paid_back() -> None:
    rig = routed()
    rig.preauthorise("1000")
    [spent] = rig.told(rig.spend("950.5", "P-2"))
    assert isinstance(spent, CollateralSpent)
    assert spent.amount == Decimal("950.5")
    rig.refund("P-2")
    rig.serve()
    assert rig.told()[-1] == PaidOut("O-1", Decimal("49.5"), Decimal(0))
    assert [rig.position().spent, rig.position().returned] == [Decimal("950.5"), Decimal("49.5")]


def test_collateral_of_an_order_that_fails_is_no_longer_stranded() -> None:
    rig = routed()
    rig.preauthorise("1000")
    rig.spend("300", "P-2")
    rig.release("P-2")
    rig.route("700", "O-2")
    assert rig.routed()[-1].amount == 700
    rig.release("", "O-2")
    rig.withdraw("700")
    rig.serve()
    assert [rig.position().spent, rig.position().returned] == [300, 700]


def test_money_on_a_broken_route_is_no_longer_stranded_between_two_places() -> None:
    rig = Rig(FREE)
    rig.deposit("1000")
    rig.route("1000")
    rig.reply(FundsMoved(Decimal(1000), Decimal(0)))
    rig.reply(CLOSED)
    rig.reply(CLOSED)
    assert rig.balance(T2, "routing") == 1000
    rig.pass_seconds(60)
    rig.serve()
    assert rig.routed()[-1].amount == 1000


@pytest.mark.parametrize("amount", ["0", "-1", "-0.000001", "NaN", "Infinity"])
def test_negative_and_zero_amounts_are_no_longer_accepted_anywhere(amount: str) -> None:
    rig = routed()
    before = rig.position()
    rig.deposit(amount, 1)
    rig.withdraw(amount, 1)
    rig.route(amount, "O-2")
    rig.preauthorise(amount)
    rig.spend(amount, "P-2")
    rig.pay_out(amount, "O-3")
    refusals = [said.reason for said in rig.told() if isinstance(said, CollateralRefused)]
    assert refusals == ["invalid_amount"] * 4
    assert rig.position() == before


def test_a_crash_between_request_and_answer_no_longer_loses_or_repeats_a_movement() -> None:
    rig = Rig(FREE)
    rig.deposit("1000")
    rig.route("1000")
    saved, timers = rig.collateral.snapshot(), dict(rig.timers)
    again = Rig(FREE)
    again.collateral = Collateral("collateral", FREE)
    again.collateral.restore(saved)
    again.timers, again.effects = timers, list(rig.effects)
    again.pass_seconds(3)
    again.reply(FundsMoved(Decimal(1000), Decimal(0)))
    again.serve()
    assert again.routed()[-1].amount == 1000
    legs = [(call.body.leg, call.service) for call in again.calls() if isinstance(call.body, MoveFunds)]
    assert legs == [(1, "hop:T1-T2"), (2, "hop:T2-T3")]


def test_a_withdrawal_request_is_no_longer_opened_and_forgotten() -> None:
    rig = Rig(FREE)
    rig.deposit("1000")
    rig.withdraw("250")
    rig.serve()
    assert [rig.position().unconfirmed, rig.position().returned] == [750, 250]


def test_a_hop_that_never_answers_no_longer_leaves_its_order_without_an_answer() -> None:
    rig = Rig(SETTINGS)
    rig.deposit("1000")
    rig.route("1000")
    rig.pass_seconds(SETTINGS.route_deadline // SECOND)
    assert [said.reason for said in rig.told() if isinstance(said, CollateralRefused)] == ["timeout"]
    assert rig.position(ALICE).routing == 1000
    assert rig.balance("hop:T1-T2", "routing") == 1000
