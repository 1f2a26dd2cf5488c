"""A market trades by price, then time, and publishes exactly what changes."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from functools import reduce
from typing import Any, TypeAlias

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DefectError
from core.market.book import OrderBook
from core.market.exchange import ExchangeStatus, TimeInForce
from core.market.matching import Market, Outcome, commission, merged
from core.market.orders import Side
from core.units import EXACT, MONEY

GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


def submit(market: Market, name: str, order: tuple[Side, int, int], how: TimeInForce = GTC) -> Outcome:
    side, price, quantity = order
    return market.submit(name, side, Decimal(price), Decimal(quantity), how)


def trades(outcome: Outcome) -> list[tuple[str, int, int]]:
    """(maker, price, quantity) of each match."""
    return [(match.maker, int(match.price), int(match.quantity)) for match in outcome.matches]


def standing() -> Market:
    market = Market("X")
    for order_id, price, quantity in (("a", 101, 2), ("b", 100, 3), ("c", 100, 4), ("d", 102, 5)):
        submit(market, order_id, ("sell", price, quantity))
    return market


def test_the_best_price_goes_first_and_the_older_order_of_one_price() -> None:
    outcome = submit(standing(), "t", ("buy", 101, 8), IOC)
    assert trades(outcome) == [("b", 100, 3), ("c", 100, 4), ("a", 101, 1)]
    assert (outcome.status, outcome.left) == (ExchangeStatus.FILLED, Decimal(0))


def test_parts_of_a_quantity_with_more_digits_than_money_add_up_to_it() -> None:
    whole, part = Decimal("0.04057072762805911949104383140"), Decimal("0.003035812111")
    with localcontext(MONEY):
        market = Market("X")
        market.submit("a", "sell", Decimal(100), part, GTC)
        market.submit("b", "sell", Decimal(101), Decimal(1), GTC)
        outcome = market.submit("c", "buy", Decimal(101), whole, IOC)
    first, second = (match.quantity for match in outcome.matches)
    assert EXACT.add(first, second) == whole


@pytest.mark.parametrize("end", ["5322", "5678"])
@pytest.mark.parametrize("taken", [False, True])
def test_nothing_stands_at_a_price_that_nobody_stands_at_however_fine_the_quantities(end: str, taken: bool) -> None:
    with localcontext(MONEY):
        market = Market("X")
        market.submit("a", "sell", Decimal(100), Decimal("123.45678901"), GTC)
        market.submit("b", "buy", Decimal(100), Decimal(f"0.123456789012345678901234{end}"), IOC)
        if taken:
            market.submit("c", "buy", Decimal(100), Decimal(500), IOC)
        else:
            market.cancel("a")
        assert market.snapshot().asks == ()
        market.submit("d", "buy", Decimal(101), Decimal(1), GTC)
        assert not market.book.is_crossed


def test_an_order_for_all_that_stands_or_nothing_knows_to_the_last_digit_what_that_is() -> None:
    parts = (Decimal(100) / 3, Decimal(2) / 3, Decimal(1) / 30)
    whole = EXACT.add(EXACT.add(*parts[:2]), parts[2])
    with localcontext(MONEY):
        market = Market("X")
        for name, part in zip("abc", parts, strict=True):
            market.submit(name, "sell", Decimal(100), part, GTC)
        over = EXACT.add(whole, Decimal("1E-40"))
        assert market.submit("d", "buy", Decimal(100), over, FOK).matches == ()
        assert market.submit("e", "buy", Decimal(100), whole, FOK).left == 0


def test_prices_with_more_digits_than_money_have_their_places() -> None:
    better, worse = Decimal("1.00000000000000000000000000012"), Decimal("1.00000000000000000000000000011")
    with localcontext(MONEY):
        market = Market("X")
        market.submit("a", "buy", worse, Decimal(1), GTC)
        market.submit("b", "buy", better, Decimal(1), GTC)
        assert market.snapshot().bids == ((better, Decimal(1)), (worse, Decimal(1)))
        assert trades(submit(market, "c", ("sell", 1, 1), IOC))[0][0] == "b"
        assert market.cancel("a")[0] == 1
        assert market.snapshot().bids == ()


def test_an_order_that_trades_in_part_keeps_its_place() -> None:
    market = standing()
    submit(market, "t", ("buy", 100, 2), IOC)
    submit(market, "e", ("sell", 100, 9))
    assert trades(submit(market, "u", ("buy", 100, 6), IOC)) == [("b", 100, 1), ("c", 100, 4), ("e", 100, 1)]


@pytest.mark.parametrize(
    ("how", "quantity", "status", "left", "traded"),
    [
        (IOC, 9, ExchangeStatus.EXPIRED, 2, 7),
        (IOC, 7, ExchangeStatus.FILLED, 0, 7),
        (GTC, 9, ExchangeStatus.PARTIALLY_FILLED, 2, 7),
        (FOK, 9, ExchangeStatus.EXPIRED, 9, 0),
        (FOK, 7, ExchangeStatus.FILLED, 0, 7),
    ],
)
def test_what_does_not_trade_stands_or_expires(
    how: TimeInForce, quantity: int, status: ExchangeStatus, left: int, traded: int
) -> None:
    market = standing()
    outcome = submit(market, "t", ("buy", 100, quantity), how)
    assert (outcome.status, int(outcome.left), sum(each for *_, each in trades(outcome))) == (status, left, traded)
    assert ("t" in market.orders) is (how is GTC)


def test_an_order_that_takes_a_level_and_stands_there_changes_both_sides() -> None:
    market = standing()
    outcome = submit(market, "t", ("buy", 100, 10))
    assert outcome.delta is not None
    assert outcome.delta.asks == ((Decimal(100), Decimal(0)),)
    assert outcome.delta.bids == ((Decimal(100), Decimal(3)),)
    assert outcome.delta.last_update_id - outcome.delta.first_update_id == 1
    assert not market.book.is_crossed


def test_a_cancel_gives_back_what_was_left_once() -> None:
    market = standing()
    submit(market, "t", ("buy", 100, 4), IOC)
    left, delta = market.cancel("c")
    assert left == 3
    assert delta is not None
    assert delta.asks == ((Decimal(100), Decimal(0)),)
    assert market.cancel("c") == (Decimal(0), None)


@pytest.mark.parametrize(("order_id", "price", "quantity"), [("a", 1, 1), ("z", 0, 1), ("z", 1, 0)])
def test_what_no_market_can_take_is_our_bug(order_id: str, price: int, quantity: int) -> None:
    with pytest.raises(DefectError, match="cannot take"):
        submit(standing(), order_id, ("buy", price, quantity))


def test_a_fee_is_basis_points_of_the_value() -> None:
    assert commission(Decimal("100.495"), Decimal(12), Decimal(10)) == Decimal("1.20594")


def _finest(units: int) -> Decimal:
    """A quantity with all of MONEY's digits, up to 0.1."""
    return Decimal(units).scaleb(-29)


