"""Rules: pure functions from the closed book of one batch to who wins what, and what it pays.

A rule ranks, for each order, the bids that may win it, best first, and says what each would trade *if
it won*. The auction awards the first whose solver can pay and falls back to the next after a default.
The amounts are the rule's: a rule that charges the winner something else than its bid (a second price,
one clearing price per pair, a price that decays from `opened_at`) says so there. A rule that clears
orders together sees the whole book; what it leaves out of its answer is not sold.

A new rule is a function and a name:

    def cheapest_first(book: ClosedBook) -> Outcome:
        return {c.order.order_id: [as_bid(b) for b in sorted(c.bids, key=...)] for c in book.contests}

    RULES["cheapest_first"] = cheapest_first
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Final, TypeAlias

from core.auction.terms import Trade, at_terms_of, fills_lots, meets_limit
from core.errors import DefectError, InputError
from core.kernel.record import Record
from core.market.orders import Order, Pair
from core.units import Nanos


class StandingBid(Record, frozen=True):
    """A bid that counted and was neither replaced nor withdrawn; it gives at least the order's limit.

    As bid, it takes `input_amount` of the order's sell token for `output_amount` of its buy token.
    """

    solver: str
    bid_id: str
    order_id: str
    max_input: Decimal
    conversion_rate: Decimal
    valid_till: Nanos
    received_at: Nanos
    input_amount: Decimal
    output_amount: Decimal


class Contest(Record, frozen=True):
    """One order, as far as it is still to trade, and the bids for it: at most one per solver."""

    order: Order
    pair: Pair
    bids: tuple[StandingBid, ...]


class ClosedBook(Record, frozen=True):
    """All that was up for auction in one batch, in block order, after its bid deadline."""

    height: int
    opened_at: Nanos
    bid_deadline: Nanos
    contests: tuple[Contest, ...]


class Ranked(Record, frozen=True):
    """A bid that may win, and what would change hands then."""

    bid: StandingBid
    input_amount: Decimal
    output_amount: Decimal


Outcome: TypeAlias = Mapping[str, Sequence[Ranked]]
"""By order id, the bids that may win it, best first."""
Rule: TypeAlias = Callable[[ClosedBook], Outcome]


def first_price(book: ClosedBook) -> Outcome:
    """Each order goes to the bid that gives its owner the highest output, and pays as bid.

    Of equal outputs the one for less input wins (so among full fills of a buy, the cheapest). What
    then still ties gives the owner exactly the same, and a digest of height, order and solver decides:
    the same for any arrival order, and over many batches no solver's name is favoured.
    """
    return {contest.order.order_id: _ranked_as_bid(contest, book.height) for contest in book.contests}


def second_price(book: ClosedBook) -> Outcome:
    """Each order goes to the bid that `first_price` would choose, at the terms of the next best one.

    This is Vickrey's auction, per order, with the order's limit as the reserve. Who wins is decided by
    the winner's own bid, what it pays only by the others': the best offer without it, or the limit when
    there is none. So a solver that bids for the whole order, and can serve it for v, does best to bid v
    whatever the others bid. To bid worse can only lose an order worth winning, and to bid better can only
    win one at terms worse than v. Under `first_price` it would keep a margin, which it has to guess; on
    average the two bring the owner the same, where costs are independent and alike (revenue equivalence).

    A bid next in line takes over at the terms of the one after it, as if the one before had not bid. For
    parts of an order the terms are a rate, and the winner never trades at terms worse than its own bid; then
    sizes matter as well as prices, and truth is no longer dominant. Nor is it across orders that share capital.

    Vickrey, "Counterspeculation, auctions, and competitive sealed tenders", Journal of Finance 16 (1961).
    """
    return {c.order.order_id: _at_next_terms(c, _ranked_as_bid(c, book.height)) for c in book.contests}


RULES: Final[dict[str, Rule]] = {"first_price": first_price, "second_price": second_price}
"""Every rule by name. Add your own before the auction is built."""


def rule_named(name: str) -> Rule:
    """The rule of that name. Raises InputError listing the known ones."""
    if name not in RULES:
        raise InputError(f'there is no auction rule "{name}"', f"known: {', '.join(sorted(RULES))}")
    return RULES[name]


def as_bid(bid: StandingBid) -> Ranked:
    """The bid at its own terms."""
    return Ranked(bid, bid.input_amount, bid.output_amount)


def check_outcome(rule: str, book: ClosedBook, outcome: Outcome) -> None:
    """Hold a rule to what every rule must keep, whoever wrote it.

    It ranks standing bids only, each at most once; none takes more than it asked for or the order has,
    none trades a fraction of a lot or gives less than the order's limit. Raises DefectError naming rule, order and bid.
    """
    contests = {contest.order.order_id: contest for contest in book.contests}
    for order_id, ranking in outcome.items():
        if order_id not in contests:
            raise DefectError(f"rule {rule} ranks bids for {order_id}, which is not in the batch")
        contest = contests[order_id]
        unranked = {bid.solver: bid for bid in contest.bids}
        for ranked in ranking:
            if unranked.pop(ranked.bid.solver, None) != ranked.bid:
                raise DefectError(f"rule {rule} ranks {ranked.bid.bid_id} for {order_id}, which does not stand there")
            if not _keeps_terms(contest, ranked):
                raise DefectError(f"rule {rule} breaks the terms of {order_id} or of its bid: {ranked!r}")


def _ranked_as_bid(contest: Contest, height: int) -> list[Ranked]:
    order_id = contest.order.order_id

    def key(bid: StandingBid) -> tuple[Decimal, Decimal, bytes, str]:
        lot = blake2b(f"{height}/{order_id}/{bid.solver}".encode(), digest_size=8).digest()
        return -bid.output_amount, bid.input_amount, lot, bid.solver

    return [as_bid(bid) for bid in sorted(contest.bids, key=key)]


def _at_next_terms(contest: Contest, ranking: list[Ranked]) -> list[Ranked]:
    offers = [Trade(ranked.input_amount, ranked.output_amount) for ranked in ranking]
    rivals = [*offers[1:], None]
    return [
        Ranked(ranked.bid, *at_terms_of(contest.order, contest.pair, own, rival, ranked.bid.max_input))
        for ranked, own, rival in zip(ranking, offers, rivals, strict=False)
    ]


def _keeps_terms(contest: Contest, ranked: Ranked) -> bool:
    order, given, taken = contest.order, ranked.input_amount, ranked.output_amount
    quantity = given if order.side == "sell" else taken
    return (
        0 < given <= min(ranked.bid.max_input, order.input_amount)
        and quantity <= order.quantity
        and (order.partially_fillable or quantity == order.quantity)
        and fills_lots(order, contest.pair, Trade(given, taken))
        and meets_limit(order, Trade(given, taken))
    )
