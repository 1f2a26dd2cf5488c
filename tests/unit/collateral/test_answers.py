"""Last words that leave nothing, that keep too much, or that contradict each other when the transfer is over."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.collateral.ended import ENDED_MAX
from core.collateral.facts import HopDisputed, PayoutArrived, TransferStepped, WithdrawalEnded
from core.collateral.hops import FundsMoved, FundsRefused, FundsReturned, HopTrouble
from core.collateral.records import CollateralRefused
from core.kernel.record import Record, Reply
from core.units import SECOND
from tests.helpers.collateral import ALICE, SETTINGS, T1, T3, WALLET, Rig, hop, with_settings

D = Decimal
NONE = D(0)
NO = FundsRefused(HopTrouble.REJECTED, "no")
KEPT = [FundsMoved(NONE, D(100)), FundsReturned(NONE, HopTrouble.UNAVAILABLE, "")]
DIRECT = with_settings(hops=(hop(T1, T3, capacity=D(100)), hop(T3, WALLET), hop(T1, WALLET)))


def routing(settings: Any = DIRECT) -> Rig:
    """A hundred on its only hop."""
    rig = Rig(settings)
    rig.deposit("300")
    rig.route("100")
    return rig


def disputes(rig: Rig) -> list[str]:
    return [fact.what for fact in rig.facts(HopDisputed)]


@pytest.mark.parametrize("said", KEPT)
def test_a_hop_that_keeps_all_has_said_its_last_word_and_has_room_again(said: Record) -> None:
    rig = routing()
    rig.reply(said)
    assert disputes(rig) == ["has kept 100 of 100, more than it may"]
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", D(100))]
    assert rig.facts(TransferStepped)[-1].what == "consumed"
    assert (rig.collateral.state.transfers, rig.timers) == ({}, {})
    assert [rig.position().spent, rig.position().unconfirmed] == [100, 200]
    rig.route("100", "O-2")
    rig.serve()
    assert [said.order_id for said in rig.routed()] == ["O-2"]


@pytest.mark.parametrize("said", KEPT)
def test_a_withdrawal_of_which_hops_keep_all_has_cost_all(said: Record) -> None:
    rig = Rig(DIRECT)
    rig.deposit("100")
    rig.withdraw("100")
    rig.reply(said)
    ended = WithdrawalEnded(ALICE, 0, NONE, D(100), NONE, "", payment_id="P-2")
    assert rig.facts(WithdrawalEnded) == [ended]
    assert rig.collateral.state.transfers == {}


def test_what_hops_keep_of_what_was_under_way_when_its_order_was_answered_is_told() -> None:
    rig = routing()
    rig.stop_route()
    assert rig.told() == [CollateralRefused("O-1", "route", "cancelled", under_way=D(100))]
    rig.reply(FundsMoved(NONE, D(100)))
    assert rig.facts(PayoutArrived) == [PayoutArrived("O-1", ALICE, NONE, D(100), NONE)]


def test_an_order_that_is_stopped_before_its_money_leaves_has_it_back_at_once() -> None:
    rig = routing()
    rig.route("100", "O-2")
    rig.stop_route("O-2")
    assert rig.told() == [CollateralRefused("O-2", "route", "cancelled", credited=D(100))]
    assert rig.facts(PayoutArrived) == []


def test_an_amount_that_came_back_with_less_than_the_hop_may_keep_is_noted() -> None:
    rig = routing()
    rig.reply(FundsReturned(D("0.01"), HopTrouble.REJECTED, ""))
    assert disputes(rig) == ["has kept 99.99 of 100, more than it may"]


@pytest.mark.parametrize(
    ("first", "then", "what"),
    [
        (NO, FundsMoved(D(100), NONE), "the leg was refused, and now: FundsMoved"),
        (FundsMoved(D(100), NONE), NO, "the leg has moved, and now: FundsRefused"),
    ],
)
def test_a_hop_that_contradicts_itself_when_the_transfer_is_over_is_disputed_once(
    first: Record, then: Record, what: str
) -> None:
    rig = routing()
    rig.reply(first)
    assert rig.collateral.state.transfers == {}
    for _ in range(3):
        rig.reply(then)
    assert [said.partition("(")[0] for said in disputes(rig)] == [what]


def test_a_hop_that_repeats_itself_when_the_transfer_is_over_is_passed_over() -> None:
    rig = routing()
    for _ in range(3):
        rig.reply(NO)
    assert disputes(rig) == []


def test_of_transfers_that_are_over_the_last_are_remembered() -> None:
    rig = Rig(DIRECT)
    rig.deposit("1000")
    for number in range(ENDED_MAX + 1):
        rig.route("100", f"O-{number}")
        rig.reply(NO)
    assert len(rig.collateral.state.ended) == ENDED_MAX
    for call in (rig.calls()[0], rig.calls()[1]):
        rig.deliver(Reply(call.call_id, FundsMoved(D(100), NONE)))
    assert [fact.transfer_id for fact in rig.facts(HopDisputed)] == ["T-2"]


def test_a_transfer_that_is_held_says_so_once_however_often_it_tries_again() -> None:
    rig = Rig()
    rig.deposit("100")
    rig.route("100")
    rig.reply(FundsMoved(D(99), D(1)))
    for _ in range(5):
        rig.reply(NO, to=-1)
        rig.reply(NO, to=-1)
        rig.advance(rig.now + SETTINGS.held_retry + SECOND)
    assert [fact.what for fact in rig.facts(TransferStepped)] == ["turned", "held"]
