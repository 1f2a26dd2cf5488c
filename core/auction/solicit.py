"""Phase one: a sealed batch becomes an auction, and bids are taken until its deadline."""

from __future__ import annotations

from collections import Counter
from typing import Final

from core.auction.bids import Book, open_book
from core.auction.desk import Desk
from core.auction.facts import BatchCreated, BidReceived, BidWithdrawn, OrderAdded
from core.auction.orders import LiveOrder, offer_of
from core.auction.reasons import BidRefusal, CancelRefusal, FailReason, WaitReason
from core.auction.replace import replace_order
from core.auction.rules import StandingBid
from core.auction.selection import awarded
from core.auction.states import CommitmentState, OrderState, OrderStep
from core.kernel.record import SetTimer
from core.market.orders import Batch, CancelOrder, CancelRefused, Order, OrderFailed
from core.solver.protocol import BatchOpened, Bid, PlaceBids, WithdrawBid
from core.units import SECOND, Nanos

EVERYONE: Final = ""
ORDERS_PER_AUCTION_MAX: Final = 1_000
"""Twice the largest batch by default. Open orders beyond this wait for the next one, so that an announcement fits a
protocol line and nobody is held up for long by an auction that has no end."""

AGAIN_PAUSE: Final = SECOND
"""What is told again may be much, and to connect costs a solver next to nothing."""


def take_batch(desk: Desk, now: Nanos, batch: Batch) -> None:
    """Admit orders and obey requests in block order, expire what is out of validity, auction the rest."""
    desk.state.height = batch.height
    for item in batch.items:
        if isinstance(item, Order):
            _admit(desk, batch.height, item)
        elif isinstance(item, CancelOrder):
            _cancel(desk, item)
        else:
            replace_order(desk, item)
    for live in desk.open_orders():
        if desk.state.stopping:
            desk.expire(live, WaitReason.STOPPED)
        elif now >= live.order.valid_until:
            desk.expire(live, WaitReason.VALIDITY)
    _open_auction(desk, now, batch.height)


def place_bids(desk: Desk, now: Nanos, solver: str, said: PlaceBids) -> None:
    """Judge each bid on its own: it stands, or is refused for a reason."""
    barred = _barred(desk, solver, said.height)
    for bid in said.bids:
        judged = barred or _judge(desk, now, solver, said.height, bid)
        if isinstance(judged, BidRefusal):
            desk.refuse_bid(solver, said.height, bid, judged)
        else:
            _stand(desk, said.height, judged)


def withdraw_bid(desk: Desk, now: Nanos, solver: str, said: WithdrawBid) -> None:
    """Take back a standing bid."""
    barred = _barred(desk, solver, said.height)
    withdrawn = barred or desk.state.books[said.height].withdraw(now, solver, said.order_id)
    if isinstance(withdrawn, BidRefusal):
        desk.refuse_withdrawal(solver, said.height, said.order_id, withdrawn)
    else:
        desk.note(BidWithdrawn(said.height, solver, withdrawn.bid_id, said.order_id))


def tell_again(desk: Desk, now: Nanos, solver: str) -> None:
    """Say to a solver that was away what it may have missed and still counts: open auctions, and what it owes.

    Whatever it has heard already it may hear twice: bids of one id count once, and so do deposits. A solver that comes
    back sooner than AGAIN_PAUSE after it was told is told when that is over.
    """
    last = desk.state.told_again.get(solver)
    if last is not None and now < last + AGAIN_PAUSE:
        desk.emit(SetTimer(f"again:{solver}", last + AGAIN_PAUSE))
        return
    books = [book for book in desk.state.books.values() if now < book.bid_deadline]
    unpaid = [owed for owed in desk.state.commitments.live.values() if owed.state is CommitmentState.AWARDED]
    owes = [owed for owed in unpaid if owed.solver == solver and now < owed.due]
    for book in books:
        desk.tell(solver, _opened(desk, book))
    for owed in owes:
        desk.tell(solver, awarded(owed))
    if books or owes:
        desk.state.told_again[solver] = now


