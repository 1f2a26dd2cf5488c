"""One hop and what it says, or does not: repeated, asked, tried again, gone round, given back, held."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.collateral.facts import HopDisputed, HopStepped, TransferStepped
from core.collateral.hops import (
    FundsMoved,
    FundsPending,
    FundsRefused,
    FundsReturned,
    FundsUnknown,
    HopTrouble,
    MoveFunds,
    QueryFunds,
)
from core.collateral.records import CollateralRefused, CollateralRouted
from core.collateral.settings import RETRIES
from core.collateral.states import LegState
from core.units import SECOND
from tests.helpers.collateral import ALICE, SETTINGS, T1, T2, T3, WALLET, Rig, hop, with_settings

ONE_WAY = with_settings(hops=(hop(T1, T2), hop(T2, T3), hop(T3, WALLET)))
THERE_AND_BACK = with_settings(hops=(hop(T1, T2), hop(T2, T3), hop(T2, T1, fee_flat=Decimal(1)), hop(T3, WALLET)))
MOVED = FundsMoved(Decimal(100), Decimal(0))


def under_way(settings: Any = ONE_WAY) -> Rig:
    """A hundred on their way over the first hop."""
    rig = Rig(settings)
    rig.deposit("100")
    rig.route("100")
    return rig


def asked(rig: Rig) -> list[tuple[str, str, int]]:
    """The service, the kind and the leg of every call."""
    return [(call.service, type(call.body).__name__, call.body.leg) for call in rig.calls()]


def refuse(kind: HopTrouble) -> FundsRefused:
    return FundsRefused(kind, "")


def test_money_is_with_the_hop_that_was_asked_until_it_has_answered() -> None:
    rig = under_way()
    assert [rig.balance("hop:T1-T2", "routing"), rig.balance(T1, "unconfirmed")] == [100, 0]
    assert rig.calls()[0].body == MoveFunds("T-1", 1, T1, T2, Decimal(100))
    rig.reply(MOVED)
    assert [rig.balance("hop:T1-T2", "routing"), rig.balance("hop:T2-T3", "routing")] == [0, 100]


def test_silence_is_met_with_questions_at_growing_intervals() -> None:
    rig = under_way()
    rig.pass_seconds(60)
    assert asked(rig)[0] == ("hop:T1-T2", "MoveFunds", 1)
    assert {kind for _, kind, _ in asked(rig)[1:]} == {"QueryFunds"}
    pauses = with_settings(ONE_WAY, queries=(1 * SECOND, 20 * SECOND))
    rig = under_way(pauses)
    rig.pass_seconds(3 + 3 + 20 + 20)
    assert [kind for _, kind, _ in asked(rig)] == ["MoveFunds"] + 4 * ["QueryFunds"]


def test_a_lost_answer_is_found_out_and_the_money_not_moved_again() -> None:
    rig = under_way()
    rig.pass_seconds(3)
    assert rig.calls()[-1].body == QueryFunds("T-1", 1)
    rig.reply(MOVED)
    rig.reply(MOVED)
    assert rig.routed() == [CollateralRouted("O-1", Decimal(100), Decimal(0))]
    assert [call for call in asked(rig) if call[1] == "MoveFunds"] == [
        ("hop:T1-T2", "MoveFunds", 1),
        ("hop:T2-T3", "MoveFunds", 2),
    ]


def test_a_hop_that_knows_of_nothing_is_asked_again_for_the_same_leg() -> None:
    rig = under_way()
    rig.pass_seconds(3)
    rig.reply(FundsUnknown())
    assert asked(rig)[-1] == ("hop:T1-T2", "MoveFunds", 1)
    rig.reply(MOVED)
    assert asked(rig)[-1] == ("hop:T2-T3", "MoveFunds", 2)


def test_the_answer_to_the_first_request_counts_however_late_it_is() -> None:
    rig = under_way()
    rig.pass_seconds(3)
    rig.reply(FundsUnknown())
    rig.reply(MOVED, to=0)
    assert asked(rig)[-1] == ("hop:T2-T3", "MoveFunds", 2)
    mark = len(rig.effects)
    rig.reply(MOVED, to=-2)
    assert rig.effects[mark:] == []


def test_a_hop_that_has_not_answered_is_not_gone_round() -> None:
    rig = under_way(with_settings(hops=(hop(T1, T3, "a"), hop(T1, T3, "b"), hop(T3, WALLET))))
    rig.pass_seconds(SETTINGS.route_deadline // SECOND)
    assert {service for service, _, _ in asked(rig)} == {"hop:a"}
    [transfer] = rig.collateral.state.transfers.values()
    assert transfer.leg is not None
    assert transfer.leg.state is LegState.UNCLEAR


def test_a_hop_that_is_at_it_is_polled() -> None:
    rig = under_way()
    rig.reply(FundsPending())
    rig.pass_seconds(29)
    assert len(rig.calls()) == 1
    rig.pass_seconds(1)
    assert rig.calls()[-1].body == QueryFunds("T-1", 1)


def test_what_is_unavailable_is_tried_again_after_growing_pauses_and_then_gone_round() -> None:
    rig = under_way(with_settings(hops=(hop(T1, T3, "a"), hop(T1, T3, "b", fee_flat=Decimal(1)), hop(T3, WALLET))))
    starts = []
    for pause in (*RETRIES[HopTrouble.UNAVAILABLE], 0):
        starts.append(rig.now)
        rig.reply(refuse(HopTrouble.UNAVAILABLE))
        rig.advance(rig.now + pause)
    assert [at // SECOND for at in starts] == [0, 1, 3, 6, 11, 19, 32]
    assert asked(rig)[-1] == ("hop:b", "MoveFunds", 8)


@pytest.mark.parametrize("kind", [HopTrouble.REJECTED, HopTrouble.TOO_LOW, HopTrouble.TOO_HIGH])
def test_what_will_not_change_is_not_tried_again(kind: HopTrouble) -> None:
    rig = under_way(with_settings(hops=(hop(T1, T3, "a"), hop(T1, T3, "b"), hop(T3, WALLET))))
    rig.reply(refuse(kind))
    assert asked(rig)[-1] == ("hop:b", "MoveFunds", 2)


def test_an_order_that_no_hop_serves_has_its_money_back_and_is_told() -> None:
    rig = under_way()
    rig.reply(refuse(HopTrouble.REJECTED))
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", credited=Decimal(100))]
    assert rig.position().unconfirmed == 100
    assert rig.timers == {}


def test_a_transfer_that_fails_half_way_returns_by_the_reverse_route_and_says_what_it_cost() -> None:
    rig = under_way(THERE_AND_BACK)
    rig.reply(MOVED)
    rig.reply(refuse(HopTrouble.REJECTED))
    assert asked(rig)[-1] == ("hop:T2-T1", "MoveFunds", 3)
    rig.reply(FundsMoved(Decimal(99), Decimal(1)))
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", Decimal(1), Decimal(99))]
    assert [rig.position().unconfirmed, rig.position().spent] == [99, 1]


def test_a_transfer_without_a_way_is_held_at_a_name_and_goes_on_when_there_is_one() -> None:
    rig = under_way()
    rig.reply(MOVED)
    rig.reply(refuse(HopTrouble.REJECTED))
    held = rig.facts(TransferStepped)[-1]
    assert (held.what, held.held_at, held.amount) == ("held", T2, Decimal(100))
    assert rig.balance(T2, "routing") == 100
    rig.advance(rig.now + SETTINGS.held_retry)
    assert asked(rig)[-1] == ("hop:T2-T3", "MoveFunds", 3)
    rig.reply(MOVED)
    assert rig.routed() == [CollateralRouted("O-1", Decimal(100), Decimal(0))]


def test_money_that_left_and_came_back_is_booked_with_what_it_cost() -> None:
    rig = under_way()
    rig.reply(FundsReturned(Decimal(98), HopTrouble.REJECTED, "account closed"))
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", Decimal(2), Decimal(98))]
    assert [rig.position().unconfirmed, rig.position().spent] == [98, 2]


def test_what_is_left_of_money_that_came_back_may_be_too_little_for_the_same_hop() -> None:
    retries = {HopTrouble.NO_CAPACITY: (SECOND,)}
    hops = (hop(T1, T3, "a", amount_min=Decimal(100)), hop(T1, T3, "b", fee_flat=Decimal(5)), hop(T3, WALLET))
    rig = under_way(with_settings(hops=hops, retries=retries))
    rig.reply(FundsReturned(Decimal(98), HopTrouble.NO_CAPACITY, ""))
    assert asked(rig)[-1] == ("hop:b", "MoveFunds", 2)
    assert rig.calls()[-1].body.amount == 98


@pytest.mark.parametrize("amount", ["-1", "100.01"])
def test_an_amount_that_cannot_be_is_disputed_and_asked_about(amount: str) -> None:
    rig = under_way()
    [fact] = rig.facts(HopDisputed, rig.reply(FundsMoved(Decimal(amount), Decimal(0))))
    assert fact.what == f"speaks of {Decimal(amount)}, and was given 100"
    assert rig.balance("hop:T1-T2", "routing") == 100
    rig.pass_seconds(3)
    assert rig.calls()[-1].body == QueryFunds("T-1", 1)


def test_a_hop_that_keeps_more_than_it_may_is_noted_and_what_arrived_is_booked() -> None:
    rig = under_way()
    facts = rig.facts(HopDisputed, rig.reply(FundsMoved(Decimal(80), Decimal(20))))
    assert [fact.what for fact in facts] == ["has kept 20 of 100, more than it may"]
    assert [rig.balance("hop:T2-T3", "routing"), rig.position().spent] == [80, 20]


def test_a_hop_that_contradicts_its_last_word_is_disputed_and_moves_nothing() -> None:
    rig = under_way(with_settings(hops=(hop(T1, T3, "a"), hop(T1, T3, "b"), hop(T3, WALLET))))
    rig.reply(refuse(HopTrouble.REJECTED))
    [fact] = rig.facts(HopDisputed, rig.reply(MOVED, to=0))
    assert (fact.leg, fact.what.startswith("the leg was refused, and now: FundsMoved")) == (1, True)
    assert rig.balance("hop:b", "routing") == 100


def test_answers_about_what_is_over_are_passed_over() -> None:
    rig = under_way(with_settings(hops=(hop(T1, T3), hop(T3, WALLET))))
    rig.reply(MOVED)
    mark = len(rig.effects)
    rig.reply(FundsUnknown(), to=0)
    assert rig.effects[mark:] == []


def test_legs_wait_for_room_on_their_hop_and_one_that_fits_does_not_wait_for_one_that_does_not() -> None:
    rig = Rig(with_settings(hops=(hop(T1, T3, capacity=Decimal(150)), hop(T3, WALLET))))
    rig.deposit("400")
    for number, amount in enumerate(("100", "101", "50", "90"), 1):
        rig.route(amount, f"O-{number}")
    assert [fact.what for fact in rig.facts(HopStepped)] == ["sent", "queued", "sent", "queued"]
    rig.reply(MOVED, to=0)
    sent = [call.body.amount for call in rig.calls()]
    assert sent == [100, 50, 90]
    assert [rig.balance("hop:T1-T3", "routing"), rig.balance(T3, "ready")] == [140, 100]


def test_a_leg_that_finds_no_room_in_time_takes_another_way() -> None:
    hops = (hop(T1, T3, "a", capacity=Decimal(100)), hop(T1, T3, "b", fee_flat=Decimal(1)), hop(T3, WALLET))
    rig = Rig(with_settings(hops=hops, retries={}))
    rig.deposit("200")
    rig.route("100", "O-1")
    rig.reply(FundsPending())
    rig.route("100", "O-2")
    rig.advance(rig.now + SETTINGS.capacity_wait)
    assert [service for service, kind, _ in asked(rig) if kind == "MoveFunds"] == ["hop:a", "hop:b"]


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1e999999", "1e-37"])
def test_a_hop_that_speaks_of_what_is_no_number_is_not_believed_and_asked_again(text: str) -> None:
    rig = under_way()
    rig.reply(FundsMoved(Decimal(100), Decimal(text)))
    rig.reply(FundsMoved(Decimal(text), Decimal(0)))
    rig.reply(FundsReturned(Decimal(text), HopTrouble.REJECTED, ""))
    assert [fact.what for fact in rig.facts(HopDisputed)] == [
        f"says in FundsMoved that fee is {Decimal(text)}",
        f"says in FundsMoved that amount is {Decimal(text)}",
        f"says in FundsReturned that amount is {Decimal(text)}",
    ]
    rig.pass_seconds(3)
    assert rig.calls()[-1].body == QueryFunds("T-1", 1)
    rig.reply(MOVED)
    assert asked(rig)[-1] == ("hop:T2-T3", "MoveFunds", 2)


def test_a_hop_without_room_loses_to_a_free_one_unless_waiting_costs_less() -> None:
    wait = SETTINGS.capacity_wait
    worth = Decimal(SETTINGS.latency_cost_bps * wait) / (10_000 * 3600 * SECOND) * 100
    for more, taken in ((worth - Decimal("0.001"), "hop:b"), (worth + Decimal("0.001"), None)):
        hops = (hop(T1, T3, "a", capacity=Decimal(100)), hop(T1, T3, "b", fee_flat=more), hop(T3, WALLET))
        rig = Rig(with_settings(hops=hops))
        rig.deposit("200")
        rig.route("100", "O-1")
        rig.route("100", "O-2")
        assert [service for service, _, _ in asked(rig)] == ["hop:a", *([taken] if taken else [])]


def test_no_way_round_a_hop_that_refuses_keeps_more_than_it_may() -> None:
    robber = hop(T1, T3, "robber", fee_rate=Decimal("0.9"))
    rig = under_way(with_settings(hops=(hop(T1, T3, "honest"), robber, hop(T3, WALLET))))
    rig.reply(refuse(HopTrouble.REJECTED))
    assert {service for service, _, _ in asked(rig)} == {"hop:honest"}
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", credited=Decimal(100))]
    assert rig.position().unconfirmed == 100


def test_money_is_held_rather_than_sent_over_a_hop_that_keeps_more_than_it_may() -> None:
    robber = hop(T2, T3, "robber", fee_rate=Decimal("0.9"))
    hops = (hop(T1, T2), hop(T2, T3, "honest"), robber, hop(T2, T1, "thief", fee_flat=Decimal(50)), hop(T3, WALLET))
    rig = under_way(with_settings(hops=hops))
    rig.reply(MOVED)
    rig.reply(refuse(HopTrouble.REJECTED))
    assert rig.balance(T2, "routing") == 100
    assert [fact.what for fact in rig.facts(TransferStepped)] == ["turned", "held"]
    rig.advance(rig.now + SETTINGS.held_retry)
    assert asked(rig)[-1] == ("hop:honest", "MoveFunds", 3)


def test_a_hop_is_not_tried_again_with_so_little_left_that_it_keeps_more_than_it_may() -> None:
    flat = hop(T1, T3, "flat", fee_flat=Decimal(10))
    rig = under_way(with_settings(hops=(flat, hop(T3, WALLET)), retries={HopTrouble.UNAVAILABLE: (1,)}))
    rig.reply(FundsReturned(Decimal(90), HopTrouble.UNAVAILABLE, ""))
    assert len(rig.calls()) == 1
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", Decimal(10), Decimal(90))]


def test_money_that_cannot_be_there_in_time_any_more_turns_back_at_its_next_stop() -> None:
    hops = (hop(T1, T2), hop(T2, T3, latency=20 * SECOND), hop(T2, T1), hop(T3, WALLET))
    rig = under_way(with_settings(hops=hops, route_deadline=60 * SECOND))
    rig.reply(FundsPending())
    rig.pass_seconds(41)
    rig.reply(MOVED)
    assert asked(rig)[-1] == ("hop:T2-T1", "MoveFunds", 2)
    rig.reply(MOVED)
    assert rig.told() == [CollateralRefused("O-1", "route", "route_failed", credited=Decimal(100))]


def test_every_step_of_a_leg_is_stated_with_what_it_has_cost() -> None:
    rig = under_way(with_settings(hops=(hop(T1, T3), hop(T3, WALLET))))
    rig.reply(FundsMoved(Decimal(99), Decimal(1)))
    steps = [(f.what, f.state, f.fee, f.source, f.destination, f.user, f.order_id) for f in rig.facts(HopStepped)]
    assert steps == [
        ("sent", "sent", Decimal(0), T1, T3, ALICE, "O-1"),
        ("moved", "moved", Decimal(1), T1, T3, ALICE, "O-1"),
    ]
