"""Books of one market, what an exchange says of it, and what its books ask for."""

from __future__ import annotations

from decimal import Decimal

from core.kernel.record import Call, Effect
from core.market.books import Books, BookSettings, books_of
from core.market.exchange import BookDelta, BookSnapshot, SnapshotBook
from core.units import Nanos

SETTINGS = BookSettings()
X = "XUSDC"
STALE = SETTINGS.stale_after_ns


def snapshot(last: int, bid: str = "99", ask: str = "101") -> BookSnapshot:
    return BookSnapshot(X, last, ((Decimal(bid), Decimal(5)),), ((Decimal(ask), Decimal(5)),))


def delta(first: int, last: int, ask: str = "101", quantity: str = "7", previous: int | None = None) -> BookDelta:
    return BookDelta(X, first, last, (), ((Decimal(ask), Decimal(quantity)),), previous)


def asked(effects: list[Effect]) -> str:
    """The id of the one call among effects, which is for a snapshot."""
    (call,) = effects
    assert isinstance(call, Call)
    assert call.body == SnapshotBook(X)
    return call.call_id


def called(effects: list[Effect]) -> list[Call[SnapshotBook]]:
    """The calls that effects are."""
    assert all(isinstance(effect, Call) for effect in effects)
    return [effect for effect in effects if isinstance(effect, Call)]


def due_now(books: Books, now: Nanos) -> list[Effect]:
    """What an owner who looks when something is due has done."""
    due = books.next_due()
    return books.due(now) if due is not None and due <= now else []


def synced(last: int = 10, now: Nanos = 0, settings: BookSettings = SETTINGS) -> Books:
    books = books_of([X], settings)
    assert books.on_snapshot(now, asked(books.due(now)), snapshot(last)) == []
    return books


def best_ask(books: Books) -> tuple[int, int]:
    book = books.book(X)
    assert book is not None
    top = book.asks.top()
    assert top is not None
    return int(top[0]), int(top[1])
