"""Phase three: winners pay into escrow; at deadline plus grace both sides settle, or the next in line is asked."""

from __future__ import annotations

from core.auction.commitments import Commitment
from core.auction.desk import Desk
from core.auction.facts import (
    CommitmentDefaulted,
    CommitmentSettled,
    DepositReturned,
    EscrowDeposited,
    OrderReassigned,
)
from core.auction.reasons import DepositRefusal, WaitReason
from core.auction.selection import award
from core.auction.states import CommitmentState, CommitmentStep, OrderStep
from core.auction.terms import Trade, quantity_and_price, rest_of
from core.market.orders import Order, OrderFilled
from core.solver.protocol import Defaulted, Deposit, DepositRefused, Settled
from core.units import Nanos


def take_deposit(desk: Desk, now: Nanos, solver: str, said: Deposit) -> None:
    """Move what is owed into escrow, once. A repetition gets the first answer again and moves nothing."""
    owed = desk.state.commitments.judge(now, solver, said)
    if isinstance(owed, DepositRefusal):
        desk.note(DepositReturned(said.commitment_id, solver, said.amount, owed))
        desk.tell(solver, DepositRefused(said.commitment_id, said.amount, owed))
    elif owed.state is CommitmentState.AWARDED:
        owed.step(CommitmentStep.DEPOSITED)
        owed.claimed = said.amount
        desk.note(desk.state.escrow.deposit(owed))
        desk.note(EscrowDeposited(owed.commitment_id, solver, owed.buy_token, owed.min_output))
    elif owed.state is CommitmentState.SETTLED:
        desk.tell(solver, Settled(owed.commitment_id, owed.input_amount, owed.min_output))


def fall_due(desk: Desk, now: Nanos, commitment_id: str) -> None:
    """End a commitment whose deadline and grace have passed."""
    owed = desk.state.commitments.end(commitment_id)
    if owed.state is CommitmentState.ESCROWED:
        _settle(desk, now, owed)
    else:
        _default(desk, now, owed)


def _settle(desk: Desk, now: Nanos, owed: Commitment) -> None:
    owed.step(CommitmentStep.SETTLED)
    live = desk.state.orders[owed.order_id]
    order = live.order
    filled = _fill(desk.state.ids.next("F"), owed, order)
    desk.note(*desk.state.escrow.settle(owed, order.owner))
    desk.note(CommitmentSettled(owed.commitment_id, order.order_id, owed.solver, owed.input_amount, owed.min_output))
    desk.tell(owed.solver, Settled(owed.commitment_id, owed.input_amount, owed.min_output))
    desk.report(filled)
    live.filled += filled.quantity
    if filled.leaves_quantity:
        live.order = rest_of(order, desk.pairs[order.symbol], filled.leaves_quantity)
        desk.go_on(now, live, WaitReason.PART_FILLED)
    else:
        live.step(OrderStep.FILLED)
        desk.drop(live)


def _fill(fill_id: str, owed: Commitment, order: Order) -> OrderFilled:
    quantity, price = quantity_and_price(order, Trade(owed.input_amount, owed.min_output))
    return OrderFilled(
        order_id=order.order_id,
        fill_id=fill_id,
        commitment_id=owed.commitment_id,
        solver=owed.solver,
        height=owed.height,
        quantity=quantity,
        price=price,
        input_amount=owed.input_amount,
        output_amount=owed.min_output,
        leaves_quantity=order.quantity - quantity,
    )


def _default(desk: Desk, now: Nanos, owed: Commitment) -> None:
    owed.step(CommitmentStep.DEFAULTED)
    live = desk.state.orders[owed.order_id]
    penalty = desk.state.escrow.penalise(owed, desk.settings)
    desk.note(penalty, CommitmentDefaulted(owed.commitment_id, owed.order_id, owed.solver, penalty.amount))
    desk.tell(owed.solver, Defaulted(owed.commitment_id, penalty.amount))
    live.step(OrderStep.DEFAULTED)
    successor = award(desk, now, live, owed.height, WaitReason.DEFAULTS)
    if successor is not None:
        desk.note(OrderReassigned(owed.order_id, owed.solver, successor.bid.solver, live.attempts))
