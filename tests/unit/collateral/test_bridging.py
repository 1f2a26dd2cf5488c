"""A hop that works by deposit: suggestions, fills fast and slow, confirmations by value, reorgs and refunds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.collateral.answers import DISPUTES_MAX
from core.collateral.bridge import blocks_needed
from core.collateral.facts import BridgeStepped, HopDisputed, HopStepped
from core.collateral.hops import (
    BridgeExpired,
    BridgeFilled,
    BridgeRefunded,
    BridgeReorged,
    BridgeSeen,
    BridgeSuggested,
    DepositToBridge,
    FundsMoved,
    FundsPending,
    FundsRefused,
    FundsReturned,
    FundsUnknown,
    HopTrouble,
    MoveFunds,
    QueryFunds,
    SuggestFees,
)
from core.collateral.records import CollateralRefused, CollateralRouted
from core.collateral.settings import BridgeSettings, Confirmations
from core.collateral.states import BridgeState
from core.kernel.record import Record, Reply
from core.units import SECOND
from tests.helpers.collateral import T1, T3, T4, WALLET, Rig, hop, with_settings

BLOCKS = BridgeSettings(
    confirmations=(Confirmations(Decimal(100), 1), Confirmations(Decimal(1000), 3), Confirmations(None, 6)),
    fill_time_min=60 * SECOND,
)
SETTINGS = with_settings(hops=(hop(T1, T3, "across", bridge=BLOCKS), hop(T3, WALLET)))
DEADLINE = 600 * SECOND
TERMS = BridgeSuggested(Decimal(495), DEADLINE, "r1", 10 * SECOND)
ABOUT = ("T-1", 1)
FILL = BridgeFilled(*ABOUT, Decimal(495), "r1", filled_at=5 * SECOND, confirmations=3)
ROUTED = CollateralRouted("O-1", Decimal(495), Decimal(5))


def suggested(settings: Any = SETTINGS) -> Rig:
    """Five hundred at the bridge's door, its terms asked for."""
    rig = Rig(settings)
    rig.deposit("500")
    rig.route("500")
    return rig


def deposited() -> Rig:
    """Five hundred at the bridge, accepted."""
    rig = suggested()
    rig.reply(TERMS)
    rig.reply(FundsPending())
    return rig


def expired() -> Rig:
    """The same, and nobody has filled it in time."""
    rig = deposited()
    rig.advance(DEADLINE)
    return rig


def state(rig: Rig) -> BridgeState | None:
    [transfer] = rig.collateral.state.transfers.values()
    return None if transfer.leg is None or transfer.leg.bridge is None else transfer.leg.bridge.state


def disputes(rig: Rig) -> list[str]:
    return [fact.what for fact in rig.facts(HopDisputed)]


@pytest.mark.parametrize(("value", "blocks"), [("1", 1), ("100", 1), ("100.01", 3), ("1000", 3), ("1000000", 6)])
def test_the_more_is_at_stake_the_more_blocks_it_takes(value: str, blocks: int) -> None:
    assert blocks_needed(BLOCKS, Decimal(value)) == blocks


def test_terms_are_asked_for_and_the_deposit_is_made_by_them() -> None:
    rig = suggested()
    assert rig.calls()[-1].body == SuggestFees(T1, T3, Decimal(500))
    assert rig.balance(T1, "routing") == 500
    rig.reply(TERMS)
    assert rig.calls()[-1].body == DepositToBridge(
        *ABOUT,
        T1,
        T3,
        Decimal(500),
        output_amount=Decimal(495),
        fill_deadline=DEADLINE,
        exclusive_relayer="r1",
        exclusivity_deadline=10 * SECOND,
    )
    assert rig.balance("hop:across", "routing") == 500


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"output_amount": Decimal(449)}, "fee_too_high: suggests a fee of 51 for 500"),
        ({"output_amount": Decimal(501)}, "unavailable: suggests 501 for 500"),
        ({"output_amount": Decimal(0)}, "unavailable: suggests 0 for 500"),
        ({"fill_deadline": 59 * SECOND}, "unavailable: suggests a fill deadline that is too near"),
    ],
)
def test_terms_that_are_not_acceptable_are_not_taken_and_nothing_is_deposited(
    changed: dict[str, Any], reason: str
) -> None:
    rig = suggested(with_settings(SETTINGS, retries={}))
    rig.reply(replace(TERMS, **changed))
    assert [fact.reason for fact in rig.facts(HopStepped)] == [reason]
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", credited=Decimal(500))]
    assert rig.position().unconfirmed == 500