def _admit(desk: Desk, height: int, order: Order) -> None:
    assert order.order_id not in desk.state.orders
    live = LiveOrder(order)
    reserved = desk.state.escrow.reserve(order)
    if reserved is None:
        live.step(OrderStep.REFUSED)
        desk.report(OrderFailed(order.order_id, FailReason.UNFUNDED))
        return
    live.step(OrderStep.ADMITTED)
    desk.state.orders[order.order_id] = live
    desk.note(reserved, OrderAdded(height, order))


def _cancel(desk: Desk, cancel: CancelOrder) -> None:
    live = desk.state.orders.get(cancel.order_id)
    if live is None or live.order.owner != cancel.owner:
        desk.report(CancelRefused(cancel.order_id, cancel.cl_ord_id, CancelRefusal.UNKNOWN_ORDER))
    elif live.state is OrderState.OPEN:
        desk.cancel(live, cancel.cl_ord_id)
    elif cancel.standing:
        live.leaving = True
    else:
        desk.report(CancelRefused(cancel.order_id, cancel.cl_ord_id, CancelRefusal.TOO_LATE))


def _open_auction(desk: Desk, now: Nanos, height: int) -> None:
    open_orders = desk.open_orders()
    if not open_orders:
        return
    taken = _fair_share(open_orders)
    orders = []
    for live in taken:
        live.step(OrderStep.AUCTIONED)
        desk.stop_waiting(live)
        orders.append(live.order)
    if len(taken) < len(open_orders):
        for live in open_orders:
            if live.state is OrderState.OPEN and not live.waiting:
                desk.wait(live)
    deadline = now + desk.settings.bid_window
    book = desk.state.books[height] = open_book(height, now, deadline, orders)
    desk.emit(SetTimer(f"bids:{height}", deadline))
    desk.note(BatchCreated(height, tuple(order.order_id for order in orders), deadline))
    desk.tell(EVERYONE, _opened(desk, book))


def _fair_share(open_orders: list[LiveOrder]) -> list[LiveOrder]:
    """As many as an auction takes: of each owner as many as of any other, if it has them, so that who sends most
    keeps nobody out; the longest waiting of each, in the order in which they wait."""
    if len(open_orders) <= ORDERS_PER_AUCTION_MAX:
        return open_orders
    turns: Counter[str] = Counter()
    places = []
    for place, live in enumerate(open_orders):
        places.append((turns[live.order.owner], place))
        turns[live.order.owner] += 1
    return [open_orders[place] for place in sorted(place for _, place in sorted(places)[:ORDERS_PER_AUCTION_MAX])]


def _opened(desk: Desk, book: Book) -> BatchOpened:
    offers = tuple(offer_of(order, desk.pairs[order.symbol]) for order in book.orders.values())
    return BatchOpened(book.height, book.opened_at, book.bid_deadline, offers)


def _barred(desk: Desk, solver: str, height: int) -> BidRefusal | None:
    """Why nothing that this solver says about that batch counts, if so."""
    if solver not in desk.settings.capital:
        return BidRefusal.UNAUTHORISED
    if height > desk.state.height:
        return BidRefusal.UNKNOWN_BATCH
    return None if height in desk.state.books else BidRefusal.LATE


def _judge(desk: Desk, now: Nanos, solver: str, height: int, bid: Bid) -> StandingBid | BidRefusal:
    judged = desk.state.books[height].judge(now, solver, bid, desk.pairs)
    if judged is BidRefusal.UNKNOWN_ORDER and bid.order_id in desk.state.orders:
        return BidRefusal.ORDER_NOT_OPEN
    if isinstance(judged, BidRefusal):
        return judged
    return desk.cannot_pay(judged, judged.output_amount) or judged


def _stand(desk: Desk, height: int, bid: StandingBid) -> None:
    replaces = desk.state.books[height].put(bid)
    desk.note(
        BidReceived(
            height=height,
            solver=bid.solver,
            bid_id=bid.bid_id,
            order_id=bid.order_id,
            max_input=bid.max_input,
            conversion_rate=bid.conversion_rate,
            min_output=bid.output_amount,
            replaces=replaces,
        )
    )
