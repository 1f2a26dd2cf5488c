"""The four tables: what may happen to money, to a transfer, to a leg and to a deposit at a bridge."""

from __future__ import annotations

import pytest

from core.collateral.states import (
    BRIDGES,
    HOLDINGS,
    LEGS,
    TRANSFERS,
    BridgeState,
    BridgeStep,
    Holding,
    HoldingStep,
    LegState,
    LegStep,
    TransferState,
    TransferStep,
)
from core.errors import IllegalTransition


def test_the_ends_are_terminal() -> None:
    assert [s for s in Holding if HOLDINGS.is_terminal(s)] == ["spent", "returned"]
    assert [s for s in TransferState if TRANSFERS.is_terminal(s)] == ["arrived", "reversed", "left", "consumed"]
    assert [s for s in LegState if LEGS.is_terminal(s)] == ["moved", "refused", "returned"]
    assert [s for s in BridgeState if BRIDGES.is_terminal(s)] == ["final", "refunded"]


@pytest.mark.parametrize("step", list(HoldingStep))
def test_nothing_happens_to_money_that_was_spent(step: HoldingStep) -> None:
    with pytest.raises(IllegalTransition, match=r"collateral 1:0xa: no .* it is terminal"):
        HOLDINGS.after(Holding.SPENT, step, "1:0xa")


def test_only_money_under_way_is_charged_by_hops() -> None:
    assert [s for s in Holding if HoldingStep.CHARGED in HOLDINGS.table[s]] == [Holding.ROUTING]


def test_what_is_preauthorised_is_spent_or_released_and_nothing_else() -> None:
    assert list(HOLDINGS.table[Holding.PREAUTH]) == [HoldingStep.SPENT, HoldingStep.RELEASED]


def test_a_leg_that_was_sent_is_never_abandoned() -> None:
    assert [s for s in LegState if LegStep.ABANDONED in LEGS.table[s]] == [LegState.WAITING, LegState.QUOTING]


def test_a_leg_is_sent_a_second_time_only_after_its_hop_was_asked() -> None:
    assert [s for s in LegState if LegStep.SENT in LEGS.table[s]] == ["waiting", "quoting", "unclear"]


def test_a_transfer_turns_back_only_while_it_goes_forward() -> None:
    assert [s for s in TransferState if TransferStep.TURNED in TRANSFERS.table[s]] == [TransferState.FORWARD]


def test_a_deposit_deep_enough_is_not_undone() -> None:
    undone = [s for s in BridgeState if BridgeStep.DEPOSIT_UNDONE in BRIDGES.table[s]]
    assert undone == [BridgeState.SUBMITTED]


def test_a_fill_may_be_heard_of_after_the_expiry() -> None:
    assert BRIDGES.after(BridgeState.EXPIRED, BridgeStep.FILLED, "T-1") is BridgeState.FILLED
