"""Books are built from a real recording, where there is one: in ROMER_MARKET_DATA, or `shared/data/market` beside."""

from __future__ import annotations

import csv
import os
from decimal import Decimal
from pathlib import Path

import pytest

from core.kernel.record import Call
from core.market.books import Books, BookSettings, books_of
from core.market.exchange import BookDelta, BookSnapshot, Levels
from core.market.prices import PriceType

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("ROMER_MARKET_DATA", ROOT.parent / "shared" / "data" / "market"))
SNAPSHOT, UPDATE = FOLDER / "btcusdt-depth-snap.csv", FOLDER / "btcusdt-depth-update.csv"
SYMBOL = "BTCUSDT"

pytestmark = pytest.mark.skipif(
    not (SNAPSHOT.exists() and UPDATE.exists()),
    reason=f"SKIPPED, NO REAL DATA: {SNAPSHOT.name} and {UPDATE.name} are not there",
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def side(of: list[dict[str, str]], name: str) -> Levels:
    return tuple((Decimal(row["price"]), Decimal(row["qty"])) for row in of if row["side"] == name)


def recorded_snapshot(last: int | None = None) -> BookSnapshot:
    read = rows(SNAPSHOT)
    return BookSnapshot(SYMBOL, last or int(read[0]["last_update_id"]), side(read, "b"), side(read, "a"))


def recorded_delta() -> BookDelta:
    read = rows(UPDATE)
    ids = (int(read[0]["first_update_id"]), int(read[0]["last_update_id"]))
    return BookDelta(SYMBOL, *ids, side(read, "b"), side(read, "a"), int(read[0]["pu"]))


def synced(snapshot: BookSnapshot) -> Books:
    books = books_of([SYMBOL], BookSettings())
    (call,) = books.due(0)
    assert isinstance(call, Call)
    assert books.on_snapshot(0, call.call_id, snapshot) == []
    return books


def test_a_recorded_snapshot_is_a_book_in_order() -> None:
    snapshot = recorded_snapshot()
    books = synced(snapshot)
    book = books.book(SYMBOL)
    assert book is not None
    assert len(snapshot.bids) + len(snapshot.asks) == len(book.bids.prices) + len(book.asks.prices) == 100
    bid = books.price(0, SYMBOL, PriceType.BEST_BID)
    assert bid == max(price for price, _ in snapshot.bids)
    assert book.bids.liquidity_to(Decimal("20376.90")) == Decimal("1.771")


def test_ten_minutes_without_deltas_are_found_out_and_no_price_is_given() -> None:
    books = synced(recorded_snapshot())
    (call,) = books.on_delta(1, recorded_delta())
    assert isinstance(call, Call)
    assert books.price(1, SYMBOL, PriceType.BEST_BID) is None
    books.on_snapshot(2, call.call_id, recorded_snapshot())
    assert books.price(2, SYMBOL, PriceType.BEST_BID) is None, "the old snapshot does not reach the delta"
    assert books.feeds[SYMBOL].pending == [recorded_delta()]


def test_a_recorded_delta_that_follows_makes_the_levels_what_it_says() -> None:
    delta = recorded_delta()
    assert delta.previous_update_id is not None
    far = BookSnapshot(SYMBOL, delta.previous_update_id, (), ())
    books = synced(far)
    assert books.on_delta(1, delta) == []
    book = books.book(SYMBOL)
    assert book is not None
    for expected, levels in ((delta.bids, book.bids.levels()), (delta.asks, book.asks.levels())):
        assert {price: quantity for price, quantity in expected if quantity} == dict(levels)
    assert not book.is_crossed
