"""What the chain declines for good: everybody has back what he gave, and every order has its last word."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.index.chain import ChainConfirmed, ChainDeclined, MintIndex
from core.index.facts import (
    ChainCallDeclined,
    ChainCallDone,
    ChainDisputed,
    IndexOrderMoved,
    OrderRepaid,
    ProceedsReclaimed,
)
from core.index.invoices import MintInvoice, RedemptionInvoice
from core.index.records import IndexOrderEnded, Outcome, TokensKept, TokensReturned
from core.index.stock import house_quantities
from core.index.token_invariants import custody_violations, token_violations
from core.kernel.record import Reply
from core.units import SECOND
from tests.helpers.index_desk import ALICE, DeskRig, golden_settings, ready_rig

D = Decimal
BARRED = "chain_refused: address is barred"


@pytest.fixture
def rig() -> DeskRig:
    return ready_rig()


@pytest.fixture
def holder(rig: DeskRig) -> DeskRig:
    """Alice has bought for 2000, and holds her tokens."""
    rig.order("C-1", "2000")
    rig.run(60)
    return rig


def sell(rig: DeskRig, amount: str, client_id: str = "S-1") -> None:
    rig.give_tokens(D(amount))
    rig.order(client_id, amount, "sell")
    rig.run(60)


def ends(rig: DeskRig) -> list[tuple[str, str, str]]:
    return [(fact.client_order_id, fact.outcome, fact.reason) for fact in rig.facts(IndexOrderEnded)]


# --- mints ---------------------------------------------------------------------------------------


def test_a_buy_whose_mint_is_declined_has_back_all_that_it_paid_and_is_rejected(rig: DeskRig) -> None:
    rig.chain_declines = {"mint"}
    rig.collateral.hop_fees = (D("0.01"),)
    rig.order("C-1", "1000")
    rig.run(60)
    (ended,) = rig.facts(IndexOrderEnded)
    assert (ended.outcome, ended.reason, ended.filled_quantity) == (Outcome.REJECTED, BARRED, D(0))
    assert ended.refund == 990
    paid = rig.collateral.spent["I-1"]
    assert rig.facts(OrderRepaid) == [OrderRepaid("I-1", ALICE, "IX", paid)]
    assert (rig.facts(MintInvoice), rig.chain.supply("IX")) == ([], D(0))
    assert [fact.key for fact in rig.facts(ChainCallDeclined)] == ["mint:I-1"]


def test_what_was_bought_for_tokens_that_will_not_be_is_the_houses_and_nobodys_lot(rig: DeskRig) -> None:
    rig.chain_declines = {"mint"}
    rig.order("C-1", "1000")
    rig.run(60)
    state = rig.desk.state
    held = {asset: holding.balance for asset, holding in state.inventory.holdings.items()}
    assert house_quantities(state.stock) == held
    assert all(held.values())
    lots = [lot for holding in state.inventory.holdings.values() for lot in holding.lots.values()]
    assert [lot.assigned for lot in lots if lot.assigned] == []
    assert (state.indexes.live["IX"].backed, state.indexes.live["IX"].supply) == (D(0), D(0))


def test_lots_of_an_order_are_its_own_once_its_tokens_are_there(rig: DeskRig) -> None:
    rig.chain_refuses = 10**6
    rig.order("C-1", "1000")
    rig.run(60)
    lots = [lot for holding in rig.desk.state.inventory.holdings.values() for lot in holding.lots.values()]
    assert {lot.assigned for lot in lots} == {D(0)}
    rig.chain_refuses = 0
    rig.run(60)
    lots = [lot for holding in rig.desk.state.inventory.holdings.values() for lot in holding.lots.values()]
    assert all(lot.assigned for lot in lots)


def test_an_order_waits_for_its_money_before_it_ends_and_is_paid_back_once(rig: DeskRig) -> None:
    rig.chain_refuses = 10**6
    rig.order("C-1", "1000")
    rig.run(15)
    rig.collateral.paused, rig.chain_refuses, rig.chain_declines = True, 0, {"mint"}
    rig.run(60)
    assert (rig.facts(ChainCallDeclined) != [], ends(rig)) == (True, [])
    assert rig.facts(IndexOrderMoved)[-1].state == "minting"
    rig.cancel("C-1")
    rig.resume_collateral()
    assert ends(rig) == [("C-1", "rejected", BARRED)]
    assert rig.collateral.repaid.keys() == {"I-1"}


def test_a_payment_that_cannot_be_paid_back_is_named_in_the_last_word(rig: DeskRig) -> None:
    rig.chain_declines = {"mint"}
    rig.collateral.refuse = {"repay": "unknown_symbol"}
    rig.order("C-1", "1000")
    rig.run(60)
    assert ends(rig) == [("C-1", "rejected", f"{BARRED}; repay: unknown_symbol")]


def test_what_is_declined_is_not_asked_for_again(rig: DeskRig) -> None:
    rig.chain_declines = {"mint"}
    rig.order("C-1", "1000")
    rig.run(600)
    assert len(rig.facts(ChainCallDeclined)) == 1
    assert not [key for key in rig.timers if key.startswith("chain:")]
    assert rig.desk.state.chain.calls == {}


def test_the_news_that_an_older_attempt_was_declined_ends_the_call(rig: DeskRig) -> None:
    rig.chain_refuses = 10**6
    rig.order("C-1", "1000")
    rig.run(60)
    rig.chain_declines, rig.chain_refuses = {"mint"}, 0
    assert rig.desk.state.chain.calls["mint:I-1"].attempt > 2
    rig.deliver(Reply("chain:1:mint:I-1", ChainDeclined("contract is gone")))
    assert ends(rig) == [("C-1", "rejected", "chain_refused: contract is gone")]


def test_an_answer_that_is_lost_is_asked_for_again(rig: DeskRig) -> None:
    rig.chain_declines, rig.chain_silent = {"mint"}, 2
    rig.order("C-1", "1000")
    rig.run(200)
    assert ends(rig) == [("C-1", "rejected", BARRED)]


# --- contradictions ------------------------------------------------------------------------------


def test_a_mint_that_is_confirmed_after_it_was_declined_is_disputed_and_books_nothing(rig: DeskRig) -> None:
    rig.chain_declines = {"mint"}
    rig.order("C-1", "1000")
    rig.run(60)
    for _ in range(3):
        rig.deliver(Reply("chain:1:mint:I-1", ChainConfirmed(7, 0, bytes(32))))
    (disputed,) = rig.facts(ChainDisputed)
    assert (disputed.key, disputed.what.split(",")[0]) == ("mint:I-1", "confirmed after it was declined")
    assert rig.desk.state.indexes.live["IX"].supply == 0
    assert len(ends(rig)) == 1


def test_a_mint_that_is_declined_after_it_was_confirmed_is_disputed_and_stays(holder: DeskRig) -> None:
    supply = holder.desk.state.indexes.live["IX"].supply
    for _ in range(3):
        holder.deliver(Reply("chain:1:mint:I-1", ChainDeclined("contract is gone")))
    disputed = [(fact.key, fact.what) for fact in holder.facts(ChainDisputed)]
    assert disputed == [("mint:I-1", "declined after it was confirmed: contract is gone")]
    assert holder.desk.state.indexes.live["IX"].supply == supply > 0
    assert len(ends(holder)) == 1


def test_the_same_last_word_said_twice_is_no_dispute(holder: DeskRig) -> None:
    holder.chain_declines = {"invoice"}
    holder.order("C-2", "1000")
    holder.run(60)
    holder.deliver(Reply("chain:1:mint:I-1", ChainConfirmed(1, 0, bytes(32))))
    holder.deliver(Reply("chain:1:invoice:I-2", ChainDeclined("address is barred")))
    assert holder.facts(ChainDisputed) == []


# --- burns ---------------------------------------------------------------------------------------


def test_a_sell_whose_burn_is_declined_has_its_tokens_back_and_its_cash_is_its_indexs(holder: DeskRig) -> None:
    held, index = holder.chain.balance("IX", ALICE), holder.desk.state.indexes.live["IX"]
    supply, holder.chain_declines = index.supply, {"burn"}
    sell(holder, "1")
    ended = holder.facts(IndexOrderEnded)[-1]
    assert (ended.outcome, ended.reason, ended.filled_quantity, ended.refund) == (Outcome.REJECTED, BARRED, D(0), D(1))
    assert holder.chain.balance("IX", ALICE) == held
    (reclaimed,) = holder.facts(ProceedsReclaimed)
    assert reclaimed.amount > 0
    assert (holder.collateral.proceeds, holder.collateral.paid) == ({}, {})
    assert (index.supply, index.backed) == (supply, supply)
    assert holder.facts(RedemptionInvoice) == []


def test_cash_that_cannot_be_taken_back_is_named_in_the_last_word(holder: DeskRig) -> None:
    holder.chain_declines, holder.collateral.refuse = {"burn"}, {"take_back": "not_enough_funds"}
    sell(holder, "1")
    assert ends(holder)[-1] == ("S-1", "rejected", f"{BARRED}; take_back: not_enough_funds")


# --- returns -------------------------------------------------------------------------------------


def test_tokens_that_the_chain_does_not_give_back_stay_their_users_and_the_order_ends_at_once(holder: DeskRig) -> None:
    holder.chain_declines = {"return"}
    holder.give_tokens(D("1.5"))
    holder.order("S-1", "1.5", "sell")
    holder.cancel("S-1")
    assert ends(holder)[-1][:2] == ("S-1", "cancelled")
    kept = [(fact.amount, fact.order_id, fact.reason) for fact in holder.facts(TokensKept)]
    assert kept == [(D("1.5"), "I-2", "address is barred")]
    assert holder.desk.state.custody.balance(ALICE, "IX") == D("1.5")


def test_kept_tokens_are_not_offered_again_however_long_they_lie(holder: DeskRig) -> None:
    holder.chain_declines = {"unsold"}
    holder.give_tokens(D("1.2"))
    holder.run(3600)
    assert len(holder.facts(TokensReturned)) == len(holder.facts(TokensKept)) == 1
    holder.chain_declines = set()
    holder.give_tokens(D("0.5"))
    holder.run(3600)
    assert [fact.amount for fact in holder.facts(TokensReturned)] == [D("1.2"), D("0.5")]
    assert holder.desk.state.custody.kept_of(ALICE, "IX") == D("1.2")


def test_kept_tokens_are_sold_before_others(holder: DeskRig) -> None:
    holder.chain_declines = {"unsold"}
    holder.give_tokens(D("1.2"))
    holder.run(100)
    holder.chain_declines = set()
    holder.give_tokens(D("0.5"))
    holder.order("S-1", "1", "sell")
    holder.run(60)
    assert ends(holder)[-1] == ("S-1", "redeemed", "filled")
    custody = holder.desk.state.custody
    assert (custody.kept_of(ALICE, "IX"), custody.balance(ALICE, "IX")) == (D("0.2"), D("0.2"))
    assert holder.facts(TokensReturned)[-1].amount == D("0.5")


def test_tokens_that_an_order_waited_for_go_back_when_it_sells_kept_ones_instead() -> None:
    rig = ready_rig(structs.replace(golden_settings(), custody_wait_ns=5 * SECOND))
    rig.order("C-1", "2000")
    rig.run(60)
    held = rig.chain.balance("IX", ALICE)
    for client_id in ("S-1", "S-2"):
        rig.give_tokens(D("0.5"))
        rig.order(client_id, "0.5", "sell")
    rig.run(4)
    rig.chain_refuses = 10**6
    rig.cancel("S-1")
    rig.run(2)
    rig.chain_refuses = 0
    rig.deliver(Reply("chain:1:return:I-2", ChainDeclined("barred")))
    assert rig.desk.state.custody.kept_of(ALICE, "IX") == D("0.5")
    rig.run(60)
    assert ends(rig)[-1] == ("S-2", "redeemed", "filled")
    assert (rig.desk.state.custody.free, rig.chain.balance("IX", ALICE)) == ({}, held - D("0.5"))


def test_tokens_that_no_order_can_sell_and_no_chain_gives_back_are_in_the_books(rig: DeskRig) -> None:
    rig.order("C-1", "2000")
    rig.run(60)
    rig.chain_declines = {"unsold"}
    rig.give_tokens(D("1e-19"))
    assert rig.desk.state.custody.kept_of(ALICE, "IX") == D("1e-19")
    assert token_violations(rig.desk.state, rig.chain) == []


def test_more_kept_than_free_is_a_violation(holder: DeskRig) -> None:
    holder.chain_declines = {"unsold"}
    holder.give_tokens(D("1.5"))
    holder.run(100)
    holder.desk.state.custody.withdraw(ALICE, "IX", D(1))
    found = list(custody_violations(holder.desk.state, holder.settings))
    assert found == [f"I13 {ALICE}: 0.5 IX are free, and 1.5 of them kept"]


# --- invoices and weights ------------------------------------------------------------------------


def test_nothing_waits_for_invoices_and_weights(rig: DeskRig) -> None:
    rig.chain_declines = {"invoice", "weights"}
    rig.weigh("IX", (("AX", D("0.5")), ("AZ", D("0.5"))))
    rig.order("C-1", "1000")
    rig.run(3600)
    assert ends(rig)[0][:2] == ("C-1", "minted")
    declined = {(fact.key, fact.order_id) for fact in rig.facts(ChainCallDeclined)}
    assert declined == {("invoice:I-1", "I-1"), ("weights:IX:2", "")}
    assert [fact.key for fact in rig.facts(ChainCallDone)] == ["weights:IX:1", "mint:I-1"]
    minted = [event.did for events in rig.chain.events for event in events if isinstance(event.did, MintIndex)]
    assert len(minted) == len(rig.facts(MintInvoice)) == 1
