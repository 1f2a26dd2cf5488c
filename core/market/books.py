"""All order books of an exchange: built from snapshots and deltas, mended when a delta is missing, refused when old.

**Building.** A delta says which updates, `U` to `u`, it holds. It follows a book at update `l` if `U <= l + 1` (or,
where the exchange names the update before it, if that is `l`), is old news if `u <= l`, and otherwise something is
missing. Then, as at the very beginning, the book is *unsynced*: a snapshot is asked for and deltas queue up, the
newest `pending_max` of them. The snapshot replaces the book, and the queue is applied to it by the same three rules,
so a snapshot that comes too early or too late only leads to the next one. A book that ends up crossed has missed
something as well.

**Interruptions.** While the stream is interrupted no book is fresh and none is asked for. When it is back, and after
a restart of the owner, every book is unsynced: nobody knows what was missed. Only answers to requests made since count.

**Ids that fall.** An exchange may number anew, and one absurd id may have been believed. Old news that still comes
`snapshot_timeout_ns` after the last new one is taken for something missing. An exchange that is asked after it has said
`u`, and answers with a snapshot older than that which nothing leads on from, is asked again, for it may have been late;
if it says so twice in a row it is believed, and what it had said before is forgotten.

**Nothing is awaited for ever.** A snapshot that was refused is asked for again after `retry_ns`, doubled each time up
to `retry_ns_max`; one that was not answered within `snapshot_timeout_ns`, or that pause if it is longer, is asked for
again at once. So it goes as long as nothing is gained: a book that is lost within `retry_ns` of its snapshot, before
any delta has followed, is as good as refused from the second time on. No more than `snapshots_max` requests are out at
a time, and whose turn came first is asked for first. An answer to a request that was given up is taken like any other
if the book is not fresh yet, however slow the exchange.

**Nothing is believed that cannot be.** A delta with a price or quantity that no book has is as good as missing, so is
such a snapshot as good as refused, and such a trade is ignored.

**Nothing is used that may be wrong.** Prices are given of books that are synced and were heard of within the last
`stale_after_ns`. An older one is asked for anew: a quiet market is fresh again with the answer. A last trade is
given while it is no older itself, and none was missed.

The owner passes on what arrives, and calls `due` by `next_due` (at once if that has passed); both return the `Call`s to
emit. A reply to one is a `BookSnapshot`, for `on_snapshot`, or an `ExchangeRefusal`, for `on_refused`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from core.kernel.record import Call, Effect
from core.market.book import OrderBook, order_book
from core.market.exchange import EXCHANGE, BookDelta, BookSnapshot, Levels, SnapshotBook, TradePrinted
from core.market.prices import PriceType, price_of_top
from core.units import SECOND, Nanos, is_number

_CALL: Final = "book:"
_DOUBLINGS_MAX: Final = 32
_DENIALS_BELIEVED: Final = 2


class BookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How books are kept."""

    tolerance: Decimal = Decimal(0)
    """As `core.market.book` has it."""
    stale_after_ns: Nanos = 60 * SECOND
    snapshot_timeout_ns: Nanos = 5 * SECOND
    retry_ns: Nanos = SECOND
    retry_ns_max: Nanos = 30 * SECOND
    snapshots_max: int = 50
    """Asked for at a time."""
    pending_max: int = 1000


class Feed(msgspec.Struct):
    """What is known of one book."""

    book: OrderBook
    last_update_id: int | None = None
    """None while the book is unsynced."""
    updated_at: Nanos = 0
    pending: list[BookDelta] = []
    known: int = 0
    """So many of `pending` had come when a snapshot was last asked for."""
    call_id: str = ""
    """The request for a snapshot that is out, if one is."""
    requests: int = 0
    asked_from: int = 1
    """The first request whose answer is of use."""
    attempts: int = 0
    """Requests since the book was last in order."""
    denials: int = 0
    """Snapshots in a row that say that the exchange is not as far as it had said."""
    relapses: int = 0
    """Times in a row that the book was lost as soon as it was in order."""
    act_at: Nanos = 0
    """When something has to be done if nothing arrives before."""
    last_price: Decimal | None = None
    traded_at: Nanos = 0


