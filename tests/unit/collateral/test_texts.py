"""Users and relayers whose names nobody can write, or that have no end, are refused or disputed, and not kept."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from core.collateral.facts import CollateralDepositRefused, HopDisputed, HopStepped, WithdrawalEnded
from core.collateral.hops import BridgeFilled, BridgeReorged, BridgeSuggested, FundsRefused, HopTrouble
from core.collateral.settings import BridgeSettings, Confirmations
from core.kernel.codec import encode
from core.units import SECOND
from tests.helpers.collateral import T1, T3, WALLET, Rig, hop, with_settings

BAD = ["1:\ud800", "1:0x\udfff", "1:" + "x" * 255]
BLOCKS = BridgeSettings(confirmations=(Confirmations(None, 3),), fill_time_min=60 * SECOND)
BRIDGED = with_settings(hops=(hop(T1, T3, "across", bridge=BLOCKS), hop(T3, WALLET)))
TERMS = BridgeSuggested(Decimal(495), 600 * SECOND, "r1", 10 * SECOND)


def written(rig: Rig) -> None:
    """All that there is, and all that was said, can be written down."""
    rig.collateral.snapshot()
    encode(rig.effects)


@pytest.mark.parametrize("bad", BAD)
def test_deposits_and_withdrawals_of_such_a_user_are_refused(bad: str) -> None:
    rig = Rig()
    rig.deposit("5", user=bad)
    rig.withdraw("5", user=bad)
    assert [fact.reason for fact in rig.facts(CollateralDepositRefused)] == ["invalid_user"]
    assert [(fact.reason, fact.refused) for fact in rig.facts(WithdrawalEnded)] == [("invalid_user", Decimal(5))]
    written(rig)


@pytest.mark.parametrize("bad", BAD)
def test_a_bridge_that_names_such_a_relayer_is_disputed_and_its_next_word_counts(bad: str) -> None:
    rig = Rig(BRIDGED)
    rig.deposit("500")
    rig.route("500")
    for _ in range(2):
        rig.reply(replace(TERMS, exclusive_relayer=bad))
    assert len(rig.facts(HopDisputed)) == 1
    rig.reply(TERMS)
    rig.news(BridgeFilled("T-1", 1, Decimal(495), bad, filled_at=5 * SECOND, confirmations=3))
    assert len(rig.facts(HopDisputed)) == 2
    assert rig.routed() == []
    rig.news(BridgeFilled("T-1", 1, Decimal(495), "r1", filled_at=5 * SECOND, confirmations=3))
    assert len(rig.routed()) == 1
    written(rig)


@pytest.mark.parametrize("bad", BAD)
def test_news_of_a_transfer_of_such_a_name_is_disputed(bad: str) -> None:
    rig = Rig(BRIDGED)
    rig.news(BridgeReorged(bad, 1, at_origin=True))
    assert len(rig.facts(HopDisputed)) == 1
    written(rig)


@pytest.mark.parametrize("bad", BAD)
def test_what_a_hop_gives_as_a_reason_is_stated_as_far_as_it_can_be(bad: str) -> None:
    rig = Rig()
    rig.deposit("500")
    rig.route("500")
    rig.reply(FundsRefused(HopTrouble.REJECTED, bad))
    assert any(fact.reason.startswith("rejected: 1:") for fact in rig.facts(HopStepped))
    written(rig)
