"""Execution at a simulated exchange, with a desk that orders, keeps books, and writes down what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from typing import Any, ClassVar, TypeVar

import msgspec
from simpy import Environment

from core.config import Duration
from core.execution.execution import Execution
from core.execution.records import (
    AssetOrder,
    AssetOrderEnded,
    AssetOrderFilled,
    AssetOrderPlaced,
    BalancesReported,
    CancelAssetOrders,
    ExchangeRulesReported,
    PlaceOrders,
)
from core.execution.settings import ExecutionSettings
from core.kernel.component import Component, Handler
from core.kernel.kernel import Kernel
from core.kernel.record import Effect, Message, Record, Reply, SetTimer, Start, TimerFired
from core.market.books import Books, BookSettings, books_of
from core.market.exchange import (
    EXCHANGE,
    BookDelta,
    BookSnapshot,
    ExchangeRefusal,
    Instrument,
    MarketDataDown,
    MarketDataUp,
    TradePrinted,
)
from core.market.orders import Side
from core.units import MILLISECOND, MONEY, SECOND, Nanos
from sim.driver import SimNode
from sim.exchange import SimExchange
from sim.exchange_models import ExchangeModel, Flow, SimMarket
from sim.network import Network
from sim.scenario.models import Gbm

R = TypeVar("R", bound=Record)

AX = Instrument("AXUSDC", "AX", "USDC", tick=Decimal("0.01"), step=Decimal("0.001"), notional_min=Decimal(5))
AZ = Instrument("AZUSDC", "AZ", "USDC", tick=Decimal("0.01"), step=Decimal("0.0001"))


def market(instrument: Instrument, price: int, **flow: Any) -> SimMarket:
    """Trades of everybody else around a price that moves."""
    path = Gbm(start=Decimal(price), volatility_bps=20, tick=Duration(SECOND))
    around = Flow(path=path, levels=3, quantity=Decimal(3), **flow)
    return SimMarket(instrument=instrument, flow=around)


def still(instrument: Instrument, *asks: tuple[int, int]) -> SimMarket:
    """A market in which nobody moves: these asks, and as much of bids a tenth below."""
    levels = tuple((Decimal(price), Decimal(quantity)) for price, quantity in asks)
    bids = tuple((price * Decimal("0.9"), quantity) for price, quantity in levels)
    return SimMarket(instrument=instrument, asks=levels, bids=bids)


def order(order_id: str, side: Side, price: str, quantity: str, symbol: str = AX.symbol) -> AssetOrder:
    return AssetOrder(order_id, symbol, side, Decimal(price), Decimal(quantity))


class DeskNotes(msgspec.Struct):
    """The books, and what came when."""

    books: Books
    fills: list[AssetOrderFilled] = []
    ends: dict[str, list[AssetOrderEnded]] = {}
    ended_at: dict[str, Nanos] = {}
    placed: dict[str, AssetOrderPlaced] = {}
    told: list[Record] = []


class NotingDesk(Component[DeskNotes]):
    """Keeps books, and writes down what it is told of orders."""

    __slots__ = ()

    def _on_start(self, now: Nanos, _event: Start) -> None:
        self._go_on(now, self.state.books.due(now))

    def _on_timer(self, now: Nanos, _event: TimerFired) -> None:
        self._go_on(now, self.state.books.due(now))

    def _on_market_up(self, now: Nanos, _event: Message[MarketDataUp]) -> None:
        self.state.books.on_up(now)
        self._go_on(now, self.state.books.due(now))

    def _on_market_down(self, _now: Nanos, _event: Message[MarketDataDown]) -> None:
        self.state.books.on_down()

    def _on_delta(self, now: Nanos, event: Message[BookDelta]) -> None:
        self._go_on(now, self.state.books.on_delta(now, event.body))

    def _on_snapshot(self, now: Nanos, event: Reply[BookSnapshot]) -> None:
        self._go_on(now, self.state.books.on_snapshot(now, event.call_id, event.body))

    def _on_refusal(self, now: Nanos, event: Reply[ExchangeRefusal]) -> None:
        self.state.books.on_refused(now, event.call_id)
        self._go_on(now, [])

    def _on_trade(self, now: Nanos, event: Message[TradePrinted]) -> None:
        self.state.books.on_trade(now, event.body)

    def _on_told(self, now: Nanos, event: Message[Any]) -> None:
        state, told = self.state, event.body
        state.told.append(told)
        if isinstance(told, AssetOrderPlaced):
            assert told.order_id not in state.placed, "placed twice"
            state.placed[told.order_id] = told
        elif isinstance(told, AssetOrderFilled):
            assert told.order_id not in state.ends, "filled after its end"
            state.fills.append(told)
        elif isinstance(told, AssetOrderEnded):
            state.ends.setdefault(told.order_id, []).append(told)
            state.ended_at[told.order_id] = now

    def _go_on(self, now: Nanos, effects: list[Effect]) -> None:
        for effect in effects:
            self.emit(effect)
        due = self.state.books.next_due()
        if due is not None:
            self.emit(SetTimer("books", max(due, now + MILLISECOND)))

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {
        Start: _on_start,
        TimerFired: _on_timer,
        MarketDataUp: _on_market_up,
        MarketDataDown: _on_market_down,
        BookDelta: _on_delta,
        BookSnapshot: _on_snapshot,
        ExchangeRefusal: _on_refusal,
        TradePrinted: _on_trade,
        AssetOrderPlaced: _on_told,
        AssetOrderFilled: _on_told,
        AssetOrderEnded: _on_told,
        BalancesReported: _on_told,
        ExchangeRulesReported: _on_told,
    }


class Bench:
    """One node at one simulated exchange, on a clock of its own."""

    def __init__(
        self,
        model: ExchangeModel,
        seed: int = 1,
        settings: ExecutionSettings | None = None,
        brought: Callable[[Nanos], Decimal] | None = None,
    ) -> None:
        self.env = Environment(0)
        self.settings = settings or ExecutionSettings()
        self.execution = Execution("execution", self.settings)
        symbols = [each.instrument.symbol for each in model.markets]
        self.desk = NotingDesk("desk", DeskNotes(books_of(symbols, BookSettings())))
        self.notes: list[tuple[Nanos, Record]] = []
        self.exchange = SimExchange(self.env, model, seed, brought)
        self.node = SimNode(
            self.env,
            Kernel("desk", [self.execution, self.desk]),
            Network(lambda _a, _b: lambda: 0),
            on_note=lambda _node, now, _component, fact: self.notes.append((now, fact)),
            services={EXCHANGE: self.exchange},
        )
        self.exchange.serve(self.node, orders="execution", books="desk")
        self.asked: dict[str, AssetOrder] = {}
        self.node.boot()
        self.exchange.start()

    def place(self, at: Nanos, batch_id: str, *orders: AssetOrder) -> None:
        """Have the desk place these orders then."""
        self.asked.update({each.order_id: each for each in orders})
        self.tell(at, PlaceOrders(batch_id, orders))

    def cancel(self, at: Nanos, batch_id: str) -> None:
        self.tell(at, CancelAssetOrders(batch_id))

    def tell(self, at: Nanos, body: Record) -> None:
        self.node.post(at, "desk", "execution", Message("desk", body))

    def run(self, until: Nanos) -> None:
        with localcontext(MONEY):
            self.env.run(until=until)

    def facts(self, kind: type[R]) -> list[R]:
        """What was noted of that kind."""
        return [fact for _, fact in self.notes if isinstance(fact, kind)]

    def end(self, order_id: str) -> AssetOrderEnded:
        """The one end of an order."""
        (ended,) = self.desk.state.ends[order_id]
        return ended

    def fills(self, order_id: str) -> list[AssetOrderFilled]:
        return [fill for fill in self.desk.state.fills if fill.order_id == order_id]

    def audit(self) -> None:
        """Every order ended once, its numbers add up, and the desk knows exactly what the exchange has executed."""
        assert self.desk.state.ends.keys() == self.asked.keys(), "which orders ended"
        assert not self.execution.state.orders
        assert not self.execution.state.waiting
        for order_id, asked in self.asked.items():
            ended, placed = self.end(order_id), self.desk.state.placed.get(order_id)
            fills = self.fills(order_id)
            filled = sum((fill.quantity for fill in fills), Decimal(0))
            assert filled + ended.cancelled_quantity == (asked if placed is None else placed).quantity, order_id
            there = self.exchange.account.find(order_id)
            known = sorted((fill.trade_id, fill.price, fill.quantity, fill.fee) for fill in fills)
            trades = () if there is None else there.trades
            assert known == sorted((each.trade_id, each.price, each.quantity, each.commission) for each in trades)
            if there is not None:
                assert there.status.is_final, f"{order_id} ended as {ended.reason} and stands"
