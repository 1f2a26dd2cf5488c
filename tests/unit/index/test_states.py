"""The desk's tables: every state can be reached, every order can end, and no end can be left."""

from __future__ import annotations

from itertools import pairwise

import pytest

from core.errors import IllegalTransition
from core.index.states import (
    CHAIN_CALLS,
    INDEX_BATCHES,
    INDEX_ORDERS,
    ChainCallState,
    ChainCallStep,
    IndexBatchState,
    IndexBatchStep,
    IndexOrderState,
    IndexOrderStep,
)

ENDS = [
    IndexOrderState.MINTED,
    IndexOrderState.REDEEMED,
    IndexOrderState.CANCELLED,
    IndexOrderState.EXPIRED,
    IndexOrderState.REJECTED,
]


def reachable(start: IndexOrderState) -> set[IndexOrderState]:
    """Every state that can follow."""
    found, open_ = {start}, [start]
    while open_:
        for state in INDEX_ORDERS.table[open_.pop()].values():
            if state not in found:
                found.add(state)
                open_.append(state)
    return found


def test_an_order_can_come_to_every_state() -> None:
    assert reachable(IndexOrderState.OPEN) == set(IndexOrderState)


@pytest.mark.parametrize("state", IndexOrderState)
def test_from_every_state_there_is_a_way_to_an_end(state: IndexOrderState) -> None:
    assert reachable(state) & set(ENDS)
    assert INDEX_ORDERS.is_terminal(state) == (state in ENDS)


def test_an_end_is_for_ever() -> None:
    for state in ENDS:
        for step in IndexOrderStep:
            with pytest.raises(IllegalTransition, match="nothing: it is terminal"):
                INDEX_ORDERS.after(state, step, "I-1")


def test_a_buy_that_goes_well() -> None:
    way = [
        (IndexOrderStep.SERVED, IndexOrderState.ROUTING),
        (IndexOrderStep.ROUTED, IndexOrderState.PREAUTHORISING),
        (IndexOrderStep.PREAUTHORISED, IndexOrderState.READY),
        (IndexOrderStep.ENGAGED, IndexOrderState.ENGAGED),
        (IndexOrderStep.MATURED, IndexOrderState.PARTLY_MINTABLE),
        (IndexOrderStep.ENGAGED, IndexOrderState.ENGAGED),
        (IndexOrderStep.FILLED, IndexOrderState.FULLY_MINTABLE),
        (IndexOrderStep.MINTING, IndexOrderState.MINTING),
        (IndexOrderStep.SETTLED, IndexOrderState.SETTLING),
        (IndexOrderStep.MINTED, IndexOrderState.MINTED),
    ]
    state = IndexOrderState.OPEN
    for step, expected in way:
        state = INDEX_ORDERS.after(state, step, "I-1")
        assert state is expected


def test_nothing_is_minted_while_a_batch_has_the_order() -> None:
    for state in (IndexOrderState.ENGAGED, IndexOrderState.READY, IndexOrderState.LEAVING):
        with pytest.raises(IllegalTransition):
            INDEX_ORDERS.after(state, IndexOrderStep.MINTING, "I-1")


def test_a_call_is_made_again_until_it_is_confirmed() -> None:
    steps = [ChainCallStep.ASKED, ChainCallStep.REFUSED, ChainCallStep.ASKED, ChainCallStep.UNANSWERED]
    states = [ChainCallState.DUE]
    for step in steps:
        states.append(CHAIN_CALLS.after(states[-1], step, "mint:I-1"))
    assert all(before is not after for before, after in pairwise(states))
    assert CHAIN_CALLS.after(states[-1], ChainCallStep.CONFIRMED, "mint:I-1") is ChainCallState.DONE


def test_a_call_that_has_its_last_word_is_never_made_again() -> None:
    for step, end in (
        (ChainCallStep.CONFIRMED, ChainCallState.DONE),
        (ChainCallStep.DECLINED, ChainCallState.DECLINED),
    ):
        for state in (ChainCallState.DUE, ChainCallState.ASKED):
            assert CHAIN_CALLS.after(state, step, "mint:I-1") is end
        assert CHAIN_CALLS.is_terminal(end)


def test_a_batch_that_trades_cannot_skip_the_end_of_its_exchange_orders() -> None:
    for state in (IndexBatchState.OPENED, IndexBatchState.TRADING, IndexBatchState.CANCELLING):
        with pytest.raises(IllegalTransition):
            INDEX_BATCHES.after(state, IndexBatchStep.COMPLETED, "B-1")
    reached = {state for row in INDEX_BATCHES.table.values() for state in row.values()}
    assert reached | {IndexBatchState.OPENED} == set(IndexBatchState)


def test_no_trade_comes_into_a_batch_before_its_exchange_orders_are_placed_or_after_they_have_ended() -> None:
    taking = [state for state in IndexBatchState if IndexBatchStep.TRADED in INDEX_BATCHES.table[state]]
    assert taking == [IndexBatchState.TRADING, IndexBatchState.CANCELLING]
    assert INDEX_BATCHES.is_terminal(IndexBatchState.COMPLETED)
