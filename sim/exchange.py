"""A simulated exchange behind the contract of `core.market.exchange`: markets that match, and a line that loses things.

Requests, replies and messages each take a latency of their own; each stream keeps its order, unless it is told not to.
During an outage requests are refused for want of a connection, market data is interrupted, and what was under way,
either way, is lost: an order may have been taken all the same. All draws come from streams named `exchange.*`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from simpy import Environment

from core.kernel.record import Call, Record
from core.kernel.rng import Stream, stream
from core.market.exchange import (
    EXCHANGE,
    BookDelta,
    CancelExchangeOrder,
    ExchangeExecution,
    ExchangeRefusal,
    ExchangeSessionDown,
    ExchangeSessionUp,
    MarketDataDown,
    MarketDataUp,
    PlaceExchangeOrder,
    QueryBalances,
    QueryExchangeOrder,
    QueryInstruments,
    RefusalKind,
    SnapshotBook,
    TimeInForce,
    TradePrinted,
)
from core.market.matching import Market, Match
from core.units import Nanos
from sim.driver import Caller, SimNode
from sim.exchange_desk import OrderDesk, ScriptedTrade
from sim.exchange_flow import Crowd
from sim.exchange_models import ExchangeModel, Flow, Outage, SimMarket, Transfer
from sim.latency import sampler
from sim.world import Process, start

_OUTAGE: Final = "outage"
_NO_SESSION: Final = ExchangeRefusal(RefusalKind.DISCONNECTION, "", "there is no session")


class Channel:
    """One stream towards a component: what is said later does not arrive earlier."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._last: Nanos = 0

    def arrival(self, now: Nanos, span: Nanos) -> Nanos:
        """How long from `now` until the next message arrives, which would need `span` on its own."""
        self._last = max(self._last, now + span)
        return self._last - now


