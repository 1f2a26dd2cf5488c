"""What bridges may not say, and what comes of it: too early, too little, too large to keep, or after the last word."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.collateral.bridge import FILL_TIME_MAX
from core.collateral.facts import HopDisputed
from core.collateral.hops import (
    BridgeExpired,
    BridgeRefunded,
    BridgeReorged,
    DepositToBridge,
    FundsMoved,
    FundsRefused,
    FundsReturned,
    HopTrouble,
    SuggestFees,
)
from core.collateral.records import CollateralRouted
from tests.helpers.collateral import with_settings
from tests.unit.collateral.test_bridging import (
    ABOUT,
    DEADLINE,
    FILL,
    ROUTED,
    SETTINGS,
    TERMS,
    deposited,
    disputes,
    expired,
    suggested,
)


@pytest.mark.parametrize("is_news", [True, False])
def test_a_refund_before_the_deadline_is_disputed_and_no_second_deposit_is_made(is_news: bool) -> None:
    rig = deposited()
    rig.news(replace(FILL, confirmations=1))
    if is_news:
        rig.news(BridgeRefunded(*ABOUT, Decimal(500)))
    else:
        for _ in range(2):
            rig.pass_seconds(1)
            rig.reply(FundsReturned(Decimal(500), HopTrouble.EXPIRED, ""))
    assert disputes(rig) == [f"refunds before its deadline {DEADLINE}"]
    assert rig.balance("hop:across", "routing") == 500
    rig.news(FILL)
    assert rig.told() == [ROUTED]
    assert [type(call.body) for call in rig.calls()] == [SuggestFees, DepositToBridge]


def test_an_answer_below_the_agreed_output_is_disputed_and_what_arrived_is_booked() -> None:
    rig = deposited()
    rig.reply(FundsMoved(Decimal(490), Decimal(10)))
    assert disputes(rig) == ["has paid out 490, agreed was 495"]
    assert rig.told() == [CollateralRouted("O-1", Decimal(490), Decimal(10))]


@pytest.mark.parametrize("is_news", [True, False])
def test_a_refund_of_less_than_the_bridge_may_keep_is_noted_and_booked(is_news: bool) -> None:
    rig = expired()
    if is_news:
        rig.news(BridgeRefunded(*ABOUT, Decimal(400)))
    else:
        rig.reply(FundsReturned(Decimal(400), HopTrouble.EXPIRED, ""))
    assert disputes(rig) == ["has kept 100 of 500, more than it may"]
    assert rig.position().spent == 100


def test_what_contradicts_the_last_word_on_a_transfer_that_is_over_is_disputed_once() -> None:
    rig = deposited()
    rig.news(FILL)
    for _ in range(2):
        rig.news(BridgeRefunded(*ABOUT, Decimal(500)))
        rig.reply(FundsRefused(HopTrouble.REJECTED, "no"))
    assert [what.partition("(")[0] for what in disputes(rig)] == [
        "the leg has moved, and now: FundsReturned",
        "the leg has moved, and now: FundsRefused",
    ]


def test_a_fill_of_what_was_refunded_is_disputed_when_its_transfer_is_over_too() -> None:
    rig = suggested(with_settings(SETTINGS, retries={}))
    rig.reply(TERMS)
    rig.advance(DEADLINE)
    rig.news(BridgeRefunded(*ABOUT, Decimal(500)))
    assert rig.collateral.state.transfers == {}
    rig.news(FILL)
    rig.news(BridgeReorged(*ABOUT, at_origin=True))
    assert [what.partition("(")[0] for what in disputes(rig)] == ["the leg was returned, and now: FundsMoved"]


@pytest.mark.parametrize("field", ["fill_deadline", "exclusivity_deadline"])
def test_terms_with_a_time_that_cannot_be_kept_are_disputed_and_asked_for_again(field: str) -> None:
    rig = suggested()
    rig.reply(replace(TERMS, **{field: 2**65}))
    assert disputes(rig) == [f"says in BridgeSuggested that {field} is of 66 bits"]
    rig.collateral.snapshot()
    rig.reply(TERMS)
    assert isinstance(rig.calls()[-1].body, DepositToBridge)


@pytest.mark.parametrize("news", [BridgeExpired("T-1", 2**70), BridgeReorged("T-1", 2**70, at_origin=False)])
def test_news_of_a_leg_whose_number_cannot_be_kept_is_disputed(news: Any) -> None:
    rig = deposited()
    rig.news(news)
    what = f"speaks in {type(news).__name__} of a leg with a number of 71 bits"
    assert rig.facts(HopDisputed) == [HopDisputed("T-1", -1, "", what)]


def test_terms_that_leave_less_than_hops_may_keep_in_all_are_not_taken() -> None:
    rig = suggested(with_settings(SETTINGS, transfer_fee_share_max=Decimal("0.005")))
    rig.reply(TERMS)
    assert DepositToBridge not in [type(call.body) for call in rig.calls()]


def test_terms_with_a_deadline_that_nobody_would_wait_for_are_not_taken() -> None:
    rig = suggested()
    rig.reply(replace(TERMS, fill_deadline=TERMS.fill_deadline + 2 * FILL_TIME_MAX))
    assert DepositToBridge not in [type(call.body) for call in rig.calls()]
