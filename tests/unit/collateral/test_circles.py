"""What hops may keep of one transfer, all together: no money is burnt by trying again, and going round costs little."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.collateral.facts import TransferStepped, WithdrawalEnded
from core.collateral.graph import fee_of
from core.collateral.hops import FundsMoved, FundsRefused, FundsReturned, HopTrouble, MoveFunds
from core.collateral.records import CollateralRefused, CollateralRouted
from core.collateral.settings import CollateralSettings
from core.kernel.record import Record, Reply
from core.units import SECOND, Nanos
from tests.helpers.collateral import SETTINGS, T1, T2, T3, T4, WALLET, Rig, hop, with_settings

D = Decimal
FIVE = D("0.05")
HALF_HOUR = SETTINGS.route_deadline
ROUND = with_settings(
    hops=(
        *(hop(T1, T2), hop(T2, T4, fee_rate=FIVE), hop(T4, T3)),
        *(hop(T3, T4), hop(T4, T2, fee_rate=FIVE), hop(T2, T1), hop(T1, WALLET)),
    )
)
"""Two hops of five percent between two stops, one in each direction."""
CLOSED = FundsRefused(HopTrouble.REJECTED, "closed")


def returned(share: str, kind: HopTrouble = HopTrouble.REJECTED) -> FundsReturned:
    """The hop gives back what it was given, but for a share of it."""
    return FundsReturned(D(share), kind, "")


def run(rig: Rig, span: Nanos, saying: dict[str, Record]) -> None:
    """Let hops move money for the fee of their settings, but for those that say something else, for a while."""
    end = rig.now + span
    while True:
        for call in [each for each in rig.calls() if each.call_id not in rig.answered]:
            rig.answered.append(call.call_id)
            if isinstance(call.body, MoveFunds):
                rig.deliver(Reply(call.call_id, _said(rig, call.service, call.body.amount, saying)))
        due = min(rig.timers.values(), default=end)
        if due >= end and all(each.call_id in rig.answered for each in rig.calls()):
            break
        rig.advance(min(due, end))
    rig.advance(end)


def _said(rig: Rig, service: str, amount: Decimal, saying: dict[str, Record]) -> Record:
    name = service.removeprefix("hop:")
    fee = fee_of(rig.collateral.graph.hops[name], amount)
    said = saying.get(name, FundsMoved(amount - fee, fee))
    if isinstance(said, FundsReturned):
        return FundsReturned(amount - amount * said.amount, said.kind, said.reason)
    return said


def sent(settings: CollateralSettings) -> Rig:
    rig = Rig(settings)
    rig.deposit("1000")
    rig.route("1000")
    return rig


def withdrawn(settings: CollateralSettings) -> Rig:
    rig = Rig(settings)
    rig.deposit("1000")
    rig.withdraw("1000")
    return rig


def test_money_between_two_closed_hops_does_not_go_round_over_hops_that_cost() -> None:
    rig = sent(ROUND)
    run(rig, 3 * HALF_HOUR, {"T4-T3": CLOSED, "T2-T1": CLOSED})
    assert rig.position().spent == D("97.5")
    assert rig.balance(T2, "ready") == D("902.5")
    [refused] = rig.told()
    assert isinstance(refused, CollateralRefused)
    assert (refused.fee, refused.credited) == (D("97.5"), D("902.5"))


def test_an_operator_hears_that_a_transfer_is_held_for_what_hops_would_keep() -> None:
    rig = sent(ROUND)
    run(rig, 5 * 60 * SECOND, {"T4-T3": CLOSED, "T2-T1": CLOSED})
    assert "hops would keep more of it than they may in all" in {fact.reason for fact in rig.facts(TransferStepped)}


def test_a_hop_that_opens_again_is_used_if_that_costs_nothing_though_hops_have_kept_all_they_may() -> None:
    rig = sent(ROUND)
    run(rig, 10 * 60 * SECOND, {"T4-T3": CLOSED, "T2-T1": CLOSED})
    assert rig.told() == []
    run(rig, 60 * SECOND, {"T4-T3": CLOSED})
    assert rig.balance(T1, "unconfirmed") == D("902.5")


@pytest.mark.parametrize("rate", ["0", "0.09"])
@pytest.mark.parametrize("kind", [HopTrouble.REJECTED, HopTrouble.UNAVAILABLE, HopTrouble.EXPIRED])
def test_a_hop_that_returns_money_and_keeps_a_part_each_time_is_not_tried_for_ever(rate: str, kind: HopTrouble) -> None:
    hops = (hop(T1, T2), hop(T2, T3, fee_rate=D(rate)), hop(T3, T2), hop(T2, WALLET))
    rig = sent(with_settings(hops=hops))
    run(rig, 3 * HALF_HOUR, {"T2-T3": returned("0.09", kind)})
    assert rig.position().spent == 90
    assert rig.balance(T2, "ready") == 910


@pytest.mark.parametrize("kind", [HopTrouble.REJECTED, HopTrouble.UNAVAILABLE])
def test_a_withdrawal_whose_hop_returns_money_and_keeps_a_part_is_told_of_no_more_than_hops_may_keep(
    kind: HopTrouble,
) -> None:
    rig = withdrawn(with_settings(hops=(hop(T1, T3), hop(T1, WALLET, fee_rate=D("0.09")))))
    run(rig, 3 * HALF_HOUR, {"T1-EVM": returned("0.09", kind)})
    [ended] = rig.facts(WithdrawalEnded)
    assert (ended.paid, ended.fee, ended.refused, ended.reason) == (D(0), D(90), D(910), "route_failed")


def test_a_withdrawal_of_which_every_way_is_closed_half_way_does_not_go_round() -> None:
    ways = (hop(T1, place, fee_rate=FIVE) for place in (T2, T4))
    back = (hop(place, T1, fee_rate=FIVE) for place in (T2, T4))
    home = (hop(T2, WALLET), hop(T4, WALLET))
    rig = withdrawn(with_settings(hops=(hop(T1, T3), *ways, *back, *home)))
    run(rig, 3 * HALF_HOUR, {"T2-EVM": CLOSED, "T4-EVM": CLOSED})
    [ended] = rig.facts(WithdrawalEnded)
    assert ended.fee <= 100
    assert ended.fee + ended.refused == 1000


def test_how_much_hops_may_keep_is_a_setting() -> None:
    rig = sent(with_settings(ROUND, transfer_fee_share_max=D("0.2")))
    run(rig, 3 * HALF_HOUR, {"T4-T3": CLOSED, "T2-T1": CLOSED})
    assert D(150) < rig.position().spent <= 200
    rig = sent(with_settings(ROUND, transfer_fee_share_max=D("0.04")))
    assert [said.reason for said in rig.told() if isinstance(said, CollateralRefused)] == ["no_route"]


def test_a_fee_that_is_a_little_higher_than_expected_turns_nobody_round() -> None:
    """Turning round it would pay the way back as well, and be too dear to set out once more."""
    hops = (hop(T1, T2, fee_flat=D(40)), hop(T2, T3, fee_flat=D(59)), hop(T2, T1, fee_flat=D(40)))
    rig = sent(with_settings(hops=hops))
    run(rig, HALF_HOUR, {"T1-T2": FundsMoved(D(958), D(42))})
    assert [type(said) for said in rig.told()] == [CollateralRouted]
    assert rig.position().spent == 101
