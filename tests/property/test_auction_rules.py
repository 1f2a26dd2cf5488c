"""Whatever is bid, in whatever order: the same winners, never under a limit, never beyond a quantity."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_UP, Context, Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.auction.bids import open_book
from core.auction.rules import RULES, ClosedBook, Ranked, StandingBid, check_outcome, first_price, second_price
from core.auction.terms import Trade, fills_lots, meets_limit, rest_of, trade
from core.market.orders import Order, Pair, Side, Token, amounts
from core.solver.protocol import Bid
from tests.helpers.auction import bid

ODD = Pair("XY", Token("X", 2), Token("Y", 3), Decimal("0.0001"), Decimal("0.02"), Decimal(100))
"""Coarse tokens and lots, so that rounding matters in nearly every trade."""
SOLVERS = [f"s{n}" for n in range(6)]
SIDES: st.SearchStrategy[Side] = st.sampled_from(["buy", "sell"])
PAIRS = {"XY": ODD}


@st.composite
def odd_orders(draw: st.DrawFn, order_id: str = "O-1") -> Order:
    """An order of the odd pair that has something to give and to take, most often in whole lots."""
    side = draw(SIDES)
    lots = st.one_of(st.integers(1, 150).map(lambda n: 2 * n), st.integers(1, 300))
    quantity, price = Decimal(draw(lots)) / 100, Decimal(draw(st.integers(1, 30_000))) / 10_000
    sold, taken = amounts(ODD, side, quantity, price)
    if not sold:
        quantity, sold, taken = Decimal(3), Decimal("0.001"), Decimal(3)
        price = Decimal("0.0004")
    return Order(
        order_id=order_id,
        owner="MM1",
        cl_ord_id="",
        symbol="XY",
        side=side,
        quantity=quantity,
        limit_price=price,
        sell_token="X" if side == "sell" else "Y",
        buy_token="Y" if side == "sell" else "X",
        input_amount=sold,
        min_output=taken,
        created_at=0,
        valid_until=10**6,
        partially_fillable=draw(st.booleans()),
        immediate=False,
    )


@st.composite
def bids_for(draw: st.DrawFn, of: Order, bid_id: str) -> Bid:
    """A bid around the limit, for all or part of the order; not always one that counts."""
    unit = draw(st.sampled_from([ODD.lot, Decimal("0.01")])) if of.side == "sell" else Decimal("0.001")
    units = int(of.input_amount / unit)
    taken = of.input_amount if not units or draw(st.booleans()) else draw(st.integers(1, units)) * unit
    better = Decimal(draw(st.integers(-20, 200))) / 1000
    return bid(bid_id, str(of.min_output / of.input_amount * (1 + better)), order_id=of.order_id, max_input=str(taken))


def closed_book(orders: list[Order], said: list[tuple[str, Bid]], height: int) -> ClosedBook:
    """The book after those bids, of which only the valid ones count."""
    book = open_book(height, 0, 1000, orders)
    for now, (solver, offered) in enumerate(said):
        judged = book.judge(now, solver, offered, PAIRS)
        if isinstance(judged, StandingBid):
            book.put(judged)
    return book.close(PAIRS)


def who_gets_what(ranking: Sequence[Ranked]) -> list[tuple[str, Decimal, Decimal]]:
    return [(ranked.bid.solver, ranked.input_amount, ranked.output_amount) for ranked in ranking]


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Order], list[tuple[str, Bid]], list[tuple[str, Bid]]]:
    """Orders, at most one bid per solver and order, and the same bids in another order of arrival."""
    orders = [draw(odd_orders(f"O-{n}")) for n in range(draw(st.integers(1, 3)))]
    said = [
        (solver, draw(bids_for(of, f"b{number}")))
        for number, of in enumerate(orders)
        for solver in draw(st.lists(st.sampled_from(SOLVERS), unique=True))
    ]
    return orders, said, draw(st.permutations(said))


@given(batches(), st.integers(0, 10**6))
def test_first_price_does_not_depend_on_the_order_of_arrival(
    batch: tuple[list[Order], list[tuple[str, Bid]], list[tuple[str, Bid]]], height: int
) -> None:
    orders, said, shuffled = batch
    outcomes = [first_price(closed_book(orders, arrived, height)) for arrived in (said, shuffled)]
    one, other = ({order_id: who_gets_what(ranking) for order_id, ranking in o.items()} for o in outcomes)
    assert one == other


@given(batches())
def test_first_price_ranks_every_bid_once_best_first_and_keeps_every_term(
    batch: tuple[list[Order], list[tuple[str, Bid]], list[tuple[str, Bid]]],
) -> None:
    orders, said, _ = batch
    book = closed_book(orders, said, 1)
    outcome = first_price(book)
    check_outcome("first_price", book, outcome)
    for contest in book.contests:
        ranking = outcome[contest.order.order_id]
        assert {ranked.bid.solver for ranked in ranking} == {standing.solver for standing in contest.bids}
        outputs = [ranked.output_amount for ranked in ranking]
        assert outputs == sorted(outputs, reverse=True)


@given(batches())
def test_second_price_ranks_as_first_price_keeps_every_term_and_costs_nobody_more_than_its_bid(
    batch: tuple[list[Order], list[tuple[str, Bid]], list[tuple[str, Bid]]],
) -> None:
    orders, said, _ = batch
    book = closed_book(orders, said, 1)
    outcome, as_bid = second_price(book), first_price(book)
    check_outcome("second_price", book, outcome)
    for order_id, ranking in outcome.items():
        assert [ranked.bid for ranked in ranking] == [ranked.bid for ranked in as_bid[order_id]]
        for charged, offered in zip(ranking, as_bid[order_id], strict=True):
            assert charged.input_amount >= offered.input_amount
            assert charged.output_amount <= offered.output_amount


def whole_order(side: Side) -> Order:
    """All or nothing of two units of base at a limit of 500 each."""
    given_up, taken = amounts(ODD, side, Decimal(2), Decimal(500))
    return Order(
        order_id="O-1",
        owner="MM1",
        cl_ord_id="",
        symbol="XY",
        side=side,
        quantity=Decimal(2),
        limit_price=Decimal(500),
        sell_token="X" if side == "sell" else "Y",
        buy_token="Y" if side == "sell" else "X",
        input_amount=given_up,
        min_output=taken,
        created_at=0,
        valid_until=10**6,
        partially_fillable=False,
        immediate=False,
    )


_UP = Context(prec=28, rounding=ROUND_UP)
"""For rates of buys, so that their inputs come out as the whole amounts that were meant."""


def gain(rule: str, of: Order, value: Decimal, mine: Decimal, others: list[Decimal]) -> Decimal:
    """What solver `s0` keeps when it bids `mine` for the whole order, which is worth `value` in quote to it.

    Of a sell it can get that much quote for the base; of a buy the base costs it that much.
    """
    said = []
    for number, offered in enumerate([mine, *others]):
        rate = offered / of.quantity if of.side == "sell" else _UP.divide(of.quantity, offered)
        said.append((f"s{number}", bid(f"b{number}", str(rate), max_input=str(of.input_amount))))
    [ranking] = RULES[rule](closed_book([of], said, 1)).values()
    if not ranking or ranking[0].bid.solver != "s0":
        return Decimal(0)
    won = ranking[0]
    return value - won.output_amount if of.side == "sell" else won.input_amount - value


QUOTES = st.integers(900, 1200).map(Decimal)
"""Whole amounts of quote around the limit of 1000 for two units of base, so that rates come out exactly."""


@given(SIDES, QUOTES, QUOTES, st.lists(QUOTES, max_size=4))
def test_under_second_price_no_bid_for_one_whole_order_gains_more_than_the_truth(
    side: Side, value: Decimal, other: Decimal, others: list[Decimal]
) -> None:
    whole = whole_order(side)
    truth = gain("second_price", whole, value, value, others)
    assert truth >= 0
    assert truth >= gain("second_price", whole, value, other, others)


def test_under_first_price_the_truth_gains_nothing_and_a_margin_does() -> None:
    whole = whole_order("sell")
    assert gain("first_price", whole, Decimal(1100), Decimal(1100), [Decimal(1050)]) == 0
    assert gain("first_price", whole, Decimal(1100), Decimal(1060), [Decimal(1050)]) == 40
    assert gain("second_price", whole, Decimal(1100), Decimal(1100), [Decimal(1050)]) == 50


@given(st.data())
def test_part_fills_are_whole_lots_and_add_up_to_no_more_than_the_order_and_no_less_than_its_limit(
    data: st.DataObject,
) -> None:
    whole = rest = data.draw(odd_orders())
    filled = given_up = got = Decimal(0)
    for _ in range(6):
        if not rest.input_amount:
            break
        offered = data.draw(bids_for(rest, "b"))
        done = trade(rest, ODD, offered.max_input, offered.conversion_rate) if offered.conversion_rate > 0 else None
        if done is None or not fills_lots(rest, ODD, done):
            continue
        assert done.given <= offered.max_input
        quantity = done.given if rest.side == "sell" else done.taken
        assert quantity == rest.quantity or not quantity % ODD.lot
        filled, given_up, got = filled + quantity, given_up + done.given, got + done.taken
        assert meets_limit(whole, done)
        assert filled <= whole.quantity
        assert given_up <= whole.input_amount
        if quantity == rest.quantity:
            assert filled == whole.quantity
            break
        rest = rest_of(rest, ODD, rest.quantity - quantity)
    assert meets_limit(whole, Trade(given_up, got))
