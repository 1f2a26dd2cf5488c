"""A desk that is asked for quotes while markets move and orders wait: events in, answers out, and nothing around it."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Final

from core.collateral.records import (
    COLLATERAL,
    CollateralPreauthorised,
    CollateralRouted,
    PreauthoriseCollateral,
    RouteCollateral,
)
from core.index.desk import IndexDesk
from core.index.planning import PlanLimits
from core.index.records import IndexQuoteReady, NewIndexOrder, NewQuoteRequest
from core.index.settings import DeskSettings, IndexSettings
from core.kernel.record import Call, Effect, Event, Message, Note, Record, Reply, Send, SetTimer, Start, TimerFired
from core.market.books import BookSettings
from core.market.exchange import EXCHANGE, BookDelta, BookSnapshot, MarketDataUp, SnapshotBook
from core.units import Nanos

INDEX: Final = "SY100"
TICK: Final = "tick"
D = Decimal
_FOR_EVER: Final = 10**18
_AMOUNT: Final = D(500)
_VOLLEY: Final = D(20_000)


class QuotingDesk:
    """One index of as many assets, `levels` on each side of their books, and `orders` of as many users.

    The first of them are engaged in a batch that nobody fills; the others are ready, and there is no room for them.
    """

    def __init__(self, *, assets: int, levels: int, orders: int) -> None:
        self.settings = _settings(assets)
        self.desk = IndexDesk("desk", self.settings)
        self.now: Nanos = 0
        self.tick_at: Nanos | None = None
        self.quotes = self.answers = 0
        self._levels, self._updates = levels, 1
        self._inbox: deque[Event] = deque()
        self._deliver(Start())
        self._deliver(Message(EXCHANGE, MarketDataUp()))
        for number in range(orders):
            self._deliver(Message("world", NewIndexOrder(f"1:0x{number:x}", "C", INDEX, "buy", _AMOUNT)))
        self._settle()
        ready, running = self.desk.state.orders.ready.due, self.desk.state.batches.running
        assert len(ready) == max(orders - self.settings.max_batch_size, 0)
        assert len(running) == min(orders, 1)

    def quote(self) -> None:
        """A book changes, somebody asks, and the next tick brings the answer."""
        self._updates += 1
        change = ((D("9.5"), D(self._updates)),)
        self._deliver(Message(EXCHANGE, BookDelta("A00", self._updates, self._updates, change, ())))
        self.quotes += 1
        self._deliver(Message("world", NewQuoteRequest("1:0xq", f"Q-{self.quotes}", INDEX, "buy", _AMOUNT)))
        self._tick()
        assert self.answers == self.quotes

    def _settle(self) -> None:
        while self.tick_at is not None:
            self._tick()

    def _tick(self) -> None:
        assert self.tick_at is not None
        self.now, self.tick_at = self.tick_at, None
        self._deliver(TimerFired(TICK, self.now))

    def _deliver(self, event: Event) -> None:
        self._inbox.append(event)
        while self._inbox:
            for effect in self.desk.handle(self.now, self._inbox.popleft()):
                self._obey(effect)

    def _obey(self, effect: Effect) -> None:
        if isinstance(effect, Note):
            self.answers += isinstance(effect.fact, IndexQuoteReady)
        elif isinstance(effect, SetTimer) and effect.key == TICK:
            self.tick_at = effect.at
        elif isinstance(effect, Call) and isinstance(effect.body, SnapshotBook):
            self._inbox.append(Reply(effect.call_id, self._book(effect.body.symbol)))
        elif isinstance(effect, Send) and (answer := _funds(effect.body)) is not None:
            self._inbox.append(Message(COLLATERAL, answer))

    def _book(self, asset: str) -> BookSnapshot:
        price, steps = D(10 + int(asset[1:])), range(1, self._levels + 1)
        bids, asks = (tuple((price * (1 + sign * D(step) / 1000), D(50)) for step in steps) for sign in (-1, 1))
        return BookSnapshot(asset, 1, bids, asks)


def _settings(assets: int) -> DeskSettings:
    names = tuple(f"A{number:02}" for number in range(assets))
    limits = PlanLimits(
        max_order_volley_size=_VOLLEY,
        max_volley_size=_VOLLEY,
        max_total_volley_size=_VOLLEY,
        min_total_volley_available=_VOLLEY,
        house_exposure_max=D(10**9),
    )
    return DeskSettings(
        assets=names,
        indexes=(IndexSettings(symbol=INDEX, weights=tuple((name, D(1)) for name in names)),),
        limits=limits,
        client_order_wait_ns=0,
        client_quote_wait_ns=0,
        order_expiry_ns=_FOR_EVER,
        nav_interval_ns=0,
        reconcile_interval_ns=0,
        books=BookSettings(stale_after_ns=_FOR_EVER, snapshots_max=assets),
    )


def _funds(asked: Record) -> Record | None:
    """Collateral is there at once, for nothing."""
    if isinstance(asked, RouteCollateral):
        return CollateralRouted(asked.order_id, asked.amount, D(0))
    if isinstance(asked, PreauthoriseCollateral):
        return CollateralPreauthorised(asked.order_id, f"P-{asked.order_id}", asked.amount)
    return None
