"""A book says what could be traded, and to which price; vectors from section 9.3 of the desk's spec."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.market.book import BookSide, OrderBook, order_book
from core.market.exchange import Levels
from core.market.orders import Side
from core.market.prices import PriceType, price_of_top
from core.units import MONEY

TOLERANCE = Decimal("0.001")


def levels(*pairs: tuple[str, str]) -> Levels:
    return tuple((Decimal(price), Decimal(quantity)) for price, quantity in pairs)


def d(*numbers: int | str) -> tuple[Decimal, ...]:
    return tuple(Decimal(number) for number in numbers)


def book() -> OrderBook:
    made = order_book(TOLERANCE)
    made.fill(levels(("90", "50"), ("80", "60"), ("70", "70")), levels(("100", "10"), ("110", "20"), ("120", "30")))
    return made


def test_liquidity_counts_the_levels_at_the_limit_or_better() -> None:
    assert book().asks.liquidity_to(Decimal(110)) == 30
    assert book().bids.liquidity_to(Decimal(80)) == 110
    assert book().asks.liquidity_to(Decimal(99)) == book().bids.liquidity_to(Decimal(91)) == 0


def test_a_level_is_deleted_by_no_quantity_and_replaced_by_another() -> None:
    asks = book().asks
    asks.set(Decimal(100), Decimal(0))
    asks.set(Decimal(110), Decimal(25))
    assert asks.liquidity_to(Decimal(110)) == 25
    assert asks.levels() == levels(("110", "25"), ("120", "30"))


def test_prices_and_quantities_within_the_tolerance_are_the_same() -> None:
    asks = book().asks
    asks.set(Decimal("100.0005"), Decimal(7))
    assert asks.levels(2) == levels(("100.0005", "7"), ("110", "20"))
    asks.set(Decimal(100), Decimal("0.001"))
    assert asks.top() == d(110, 20)
    assert asks.liquidity_to(Decimal("109.9995")) == 20


def test_the_best_level_is_the_highest_bid_and_the_lowest_ask() -> None:
    assert (book().bids.top(), book().asks.top()) == (d(90, 50), d(100, 10))
    assert (BookSide("buy").top(), BookSide("sell").top()) == (None, None)


@pytest.mark.parametrize("name", ["buy", "sell"])
def test_liquidity_is_counted_to_the_last_digit(name: Side) -> None:
    side = BookSide(name)
    side.fill(levels(("100", "123.45678901"), ("101", "1E-30")))
    limit = Decimal(100 if name == "buy" else 101)
    with localcontext(MONEY):
        assert side.liquidity_to(limit) == Decimal("123.456789010000000000000000000001")


def test_a_price_of_more_digits_than_money_has_is_found_again() -> None:
    price = Decimal("1.000000000000000000000000000000000001")
    with localcontext(MONEY):
        side = BookSide("sell")
        side.set(price, Decimal(1))
        assert (side.at(price), side.at(Decimal(1)), side.liquidity_to(Decimal(1))) == d(1, 0, 0)
        side.set(price, Decimal(0))
        assert side.levels() == ()


def test_a_book_is_crossed_when_a_bid_meets_an_ask() -> None:
    made = book()
    made.apply(levels(("100", "1")), ())
    assert [each.is_crossed for each in (made, book(), OrderBook())] == [True, False, False]


@pytest.mark.parametrize(
    ("kind", "price"),
    [
        (PriceType.BEST_BID, "12500"),
        (PriceType.BEST_ASK, "12500.5"),
        (PriceType.MID_POINT, "12500.25"),
        (PriceType.VOLUME_WEIGHTED, "12500.20"),
    ],
)
def test_prices_of_the_top_of_a_book(kind: PriceType, price: str) -> None:
    bid, ask = (Decimal(12500), Decimal(1500)), (Decimal("12500.5"), Decimal(1000))
    assert price_of_top(kind, bid, ask) == Decimal(price)


@pytest.mark.parametrize("kind", [PriceType.MID_POINT, PriceType.VOLUME_WEIGHTED, PriceType.BEST_ASK])
def test_a_price_that_needs_an_empty_side_is_none(kind: PriceType) -> None:
    assert price_of_top(kind, (Decimal(1), Decimal(1)), None) is None


changes = st.lists(st.tuples(st.integers(1, 8).map(Decimal), st.integers(0, 5).map(Decimal)), max_size=40)


@given(changes, st.sampled_from(["buy", "sell"]))
def test_a_side_is_what_was_last_said_of_each_price_in_order(said: list[tuple[Decimal, Decimal]], name: str) -> None:
    side = BookSide("buy" if name == "buy" else "sell")
    expected: dict[Decimal, Decimal] = {}
    for price, quantity in said:
        side.set(price, quantity)
        expected[price] = quantity
    stands = sorted(((p, q) for p, q in expected.items() if q), reverse=name == "buy")
    assert side.levels() == tuple(stands)
    assert [side.at(price) for price in expected] == list(expected.values())