Act: TypeAlias = tuple[Any, ...]
acts = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["buy", "sell"]),
            st.integers(95, 105),
            st.one_of(st.decimals("0.001", "5", places=3), st.integers(1, 10**28 - 1).map(_finest)),
            st.sampled_from([GTC, GTC, GTC, IOC, FOK]),
        ),
        st.tuples(st.just("cancel"), st.integers(1, 40)),
    ),
    max_size=50,
)


def total(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(EXACT.add, amounts, Decimal(0))


class Watched:
    """A market with a second set of books beside it."""

    def __init__(self) -> None:
        self.market = Market("X")
        self.published = OrderBook()
        self.terms: dict[str, tuple[Side, Decimal, Decimal]] = {}
        self.traded: dict[str, Decimal] = {}
        self.gone: dict[str, Decimal] = {}
        self.last_update_id = 0

    def act(self, act: Act) -> None:
        if act[0] == "cancel":
            left, delta = self.market.cancel(f"o{act[1]}")
            if left:
                self.gone[f"o{act[1]}"] = left
        else:
            side, price, quantity, how = act
            name = f"o{len(self.terms) + 1}"
            best_before = self.market.book.asks.top() if side == "buy" else self.market.book.bids.top()
            self.terms[name] = (side, Decimal(price), quantity)
            queue = [each.order_id for each in (self.market.asks if side == "buy" else self.market.bids)]
            outcome = self.market.submit(name, *self.terms[name], how)
            self.check(name, outcome, queue, best_before)
            delta = outcome.delta
        if delta is not None:
            assert delta.first_update_id == self.last_update_id + 1
            self.last_update_id = delta.last_update_id
            self.published.apply(delta.bids, delta.asks)

    def check(self, name: str, outcome: Outcome, queue: list[str], best: tuple[Decimal, Decimal] | None) -> None:
        side, limit, quantity = self.terms[name]
        makers = [match.maker for match in outcome.matches]
        assert makers == queue[: len(makers)], "price, then time"
        for match in outcome.matches:
            maker_side, maker_price, _ = self.terms[match.maker]
            assert (maker_side != side, match.price) == (True, maker_price)
            assert match.price <= limit if side == "buy" else match.price >= limit
            for who in (name, match.maker):
                self.traded[who] = EXACT.add(self.traded.get(who, Decimal(0)), match.quantity)
        if outcome.matches:
            assert best is not None
            assert outcome.matches[0].price == best[0]
        assert total([*(match.quantity for match in outcome.matches), outcome.left]) == quantity
        if outcome.status is ExchangeStatus.EXPIRED:
            self.gone[name] = outcome.left

    def audit(self) -> None:
        market = self.market
        assert not market.book.is_crossed
        snapshot = market.snapshot()
        assert snapshot.last_update_id == self.last_update_id
        assert (snapshot.bids, snapshot.asks) == (self.published.bids.levels(), self.published.asks.levels())
        for side, queue in ((market.book.bids, market.bids), (market.book.asks, market.asks)):
            prices = {each.price for each in queue}
            standing = {price: total(each.left for each in queue if each.price == price) for price in prices}
            assert dict(side.levels()) == standing
        stands = {each.order_id: each.left for each in (*market.bids, *market.asks)}
        assert stands.keys() == market.orders.keys()
        for name, (_, _, quantity) in self.terms.items():
            left = stands.get(name, self.gone.get(name, Decimal(0)))
            assert total([self.traded.get(name, Decimal(0)), left]) == quantity, "nothing is made, and nothing is lost"


@given(acts)
def test_quantity_is_conserved_no_book_is_crossed_and_who_follows_the_deltas_has_the_book(taken: list[Act]) -> None:
    with localcontext(MONEY):
        watched = Watched()
        for act in taken:
            watched.act(act)
            watched.audit()


@given(acts)
def test_equal_orders_give_equal_markets_also_after_a_snapshot(taken: list[Act]) -> None:
    one, other = Watched(), Watched()
    for act in taken:
        one.act(act)
        other.act(act)
        other.market = msgspec.msgpack.decode(msgspec.msgpack.encode(other.market), type=Market)
    assert one.market == other.market


@given(acts)
def test_merged_deltas_say_the_same_as_each_in_turn(taken: list[Act]) -> None:
    market, deltas = Market("X"), []
    for number, act in enumerate(taken):
        if act[0] == "cancel":
            _, delta = market.cancel(f"o{act[1]}")
        else:
            side, price, quantity, how = act
            delta = market.submit(f"o{number}", side, Decimal(price), quantity, how).delta
        if delta is not None:
            deltas.append(delta)
    if deltas:
        whole, book = merged(deltas), OrderBook()
        book.apply(whole.bids, whole.asks)
        assert (whole.first_update_id, whole.last_update_id) == (1, market.update_id)
        assert book == market.book