def test_a_bridge_that_suggests_nothing_is_asked_for_terms_again_and_moves_nothing() -> None:
    rig = suggested()
    rig.pass_seconds(4)
    assert [type(call.body) for call in rig.calls()] == [SuggestFees, SuggestFees]
    assert rig.balance(T1, "routing") == 500


@pytest.mark.parametrize("question", [0, 1, 2])
def test_terms_are_taken_however_late_they_come_and_whichever_question_they_answer(question: int) -> None:
    """A bridge that took longer to answer than it was waited for was never used."""
    rig = suggested()
    rig.pass_seconds(8)
    asked = [call.call_id for call in rig.calls()]
    rig.deliver(Reply(asked[question], TERMS))
    assert [type(call.body) for call in rig.calls()] == [*[SuggestFees] * 3, DepositToBridge]
    rig.deliver(Reply(asked[2 - question], TERMS))
    rig.reply(FundsPending())
    rig.news(FILL)
    assert rig.told() == [ROUTED]


@pytest.mark.parametrize("moved", [False, True])
def test_a_bridge_that_refuses_terms_late_has_not_refused_the_deposit_that_was_made_meanwhile(moved: bool) -> None:
    rig = suggested()
    rig.pass_seconds(4)
    first, second = (call.call_id for call in rig.calls())
    rig.deliver(Reply(first, TERMS))
    if moved:
        rig.news(FILL)
    assert rig.deliver(Reply(second, FundsRefused(HopTrouble.UNAVAILABLE, "busy"))) == []
    assert rig.balance("hop:across", "routing") == (0 if moved else 500)
    if not moved:
        rig.news(FILL)
    assert rig.told() == [ROUTED]
    assert disputes(rig) == []


def test_a_bridge_that_never_suggests_terms_is_asked_less_and_less_often_and_then_not_used() -> None:
    rig, asked = suggested(), [0]
    for second in range(1, 40):
        rig.pass_seconds(1)
        if len(rig.calls()) > len(asked):
            asked.append(second)
    assert asked == [0, 3, 6, 9, 14, 22]
    assert [fact.reason for fact in rig.facts(HopStepped)] == ["silent: suggests nothing in time"]
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", credited=Decimal(500))]
    assert rig.position().unconfirmed == 500


def test_an_amount_that_is_too_low_for_the_bridge_is_refused() -> None:
    rig = suggested()
    rig.reply(FundsRefused(HopTrouble.TOO_LOW, ""))
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", credited=Decimal(500))]


def test_a_fill_counts_when_it_is_as_deep_as_its_value_demands() -> None:
    rig = deposited()
    rig.news(BridgeSeen(*ABOUT, 2))
    assert state(rig) is BridgeState.SUBMITTED
    rig.news(BridgeSeen(*ABOUT, 3))
    assert state(rig) is BridgeState.SECURED
    rig.news(replace(FILL, confirmations=1))
    assert state(rig) is BridgeState.FILLED
    assert rig.told() == []
    rig.news(FILL)
    assert rig.told() == [ROUTED]
    assert [f.state for f in rig.facts(BridgeStepped)] == ["secured", "filled", "final"]


def test_a_relayer_may_fill_before_the_deposit_is_secured() -> None:
    rig = deposited()
    rig.news(FILL)
    assert rig.told() == [ROUTED]


