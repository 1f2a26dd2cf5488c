from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import IllegalTransition
from core.market.orders import Order, OrderFilled
from core.sequencer.reported import REPORTED, ReportedOrder, ReportedState, ReportedTrigger

TERMINAL = (ReportedState.FILLED, ReportedState.CANCELLED, ReportedState.EXPIRED, ReportedState.REJECTED)


def live(quantity: int = 10) -> ReportedOrder:
    return ReportedOrder(
        Order(
            order_id="O-1",
            owner="MM1",
            cl_ord_id="c1",
            symbol="ETH-USDC",
            side="sell",
            quantity=Decimal(quantity),
            limit_price=Decimal(2000),
            sell_token="ETH",
            buy_token="USDC",
            input_amount=Decimal(quantity),
            min_output=Decimal(2000 * quantity),
            created_at=0,
            valid_until=10,
            partially_fillable=True,
            immediate=False,
        )
    )


def fill(quantity: int, leaves: int) -> OrderFilled:
    amount = Decimal(quantity)
    return OrderFilled("O-1", "F-1", "C-1", "s1", 1, amount, Decimal(2000), amount, 2000 * amount, Decimal(leaves))


@pytest.mark.parametrize("state", TERMINAL)
def test_an_order_at_its_end_goes_nowhere(state: ReportedState) -> None:
    assert REPORTED.is_terminal(state)
    for trigger in ReportedTrigger:
        with pytest.raises(IllegalTransition, match=rf"reported order O-1: no `{trigger}` in state `{state}`"):
            REPORTED.after(state, trigger, "O-1")


def test_every_other_state_has_a_way_on() -> None:
    assert [state for state in ReportedState if REPORTED.is_terminal(state)] == list(TERMINAL)


def test_fills_lead_over_partially_filled_to_filled() -> None:
    order = live()
    order.fill(fill(4, leaves=6))
    assert (order.state, order.cum_quantity, order.leaves_quantity) == (
        ReportedState.PARTIALLY_FILLED,
        Decimal(4),
        Decimal(6),
    )
    order.fill(fill(6, leaves=0))
    assert (order.state, order.cum_quantity, order.leaves_quantity) == (ReportedState.FILLED, Decimal(10), Decimal(0))


def test_a_fill_that_does_not_add_up_is_our_bug() -> None:
    with pytest.raises(AssertionError, match="O-1"):
        live().fill(fill(4, leaves=5))


def test_a_part_filled_while_a_cancel_is_pending_leaves_it_pending() -> None:
    order = live()
    order.request_cancel("x1")
    order.fill(fill(4, leaves=6))
    assert order.state is ReportedState.PENDING_CANCEL


@pytest.mark.parametrize(("filled", "state"), [(0, ReportedState.NEW), (4, ReportedState.PARTIALLY_FILLED)])
def test_a_refused_cancel_takes_the_order_back_to_where_its_fills_put_it(filled: int, state: ReportedState) -> None:
    order = live()
    if filled:
        order.fill(fill(filled, leaves=10 - filled))
    order.request_cancel("x1")
    order.refuse_cancel()
    assert (order.state, order.cancel_cl_ord_id) == (state, "")


def test_nothing_is_cancelled_that_was_not_asked_for() -> None:
    with pytest.raises(IllegalTransition, match="cancelled"):
        live().step(ReportedTrigger.CANCELLED)


def test_a_second_cancel_does_not_join_a_pending_one() -> None:
    order = live()
    order.request_cancel("x1")
    with pytest.raises(IllegalTransition):
        order.request_cancel("x2")


def test_an_order_that_ends_leaves_nothing_to_fill() -> None:
    order = live()
    order.step(ReportedTrigger.EXPIRED)
    assert order.leaves_quantity == 0
