"""The registry, the checks that any rule must pass, what first price ranks first, and what second price charges."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from msgspec.structs import replace

from core.auction.bids import open_book
from core.auction.facts import CommitmentCreated
from core.auction.rules import (
    RULES,
    ClosedBook,
    Outcome,
    Ranked,
    StandingBid,
    as_bid,
    check_outcome,
    first_price,
    second_price,
)
from core.auction.rules import rule_named as named
from core.errors import DefectError, InputError
from core.market.orders import Order, Side
from tests.helpers.auction import BID_WINDOW, FULFIL_WINDOW, GRACE, PAIR, Rig, bid, order, with_settings


def closed(*offers: tuple[str, str, str], of: Order | None = None, height: int = 1) -> ClosedBook:
    """A book for one order, with (solver, max_input, rate) each."""
    book = open_book(height, 0, BID_WINDOW, [of or order()])
    for solver, max_input, rate in offers:
        judged = book.judge(0, solver, bid("b1", rate, max_input=max_input), {PAIR.symbol: PAIR})
        assert isinstance(judged, StandingBid), judged
        book.put(judged)
    return book.close({PAIR.symbol: PAIR})


def ranking(book: ClosedBook) -> list[str]:
    return [ranked.bid.solver for ranked in first_price(book)["O-1"]]


def test_an_unknown_rule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r'no auction rule "third_price" \(known: first_price, second_price\)'):
        named("third_price")


def test_the_highest_output_wins_and_pays_as_bid() -> None:
    book = closed(("s1", "2", "2001"), ("s2", "2", "2003"), ("s3", "1", "2500"))
    assert ranking(book) == ["s2", "s1", "s3"]
    best = first_price(book)["O-1"][0]
    assert (best.input_amount, best.output_amount) == (Decimal(2), Decimal(4006))


def test_of_equal_outputs_the_one_for_less_input_wins() -> None:
    for height in range(8):
        assert ranking(closed(("s1", "2", "2000"), ("s2", "1.6", "2500"), height=height)) == ["s2", "s1"]


def test_a_buyer_is_served_by_the_cheapest_full_fill_whatever_input_was_asked_for() -> None:
    buy = order(side="buy")
    assert ranking(closed(("s1", "4000", "0.0005"), ("s2", "3999", "0.000502"), of=buy)) == ["s2", "s1"]
    assert ranking(closed(("s1", "4000", "0.0005"), ("s2", "1000", "0.0009"), of=buy)) == ["s1", "s2"]


def test_an_order_without_bids_has_an_empty_ranking() -> None:
    assert first_price(closed()) == {"O-1": []}


def test_ties_go_to_every_solver_about_equally_over_many_batches() -> None:
    offers = [(solver, "2", "2000") for solver in ("alpha", "beta", "gamma")]
    firsts = [ranking(closed(*offers, height=height))[0] for height in range(900)]
    assert all(240 < firsts.count(solver) < 360 for solver, _, _ in offers)


def charged(book: ClosedBook) -> list[tuple[str, str, str]]:
    """Under second price: solver, input, output, best first."""
    return [
        (it.bid.solver, f"{it.input_amount.normalize():f}", f"{it.output_amount.normalize():f}")
        for it in second_price(book)["O-1"]
    ]


def test_second_price_ranks_as_first_price_and_charges_each_what_the_next_one_offered() -> None:
    book = closed(("s1", "2", "2001"), ("s2", "2", "2003"), ("s3", "2", "2002"))
    assert charged(book) == [("s2", "2", "4004"), ("s3", "2", "4002"), ("s1", "2", "4000")]
    assert [ranked.bid.solver for ranked in second_price(book)["O-1"]] == ranking(book)


def test_a_bid_without_a_rival_trades_at_the_limit() -> None:
    assert charged(closed(("s1", "2", "2400"))) == [("s1", "2", "4000")]
    assert charged(closed(("s1", "4000", "0.0006"), of=order(side="buy"))) == [("s1", "4000", "2")]


def test_a_buyer_pays_what_the_second_cheapest_asked_for() -> None:
    book = closed(("s1", "4000", "0.000502"), ("s2", "4000", "0.000505"), of=order(side="buy"))
    assert charged(book) == [("s2", "3984.07", "2"), ("s1", "4000", "2")]


def test_a_solver_gets_no_more_than_it_asked_for_at_most() -> None:
    book = closed(("s1", "4000", "0.000502"), ("s2", "3970", "0.000505"), of=order(side="buy"))
    assert charged(book)[0] == ("s2", "3970", "2")


def test_a_rival_for_a_part_sets_a_rate_and_never_makes_the_winner_worse_off_than_its_bid() -> None:
    assert charged(closed(("s1", "2", "2010"), ("s2", "1", "2004")))[0] == ("s1", "2", "4008")
    assert charged(closed(("s1", "2", "2010"), ("s2", "1", "2300")))[0] == ("s1", "2", "4020")


def test_after_a_default_the_next_in_line_takes_over_at_the_terms_of_the_one_after_it() -> None:
    bench = Rig(with_settings(rule="second_price"))
    bench.batch(1, order())
    for solver, rate in (("s1", "2300"), ("s2", "2200"), ("s3", "2100")):
        bench.place(solver, bid("b1", rate))
    bench.advance(BID_WINDOW + FULFIL_WINDOW + GRACE)
    made = [(fact.solver, fact.min_output) for fact in bench.facts(CommitmentCreated)]
    assert made == [("s1", Decimal(4400)), ("s2", Decimal(4200))]


@pytest.fixture
def _dear_rule() -> Iterator[None]:
    """Registers a rule in the way that a user would."""

    def runner_up(book: ClosedBook) -> Outcome:
        outcome = {}
        for contest in book.contests:
            best, second = sorted(contest.bids, key=lambda b: -b.output_amount)
            outcome[contest.order.order_id] = [Ranked(best, best.input_amount, second.output_amount), as_bid(second)]
        return outcome

    RULES["runner_up"] = runner_up
    yield
    del RULES["runner_up"]


@pytest.mark.usefixtures("_dear_rule")
def test_a_rule_that_a_user_adds_decides_what_the_winner_pays() -> None:
    bench = Rig(with_settings(rule="runner_up"))
    bench.batch(1, order())
    bench.place("s1", bid("b1", "2300"))
    bench.place("s2", bid("b1", "2100"))
    bench.advance(BID_WINDOW)
    [made] = bench.facts(CommitmentCreated)
    assert (made.solver, made.min_output) == ("s1", Decimal(4200))


BOOK = closed(("s1", "2", "2001"), ("s2", "1", "2003"))
FIRST, SECOND = BOOK.contests[0].bids


@pytest.mark.parametrize(
    ("outcome", "complaint"),
    [
        ({"O-7": [as_bid(FIRST)]}, "O-7, which is not in the batch"),
        ({"O-1": [as_bid(FIRST), as_bid(FIRST)]}, "b1 for O-1, which does not stand there"),
        ({"O-1": [as_bid(replace(FIRST, solver="s3"))]}, "b1 for O-1, which does not stand there"),
        ({"O-1": [as_bid(replace(FIRST, output_amount=Decimal(9000)))]}, "b1 for O-1, which does not stand there"),
        ({"O-1": [Ranked(FIRST, Decimal(2), Decimal("3999.99"))]}, "breaks the terms of O-1"),
        ({"O-1": [Ranked(SECOND, Decimal(2), Decimal(4006))]}, "breaks the terms of O-1"),
        ({"O-1": [Ranked(FIRST, Decimal(0), Decimal(0))]}, "breaks the terms of O-1"),
        ({"O-1": [Ranked(FIRST, Decimal("0.0005"), Decimal(2))]}, "breaks the terms of O-1"),
    ],
)
def test_a_rule_that_breaks_its_contract_stops_the_run(outcome: Outcome, complaint: str) -> None:
    with pytest.raises(DefectError, match=rf"rule broken .*{complaint}"):
        check_outcome("broken", BOOK, outcome)


def test_a_rule_may_not_give_a_buyer_more_than_it_ordered() -> None:
    book = closed(("s1", "4000", "0.0006"), of=order(side="buy"))
    [bought] = book.contests[0].bids
    with pytest.raises(DefectError, match="breaks the terms"):
        check_outcome("generous", book, {"O-1": [Ranked(bought, Decimal(4000), Decimal("2.4"))]})


@pytest.mark.parametrize("side", ["sell", "buy"])
def test_a_rule_may_not_split_an_all_or_nothing_order(side: Side) -> None:
    whole = order(side=side, partial=False)
    rate = "2000" if side == "sell" else "0.0005"
    book = closed(("s1", str(whole.input_amount), rate), of=whole)
    [half] = [Ranked(b, b.input_amount / 2, b.output_amount / 2) for b in book.contests[0].bids]
    with pytest.raises(DefectError, match="breaks the terms"):
        check_outcome("splitting", book, {"O-1": [half]})