def test_news_may_come_before_the_answer_to_the_deposit() -> None:
    rig = suggested()
    rig.reply(TERMS)
    rig.news(BridgeSeen(*ABOUT, 1))
    rig.news(FILL)
    assert rig.told() == [ROUTED]


def test_news_of_a_fill_settles_a_leg_that_is_being_asked_about() -> None:
    rig = suggested()
    rig.reply(TERMS)
    rig.pass_seconds(10)
    rig.news(FILL)
    assert rig.told() == [ROUTED]


def test_a_slow_fill_by_the_bridge_itself_counts_too_and_may_pay_more_than_agreed() -> None:
    rig = deposited()
    rig.news(replace(FILL, relayer="", filled_at=20 * SECOND, amount=Decimal(499)))
    assert rig.told() == [CollateralRouted("O-1", Decimal(499), Decimal(1))]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"relayer": "r2"}, "a fill by r2 while only r1 may"),
        ({"relayer": ""}, "a fill by the bridge itself while only r1 may"),
        ({"amount": Decimal(494)}, "a fill of 494, agreed was 495 for 500"),
        ({"amount": Decimal(501)}, "a fill of 501, agreed was 495 for 500"),
        ({"filled_at": DEADLINE + 1}, f"a fill at {DEADLINE + 1}, after its deadline {DEADLINE}"),
        ({"filled_at": DEADLINE}, f"a fill at {DEADLINE}, which is yet to come"),
        ({"filled_at": -DEADLINE}, f"a fill at -{DEADLINE}, before its deposit at 0"),
        ({"confirmations": 2**63}, "says in BridgeFilled that confirmations is of 64 bits"),
    ],
)
def test_news_of_a_fill_that_no_bridge_allows_is_disputed_and_not_believed(changed: dict[str, Any], what: str) -> None:
    rig = deposited()
    rig.news(replace(FILL, **changed))
    assert disputes(rig) == [what]
    assert rig.told() == []


def test_anybody_may_fill_once_exclusivity_is_over() -> None:
    rig = deposited()
    rig.news(replace(FILL, relayer="r2", filled_at=10 * SECOND))
    assert rig.told() == [ROUTED]


def test_a_fill_that_is_undone_before_it_is_deep_enough_is_waited_for_again() -> None:
    rig = deposited()
    rig.news(replace(FILL, confirmations=2))
    rig.news(BridgeReorged(*ABOUT, at_origin=False))
    assert state(rig) is BridgeState.SUBMITTED
    rig.news(replace(FILL, filled_at=30 * SECOND))
    assert rig.told() == [ROUTED]


def test_a_deposit_that_is_undone_is_asked_about_and_made_again_only_if_the_bridge_has_none() -> None:
    rig = deposited()
    rig.news(BridgeSeen(*ABOUT, 1))
    rig.news(BridgeReorged(*ABOUT, at_origin=True))
    assert state(rig) is BridgeState.DROPPED
    assert rig.calls()[-1].body == QueryFunds(*ABOUT)
    rig.reply(FundsUnknown())
    assert isinstance(rig.calls()[-1].body, DepositToBridge)
    assert rig.calls()[-1].body.leg == 1
    assert state(rig) is BridgeState.SUBMITTED


@pytest.mark.parametrize("said", [FundsPending(), BridgeSeen(*ABOUT, 1)])
def test_a_deposit_that_is_undone_and_in_another_block_is_not_made_again(said: Record) -> None:
    rig = deposited()
    rig.news(BridgeReorged(*ABOUT, at_origin=True))
    mark = len(rig.calls())
    if isinstance(said, FundsPending):
        rig.reply(said)
    else:
        rig.news(said)
    assert state(rig) is BridgeState.SUBMITTED
    assert len(rig.calls()) == mark
    rig.news(FILL)
    assert rig.told() == [ROUTED]