class Books(msgspec.Struct):
    """The books by symbol. Make it with `books_of`. What arrives for any other symbol is ignored."""

    settings: BookSettings
    feeds: dict[str, Feed] = {}
    interrupted: bool = False
    """Whether nothing arrives, or nothing that could be relied on."""

    # --- what arrives --------------------------------------------------------------------------------

    def follow(self, symbol: str) -> None:
        """Keep a book of `symbol` from now on; the next `due` asks for it. One that is kept goes on as it is."""
        if symbol not in self.feeds:
            self.feeds[symbol] = Feed(order_book(self.settings.tolerance))

    def on_down(self) -> None:
        """The stream is interrupted: nothing is relied on, and nothing taken in, until it is back."""
        self.interrupted = True

    def on_up(self, now: Nanos) -> None:
        """The stream runs from here on: the next `due` asks for all books."""
        self.interrupted = False
        self.doubt(now)

    def doubt(self, now: Nanos) -> None:
        """Any book may have missed something: none is relied on before it was asked for again, by the next `due`."""
        for feed in self.feeds.values():
            feed.last_update_id = feed.last_price = None
            feed.pending, feed.call_id, feed.asked_from = [], "", feed.requests + 1
            feed.attempts = feed.denials = feed.relapses = feed.known = 0
            feed.act_at = now

    def on_delta(self, now: Nanos, delta: BookDelta) -> list[Effect]:
        """Take in what changed; ask for a snapshot if it does not follow."""
        feed = self._feed(delta.symbol)
        if feed is None:
            return []
        if not (_is_sound(delta.bids) and _is_sound(delta.asks)):
            return [] if feed.last_update_id is None else self._relapse(now, delta.symbol, feed)
        if feed.last_update_id is None:
            self._queue(feed, delta)
            return self._ask(now, delta.symbol, feed) if not feed.call_id and now >= feed.act_at else []
        last = feed.last_update_id
        if not self._advance(now, feed, delta):
            return self._relapse(now, delta.symbol, feed, delta)
        if feed.last_update_id != last:
            feed.attempts = feed.denials = feed.relapses = 0
            if not feed.call_id:
                feed.act_at = now + self.settings.stale_after_ns
        return []

    def on_snapshot(self, now: Nanos, call_id: str, snapshot: BookSnapshot) -> list[Effect]:
        """Take in a whole book, and what has changed since. What comes late is ignored if the book is fresh."""
        feed = self._feed(snapshot.symbol)
        if feed is None or _number(call_id) < feed.asked_from:
            return []
        awaited, fresh = feed.call_id == call_id, self.is_fresh(now, snapshot.symbol)
        if fresh and not awaited:
            return []
        if not (_is_sound(snapshot.bids) and _is_sound(snapshot.asks)):
            self.on_refused(now, call_id)
            return []
        if awaited:
            feed.call_id = ""
        if _is_older(feed, snapshot):
            in_order = fresh
        else:
            in_order = self._rebuild(now, feed, snapshot) or (awaited and self._believe(now, feed, snapshot))
        if in_order:
            self._settle(feed)
        elif awaited:
            return self._lose(now, snapshot.symbol, feed)
        else:
            feed.last_update_id = None
        return []

    def on_refused(self, now: Nanos, call_id: str) -> None:
        """A request was refused: the first `due` from `next_due` on repeats it."""
        feed = self._feed(call_id.split(":", 2)[-1])
        if feed is None or feed.call_id != call_id:
            return
        feed.call_id = ""
        self._back_off(now, feed)

    def on_trade(self, now: Nanos, trade: TradePrinted) -> None:
        """Take in a trade."""
        feed = self._feed(trade.symbol)
        if feed is not None and is_number(trade.price) and trade.price > 0:
            feed.last_price, feed.traded_at = trade.price, now

    # --- what time brings ----------------------------------------------------------------------------

    def next_due(self) -> Nanos | None:
        """When `due` has something to do at the latest, if nothing arrives before; None if only that can help."""
        if self.interrupted:
            return None
        out = [feed.act_at for feed in self.feeds.values() if feed.call_id]
        if len(out) >= self.settings.snapshots_max:
            return min(out)
        return min((feed.act_at for feed in self.feeds.values()), default=None)

    def due(self, now: Nanos) -> list[Effect]:
        """Ask for what is missing, was not answered, or has become old."""
        if self.interrupted:
            return []
        wanted: list[tuple[str, Feed]] = []
        for symbol, feed in self.feeds.items():
            if now < feed.act_at:
                continue
            if self.is_fresh(now, symbol):
                self._settle(feed)
            else:
                feed.call_id = ""
                wanted.append((symbol, feed))
        wanted.sort(key=lambda each: each[1].act_at)
        return [effect for symbol, feed in wanted[: self._free()] for effect in self._request(now, symbol, feed)]

    # --- what can be asked ---------------------------------------------------------------------------

    def book(self, symbol: str) -> OrderBook | None:
        """The book as it was last heard of, in order or not; None if none is kept."""
        feed = self.feeds.get(symbol)
        return None if feed is None else feed.book

    def is_fresh(self, now: Nanos, symbol: str) -> bool:
        """Whether the book may be relied on."""
        feed = self._feed(symbol)
        return (
            feed is not None
            and feed.last_update_id is not None
            and now - feed.updated_at < self.settings.stale_after_ns
        )

    def has_nobody(self, now: Nanos, symbol: str) -> bool:
        """Whether there is no market of an asset any more: its book is fresh, and has no bids, or was asked for in vain
        more than once. While the stream is interrupted, or a book has just been asked for, nobody knows."""
        feed = self.feeds.get(symbol)
        if feed is None or self.interrupted:
            return not self.interrupted
        return not feed.book.bids.levels(1) if self.is_fresh(now, symbol) else feed.attempts > 2

    def price(self, now: Nanos, symbol: str, kind: PriceType) -> Decimal | None:
        """The price of that kind; None where it is missing, or too old to be relied on."""
        feed = self._feed(symbol)
        if feed is None:
            return None
        if kind is PriceType.LAST_TRADE:
            return feed.last_price if now - feed.traded_at < self.settings.stale_after_ns else None
        if not self.is_fresh(now, symbol):
            return None
        return price_of_top(kind, feed.book.bids.top(), feed.book.asks.top())

    # --- how books go on -----------------------------------------------------------------------------

    def _feed(self, symbol: str) -> Feed | None:
        """What is known of a book, where anything may be taken in of it and relied on."""
        return None if self.interrupted else self.feeds.get(symbol)

    def _advance(self, now: Nanos, feed: Feed, delta: BookDelta) -> bool:
        """Apply a delta that follows, and ignore one that is old; False if it does neither, or is old for too long."""
        last = feed.last_update_id
        assert last is not None
        if delta.last_update_id <= last:
            return now - feed.updated_at < self.settings.snapshot_timeout_ns
        if not _follows(last, delta):
            return False
        feed.book.apply(delta.bids, delta.asks)
        if feed.book.is_crossed:
            return False
        feed.last_update_id, feed.updated_at = delta.last_update_id, now
        return True

    def _rebuild(self, now: Nanos, feed: Feed, snapshot: BookSnapshot) -> bool:
        """Begin with a snapshot and apply what waits for it; False if that does not lead on from it."""
        feed.book.fill(snapshot.bids, snapshot.asks)
        feed.last_update_id, feed.updated_at = snapshot.last_update_id, now
        if feed.book.is_crossed or not all(self._advance(now, feed, delta) for delta in feed.pending):
            return False
        feed.pending = []
        return True

    def _believe(self, now: Nanos, feed: Feed, snapshot: BookSnapshot) -> bool:
        """Whether the exchange says once more that it is not as far as it had said before it was asked, and that is all
        that keeps the book from being in order: what it had said is forgotten then."""
        known = (delta.last_update_id for delta in feed.pending[: feed.known])
        feed.denials = feed.denials + 1 if snapshot.last_update_id < max(known, default=0) else 0
        if feed.denials < _DENIALS_BELIEVED:
            return False
        del feed.pending[: feed.known]
        feed.known, feed.asked_from = 0, feed.requests + 1
        return self._rebuild(now, feed, snapshot)

    def _settle(self, feed: Feed) -> None:
        """The book is in order, so nothing is awaited of it."""
        feed.call_id, feed.attempts, feed.denials = "", 0, 0
        feed.act_at = feed.updated_at + self.settings.stale_after_ns

    def _relapse(self, now: Nanos, symbol: str, feed: Feed, *deltas: BookDelta) -> list[Effect]:
        """The book was in order and is not any more: ask at once, unless it comes to nothing again and again."""
        feed.relapses = feed.relapses + 1 if now - feed.updated_at < self.settings.retry_ns else 1
        feed.attempts = max(feed.attempts, feed.relapses - 1)
        return self._lose(now, symbol, feed, *deltas)

    def _lose(self, now: Nanos, symbol: str, feed: Feed, *deltas: BookDelta) -> list[Effect]:
        """The book is not in order; `deltas` may follow the next snapshot."""
        feed.last_update_id = None
        for delta in deltas:
            self._queue(feed, delta)
        if feed.call_id:
            return []
        if not feed.attempts:
            feed.act_at = now
            return self._ask(now, symbol, feed)
        self._back_off(now, feed)
        return []

    def _queue(self, feed: Feed, delta: BookDelta) -> None:
        feed.pending.append(delta)
        if len(feed.pending) > self.settings.pending_max:
            del feed.pending[0]
            feed.known = max(feed.known - 1, 0)

    def _back_off(self, now: Nanos, feed: Feed) -> None:
        feed.act_at = now + self._pause(feed)

    def _pause(self, feed: Feed) -> Nanos:
        return doubled(self.settings.retry_ns, feed.attempts, self.settings.retry_ns_max)

    def _free(self) -> int:
        """How many more snapshots may be asked for now."""
        return max(self.settings.snapshots_max - sum(1 for feed in self.feeds.values() if feed.call_id), 0)

    def _ask(self, now: Nanos, symbol: str, feed: Feed) -> list[Effect]:
        """Ask for a snapshot if it is the book's turn; else `due` does."""
        return self._request(now, symbol, feed) if self._free() else []

    def _request(self, now: Nanos, symbol: str, feed: Feed) -> list[Effect]:
        feed.attempts += 1
        feed.requests += 1
        feed.call_id, feed.known = f"{_CALL}{feed.requests}:{symbol}", len(feed.pending)
        feed.act_at = now + max(self.settings.snapshot_timeout_ns, self._pause(feed))
        return [Call(EXCHANGE, feed.call_id, SnapshotBook(symbol))]


def books_of(symbols: Iterable[str], settings: BookSettings) -> Books:
    """Books of these symbols, all still to be asked for."""
    books = Books(settings)
    for symbol in symbols:
        books.follow(symbol)
    return books


def doubled(first_ns: Nanos, attempts: int, longest_ns: Nanos) -> Nanos:
    """How long to wait after so many attempts in vain: `first_ns`, then twice as long each time up to `longest_ns`."""
    return min(first_ns << min(max(attempts - 1, 0), _DOUBLINGS_MAX), longest_ns)


def _number(call_id: str) -> int:
    return int(call_id.split(":", 2)[1])


def _is_older(feed: Feed, snapshot: BookSnapshot) -> bool:
    """Whether a book that is synced is newer."""
    return feed.last_update_id is not None and snapshot.last_update_id < feed.last_update_id


def _is_sound(levels: Levels) -> bool:
    """Whether these can be levels of a book, or say that some are gone."""
    return all(is_number(price) and price > 0 and is_number(quantity) and quantity >= 0 for price, quantity in levels)


def _follows(last: int, delta: BookDelta) -> bool:
    if delta.previous_update_id is not None:
        return delta.previous_update_id == last or delta.first_update_id <= last + 1
    return delta.first_update_id <= last + 1
