"""What was paid for nothing is paid back, what was held for nothing is taken back: once, and so that all adds up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.collateral.books import Owner, account
from core.collateral.facts import CollateralMoved, WithdrawalEnded
from core.collateral.positions import Key
from core.collateral.records import (
    CollateralRefused,
    CollateralRepaid,
    PaidOut,
    PayOut,
    ProceedsHeld,
    ProceedsTakenBack,
    RepayCollateral,
    TakeBackProceeds,
)
from core.collateral.states import Holding
from core.kernel.record import Effect, Message, Record
from core.market.ledger import WORLD
from tests.helpers.collateral import ALICE, SETTINGS, T2, T3, Rig, hop, with_settings

D = Decimal


def paid(whole: str = "60", cost: str = "40") -> Rig:
    """Alice has deposited 100, an order of hers has set `whole` of it aside and paid `cost`."""
    free = with_settings(hops=(*(hop(each.source, each.destination) for each in SETTINGS.hops),))
    rig = Rig(free)
    rig.deposit("100")
    rig.route(whole)
    rig.serve()
    rig.preauthorise(whole)
    rig.spend(cost, "P-2")
    return rig


def repay(rig: Rig, amount: str = "40", *, symbol: str = "IX") -> list[Effect]:
    return rig.deliver(Message("desk", RepayCollateral("O-1", ALICE, symbol, D(amount))))


def take_back(rig: Rig) -> list[Effect]:
    return rig.deliver(Message("desk", TakeBackProceeds("O-1", ALICE)))


def refused(rig: Rig, effects: list[Effect]) -> str:
    (said,) = rig.told(effects)
    assert isinstance(said, CollateralRefused)
    return f"{said.stage}: {said.reason}"


def world(rig: Rig) -> Decimal:
    """What has come in from outside the books, less what has left them."""
    return -rig.collateral.state.books.ledger.balances[WORLD]["USDC"]


# --- buys ----------------------------------------------------------------------------------------


def test_what_was_paid_is_the_orders_once_more_and_goes_home_with_the_rest() -> None:
    rig = paid()
    assert rig.told(repay(rig)) == [CollateralRepaid("O-1", D(40))]
    assert rig.told(rig.refund("P-2", least="60")) == []
    rig.serve()
    assert rig.told()[-1] == PaidOut("O-1", D(60), D(0))
    position = rig.position()
    assert (position.unconfirmed, position.spent, position.returned) == (D(40), D(40), D(60))


def test_what_is_paid_back_while_the_rest_is_on_its_way_home_lies_where_it_can_be_withdrawn() -> None:
    rig = paid()
    rig.refund("P-2")
    assert rig.told(repay(rig)) == [CollateralRepaid("O-1", D(40))]
    assert rig.balance(T3, "ready") == 40
    rig.release()
    rig.withdraw("40")
    rig.serve()
    assert [(ended.paid, ended.refused) for ended in rig.facts(WithdrawalEnded)] == [(D(40), D(0))]


def test_all_that_an_order_had_may_be_paid_back() -> None:
    rig = paid("60", "60")
    repay(rig, "60")
    assert rig.balance(T3, "ready") == 60
    assert rig.told(rig.release("P-2")) == [PaidOut("O-1", D(0), D(0), credited=D(60))]


def test_the_house_pays_it_and_the_fact_says_so() -> None:
    rig = paid()
    before = world(rig)
    (fact,) = rig.facts(CollateralMoved, repay(rig))
    assert (fact.what, fact.source, fact.state, fact.destination) == ("repaid", "", "ready", T3)
    assert (fact.amount, fact.order_id, world(rig) - before) == (D(40), "O-1", D(40))


def test_money_that_is_paid_back_is_nobody_elses_until_it_is_released() -> None:
    rig = paid()
    repay(rig)
    rig.withdraw("100")
    rig.serve()
    assert rig.position().returned == 40
    rig.release("P-2")
    rig.serve()
    assert rig.position().returned == 100


def test_what_was_paid_back_already_is_not_paid_back_again() -> None:
    rig = paid()
    repay(rig)
    assert refused(rig, repay(rig)) == "repay: duplicate"
    assert rig.position().ready == 40


def test_collateral_of_an_order_that_was_not_set_aside_is_not_taken_for_what_was_paid_back() -> None:
    rig = Rig()
    rig.deposit("100")
    rig.route("100")
    rig.serve()
    rig.preauthorise("40")
    rig.spend("40", "P-2")
    assert rig.balance(T3, "ready") > 0
    assert rig.told(repay(rig)) == [CollateralRepaid("O-1", D(40))]


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity"])
def test_no_amount_is_not_paid_back(amount: str) -> None:
    rig = paid()
    assert refused(rig, repay(rig, amount)) == "repay: invalid_amount"


def test_where_nobody_knows_how_to_pay_back_nothing_is() -> None:
    rig = paid("60", "60")
    assert refused(rig, repay(rig, "60", symbol="IZ")) == "repay: unknown_symbol"
    assert rig.position().ready == 0


# --- sells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_way", [True, False])
def test_cash_that_is_taken_back_is_held_no_more_and_its_lot_has_ended(has_way: bool) -> None:
    hops = SETTINGS.hops if has_way else tuple(each for each in SETTINGS.hops if each.source != T2)
    rig = Rig(with_settings(hops=hops))
    assert rig.told(rig.hold("25")) == [ProceedsHeld("O-1", D(25))]
    effects = take_back(rig)
    assert rig.told(effects) == [ProceedsTakenBack("O-1", D(25))]
    (fact,) = rig.facts(CollateralMoved, effects)
    assert (fact.what, fact.state, fact.amount) == ("taken_back", "spent", D(25))
    owner = Owner(ALICE, "debit" if has_way else "credit")
    assert rig.collateral.state.books.side(owner).lots == {}
    assert rig.collateral.state.books.ledger.balances[account(owner, Key(Holding.SPENT))]["USDC"] == 25


def test_cash_is_taken_back_once() -> None:
    rig = Rig()
    rig.hold("25")
    take_back(rig)
    assert refused(rig, take_back(rig)) == "take_back: not_enough_funds"


@pytest.mark.parametrize("arrived", [False, True])
def test_cash_that_was_sent_to_its_user_is_not_taken_back(arrived: bool) -> None:
    rig = Rig()
    rig.hold("25")
    asked: Record = PayOut("O-1", ALICE)
    rig.deliver(Message("desk", asked))
    if arrived:
        rig.serve()
    assert refused(rig, take_back(rig)) == "take_back: not_enough_funds"