def test_a_reorg_after_enough_confirmations_is_not_believed() -> None:
    rig = deposited()
    rig.news(BridgeSeen(*ABOUT, 3))
    rig.news(BridgeReorged(*ABOUT, at_origin=True))
    assert disputes(rig) == ["deposit undone while secured"]
    assert state(rig) is BridgeState.SECURED


@pytest.mark.parametrize("news", [None, BridgeSeen(*ABOUT, 1), BridgeSeen(*ABOUT, 3)])
def test_that_a_fill_is_undone_whose_news_was_lost_is_no_dispute(news: Record | None) -> None:
    rig = deposited()
    if news is not None:
        rig.news(news)
    before = state(rig)
    rig.news(BridgeReorged(*ABOUT, at_origin=False))
    assert (disputes(rig), state(rig)) == ([], before)
    rig.news(FILL)
    assert rig.told() == [ROUTED]


def test_that_a_deposit_is_undone_and_told_twice_is_no_dispute() -> None:
    rig = deposited()
    rig.news(BridgeReorged(*ABOUT, at_origin=True))
    mark = len(rig.effects)
    rig.news(BridgeReorged(*ABOUT, at_origin=True))
    assert rig.effects[mark:] == []


ON = with_settings(
    hops=(hop(T1, T3, "across", bridge=BLOCKS), hop(T3, T4), hop(T4, WALLET)), destinations={"IX": (T4,)}
)


@pytest.mark.parametrize("settings", [SETTINGS, ON])
@pytest.mark.parametrize(
    ("at_origin", "what"),
    [
        (False, "the fill was undone after the leg had ended: its money may not be where it is booked"),
        (True, "the deposit was undone after the leg had ended: its money may not have left its source"),
    ],
)
def test_a_reorg_after_the_last_confirmation_is_disputed_and_takes_nothing_back(
    settings: Any, at_origin: bool, what: str
) -> None:
    rig = suggested(settings)
    rig.reply(TERMS)
    rig.news(FILL)
    there = rig.position()
    for _ in range(3):
        rig.news(BridgeReorged(*ABOUT, at_origin=at_origin))
    assert rig.facts(HopDisputed) == [HopDisputed("T-1", 1, "", what)]
    assert rig.position() == there


def test_of_transfers_that_never_were_so_much_is_remembered_and_each_is_disputed_once() -> None:
    rig = Rig()
    for _ in range(2):
        for number in range(1, DISPUTES_MAX + 1):
            rig.news(BridgeReorged(f"T-{number}", 1, at_origin=True))
    assert len(rig.facts(HopDisputed)) == DISPUTES_MAX
    rig.news(BridgeReorged("T-99", 1, at_origin=True))
    rig.news(BridgeReorged("T-1", 1, at_origin=True))
    assert len(rig.facts(HopDisputed)) == DISPUTES_MAX + 2
    assert len(rig.collateral.state.disputes) == DISPUTES_MAX


def test_a_reorg_of_a_deposit_that_was_refunded_changes_nothing() -> None:
    rig = expired()
    rig.news(BridgeRefunded(*ABOUT, Decimal(500)))
    mark = len(rig.effects)
    rig.news(BridgeReorged(*ABOUT, at_origin=True))
    assert rig.effects[mark:] == []


NONSENSE = [Decimal(text) for text in ("NaN", "sNaN", "Infinity", "-Infinity", "1e999999", "1e-999")]


@pytest.mark.parametrize("amount", NONSENSE)
def test_terms_that_are_no_number_are_disputed_and_asked_for_again(amount: Decimal) -> None:
    rig = suggested()
    rig.reply(replace(TERMS, output_amount=amount))
    assert disputes(rig) == [f"says in BridgeSuggested that output_amount is {amount}"]
    rig.pass_seconds(4)
    assert [type(call.body) for call in rig.calls()] == [SuggestFees, SuggestFees]


