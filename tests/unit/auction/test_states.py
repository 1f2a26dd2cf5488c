"""The two tables: what may happen to an order and to a commitment, and that nothing may after the end."""

from __future__ import annotations

import pytest

from core.auction.states import COMMITMENTS, ORDERS, CommitmentState, CommitmentStep, OrderState, OrderStep
from core.errors import IllegalTransition


def test_the_ends_of_an_order_and_of_a_commitment_are_terminal() -> None:
    assert [s for s in OrderState if ORDERS.is_terminal(s)] == ["filled", "expired", "cancelled", "failed"]
    assert [s for s in CommitmentState if COMMITMENTS.is_terminal(s)] == ["settled", "defaulted"]


@pytest.mark.parametrize("step", list(OrderStep))
def test_nothing_happens_to_an_order_after_its_end(step: OrderStep) -> None:
    with pytest.raises(IllegalTransition, match=r"order O-1: no .* it is terminal"):
        ORDERS.after(OrderState.FILLED, step, "O-1")


def test_only_an_open_order_can_be_cancelled() -> None:
    assert [s for s in OrderState if OrderStep.CANCELLED in ORDERS.table[s]] == [OrderState.OPEN]


def test_a_second_award_only_follows_a_default_or_another_auction() -> None:
    assert [s for s in OrderState if OrderStep.AWARDED in ORDERS.table[s]] == ["in_auction", "reassigning"]
    assert ORDERS.after(OrderState.COMMITTED, OrderStep.DEFAULTED, "O-1") is OrderState.REASSIGNING


def test_an_escrowed_commitment_cannot_default_and_a_defaulted_one_cannot_be_paid() -> None:
    assert CommitmentStep.DEFAULTED not in COMMITMENTS.table[CommitmentState.ESCROWED]
    assert not COMMITMENTS.table[CommitmentState.DEFAULTED]