class SimExchange:
    """The service `exchange` of one node, and the source of its streams: `serve` first, and `start` after the boot.

    `brought` says how much of the quote token others have brought to the account by then, net.
    """

    def __init__(
        self, env: Environment, model: ExchangeModel, seed: int, brought: Callable[[Nanos], Decimal] | None = None
    ) -> None:
        self._env, self._model, self._seed = env, model, seed
        self._latency = sampler(model.latency, self._stream("latency"))
        self._faults = self._stream("faults")
        self.markets = {each.instrument.symbol: Market(each.instrument.symbol) for each in model.markets}
        """By symbol, as they are; what nodes know of them is what they were told."""
        self.account = OrderDesk(model, self.markets, self._stream("rejects"), self._say_of_orders, brought)
        self._up = False
        self._session = 0
        """Counts what has begun or ended: what was under way when it changed is lost."""
        self._orders: list[Channel] = []
        self._books: list[Channel] = []

    def serve(self, node: SimNode, *, orders: str, books: str) -> None:
        """Tell these components of a node what happens to orders and sessions, and what happens in the markets.

        Both hear of an outage, each as it concerns them.
        """
        self._orders.append(Channel(Caller(node, orders, EXCHANGE)))
        self._books.append(Channel(Caller(node, books, EXCHANGE)))

    def start(self) -> None:
        """Open the markets and the session, and let the world go on."""
        self._turn_up()
        for each in self._model.markets:
            self._open(each)
            if each.flow is not None:
                start(self._env, self._crowd(each, each.flow))
        for outage in self._model.outages:
            start(self._env, self._outage(outage))
        for transfer in self._model.transfers:
            start(self._env, self._transfer(transfer))

    def ask(self, caller: Caller, call: Call[Any]) -> None:
        """Take a call; see `sim.driver.Counterparty`."""
        if not self._up:
            caller.reply(0, call.call_id, _NO_SESSION)
        elif not self._faults.chance(self._model.faults.lost_requests):
            self._deliver(self._latency(), lambda: self._arrive(caller, call))

    def _arrive(self, caller: Caller, call: Call[Any]) -> None:
        answer = self._ANSWERS[type(call.body)](self, call.body)
        if not self._faults.chance(self._model.faults.lost_replies):
            self._deliver(self._latency(), lambda: caller.reply(0, call.call_id, answer))

    # --- what is asked -------------------------------------------------------------------------------

    def _place(self, wanted: PlaceExchangeOrder) -> Record:
        account = self.account
        refusal = account.refusal(self._now, wanted)
        if refusal is not None:
            return refusal
        outcome = account.accept(wanted)
        order = account.find(wanted.client_id)
        assert order is not None
        if outcome is None:
            start(self._env, self._play(wanted.client_id, account.script_of(wanted.client_id)))
        else:
            self._print(wanted.symbol, outcome.matches)
            self._publish(outcome.delta)
        return account.state_of(self._now, order, bare=self._faults.chance(self._model.faults.bare_replies))

    def _cancel(self, wanted: CancelExchangeOrder) -> Record:
        order = self.account.find(wanted.client_id)
        if order is None:
            return self.account.unknown(wanted)
        if not order.status.is_final:
            _, delta = self.markets[order.placed.symbol].cancel(wanted.client_id)
            self.account.cancelled(order)
            self._publish(delta)
        return self.account.state_of(self._now, order)

    def _query(self, wanted: QueryExchangeOrder) -> Record:
        order = self.account.find(wanted.client_id)
        return self.account.unknown(wanted) if order is None else self.account.state_of(self._now, order)

    def _balances(self, _wanted: QueryBalances) -> Record:
        return self.account.holdings()

    def _instruments(self, _wanted: QueryInstruments) -> Record:
        return self.account.offer(self._now)

    def _snapshot(self, wanted: SnapshotBook) -> Record:
        market = self.markets.get(wanted.symbol)
        if market is None:
            return ExchangeRefusal(RefusalKind.BAD_REQUEST, "-1121", f"there is no symbol {wanted.symbol}")
        return market.snapshot()

    # --- what happens --------------------------------------------------------------------------------

    def _open(self, section: SimMarket) -> None:
        """Let what stands at the start stand, as the orders of nobody in particular."""
        symbol = section.instrument.symbol
        market = self.markets[symbol]
        for at, (price, quantity) in enumerate(section.bids):
            self._publish(market.submit(f"bid-{at}", "buy", price, quantity, TimeInForce.GTC).delta)
        for at, (price, quantity) in enumerate(section.asks):
            self._publish(market.submit(f"ask-{at}", "sell", price, quantity, TimeInForce.GTC).delta)
        if section.last is not None:
            self._say(self._books, TradePrinted(symbol, section.last, section.last_quantity))

    def _crowd(self, section: SimMarket, flow: Flow) -> Process:
        symbol = section.instrument.symbol
        crowd = Crowd(
            self.markets[symbol],
            section.instrument,
            flow,
            self._stream(f"crowd.{symbol}"),
            on_trade=lambda outcome: self._print(symbol, outcome.matches),
        )
        while True:
            self._publish(crowd.act())
            yield self._env.timeout(int(flow.path.tick))

    def _outage(self, outage: Outage) -> Process:
        yield self._env.timeout(outage.at)
        self._turn(up=False, session=ExchangeSessionDown(_OUTAGE), market=MarketDataDown(_OUTAGE))
        yield self._env.timeout(outage.span)
        self._turn_up()

    def _transfer(self, transfer: Transfer) -> Process:
        yield self._env.timeout(transfer.at)
        self.account.change(transfer.asset, transfer.quantity)

    def _turn_up(self) -> None:
        self._turn(up=True, session=ExchangeSessionUp(), market=MarketDataUp())

    def _turn(self, *, up: bool, session: Record, market: Record) -> None:
        """The session begins or ends, and market data with it. Its end is noticed where it is used, at once."""
        self._up = up
        self._session += 1
        for channels, told in ((self._orders, session), (self._books, market)):
            for channel in channels:
                channel.caller.tell(0, told)

    def _play(self, client_id: str, trades: list[ScriptedTrade]) -> Process:
        for trade in trades:
            yield self._env.timeout(self._model.script_gap_ns)
            self.account.fill(client_id, trade)
        if not trades:
            yield self._env.timeout(self._model.script_gap_ns)
        self.account.expired(client_id)

    # --- what is said --------------------------------------------------------------------------------

    def _print(self, symbol: str, matches: Iterable[Match]) -> None:
        for match in matches:
            self.account.on_match(symbol, match)
            self._say(self._books, TradePrinted(symbol, match.price, match.quantity))

    def _publish(self, delta: BookDelta | None) -> None:
        if delta is not None:
            self._say(self._books, delta)

    def _say_of_orders(self, execution: ExchangeExecution) -> None:
        self._say(self._orders, execution)

    def _say(self, channels: list[Channel], body: Record) -> None:
        faults = self._model.faults
        for channel in channels:
            if not self._up or self._faults.chance(faults.lost_messages):
                continue
            for _ in range(2 if self._faults.chance(faults.repeated_messages) else 1):
                self._post(channel, body)

    def _post(self, channel: Channel, body: Record) -> None:
        span, rate = self._latency(), self._model.faults.reordered_messages
        if rate and self._faults.chance(rate):
            span += 2 * self._latency()
        else:
            span = channel.arrival(self._now, span)
        self._deliver(span, lambda: channel.caller.tell(0, body))

    def _deliver(self, span: Nanos, arrive: Callable[[], None]) -> None:
        """Let something arrive `span` from now, if the session lasts."""
        session = self._session

        def deliver(_: object) -> None:
            if self._session == session:
                arrive()

        self._env.timeout(span).callbacks.append(deliver)

    @property
    def _now(self) -> Nanos:
        return int(self._env.now)

    def _stream(self, name: str) -> Stream:
        return stream(self._seed, f"exchange.{name}")

    _ANSWERS: Final[dict[type[Record], Callable[[Any, Any], Record]]] = {
        PlaceExchangeOrder: _place,
        CancelExchangeOrder: _cancel,
        QueryExchangeOrder: _query,
        QueryBalances: _balances,
        QueryInstruments: _instruments,
        SnapshotBook: _snapshot,
    }