@pytest.mark.parametrize("amount", NONSENSE)
def test_a_fill_or_refund_of_what_is_no_number_is_disputed_and_the_bridge_asked(amount: Decimal) -> None:
    rig = deposited()
    rig.news(replace(FILL, amount=amount))
    rig.news(BridgeRefunded(*ABOUT, amount))
    assert disputes(rig) == [f"says in {kind} that amount is {amount}" for kind in ("BridgeFilled", "BridgeRefunded")]
    assert state(rig) is BridgeState.SUBMITTED
    rig.pass_seconds(30)
    assert rig.calls()[-1].body == QueryFunds(*ABOUT)


def test_a_deposit_that_expires_is_refunded_at_its_source_and_tried_again_on_new_terms() -> None:
    rig = expired()
    rig.news(BridgeExpired(*ABOUT))
    assert state(rig) is BridgeState.EXPIRED
    assert rig.balance("hop:across", "routing") == 500
    rig.news(BridgeRefunded(*ABOUT, Decimal(500)))
    assert rig.balance(T1, "routing") == 500
    assert isinstance(rig.calls()[-1].body, SuggestFees)
    rig.reply(replace(TERMS, fill_deadline=2 * DEADLINE, exclusive_relayer=""))
    rig.reply(FundsPending())
    rig.news(replace(FILL, leg=2, filled_at=DEADLINE + SECOND))
    assert rig.told() == [ROUTED]


def test_a_second_deposit_that_expires_sends_the_money_home() -> None:
    rig = expired()
    for leg in (1, 2):
        rig.news(BridgeRefunded("T-1", leg, Decimal(500)))
        if leg == 1:
            rig.reply(replace(TERMS, fill_deadline=2 * DEADLINE))
            rig.reply(FundsPending())
            rig.advance(2 * DEADLINE)
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", credited=Decimal(500))]
    assert rig.position().unconfirmed == 500


def test_an_expiry_before_the_deadline_is_not_believed() -> None:
    rig = deposited()
    rig.news(BridgeExpired(*ABOUT))
    assert disputes(rig) == ["expired before its deadline"]
    assert state(rig) is BridgeState.SUBMITTED


def test_a_fill_that_is_heard_of_after_the_expiry_was_in_time() -> None:
    rig = expired()
    rig.news(BridgeExpired(*ABOUT))
    rig.news(FILL)
    assert rig.told() == [ROUTED]


def test_a_refund_of_more_than_was_deposited_is_disputed() -> None:
    rig = deposited()
    rig.news(BridgeRefunded(*ABOUT, Decimal(501)))
    assert disputes(rig) == ["refunds 501 of 500"]
    assert rig.balance("hop:across", "routing") == 500


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (FundsMoved(Decimal(495), Decimal(5)), ROUTED),
        (
            FundsReturned(Decimal(500), HopTrouble.REJECTED, ""),
            CollateralRefused("O-1", "route", "route_failed", credited=Decimal(500)),
        ),
    ],
)
def test_when_all_news_is_lost_the_answer_to_a_query_settles_it(said: Record, told: Record) -> None:
    rig = deposited()
    rig.advance(DEADLINE)
    assert rig.calls()[-1].body == QueryFunds(*ABOUT)
    rig.reply(said)
    assert rig.told() == [told]


def test_a_fill_of_what_was_refunded_is_disputed_and_moves_nothing() -> None:
    rig = expired()
    rig.news(BridgeRefunded(*ABOUT, Decimal(500)))
    rig.news(FILL)
    assert [what.startswith("the leg was returned, and now: FundsMoved") for what in disputes(rig)] == [True]
    assert rig.balance(T1, "routing") == 500


def test_news_of_what_is_over_is_passed_over() -> None:
    rig = deposited()
    rig.news(FILL)
    mark = len(rig.effects)
    for news in (FILL, BridgeSeen(*ABOUT, 9), BridgeExpired(*ABOUT)):
        rig.news(news)
    assert rig.effects[mark:] == []


def test_a_bridge_is_never_asked_to_move_as_a_plain_hop() -> None:
    rig = deposited()
    assert not any(isinstance(call.body, MoveFunds) for call in rig.calls())
