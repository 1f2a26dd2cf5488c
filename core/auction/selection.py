"""Phase two: the rule ranks the closed book, and each order is promised to the best bid that can pay."""

from __future__ import annotations

from core.auction.commitments import Commitment
from core.auction.desk import Desk
from core.auction.facts import BidSelected, CommitmentCreated
from core.auction.orders import LiveOrder
from core.auction.reasons import BidRefusal, WaitReason
from core.auction.rules import Ranked, check_outcome
from core.auction.states import OrderStep
from core.kernel.record import SetTimer
from core.solver.protocol import Awarded
from core.units import Nanos


def select(desk: Desk, now: Nanos, height: int) -> None:
    """Close the book of a batch and award its orders, in the order in which they were offered."""
    book = desk.state.books.pop(height).close(desk.pairs)
    outcome = desk.rule(book)
    check_outcome(desk.settings.rule, book, outcome)
    for contest in book.contests:
        order_id = contest.order.order_id
        live = desk.state.orders[order_id]
        live.fallbacks, live.attempts = list(outcome.get(order_id, ())), 0
        if live.fallbacks:
            best, ranked = live.fallbacks[0].bid, len(live.fallbacks)
            desk.note(BidSelected(height, order_id, best.solver, best.bid_id, desk.settings.rule, ranked))
        award(desk, now, live, height, WaitReason.NO_BID)


def award(desk: Desk, now: Nanos, live: LiveOrder, height: int, otherwise: WaitReason) -> Ranked | None:
    """Commit to the best bid left that still stands and return it, or let the order go on without one."""
    if now >= live.order.valid_until:
        desk.expire(live, WaitReason.VALIDITY)
        return None
    while live.fallbacks:
        ranked = live.fallbacks.pop(0)
        bid = ranked.bid
        refusal = BidRefusal.LAPSED if now >= bid.valid_till else desk.cannot_pay(bid, ranked.output_amount)
        if refusal is None:
            _commit(desk, now, live, height, ranked)
            return ranked
        desk.refuse_bid(bid.solver, height, bid, refusal)
    desk.go_on(now, live, otherwise)
    return None


def _commit(desk: Desk, now: Nanos, live: LiveOrder, height: int, ranked: Ranked) -> None:
    live.step(OrderStep.AWARDED)
    live.attempts += 1
    deadline = now + desk.settings.fulfil_window
    owed = Commitment(
        commitment_id=desk.state.ids.next("C"),
        height=height,
        order_id=live.order.order_id,
        solver=ranked.bid.solver,
        bid_id=ranked.bid.bid_id,
        sell_token=live.order.sell_token,
        buy_token=live.order.buy_token,
        input_amount=ranked.input_amount,
        min_output=ranked.output_amount,
        deadline=deadline,
        due=deadline + desk.settings.grace,
    )
    desk.state.commitments.live[owed.commitment_id] = owed
    desk.state.escrow.owe(owed)
    desk.emit(SetTimer(f"commitment:{owed.commitment_id}", owed.due))
    _announce(desk, owed, live.attempts)


def _announce(desk: Desk, owed: Commitment, attempt: int) -> None:
    created = CommitmentCreated(
        commitment_id=owed.commitment_id,
        height=owed.height,
        order_id=owed.order_id,
        solver=owed.solver,
        bid_id=owed.bid_id,
        input_amount=owed.input_amount,
        min_output=owed.min_output,
        deadline=owed.deadline,
        attempt=attempt,
    )
    desk.note(created)
    desk.tell(owed.solver, awarded(owed))


def awarded(owed: Commitment) -> Awarded:
    """What its solver is told of a commitment."""
    return Awarded(
        commitment_id=owed.commitment_id,
        height=owed.height,
        order_id=owed.order_id,
        bid_id=owed.bid_id,
        sell_token=owed.sell_token,
        buy_token=owed.buy_token,
        input_amount=owed.input_amount,
        min_output=owed.min_output,
        deadline=owed.deadline,
    )
