"""However a line treats what an exchange says of a market, a fresh book is one that was, and it is fresh again soon."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from core.kernel.record import Call, Effect
from core.market.books import BookSettings, books_of
from core.market.exchange import BookDelta, BookSnapshot
from core.units import SECOND, Nanos

X = "XUSDC"
STALE = 20 * SECOND
PRICES = [Decimal(price) for price in range(80, 121)]
Side = dict[Decimal, Decimal]


class World:
    """An exchange with one market, a line that loses, repeats, delays and breaks, and the books of who listens."""

    def __init__(self, seed: int) -> None:
        self.draw = draw = Random(seed)
        self.books = books_of([X], BookSettings(stale_after_ns=STALE, pending_max=draw.choice([5, 1000])))
        self.names_previous = draw.random() < 0.5
        self.lost, self.repeated, self.late = draw.choice([0, 0.05, 0.3]), draw.choice([0, 0.1]), draw.choice([0, 0.2])
        self.lost_answers, self.slow_answers = 0.25, 0.3
        self.numbers_anew = draw.random() < 0.5
        self.now: Nanos = 0
        self.agenda: list[tuple[Nanos, int, Callable[[], None]]] = []
        self.asked = 0
        self.sides: tuple[Side, Side] = ({Decimal(99): Decimal(1)}, {Decimal(101): Decimal(1)})
        self.update_id = 1000
        self.session = 0
        self.up = True
        self.were: dict[tuple[int, int], BookSnapshot] = {}
        self.numbering = 0
        self.remember()

    # --- the exchange --------------------------------------------------------------------------------

    def snapshot(self) -> BookSnapshot:
        bids, asks = self.sides
        return BookSnapshot(X, self.update_id, tuple(sorted(bids.items(), reverse=True)), tuple(sorted(asks.items())))

    def remember(self) -> None:
        self.were[self.numbering, self.update_id] = self.snapshot()

    def change(self) -> BookDelta:
        """A few levels change."""
        draw, (bids, asks) = self.draw, self.sides
        changed: tuple[Side, Side] = ({}, {})
        for _ in range(draw.randint(1, 6)):
            price, quantity = draw.choice(PRICES), Decimal(draw.choice([0, 0, 1, 2, 3]))
            at = 0 if price <= max(bids, default=Decimal(0)) else 1 if price >= min(asks, default=Decimal(200)) else 0
            self.sides[at].pop(price, None)
            if quantity:
                self.sides[at][price] = quantity
            changed[at][price] = quantity
        previous, first = self.update_id, self.update_id + (draw.randint(1, 50) if self.names_previous else 1)
        self.update_id = first + draw.randint(0, 40)
        self.remember()
        levels = (tuple(changed[0].items()), tuple(changed[1].items()))
        return BookDelta(X, first, self.update_id, *levels, previous if self.names_previous else None)

    # --- the line ------------------------------------------------------------------------------------

    def post(self, span: Nanos, happen: Callable[[], None]) -> None:
        heapq.heappush(self.agenda, (self.now + span, len(self.agenda) + self.draw.getrandbits(40), happen))

    def say(self, delta: BookDelta) -> None:
        draw, session = self.draw, self.session
        if not self.up or draw.random() < self.lost:
            return
        for _ in range(2 if draw.random() < self.repeated else 1):
            span = draw.randint(0, 2 * SECOND) if draw.random() < self.late else SECOND // 1000
            self.post(
                span, lambda: self.obey(self.books.on_delta(self.now, delta)) if self.session == session else None
            )

    def obey(self, effects: list[Effect]) -> None:
        for effect in effects:
            assert isinstance(effect, Call)
            assert self.up, "nothing is asked for while the stream is interrupted"
            self.asked += 1
            self.ask(effect.call_id)

    def ask(self, call_id: str) -> None:
        draw, fate, session = self.draw, self.draw.random(), self.session
        if fate < self.lost_answers / 2:
            return
        if fate < self.lost_answers:
            self.post(draw.randint(1, 3 * SECOND), lambda: self.books.on_refused(self.now, call_id))
            return
        there, back = (
            draw.randint(0, SECOND),
            draw.randint(0, 8 * SECOND if draw.random() < self.slow_answers else SECOND),
        )

        def answer() -> None:
            whole = self.snapshot()
            self.post(back, lambda: self.obey(self.books.on_snapshot(self.now, call_id, whole)))

        self.post(there, lambda: answer() if self.session == session else None)

    def turn(self, *, up: bool) -> None:
        """The stream is interrupted, or back. What the exchange answered before may come even then."""
        self.up, self.session = up, self.session + 1
        if up:
            self.books.on_up(self.now)
            return
        self.books.on_down()
        if self.numbers_anew:
            self.numbering, self.update_id = self.numbering + 1, self.draw.randint(0, 1500)
            self.remember()

    # --- how it goes on ------------------------------------------------------------------------------

    def run(self, until: Nanos) -> None:
        while True:
            due = self.books.next_due()
            wakes = max(due, self.now) if due is not None else until
            if self.agenda and self.agenda[0][0] <= min(wakes, until):
                self.now, _, happen = heapq.heappop(self.agenda)
                happen()
            elif due is not None and wakes < until:
                self.now = wakes
                self.obey(self.books.due(self.now))
                due = self.books.next_due()
                assert due is None or due > self.now, "it spins"
            else:
                self.now = until
                return
            self.check()

    def check(self) -> None:
        """A fresh book is one that was, by the numbers that count now."""
        if not self.books.is_fresh(self.now, X):
            return
        feed = self.books.feeds[X]
        assert feed.last_update_id is not None
        was = self.were[self.numbering, feed.last_update_id]
        assert (feed.book.bids.levels(), feed.book.asks.levels()) == (was.bids, was.asks)

    def trade(self, seconds: int) -> None:
        """Let the market move, and the line break at times."""
        until = self.now + seconds * SECOND
        while self.now < until:
            if self.up or self.draw.random() < 0.5:
                self.say(self.change())
            if self.draw.random() < (0.02 if self.up else 0.4):
                self.turn(up=not self.up)
            if self.draw.random() < 0.01:
                self.books.doubt(self.now)
            self.run(self.now + self.draw.choice([10**6, 10**8, SECOND, SECOND, 5 * SECOND]))
        if not self.up:
            self.turn(up=True)


@given(st.integers(0, 2**32))
@settings(max_examples=150)
def test_whatever_gets_lost_a_fresh_book_is_one_that_was_and_a_market_that_goes_quiet_is_known_again_soon(
    seed: int,
) -> None:
    world = World(seed)
    world.trade(seconds=world.draw.randint(10, 150))
    world.lost_answers = 0
    world.run(world.now + 3 * STALE + 60 * SECOND)
    book, now = world.books.feeds[X], world.snapshot()
    assert book.last_update_id == now.last_update_id
    assert (book.book.bids.levels(), book.book.asks.levels()) == (now.bids, now.asks)


@given(st.integers(0, 2**32), st.sampled_from(["anew", "absurd", "absurd and far"]))
@settings(max_examples=100)
def test_wherever_ids_begin_anew_or_are_absurd_once_the_book_is_right_within_half_a_minute(seed: int, how: str) -> None:
    world = World(seed)
    world.lost = world.late = world.lost_answers = world.slow_answers = 0
    for _ in range(world.draw.randint(0, 20)):
        world.say(world.change())
        world.run(world.now + SECOND)
    if how == "anew":
        world.numbering, world.update_id = world.numbering + 1, world.draw.randint(0, 100)
    else:
        first = world.update_id + 1 if how == "absurd" else 10**14
        poison = BookDelta(X, first, 10**15, (), (), world.update_id if how == "absurd" else None)
        world.obey(world.books.on_delta(world.now, poison))
        world.were[world.numbering, 10**15] = world.snapshot()
    asked = world.asked
    world.check = lambda: None  # type: ignore[method-assign]
    for _ in range(30):
        world.say(world.change())
        world.run(world.now + SECOND)
    assert world.asked - asked <= 6
    assert world.books.is_fresh(world.now, X)
    World.check(world)
