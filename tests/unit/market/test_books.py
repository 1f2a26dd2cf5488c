"""Books are built from snapshots and deltas; what is missing is asked for again, and what may be wrong is not given."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.record import Call, Effect
from core.market.books import Books, BookSettings, books_of
from core.market.exchange import BookDelta, BookSnapshot, TimeInForce, TradePrinted
from core.market.matching import Market
from core.market.orders import Side
from core.market.prices import PriceType
from core.units import SECOND
from tests.helpers.books import SETTINGS, STALE, X, asked, best_ask, delta, snapshot, synced


def test_a_book_that_nobody_speaks_of_is_asked_for() -> None:
    books = books_of([X], SETTINGS)
    assert (books.next_due(), books.is_fresh(0, X)) == (0, False)
    asked(books.due(0))
    assert books.due(1) == []


def test_a_first_delta_asks_for_a_snapshot_and_waits_for_it() -> None:
    books = books_of([X], SETTINGS)
    call = asked(books.on_delta(0, delta(10, 12)))
    assert books.on_delta(1, delta(13, 13, quantity="8")) == []
    assert books.price(1, X, PriceType.BEST_ASK) is None
    assert books.on_snapshot(2, call, snapshot(11)) == []
    assert best_ask(books) == (101, 8)
    assert books.price(2, X, PriceType.MID_POINT) == 100


def test_a_delta_that_follows_is_applied_and_an_old_one_is_not() -> None:
    books = synced(10)
    assert books.on_delta(0, delta(9, 11)) == []
    assert best_ask(books) == (101, 7)
    assert books.on_delta(0, delta(11, 11, quantity="9")) == []
    assert best_ask(books) == (101, 7)


def test_a_gap_asks_for_a_snapshot_and_no_price_is_given_until_it_comes() -> None:
    books = synced(10)
    call = asked(books.on_delta(5, delta(12, 13)))
    assert not books.is_fresh(5, X)
    assert books.price(5, X, PriceType.BEST_BID) is None
    assert books.on_snapshot(6, call, snapshot(12)) == []
    assert books.is_fresh(6, X)
    assert best_ask(books) == (101, 7)


def test_a_snapshot_that_is_older_than_the_gap_leads_to_the_next_one() -> None:
    books = synced(10)
    first = asked(books.on_delta(0, delta(20, 21)))
    assert books.on_snapshot(0, first, snapshot(15)) == []
    assert not books.is_fresh(0, X)
    due = books.next_due()
    assert due == SETTINGS.retry_ns
    assert books.on_snapshot(due, asked(books.due(due)), snapshot(19)) == []
    assert best_ask(books) == (101, 7)


def test_where_the_exchange_names_the_update_before_ids_need_not_be_consecutive() -> None:
    books = synced(10)
    assert books.on_delta(0, delta(35, 40, previous=10)) == []
    assert best_ask(books) == (101, 7)
    asked(books.on_delta(0, delta(50, 60, previous=41)))


def test_a_snapshot_that_failed_cannot_leave_a_book_without_one_for_ever() -> None:
    """Defect 15: a snapshot that failed was never asked for again."""
    books = books_of([X], SETTINGS)
    waits, now = [], 0
    for _ in range(7):
        call = asked(books.due(now))
        books.on_refused(now, call)
        due = books.next_due()
        assert due is not None
        waits.append((due - now) // SECOND)
        now = due
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    call = asked(books.due(now))
    assert books.next_due() == now + SETTINGS.retry_ns_max, "one that is not answered is no better than a refusal"
    now += SETTINGS.retry_ns_max
    second = asked(books.due(now))
    assert books.on_snapshot(now, second, snapshot(10)) == []
    assert books.is_fresh(now, X)
    assert books.on_snapshot(now, call, snapshot(11)) == []
    assert books.feeds[X].last_update_id == 10, "it came late, and nobody needs it"


@pytest.mark.parametrize("stale", [False, True])
def test_an_exchange_that_answers_later_than_the_timeout_cannot_leave_a_book_without_one(stale: bool) -> None:
    books = synced(10) if stale else books_of([X], SETTINGS)
    now, slow = (STALE if stale else 0), SETTINGS.snapshot_timeout_ns + 1
    call = asked(books.due(now))
    asked(books.due(now + SETTINGS.snapshot_timeout_ns))
    if not stale:
        assert books.on_delta(now + slow - 1, delta(11, 11)) == []
    assert books.on_snapshot(now + slow, call, snapshot(10)) == []
    assert books.is_fresh(now + slow, X)
    assert best_ask(books) == ((101, 5) if stale else (101, 7))


def test_a_late_answer_that_does_not_go_on_to_what_has_come_since_leaves_the_book_unsynced() -> None:
    books = synced(10)
    old = asked(books.on_delta(0, delta(20, 21)))
    second = asked(books.due(SETTINGS.snapshot_timeout_ns))
    assert books.on_snapshot(SETTINGS.snapshot_timeout_ns + 1, old, snapshot(15)) == []
    assert not books.is_fresh(SETTINGS.snapshot_timeout_ns + 1, X)
    books.on_snapshot(SETTINGS.snapshot_timeout_ns + 2, second, snapshot(20))
    assert books.is_fresh(SETTINGS.snapshot_timeout_ns + 2, X)


IMPOSSIBLE = [("NaN", "1"), ("sNaN", "1"), ("Infinity", "1"), ("0", "1"), ("-9", "1"), ("101", "NaN"), ("101", "-1")]
IMPOSSIBLE += [("9E+999999", "1"), ("1E-90", "1"), ("101", "1E+24"), ("101", "1E-90")]


@pytest.mark.parametrize(("price", "quantity"), IMPOSSIBLE)
def test_a_delta_that_cannot_be_is_as_good_as_missing(price: str, quantity: str) -> None:
    books = synced(10)
    call = asked(books.on_delta(5, delta(11, 11, price, quantity)))
    assert not books.is_fresh(5, X)
    assert books.on_delta(6, delta(12, 12, price, quantity)) == []
    assert books.on_snapshot(7, call, snapshot(12)) == []
    assert books.is_fresh(7, X)


@pytest.mark.parametrize(("price", "quantity"), IMPOSSIBLE)
def test_a_snapshot_that_cannot_be_is_as_good_as_refused(price: str, quantity: str) -> None:
    books = books_of([X], SETTINGS)
    call = asked(books.due(0))
    assert books.on_snapshot(0, call, BookSnapshot(X, 5, ((Decimal(price), Decimal(quantity)),), ())) == []
    assert not books.is_fresh(0, X)
    due = books.next_due()
    assert due == SETTINGS.retry_ns
    books.on_snapshot(due, asked(books.due(due)), snapshot(10))
    assert books.is_fresh(due, X)


@pytest.mark.parametrize("price", ["NaN", "Infinity", "0", "-1", "9E+999999", "1E-90"])
def test_a_trade_that_cannot_be_is_no_price(price: str) -> None:
    books = synced(10)
    books.on_trade(0, TradePrinted(X, Decimal(price), Decimal(1)))
    assert books.price(0, X, PriceType.LAST_TRADE) is None


def test_a_price_that_nobody_confirmed_for_a_while_cannot_be_used() -> None:
    """Defect 15: a stale price was good for ever."""
    books = synced(10)
    assert books.price(STALE - 1, X, PriceType.VOLUME_WEIGHTED) == 100
    assert books.price(STALE, X, PriceType.VOLUME_WEIGHTED) is None
    assert books.next_due() == STALE
    books.on_snapshot(STALE + 5, asked(books.due(STALE)), snapshot(10))
    assert books.price(STALE + 5, X, PriceType.VOLUME_WEIGHTED) == 100


def test_a_market_that_speaks_again_needs_no_snapshot() -> None:
    books = synced(10)
    late = asked(books.due(STALE))
    assert books.on_delta(STALE + 1, delta(11, 11)) == []
    assert books.is_fresh(STALE + 1, X)
    assert books.due(STALE + SETTINGS.snapshot_timeout_ns) == []
    assert books.on_snapshot(STALE + 7, late, snapshot(10)) == []
    assert best_ask(books) == (101, 7)


def test_a_last_trade_is_given_while_it_is_new() -> None:
    books = synced(10)
    assert books.price(0, X, PriceType.LAST_TRADE) is None
    books.on_trade(5, TradePrinted(X, Decimal(100), Decimal(1)))
    assert books.price(5 + STALE - 1, X, PriceType.LAST_TRADE) == 100
    assert books.price(5 + STALE, X, PriceType.LAST_TRADE) is None


def test_a_crossed_book_has_missed_something() -> None:
    books = synced(10)
    call = asked(books.on_delta(0, delta(11, 11, ask="98")))
    assert not books.is_fresh(0, X)
    books.on_snapshot(0, call, snapshot(11, "97", "98"))
    assert books.price(0, X, PriceType.BEST_ASK) == 98


def test_what_waits_for_a_snapshot_is_bounded() -> None:
    books = books_of([X], BookSettings(pending_max=3))
    call = asked(books.on_delta(0, delta(1, 1)))
    for update in range(2, 10):
        assert books.on_delta(0, delta(update, update)) == []
    assert len(books.feeds[X].pending) == 3
    assert books.on_snapshot(0, call, snapshot(2)) == []
    assert not books.is_fresh(0, X)
    due = books.next_due()
    assert due is not None
    books.on_snapshot(due, asked(books.due(due)), snapshot(8))
    assert books.feeds[X].last_update_id == 9


def test_one_symbol_without_a_price_says_nothing_of_another() -> None:
    books = books_of([X, "YUSDC"], SETTINGS)
    books.due(0)
    call = books.feeds[X].call_id
    books.on_snapshot(0, call, snapshot(1))
    assert (books.is_fresh(0, X), books.is_fresh(0, "YUSDC"), books.is_fresh(0, "ZUSDC")) == (True, False, False)
    assert books.price(0, "ZUSDC", PriceType.BEST_BID) is None


def test_what_comes_for_a_symbol_that_is_not_followed_is_ignored() -> None:
    books = books_of([], SETTINGS)
    assert books.on_delta(0, delta(11, 11)) == []
    assert books.on_snapshot(0, "book:1:XUSDC", snapshot(1)) == []
    books.on_refused(0, "book:1:XUSDC")
    books.on_trade(0, TradePrinted(X, Decimal(1), Decimal(1)))
    assert (books.book(X), books.next_due(), books.due(0)) == (None, None, [])


def test_books_come_back_from_a_snapshot_as_they_were() -> None:
    books = synced(10)
    books.on_delta(0, delta(12, 12))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(books), type=Books) == books


class Line:
    """A market and its books, and what is under way between them, which may get lost or come late."""

    def __init__(self) -> None:
        self.market = Market(X)
        self.books = books_of([X], SETTINGS)
        self.now = 0
        self.orders = 0
        self.on_its_way: list[BookDelta] = []
        self.calls: list[str] = []

    def trade(self, side: Side, price: int, quantity: int) -> None:
        self.orders += 1
        name = f"o{self.orders}"
        outcome = self.market.submit(name, side, Decimal(price), Decimal(quantity), TimeInForce.GTC)
        if outcome.delta is not None:
            self.on_its_way.append(outcome.delta)

    def hear(self, lose: bool) -> None:
        if self.on_its_way:
            came = self.on_its_way.pop(0)
            if not lose:
                self.take(self.books.on_delta(self.now, came))

    def answer(self, lose: bool) -> None:
        if self.calls:
            call = self.calls.pop(0)
            if lose:
                self.books.on_refused(self.now, call)
            else:
                self.take(self.books.on_snapshot(self.now, call, self.market.snapshot()))

    def wait(self) -> None:
        due = self.books.next_due()
        assert due is not None
        self.now = max(self.now, due)
        self.take(self.books.due(self.now))

    def take(self, effects: list[Effect]) -> None:
        self.calls += [effect.call_id for effect in effects if isinstance(effect, Call)]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), st.sampled_from(["buy", "sell"]), st.integers(95, 105), st.integers(1, 5)),
        st.tuples(st.just("hear"), st.sampled_from([False, False, False, True])),
        st.tuples(st.just("answer"), st.booleans()),
        st.tuples(st.just("wait")),
    ),
    max_size=60,
)


@given(steps)
def test_however_deltas_and_snapshots_get_lost_a_fresh_book_is_a_book_that_was_and_in_the_end_the_right_one(
    taken: list[tuple[object, ...]],
) -> None:
    line = Line()
    versions = {0: line.market.snapshot()}
    for name, *arguments in taken:
        getattr(line, str(name))(*arguments)
        versions[line.market.update_id] = line.market.snapshot()
        feed = line.books.feeds[X]
        if line.books.is_fresh(line.now, X):
            assert feed.last_update_id is not None
            was = versions[feed.last_update_id]
            assert (feed.book.bids.levels(), feed.book.asks.levels()) == (was.bids, was.asks)
    for price in (96, 104):
        line.trade("buy" if price == 96 else "sell", price, 1)
    for _ in range(20):
        while line.on_its_way:
            line.hear(lose=False)
        while line.calls:
            line.answer(lose=False)
        line.wait()
    while line.calls:
        line.answer(lose=False)
    now = line.market.snapshot()
    book = line.books.book(X)
    assert book is not None
    assert line.books.is_fresh(line.now, X)
    assert (book.bids.levels(), book.asks.levels()) == (now.bids, now.asks)
