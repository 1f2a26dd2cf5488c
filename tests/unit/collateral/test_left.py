"""Money of an order that has ended, where it could go neither on nor back: for orders and withdrawals, from there."""

from __future__ import annotations

from decimal import Decimal

from core.collateral.facts import TransferStepped, WithdrawalEnded
from core.collateral.hops import FundsMoved, FundsRefused, HopTrouble
from core.collateral.records import CollateralRefused, CollateralRouted
from core.collateral.settings import ChainSettings, CollateralSettings
from tests.helpers.collateral import SETTINGS, T1, T2, T3, T4, WALLET, Rig, hop, with_settings

D = Decimal
CLOSED = FundsRefused(HopTrouble.REJECTED, "closed")
HALF_HOUR = SETTINGS.route_deadline
APART = with_settings(hops=(hop(T1, T2), hop(T2, T3), hop(T3, T2), hop(T2, WALLET)))
"""Deposits come in at one place and go home from another."""
TURNING = with_settings(hops=(hop(T1, T2), hop(T2, T3), hop(T3, T2), hop(T2, T1), hop(T1, WALLET)))


def stuck(settings: CollateralSettings = APART, amount: str = "640") -> Rig:
    """An order has ended whose money could go neither on nor back."""
    rig = Rig(settings)
    rig.deposit(amount)
    rig.route(amount)
    rig.reply(FundsMoved(D(amount), D(0)))
    while rig.timers and rig.now < HALF_HOUR:
        while rig.calls()[-1].call_id not in rig.answered:
            rig.reply(CLOSED)
        rig.advance(min(HALF_HOUR, *rig.timers.values()))
    return rig


def ended(rig: Rig) -> list[tuple[Decimal, Decimal, str]]:
    return [(fact.paid, fact.refused, fact.reason) for fact in rig.facts(WithdrawalEnded)]


def test_money_of_an_order_that_has_ended_is_withdrawn_from_where_it_was_left() -> None:
    rig = stuck()
    assert rig.told() == [CollateralRefused("O-1", "route", "timeout", credited=D(640))]
    assert rig.balance(T2, "ready") == 640
    rig.withdraw("640")
    rig.serve()
    assert ended(rig) == [(D(640), D(0), "")]
    assert rig.timers == {}


def test_money_of_an_order_that_has_ended_counts_for_the_next_from_where_it_was_left() -> None:
    rig = stuck()
    rig.route("640", "O-2")
    assert rig.calls()[-1].service == "hop:T2-T3"
    rig.serve()
    assert rig.routed() == [CollateralRouted("O-2", D(640), D(0))]


def test_an_order_that_waits_is_served_with_what_another_has_left() -> None:
    rig = Rig(TURNING)
    rig.deposit("640")
    rig.route("640", "O-1")
    rig.route("600", "O-2")
    rig.stop_route("O-1")
    rig.reply(FundsMoved(D(640), D(0)))
    assert rig.calls()[-1].service == "hop:T2-T1"
    rig.reply(CLOSED)
    rig.serve()
    assert rig.routed() == [CollateralRouted("O-2", D(600), D(0))]


def test_deposits_are_drawn_on_before_what_was_left_elsewhere() -> None:
    rig = stuck()
    rig.deposit("500", 1)
    rig.route("500", "O-2")
    rig.route("600", "O-3")
    assert [call.service for call in rig.calls()[-2:]] == ["hop:T1-T2", "hop:T2-T3"]


def test_what_was_left_leaves_in_parts_if_that_is_how_it_goes() -> None:
    chains = {"1": ChainSettings(deposit=T1, payout=T1)}
    rig = stuck(with_settings(chains=chains, hops=(hop(T1, T2), hop(T2, T3), hop(T2, T1, amount_max=D(100)))))
    rig.withdraw("640")
    rig.serve()
    assert ended(rig) == [(D(640), D(0), "")]
    assert len({call.body.transfer_id for call in rig.calls() if call.service == "hop:T2-T1"}) == 7


def test_an_order_that_is_stopped_has_its_money_at_the_next_stop_if_it_cannot_turn_there() -> None:
    rig = Rig(TURNING)
    rig.deposit("640")
    rig.route("640")
    rig.stop_route()
    rig.reply(FundsMoved(D(640), D(0)))
    rig.reply(CLOSED)
    assert [fact.what for fact in rig.facts(TransferStepped)] == ["turned", "left"]
    assert rig.balance(T2, "ready") == 640
    assert rig.timers == {}


def test_an_order_does_not_wait_where_only_what_was_left_has_a_way() -> None:
    apart = (hop(T1, WALLET, "out"), hop(T4, T3), hop(T3, WALLET))
    rig = Rig(with_settings(hops=apart))
    rig.route("100", "O-1")
    assert [said.reason for said in rig.told() if isinstance(said, CollateralRefused)] == ["no_route"]
    rig.deposit("100", at=T4)
    rig.route("100", "O-2")
    rig.serve()
    assert rig.routed() == [CollateralRouted("O-2", D(100), D(0))]


def test_what_lies_where_no_way_leads_on_does_not_end_an_order_that_waits_for_a_deposit() -> None:
    rig = Rig(with_settings(hops=(hop(T1, T3), hop(T4, WALLET), hop(T3, WALLET))))
    rig.deposit("500", at=T4)
    rig.route("500")
    rig.deposit("500", 1)
    rig.serve()
    assert rig.routed() == [CollateralRouted("O-1", D(500), D(0))]
