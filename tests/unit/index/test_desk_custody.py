"""Index tokens in custody: whatever becomes of the orders that they came for, they are sold or their user has them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index.chain import ReturnIndex
from core.index.chain_log import ChainLog
from core.index.facts import TokensHeld
from core.index.records import IndexOrderEnded, IndexTokensDeposited, Outcome, TokensRefused, TokensReturned
from core.index.token_invariants import custody_violations, token_violations
from core.units import SECOND
from tests.helpers.index_desk import ALICE, DeskRig, ready_rig

D = Decimal
WAIT = 60


@pytest.fixture
def rig() -> DeskRig:
    """Alice has bought for 2000, and holds her tokens."""
    one = ready_rig()
    one.order("C-1", "2000")
    one.run(60)
    assert one.settings.custody_wait_ns == WAIT * SECOND
    return one


def sells(rig: DeskRig, amount: str, client_id: str = "S-1") -> Decimal:
    """Alice gives tokens and sells them; what she has held before."""
    held = rig.chain.balance("IX", ALICE)
    rig.give_tokens(D(amount))
    rig.order(client_id, amount, "sell")
    return held


def last(rig: DeskRig) -> IndexOrderEnded:
    return rig.facts(IndexOrderEnded)[-1]


def returned(rig: DeskRig) -> list[tuple[Decimal, str]]:
    return [(fact.amount, fact.order_id) for fact in rig.facts(TokensReturned)]


def nothing_is_left(rig: DeskRig) -> bool:
    custody = rig.desk.state.custody
    return custody.free == {} and custody.locked == {} and not any(rig.chain.custody.values())


def test_tokens_of_a_sell_that_is_cancelled_before_it_is_served_go_back(rig: DeskRig) -> None:
    held = sells(rig, "1.5")
    rig.cancel("S-1")
    assert (last(rig).outcome, last(rig).refund) == (Outcome.CANCELLED, D("1.5"))
    assert returned(rig) == [(D("1.5"), "I-2")]
    assert rig.chain.balance("IX", ALICE) == held
    assert nothing_is_left(rig)


def test_tokens_of_a_sell_that_meets_a_buy_of_its_own_user_go_back(rig: DeskRig) -> None:
    rig.order("C-2", "1900")
    held = sells(rig, "1.5")
    assert last(rig).refund == D("1.5")
    assert rig.chain.balance("IX", ALICE) == held
    assert nothing_is_left(rig)


def test_what_a_sell_was_amended_down_by_before_it_is_served_goes_back_at_its_end(rig: DeskRig) -> None:
    held = sells(rig, "1.5")
    rig.amend("S-1", "1")
    rig.run(60)
    assert (last(rig).outcome, last(rig).filled_quantity, last(rig).refund) == (Outcome.REDEEMED, D(1), D("0.5"))
    assert rig.chain.balance("IX", ALICE) == held - 1
    assert nothing_is_left(rig)


def test_tokens_of_a_sell_that_is_rejected_go_back_after_the_custody_wait(rig: DeskRig) -> None:
    held = sells(rig, "1.5", "C-1")
    rig.run(WAIT - 1)
    assert rig.chain.balance("IX", ALICE) == held - D("1.5")
    rig.run(1)
    assert returned(rig) == [(D("1.5"), "")]
    assert rig.chain.balance("IX", ALICE) == held
    assert nothing_is_left(rig)


def test_a_sell_that_is_sent_again_under_a_new_id_finds_the_tokens(rig: DeskRig) -> None:
    sells(rig, "1.5", "C-1")
    rig.run(30)
    rig.order("S-1", "1.5", "sell")
    rig.run(60)
    assert (last(rig).outcome, last(rig).filled_quantity) == (Outcome.REDEEMED, D("1.5"))
    assert returned(rig) == []


def test_tokens_that_come_after_their_order_has_ended_go_back(rig: DeskRig) -> None:
    held = rig.chain.balance("IX", ALICE)
    rig.order("S-1", "1.5", "sell")
    rig.cancel("S-1")
    assert last(rig).refund == 0
    rig.give_tokens(D("1.5"))
    rig.run(WAIT)
    assert rig.chain.balance("IX", ALICE) == held


def test_tokens_that_another_order_of_their_user_waits_for_stay_for_it(rig: DeskRig) -> None:
    sells(rig, "1")
    rig.order("S-2", "1", "sell")
    rig.cancel("S-1")
    assert (last(rig).refund, returned(rig)) == (D(0), [])
    rig.run(60)
    assert (last(rig).order_id, last(rig).filled_quantity) == ("I-3", D(1))
    assert nothing_is_left(rig)


def test_more_tokens_than_are_sold_go_back_after_the_custody_wait(rig: DeskRig) -> None:
    held = rig.chain.balance("IX", ALICE)
    rig.give_tokens(D("1.5"))
    rig.order("S-1", "1", "sell")
    rig.run(5)
    rig.give_tokens(D("0.1"))
    rig.run(WAIT)
    assert returned(rig) == [(D("0.6"), "")]
    rig.run(60)
    assert rig.chain.balance("IX", ALICE) == held - 1
    assert nothing_is_left(rig)


def test_tokens_of_a_desk_that_stops_go_back_at_once_and_so_do_those_that_come_then(rig: DeskRig) -> None:
    held = rig.chain.balance("IX", ALICE)
    rig.give_tokens(D("0.5"))
    rig.stop()
    rig.run(0)
    assert rig.chain.balance("IX", ALICE) == held
    rig.give_tokens(D("0.5"))
    rig.run(0)
    assert rig.chain.balance("IX", ALICE) == held


def test_tokens_go_back_however_often_the_chain_refuses(rig: DeskRig) -> None:
    held = sells(rig, "1.5")
    rig.chain_refuses, rig.chain_silent = 3, 1
    rig.cancel("S-1")
    rig.run(120)
    assert rig.chain.balance("IX", ALICE) == held
    assert returned(rig) == [(D("1.5"), "I-2")]


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "0", "-3"])
def test_an_amount_of_tokens_that_is_none_is_refused_and_nothing_goes_back(rig: DeskRig, amount: str) -> None:
    rig.tell(IndexTokensDeposited(ALICE, "IX", 7, D(amount)), "chain")
    assert [(fact.seq_num, fact.reason) for fact in rig.facts(TokensRefused)] == [(7, "invalid_amount")]
    assert rig.facts(TokensHeld) == []
    assert rig.desk.state.chain.calls == {}


@pytest.mark.parametrize("number", [-1, 2**63])
def test_tokens_whose_number_is_none_are_refused_and_nothing_goes_back(rig: DeskRig, number: int) -> None:
    rig.tell(IndexTokensDeposited(ALICE, "IX", number, D(1)), "chain")
    assert [fact.reason for fact in rig.facts(TokensRefused)] == ["invalid_number"]
    assert rig.desk.state.custody.free == {}


@pytest.mark.parametrize(
    ("symbol", "amount", "reason"),
    [
        ("IQ", "5", "invalid_symbol"),
        ("IX", "1e-19", "too_much_precision"),
        ("IX", "1e-40", "too_much_precision"),
        ("IX", "0.5" + "0" * 38 + "1", "too_much_precision"),
        ("IX", "1e30", "too_large"),
    ],
)
def test_tokens_that_no_order_could_sell_go_back_once(rig: DeskRig, symbol: str, amount: str, reason: str) -> None:
    rig.after = lambda: None
    rig.chain.custody = {symbol: {ALICE: D(amount)}}
    for _ in range(2):
        rig.tell(IndexTokensDeposited(ALICE, symbol, 7, D(amount)), "chain")
    assert [(fact.symbol, fact.reason) for fact in rig.facts(TokensRefused)] == [(symbol, reason)]
    done = [event.did for events in rig.chain.events for event in events if isinstance(event.did, ReturnIndex)]
    assert done == [ReturnIndex("unsold:R-1", symbol, ALICE, D(amount))]
    assert rig.desk.state.custody.free == {}


def test_free_tokens_that_nobody_wants_and_that_are_not_due_break_the_invariant(rig: DeskRig) -> None:
    rig.give_tokens(D(1))
    state = rig.desk.state
    assert list(custody_violations(state, rig.settings)) == []
    state.custody.idle.clear()
    assert list(custody_violations(state, rig.settings)) == [
        f"I13 {ALICE}: 1 IX are free, and neither wanted nor due to go back"
    ]


def test_tokens_that_are_locked_for_nobody_or_are_too_few_break_the_invariant(rig: DeskRig) -> None:
    sells(rig, "1.5")
    rig.exchange.paused = True
    rig.run(11)
    custody = rig.desk.state.custody
    custody.locked = {"I-2": D(1), "I-9": D(1)}
    found = list(custody_violations(rig.desk.state, rig.settings))
    assert [line.split(":")[0] for line in found] == ["I13 I-2", "I13 I-9"]


def test_a_chain_that_disagrees_with_the_desk_breaks_the_invariant(rig: DeskRig) -> None:
    rig.give_tokens(D(1))
    state, supply = rig.desk.state, rig.chain.supply("IX")
    assert token_violations(state, rig.chain) == []
    state.custody.free[ALICE]["IX"] = D(2)
    assert token_violations(state, rig.chain) == [
        f"I14 IX of {ALICE}: the chain holds 1 in custody, by the desk's books 2"
    ]
    state.custody.free[ALICE]["IX"] = D(1)
    rig.chain.balances["IX"]["1:thief"] = D(1)
    assert token_violations(state, rig.chain) == [f"I14 IX: {supply} minted and not burned, {supply + 1} held"]
    found = token_violations(state, ChainLog())
    assert any("the chain has confirmed 0" in line for line in found)


def test_a_desk_that_is_killed_before_every_event_gives_back_the_same(rig: DeskRig) -> None:
    rig.restarts = True
    held = sells(rig, "1.5")
    rig.cancel("S-1")
    rig.give_tokens(D(1))
    rig.run(WAIT)
    assert rig.chain.balance("IX", ALICE) == held
    assert structs.asdict(rig.desk.state.custody)["free"] == {}
