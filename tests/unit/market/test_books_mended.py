"""Books after an interruption, after ids that fall, and where asking for them comes to nothing."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from core.kernel.record import Call
from core.market.books import BookSettings, books_of
from core.market.exchange import BookDelta, BookSnapshot, TradePrinted
from core.market.prices import PriceType
from core.units import SECOND, Nanos
from tests.helpers.books import SETTINGS, STALE, X, asked, best_ask, called, delta, due_now, snapshot, synced


def test_while_the_stream_is_interrupted_no_price_is_given_and_no_book_asked_for() -> None:
    books = synced(10)
    books.on_trade(0, TradePrinted(X, Decimal(100), Decimal(1)))
    books.on_down()
    assert not books.is_fresh(1, X)
    assert [books.price(1, X, kind) for kind in PriceType] == [None] * len(PriceType)
    assert books.on_delta(2, delta(11, 11)) == []
    assert books.on_delta(3, delta(15, 15)) == []
    assert (books.next_due(), books.due(10 * STALE)) == (None, [])
    assert not books.is_fresh(3, X)


def test_when_the_stream_is_back_only_a_snapshot_asked_for_since_makes_a_quiet_book_fresh() -> None:
    """Of a market without a delta nobody else would say what it has missed."""
    books = synced(10)
    old = asked(books.on_delta(0, delta(12, 12)))
    books.on_trade(0, TradePrinted(X, Decimal(100), Decimal(1)))
    books.on_down()
    books.on_up(SECOND)
    assert books.next_due() == SECOND
    new = asked(books.due(SECOND))
    assert books.on_snapshot(SECOND, old, snapshot(12)) == []
    assert not books.is_fresh(SECOND, X)
    assert books.on_snapshot(SECOND, new, snapshot(20, "49", "51")) == []
    assert books.price(SECOND, X, PriceType.MID_POINT) == 50
    assert books.price(SECOND, X, PriceType.LAST_TRADE) is None, "another may have been missed"
    assert books.next_due() == SECOND + STALE


def test_ids_may_begin_anew_while_the_stream_is_interrupted() -> None:
    books = synced(10**6)
    books.on_down()
    books.on_up(5)
    books.on_snapshot(5, asked(books.due(5)), snapshot(3))
    assert books.is_fresh(5, X)
    assert books.on_delta(6, delta(4, 4)) == []
    assert best_ask(books) == (101, 7)


def test_a_stream_that_is_back_does_not_wait_for_the_pause_of_what_was_refused_before() -> None:
    books = books_of([X], SETTINGS)
    now = 0
    for _ in range(9):
        books.on_refused(now, asked(books.due(now)))
        now = books.next_due() or 0
    books.on_up(now - 1)
    books.on_refused(now - 1, asked(books.due(now - 1)))
    assert books.next_due() == now - 1 + SETTINGS.retry_ns


def test_books_that_may_have_missed_something_are_not_fresh_before_they_were_asked_for_again() -> None:
    books = synced(10)
    books.doubt(5)
    assert not books.is_fresh(5, X)
    call = asked(books.on_delta(6, delta(14, 14)))
    assert books.on_snapshot(7, call, snapshot(13)) == []
    assert (books.is_fresh(7, X), best_ask(books)) == (True, (101, 7))


def test_after_an_interruption_so_many_books_are_asked_for_at_a_time() -> None:
    symbols = [f"S{number}" for number in range(7)]
    books = books_of(symbols, BookSettings(snapshots_max=3))
    books.on_up(0)
    served: list[str] = []
    calls = called(books.due(0))
    while calls:
        assert len(calls) <= 3
        assert books.due(0) == []
        call = calls.pop(0)
        served.append(call.body.symbol)
        books.on_snapshot(0, call.call_id, BookSnapshot(call.body.symbol, 1, (), ()))
        calls += called(books.due(0))
    assert served == symbols
    assert books.next_due() == STALE


def test_books_that_nobody_answers_for_do_not_keep_the_others_from_their_turn() -> None:
    symbols = [f"S{number}" for number in range(9)]
    books = books_of(symbols, BookSettings(snapshots_max=2))
    asked_for: set[str] = set()
    now = 0
    for _ in range(12):
        asked_for |= {call.body.symbol for call in called(books.due(now))}
        assert books.due(now) == []
        due = books.next_due()
        assert due is not None
        assert due > now
        now = due
    assert asked_for == set(symbols)


def test_a_gap_that_finds_no_room_for_a_request_waits_for_its_turn() -> None:
    books = books_of([X, "YUSDC"], BookSettings(snapshots_max=1))
    books.on_snapshot(0, called(books.due(0))[0].call_id, snapshot(10))
    (theirs,) = called(books.due(0))
    assert theirs.body.symbol == "YUSDC"
    assert books.on_delta(1, delta(12, 12)) == []
    assert books.next_due() == SETTINGS.snapshot_timeout_ns
    books.on_refused(2, theirs.call_id)
    assert books.next_due() == 1
    asked(books.due(2))


@pytest.mark.parametrize("fallen_by", [1, 10**6])
def test_a_stream_whose_ids_begin_anew_is_followed_soon(fallen_by: int) -> None:
    """What had been an endless stale book, asked for without a pause."""
    books = synced(2 * 10**6)
    calls: list[str] = []
    fresh_from: Nanos | None = None
    first = 2 * 10**6 - fallen_by - 60
    for tick in range(600):
        now = (tick + 1) * SECOND // 10
        if calls:
            books.on_snapshot(now, calls.pop(0), snapshot(first + tick - 1, "49", "51"))
        for effect in [*books.on_delta(now, delta(first + tick, first + tick, "51")), *due_now(books, now)]:
            assert isinstance(effect, Call)
            calls.append(effect.call_id)
        if books.price(now, X, PriceType.MID_POINT) == 50:
            fresh_from = fresh_from or now
    assert fresh_from is not None
    assert fresh_from <= SETTINGS.snapshot_timeout_ns + SECOND
    assert books.feeds[X].requests <= 3
    assert books.is_fresh(60 * SECOND, X)


def test_ids_that_begin_anew_in_a_quiet_market_are_believed_when_the_exchange_says_so_again() -> None:
    books = synced(10**6)
    books.on_snapshot(STALE, asked(books.due(STALE)), snapshot(7, "49", "51"))
    assert not books.is_fresh(STALE, X)
    due = books.next_due()
    assert due == STALE + SETTINGS.retry_ns
    books.on_snapshot(due, asked(books.due(due)), snapshot(7, "49", "51"))
    assert books.price(due, X, PriceType.MID_POINT) == 50


@pytest.mark.parametrize("first", [11, 10**15], ids=["that follows", "that does not follow"])
@pytest.mark.parametrize("synced_before", [False, True])
def test_one_delta_with_an_absurd_last_id_is_forgotten_soon(first: int, synced_before: bool) -> None:
    books = synced(10) if synced_before else books_of([X], SETTINGS)
    calls = [effect.call_id for effect in books.on_delta(1, delta(first, 10**15)) if isinstance(effect, Call)]
    for tick in range(200):
        now = (tick + 1) * SECOND // 10
        if calls:
            books.on_snapshot(now, calls.pop(0), snapshot(10 + tick))
        effects = [*books.on_delta(now, delta(11 + tick, 11 + tick)), *due_now(books, now)]
        calls += [effect.call_id for effect in effects if isinstance(effect, Call)]
    assert books.is_fresh(20 * SECOND, X)
    assert books.feeds[X].last_update_id == 210
    assert books.feeds[X].requests <= 4


def test_a_snapshot_with_an_absurd_id_does_not_keep_the_book_from_its_deltas() -> None:
    books = synced(10**15)
    assert books.on_delta(1, delta(11, 11)) == []
    late = SETTINGS.snapshot_timeout_ns
    books.on_snapshot(late, asked(books.on_delta(late, delta(12, 12))), snapshot(12))
    assert books.is_fresh(late, X)
    assert books.feeds[X].last_update_id == 12


def test_a_snapshot_that_says_less_than_the_exchange_had_said_is_believed_the_second_time_in_a_row() -> None:
    books = synced(10)
    books.on_snapshot(0, asked(books.on_delta(0, delta(20, 21))), snapshot(15))
    due = books.next_due()
    assert due == SETTINGS.retry_ns
    call = asked(books.due(due))
    assert books.on_delta(due + 1, delta(17, 17)) == []
    assert books.on_snapshot(due + 2, call, snapshot(16)) == []
    assert (books.is_fresh(due + 2, X), books.feeds[X].last_update_id) == (True, 17)


def test_one_that_says_more_in_between_begins_the_count_again() -> None:
    books = synced(10)
    now, call = 0, asked(books.on_delta(0, delta(20, 21)))
    for said_since, last in ((40, 15), (50, 45), (None, 47)):
        if said_since is not None:
            assert books.on_delta(now, delta(said_since, said_since)) == []
        books.on_snapshot(now, call, snapshot(last))
        assert not books.is_fresh(now, X)
        now = books.next_due() or 0
        call = asked(books.due(now))


def test_what_is_forgotten_had_come_before_the_request_whatever_was_dropped_for_want_of_room() -> None:
    books = synced(10, settings=BookSettings(pending_max=3))
    call = asked(books.on_delta(0, delta(30, 30)))
    assert books.on_delta(0, delta(31, 31)) == []
    books.on_snapshot(0, call, snapshot(15))
    call = asked(books.due(SETTINGS.retry_ns))
    for update in (17, 18):
        assert books.on_delta(SETTINGS.retry_ns, delta(update, update)) == []
    assert books.on_snapshot(SETTINGS.retry_ns, call, snapshot(16)) == []
    assert books.feeds[X].last_update_id == 18


def test_an_answer_from_before_the_exchange_was_believed_is_of_no_use() -> None:
    books = synced(10)
    slow = asked(books.on_delta(0, delta(30, 30)))
    now = SETTINGS.snapshot_timeout_ns
    for last in (15, 16):
        assert not books.is_fresh(now, X)
        books.on_snapshot(now, asked(books.due(now)), snapshot(last))
        now = books.next_due() or 0
    call = asked(books.on_delta(now, delta(18, 18)))
    assert books.on_snapshot(now, slow, snapshot(17)) == []
    assert not books.is_fresh(now, X)
    books.on_snapshot(now, call, snapshot(17))
    assert books.is_fresh(now, X)


TROUBLES: dict[str, tuple[BookDelta | None, BookSnapshot | None]] = {
    "that are refused": (None, None),
    "that are crossed": (None, snapshot(50, "101", "100")),
    "that cannot be": (None, BookSnapshot(X, 50, ((Decimal("NaN"), Decimal(1)),), ())),
    "before deltas that cannot be": (delta(60, 60, "NaN"), snapshot(50)),
    "before deltas that cross": (delta(51, 51, "98"), snapshot(50)),
    "before deltas after a gap": (delta(60, 60), snapshot(50)),
    "before deltas with absurd ids": (delta(10**15, 10**15), snapshot(50)),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_snapshots_that_gain_nothing_are_asked_for_at_growing_pauses(trouble: str) -> None:
    told, answer = TROUBLES[trouble]
    books = books_of([X], SETTINGS)
    asked_at: list[Nanos] = []
    for tick in range(36_000):
        now = tick * SECOND // 10
        effects = due_now(books, now)
        if told is not None:
            effects += books.on_delta(now, told)
        for effect in effects:
            assert isinstance(effect, Call)
            asked_at.append(now)
            if answer is None:
                books.on_refused(now, effect.call_id)
            else:
                assert books.on_snapshot(now, effect.call_id, answer) == []
    pauses = [after - before for before, after in pairwise(asked_at[2:])]
    assert pauses == sorted(pauses)
    assert 100 < len(asked_at) < 140, "in an hour"


def test_snapshots_that_are_never_answered_are_asked_for_at_growing_pauses() -> None:
    books = books_of([X], SETTINGS)
    asked_at = []
    while (due := books.next_due()) is not None and due < 3600 * SECOND:
        asked(books.due(due))
        asked_at.append(due)
    waits = [(after - before) // SECOND for before, after in pairwise(asked_at)]
    assert waits[:6] == [5, 5, 5, 8, 16, 30]
    assert set(waits[6:]) == {30}


def test_a_book_that_has_followed_its_stream_again_is_asked_for_at_once_when_it_is_lost() -> None:
    books = synced(10)
    last = 10
    for now in range(9):
        call = asked(books.on_delta(now, delta(last + 2, last + 2)))
        books.on_snapshot(now, call, snapshot(last + 2))
        assert books.on_delta(now, delta(last + 3, last + 3)) == []
        last += 3


def test_old_news_that_comes_again_is_ignored_and_much_later_looked_into() -> None:
    books = synced(10)
    late = SETTINGS.snapshot_timeout_ns
    assert books.on_delta(late - 1, delta(10, 10)) == []
    assert books.is_fresh(late - 1, X)
    books.on_snapshot(late + 1, asked(books.on_delta(late, delta(10, 10))), snapshot(10))
    assert (books.is_fresh(late + 1, X), best_ask(books)) == (True, (101, 5))


def test_there_is_nobody_where_the_book_is_empty_or_was_asked_for_in_vain_and_nobody_knows_before() -> None:
    books = books_of([X], SETTINGS)
    assert books.has_nobody(0, "unknown")
    assert not books.has_nobody(0, X)
    due = books.next_due()
    for is_known in (False, False, True):
        assert due is not None
        call_id = asked(books.due(due))
        assert books.has_nobody(due, X) is is_known
        books.on_refused(due, call_id)
        due = books.next_due()
    assert due is not None
    books.on_down()
    assert not books.has_nobody(due, X)
    books.on_up(due)
    assert not books.has_nobody(due, X)
    books.on_snapshot(due, asked(books.due(due)), BookSnapshot(X, 10, (), ((Decimal(101), Decimal(5)),)))
    assert books.has_nobody(due, X)
